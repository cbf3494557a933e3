"""Which items travel with a page: as many as its size allows, those that people ask for first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simgauge.report.explorer.searched import Searched

Indices = NDArray[np.int64]

PAGE_BYTES = 2_650_000
"""Of the coordinates, names, candidates and matrices in a page of at most 3 MB."""
MOST_ASKED = 2_000
"""Items of a table that does not travel as a whole whose lists can be made in its page."""
TRIED = 128
"""Items whose candidates are sought together."""
SEARCH_PRODUCTS = 6e10
"""Room for these searches, as products of numbers: some ten seconds of one core. At least 32 items are tried."""
POPULAR = 150
"""Of these the most popular come first, after those that were named."""


class Travellers(NamedTuple):
    """Items in a page; the first `n_asked` of them have all their candidates there."""

    places: Indices
    """Positions among the searched items."""
    n_asked: int
    candidates: list[Indices] | None
    """For each of the first `n_asked`, positions in `places`; None where all searched items travel."""


def travellers(
    searched: Searched,
    order: Indices,
    k: int,
    names: Sequence[str],
    first: Indices,
    page_bytes: int = PAGE_BYTES,
) -> Travellers:
    """All searched items where they fit; otherwise those of `order`, each with every candidate of every gauge.

    Parameters
    ----------
    order : ndarray of int
        Places, the most wanted first.
    k : int
    names : sequence of str
        Of the searched items.
    first : ndarray of int
        Places that travel in any case, such as items whose predictions are shown.
    """
    page_bytes -= searched.forms.n_bytes * 4 // 3
    each = np.array([len(name.encode()) + 4 for name in names]) + _bytes_of_a_row(searched.common.shape[1])
    if int(each.sum()) <= page_bytes and len(names) < 1 << 16:
        return Travellers(np.arange(len(names)), len(names), None)
    inside = np.zeros(len(names), dtype=bool)
    inside[first] = True
    spent = int(each[inside].sum())
    asked: list[int] = []
    unions: list[Indices] = []
    each_item = searched.common.size * (1 + sum(1 for _ in searched.forms.points()))
    wanted = order[: min(MOST_ASKED, max(32, int(SEARCH_PRODUCTS / each_item)))]
    for start in range(0, len(wanted), TRIED):
        for place, union in zip(
            wanted[start : start + TRIED], unions_over_grid(searched, wanted[start : start + TRIED], k), strict=True
        ):
            new = union[~inside[union]]
            cost = int(each[new].sum()) + 3 * len(union)
            if (spent + cost > page_bytes or inside.sum() + len(new) >= 1 << 16) and asked:
                return _ordered(asked, unions, inside)
            inside[union] = True
            spent += cost
            asked.append(int(place))
            unions.append(union)
    return _ordered(asked, unions, inside)


def unions_over_grid(searched: Searched, places: Indices, k: int) -> list[Indices]:
    """For each of some items, itself and all places that are in its list, or next behind it, in a gauge of the grid."""
    reach = min(k + 1, len(searched.rows) - 1)
    found = [places[:, None], searched.lists(None, places, reach)[0]]
    found += [searched.lists(point, places, reach)[0] for point in searched.forms.points()]
    together = np.concatenate(found, axis=1)
    return [np.unique(row) for row in together]


def _ordered(asked: list[int], unions: list[Indices], inside: NDArray[np.bool_]) -> Travellers:
    own = np.array(asked, dtype=np.int64)
    rest = np.flatnonzero(inside)
    places = np.concatenate([own, rest[~np.isin(rest, own)]])
    position = np.full(len(inside), -1, dtype=np.int64)
    position[places] = np.arange(len(places))
    return Travellers(places, len(own), [position[union] for union in unions])


def _bytes_of_a_row(n_components: int) -> int:
    """In a page: two bytes a coordinate, a step size and a popularity, as base64."""
    return int((2 * n_components + 8) * 4 / 3)
