"""How many neighbours two sets of lists have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.core.neighbors.neighbor_lists import as_neighbor_lists
from simgauge.errors import InputError

LISTS_PER_BLOCK = 65_536
"""Lists compared in one step (keeps memory flat)."""


@dataclass(frozen=True, eq=False)
class NeighborOverlap:
    """Common members of two neighbour lists, as a share of k."""

    mean: float
    """Mean over the rows, in [0, 1]."""
    per_row: NDArray[np.float64]
    """Shape (n_rows,)."""
    identical: float
    """Share of rows whose two lists have the same members (the order may differ)."""


def neighbor_overlap(indices_a: Any, indices_b: Any) -> NeighborOverlap:
    """Mean share of common members of two sets of neighbour lists of the same rows, order ignored.

    Parameters
    ----------
    indices_a, indices_b : array-like of int, shape (n_rows, k)
        Row i of both holds the neighbours of the same row; no member twice in a list.

    Gauge
    -----
    With lists of cosine: the same for ``items @ G`` with G orthogonal, different in general.

    Numerics
    --------
    O(n k log k): both lists are sorted together and equal neighbours counted.

    Raises
    ------
    InputError
        Different shapes, or a list that names a row twice.

    Examples
    --------
    >>> neighbor_overlap([[1, 2], [0, 2]], [[2, 1], [2, 3]]).per_row
    array([1. , 0.5])
    """
    a, b = as_neighbor_lists(indices_a, name="indices_a"), as_neighbor_lists(indices_b, name="indices_b")
    if a.shape != b.shape:
        raise InputError(f"expected lists of the same rows and the same k; received shapes {a.shape} and {b.shape}.")
    common = np.empty(len(a), dtype=np.int64)
    for start in range(0, len(a), LISTS_PER_BLOCK):
        rows = slice(start, start + LISTS_PER_BLOCK)
        common[rows] = _common_members(a[rows], b[rows], start)
    per_row = common / a.shape[1]
    return NeighborOverlap(float(per_row.mean()), per_row, float(np.mean(common == a.shape[1])))


def _common_members(a: NDArray[np.int64], b: NDArray[np.int64], start: int) -> NDArray[np.int64]:
    for name, lists in (("indices_a", a), ("indices_b", b)):
        ordered = np.sort(lists, axis=1)
        twice = (ordered[:, 1:] == ordered[:, :-1]).any(axis=1)
        if twice.any():
            raise InputError(f"{name}: the list of row {start + int(twice.argmax())} names a neighbour twice.")
    both = np.sort(np.concatenate([a, b], axis=1), axis=1)
    return np.asarray((both[:, 1:] == both[:, :-1]).sum(axis=1))
