"""Neighbours of some rows in a table that is read block by block and changed on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.core.neighbors.topk import top_k
from simgauge.core.tables.arrays import beside, numpy_dtype, on_host
from simgauge.core.tables.kinds import Array, Lists, Table
from simgauge.core.tables.row_parts import RowParts
from simgauge.core.tables.tables import map_rows, take_rows
from simgauge.errors import ParameterError

BLOCK_BYTES = 96 << 20
"""Memory of one block of the table; a few copies of it are alive at a time."""

Transform = Callable[[Array], Array]
Factors = NDArray[np.floating[Any]]


def streamed_top_k(
    table: Table,
    rows: NDArray[np.int64],
    k: int,
    metric: str = "cosine",
    transform: Transform | None = None,
    *,
    queries: Table | None = None,
    block_bytes: int | None = None,
) -> Lists:
    """The k nearest rows of ``transform(table)`` for some of its rows, themselves left out, or for other queries.

    Parameters
    ----------
    table : ndarray, tensor or RowParts, shape (n, n_components)
        May be memory-mapped and larger than memory.
    rows : ndarray of int, shape (m,)
        Whose neighbours: rows of the table, or of `queries`.
    k : int, from 1 to n − 1
    metric : {"cosine", "dot"}
    transform : callable, optional
        Row-wise map of a block of rows, such as a change of gauge; it never sees the whole table.
    queries : ndarray, shape (n_queries, n_components), optional
        The other side, already as it should be compared; only `rows` of it are read.
    block_bytes : int
        Size of a block.

    Returns
    -------
    indices : ndarray of int64, shape (m, k)
    scores : ndarray, shape (m, k)
        As `top_k` gives them for the whole table: sorted by score, ties by index.

    Numerics
    --------
    As `top_k`, with memory of a few blocks and (m, 2k) instead of copies of the table.

    Examples
    --------
    >>> table = np.array([[1.0, 0.0], [3.0, 4.0], [0.0, 1.0], [5.0, 0.0]])
    >>> streamed_top_k(table, np.array([0]), 2)[0]
    array([[3, 1]])
    """
    if not 1 <= k < len(table):
        raise ParameterError(f"k={k}: in a table of {len(table)} rows expected 1 to {len(table) - 1}.")
    change = transform or _unchanged
    step = _step(table, k, block_bytes or BLOCK_BYTES)
    if step >= len(table) and not isinstance(table, RowParts) and not isinstance(queries, RowParts):
        whole = np.asarray(table) if on_host(table) else table
        return top_k(change(whole), k, metric, queries, rows=rows)
    own = queries is None
    asked = change(take_rows(table, rows)) if queries is None else take_rows(queries, rows)
    best: Lists | None = None
    for found in map_rows(table, _nearest, asked, k + own, metric, change, step=step):
        best = _merge(best, found, k + own)
    assert best is not None  # the table has rows
    return _without_self(best, rows, k) if own else best


def _nearest(block: Array, first_row: int, asked: Array, count: int, metric: str, change: Transform) -> Lists:
    indices, scores = top_k(change(block), min(count, len(block)), metric, asked)
    return indices + first_row, scores


def _unchanged(block: Array) -> Array:
    return block


def streamed_top_k_scaled(
    table: Table,
    rows: NDArray[np.int64],
    k: int,
    rotation: NDArray[np.floating[Any]],
    scales: Sequence[NDArray[np.floating[Any]]],
    block_bytes: int | None = None,
    shift: NDArray[np.floating[Any]] | None = None,
) -> list[NDArray[np.int64]]:
    """Cosine neighbours in ``(table + shift) @ rotation * scale`` for several scales, the table rotated once.

    Parameters
    ----------
    table, rows, k, block_bytes
        As in `streamed_top_k`.
    rotation : ndarray, shape (n_components, n_components)
    scales : sequence of ndarray, shape (n_components,)
    shift : ndarray, shape (n_components,), optional
        One vector for all rows.

    Returns
    -------
    list of ndarray of int64, shape (m, k)
        One for each scale.

    Examples
    --------
    >>> table = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, -3.0]])
    >>> scales = [np.ones(2), [9.0, 1.0]]
    >>> [lists.tolist() for lists in streamed_top_k_scaled(table, np.array([0]), 1, np.eye(2), scales)]
    [[[1]], [[1]]]
    """
    best: list[Lists | None] = [None] * len(scales)
    asked = take_rows(table, rows)
    moved = np.zeros(table.shape[1]) if shift is None else shift @ rotation
    arguments = (asked, k + 1, rotation, list(scales), moved)
    for lists in map_rows(table, _nearest_scaled, *arguments, step=_step(table, k, block_bytes or BLOCK_BYTES)):
        best = [_merge(before, found, k + 1) for before, found in zip(best, lists, strict=True)]
    return [_without_self(found, rows, k)[0] for found in best if found is not None]


def _nearest_scaled(
    block: Array, first_row: int, asked: Array, count: int, rotation: Factors, scales: list[Factors], shift: Factors
) -> list[Lists]:
    typed, moved = beside(rotation, block), beside(shift, block)
    rotated, turned = block @ typed + moved, asked @ typed + moved
    lists = []
    for scale in scales:
        factor = beside(scale, block)
        indices, scores = top_k(rotated * factor, min(count, len(block)), "cosine", turned * factor)
        lists.append((indices + first_row, scores))
    return lists


def _step(table: Table, k: int, block_bytes: int) -> int:
    return max(k + 2, block_bytes // (numpy_dtype(table).itemsize * int(table.shape[1])))


def _merge(best: Lists | None, new: Lists, count: int) -> Lists:
    """The `count` largest of both by score, equal scores by index."""
    if best is not None:
        new = (np.concatenate([best[0], new[0]], axis=1), np.concatenate([best[1], new[1]], axis=1))
    order = np.lexsort((new[0], -new[1]), axis=1)[:, :count]
    return np.take_along_axis(new[0], order, axis=1), np.take_along_axis(new[1], order, axis=1)


def _without_self(best: Lists, rows: NDArray[np.int64], k: int) -> Lists:
    """The first k that are not the query itself; a query that many copies outrank is not in its list anyway."""
    other = best[0] != rows[:, None]
    order = np.argsort(~other, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(best[0], order, axis=1), np.take_along_axis(best[1], order, axis=1)
