"""Places in neighbour lists, shared fairly where lists end in a tie.

A list of k has to choose among items that are equally near at its end, and every rule of choice makes hubs of those
that it prefers: of 280 equal rows the ten lowest would be in every list. Here all items of such a tie get an equal part
of the places that are left for them, so that counts of places say something about the vectors and nothing about row
numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.core.neighbors.neighbor_lists import Indices, as_neighbor_lists
from simgauge.core.neighbors.streamed_topk import Transform, streamed_top_k
from simgauge.core.tables.arrays import beside, doubled, numpy_dtype, to_host
from simgauge.core.tables.kinds import Array, Lists, Matrix, Table, Vector
from simgauge.core.tables.tables import map_rows, norms_of_block, take_rows
from simgauge.errors import ParameterError

SCORE_BYTES = 32 << 20
"""Memory of one step of scoring queries whose lists end in a tie."""

TIED_WORK = 4e10
"""Multiplications spent on lists that end in a tie; above it, evenly spaced queries are used."""

MAX_PLACES = 8_000_000
"""Shared places kept in memory, 24 bytes each; above it, evenly spaced queries are used."""


@dataclass(frozen=True, eq=False)
class Places:
    """Who holds the places of some neighbour lists: one entry a query and item, with the part of a place held."""

    query: Indices
    """Position of the query, 0 to `n_queries` − 1."""
    item: Indices
    """Row of the item, 0 to `n_rows` − 1."""
    weight: Vector
    """In (0, 1]: below 1 for members of a tie at the end of a list. A query's weights sum to k."""
    n_queries: int
    n_rows: int

    def power_sums(self, chosen: NDArray[np.bool_] | None = None) -> Matrix:
        """(3, n_rows): sums over the (chosen) queries of w, w² and w³ of every item."""
        weight, item = self.weight, self.item
        if chosen is not None:
            keep = chosen[self.query]
            weight, item = weight[keep], item[keep]
        return np.stack([np.bincount(item, weight**power, self.n_rows) for power in (1, 2, 3)])

    def occurrence(self) -> Vector:
        """(n_rows,): places held by every item, N_k."""
        return np.asarray(np.bincount(self.item, self.weight, self.n_rows), dtype=np.float64)

    def lists_with(self, chosen: NDArray[np.bool_] | None = None) -> Indices:
        """(n_rows,): number of lists in which an item is, or is in the tie at their end."""
        item = self.item if chosen is None else self.item[chosen[self.query]]
        return np.bincount(item, minlength=self.n_rows).astype(np.int64, copy=False)


def resolved_top_k(table: Table, rows: Indices, k: int, transform: Transform | None = None) -> Lists:
    """Cosine lists that do not depend on the dtype: where float32 scores tie at the end of a list, float64 decides.

    `streamed_top_k` of a float32 table calls scores equal that are equal as float32, and lists the lower rows; when all
    vectors are nearly parallel, that is all of them. Such rows are searched again in float64.

    Returns
    -------
    indices, scores : ndarrays, shape (n_queries, k + 1), or (n_queries, k) where the table has no more rows
        One more than k, because the score beyond the end of a list shows a tie.

    Examples
    --------
    >>> near = np.array([[1.0, 0.0], [1.0, 3e-5], [1.0, 2e-5], [1.0, 1e-5]], dtype=np.float32)
    >>> streamed_top_k(near, np.array([0]), 2)[0], resolved_top_k(near, np.array([0]), 1)[0]
    (array([[1, 2]]), array([[3, 2]]))
    """
    wanted = min(k + 1, len(table) - 1)
    indices, scores = streamed_top_k(table, rows, wanted, "cosine", transform)
    if wanted == k + 1 and numpy_dtype(scores) == np.float32:
        tied = np.flatnonzero(scores[:, k - 1] == scores[:, k])
        if len(tied):
            scores = scores.astype(np.float64)
            again = _Doubled(transform)
            indices[tied], scores[tied] = streamed_top_k(table, rows[tied], wanted, "cosine", again)
    return indices, scores


class _Doubled:
    """A change of rows, made in float64; an object, so that it can be sent to where the parts of a table are."""

    def __init__(self, transform: Transform | None) -> None:
        self.transform = transform

    def __call__(self, block: Array) -> Array:
        wide = doubled(block)
        return wide if self.transform is None else doubled(self.transform(wide))


def shared_places(table: Table, asked: Array, lists: Lists, k: int, own: Indices | None = None) -> Places:
    """Places of lists of k, those at a tie shared by all items of the tie.

    Parameters
    ----------
    table : ndarray, tensor or RowParts, shape (n_rows, n_components)
        The table that was searched by cosine.
    asked : ndarray or tensor, shape (n_queries, n_components)
        The vectors whose lists these are.
    lists : (indices, scores), each (n_queries, k + 1) or more; or (n_queries, k) when all rows are in every list
        From `streamed_top_k`; the score beyond the end shows a tie.
    own : ndarray of int, optional
        The row of every query in the table, which is in no list of its own.

    Numerics
    --------
    Scores within 4 (n_components + 8) eps of float64 count as tied. Queries with a tie are scored against the whole
    table, in float64. Where that would be too much (`TIED_WORK`, `MAX_PLACES`), evenly spaced queries are used.

    Examples
    --------
    >>> table = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.0, 1.0]])
    >>> from simgauge.core.neighbors.topk import top_k
    >>> shared_places(table, table, top_k(table, 2), 1, np.arange(4)).occurrence()
    array([0.        , 1.33333333, 1.33333333, 1.33333333])
    """
    n_rows = len(table)
    indices, scores = as_neighbor_lists(lists[0], n_rows), np.asarray(lists[1], dtype=np.float64)
    if not 1 <= k <= indices.shape[1]:
        raise ParameterError(f"k={k}: expected 1 to the length of the lists, {indices.shape[1]}.")
    margin = 4 * (table.shape[1] + 8) * float(np.finfo(np.float64).eps)
    closes = scores[:, k - 1] - scores[:, k] > margin if indices.shape[1] > k else np.ones(len(indices), dtype=bool)
    used = np.arange(len(indices))
    work = float((~closes).sum()) * n_rows * table.shape[1]
    if work > TIED_WORK:
        used = used[:: int(np.ceil(work / TIED_WORK))]
    while True:
        tied = used[~closes[used]]
        found = _tied_members(
            table, take_rows(asked, tied), scores[tied, k - 1], margin, None if own is None else own[tied]
        )
        if found is not None or len(used) == 1:
            break
        used = used[::4]
    position = np.empty(len(indices), dtype=np.int64)
    position[used] = np.arange(len(used))
    plain = used[closes[used]]
    parts = [(np.repeat(position[plain], k), indices[plain, :k].ravel(), np.ones(len(plain) * k))]
    if found is not None and len(tied):
        parts.append((position[tied][found[0]], found[1], _parts_of_places(*found, len(tied), k)))
    query, item, weight = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Places(query, item, weight, len(used), n_rows)


def _parts_of_places(query: Indices, _: Indices, above: NDArray[np.bool_], n_queries: int, k: int) -> Vector:
    """1 for what is surely listed, and an equal part of what is left for every member of the tie."""
    n_above = np.bincount(query[above], minlength=n_queries)
    n_tied = np.bincount(query[~above], minlength=n_queries)
    share = (k - n_above) / np.maximum(n_tied, 1)
    return np.where(above, 1.0, np.clip(share, 0.0, 1.0)[query])


def _tied_members(
    table: Table, asked: Array, last: Vector, margin: float, own: Indices | None
) -> tuple[Indices, Indices, NDArray[np.bool_]] | None:
    """Query, item and whether it is before the tie, for all items not behind the tie; None when they are too many."""
    if not len(last):
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, bool)
    wide = to_host(_unit(asked))
    step = max(1, SCORE_BYTES // (8 * len(last)))
    queries, items, above, total = [], [], [], 0
    for query, item, before in map_rows(table, _not_behind, wide, last, margin, step=step):
        keep = slice(None) if own is None else item != own[query]
        queries.append(query[keep])
        items.append(item[keep])
        above.append(before[keep])
        total += len(query)
        if total > MAX_PLACES:
            return None
    return np.concatenate(queries), np.concatenate(items), np.concatenate(above)


def _not_behind(
    block: Array, first_row: int, asked: Array, last: Vector, margin: float
) -> tuple[Indices, Indices, NDArray[np.bool_]]:
    wide = _unit(block)
    scores = to_host(beside(asked, wide) @ wide.T)
    query, item = np.nonzero(scores >= (last - margin)[:, None])
    return query, item + first_row, scores[query, item] > last[query] + margin


def _unit(block: Array) -> Array:
    """Rows of norm one in float64; zero rows stay zero."""
    wide: Any = doubled(block)
    norms = norms_of_block(wide)
    return wide * beside(np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)[:, None], wide)
