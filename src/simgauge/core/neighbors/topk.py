"""Exact nearest neighbours: the k largest cosines or dot products of every row, ties broken by the lower index."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simgauge.core.neighbors.exact_lists import Search, SearchTable
from simgauge.core.tables.arrays import is_tensor
from simgauge.core.tables.kinds import FloatTable, Lists
from simgauge.core.tables.row_parts import RowParts
from simgauge.core.tables.scale import in_range
from simgauge.core.tables.tables import as_table
from simgauge.errors import InputError, ParameterError

METRICS = ("cosine", "dot")

ROWS_PER_STEP = 16_384
"""Queries searched in one step of `iter_top_k`."""


def top_k(vectors: Any, k: int, metric: str = "cosine", queries: Any = None, *, rows: ArrayLike | None = None) -> Lists:
    """The k nearest rows of a table for every query, exactly.

    Parameters
    ----------
    vectors : array-like or torch tensor, shape (n_rows, n_components)
        The table searched. See `tables.as_table` for what is accepted. A tensor is searched on its device.
    k : int, >= 1
        Neighbours wanted: at most n_rows, or n_rows - 1 when the table is its own query.
    metric : {"cosine", "dot"}
        "cosine": a zero row has cosine 0 with everything, itself included.
    queries : array-like, shape (n_queries, n_components), optional
        When not given, the rows of the table are the queries and each is left out of its own list. Next to the table:
        both NumPy, or both tensors on one device.
    rows : array-like of int, optional
        Indices of the queries (or of the rows of the table) to search for; all when not given.

    Returns
    -------
    indices : ndarray of int64, shape (n, k)
        Sorted by score, not rising; equal scores by index, rising. Ties at the end of a list count: a row that is left
        out has a smaller score, or the same score and a higher index than all that are in. NumPy, also for tensors.
    scores : ndarray, shape (n, k)
        Computed in float64; float32 when both tables are float32 (equal then means equal as float32). Tables whose
        products would leave the range of their type are searched in another scale; their dot products come in float64,
        those beyond it as its largest number.

    Gauge
    -----
    Lists by "dot" between two tables do not depend on the gauge; lists within one table do, by either metric.

    Numerics
    --------
    2 n n_rows n_components flops in float32, by FAISS for all but small searches; a row is searched again when its k-th
    score is within (n_components + 8) eps of the first one not fetched. Memory: one float32 copy of each table (for
    float64 cosine a float64 copy too; for float32 dot none), 100 MiB, and the result. Where a list ends in a tie: a
    float32 copy of the distinct rows, 24 bytes a row of the table, and up to 256 MiB (at least 4 bytes a row).
    Tensors: the same, on their device, with 600 MiB for tiles of scores on an accelerator; only norms, hashes of rows
    (8 bytes a row each) and lists come to the host. Products are IEEE float32 also where TF32 is switched on.

    Raises
    ------
    InputError
        Tables of different width or on different devices, or not tables of finite numbers.
    ParameterError
        k, metric or rows out of range.

    Examples
    --------
    >>> table = [[1.0, 0.0], [3.0, 4.0], [0.0, 0.0], [5.0, 0.0]]
    >>> indices, scores = top_k(table, 2)
    >>> indices
    array([[3, 1],
           [0, 3],
           [0, 1],
           [0, 1]])
    >>> scores[0]
    array([1. , 0.6])
    >>> top_k(table, 1, "dot", queries=[[0.0, 1.0]])[0]
    array([[1]])
    >>> top_k(table, 1, rows=[3])[0]
    array([[0]])
    """
    search, exponent = _prepare(vectors, k, metric, queries)
    wanted = _row_indices(rows, search.n_queries)
    indices = np.empty((len(wanted), search.k), dtype=np.int64)
    scores = np.empty((len(wanted), search.k), dtype=search.dtype if exponent == 0 else np.float64)
    for start in range(0, len(wanted), ROWS_PER_STEP):
        part = slice(start, start + ROWS_PER_STEP)
        indices[part], scores[part] = _lists(search, exponent, wanted[part])
    return indices, scores


def iter_top_k(
    vectors: Any,
    k: int,
    metric: str = "cosine",
    queries: Any = None,
    *,
    rows: ArrayLike | None = None,
    rows_per_step: int = ROWS_PER_STEP,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], FloatTable]]:
    """`top_k` in pieces, for tables of millions of rows: yields (query indices, indices, scores).

    Examples
    --------
    >>> for query, indices, _ in iter_top_k(np.eye(3), 1, rows_per_step=2):
    ...     print(query, indices.ravel())
    [0 1] [1 0]
    [2] [0]
    """
    if rows_per_step < 1:
        raise ParameterError(f"rows_per_step={rows_per_step}: expected an integer >= 1.")
    search, exponent = _prepare(vectors, k, metric, queries)
    wanted = _row_indices(rows, search.n_queries)
    return _pieces(search, exponent, wanted, rows_per_step)


def _lists(search: Search, exponent: int, rows: NDArray[np.int64]) -> Lists:
    """Lists of these queries, scores in the scale of the tables as they came."""
    indices, scores = search.lists(rows)
    if exponent == 0:
        return indices, scores
    with np.errstate(over="ignore", under="ignore"):
        scaled = np.ldexp(scores.astype(np.float64), exponent)
    return indices, np.clip(scaled, -np.finfo(np.float64).max, np.finfo(np.float64).max)


def _pieces(
    search: Search, exponent: int, wanted: NDArray[np.int64], step: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], FloatTable]]:
    for start in range(0, len(wanted), step):
        part = wanted[start : start + step]
        yield (part, *_lists(search, exponent, part))


def _prepare(vectors: Any, k: int, metric: str, queries: Any) -> tuple[Search, int]:
    """What searches, and the power of two by which its scores are to be multiplied: 0 for tables of ordinary size."""
    if metric not in METRICS:
        raise ParameterError(f"metric={metric!r}: expected one of {', '.join(METRICS)}.")
    table = as_table(vectors)
    asked = table if queries is None else as_table(queries, "queries")
    _refuse_apart(table, asked)
    if asked.shape[1] != table.shape[1]:
        raise InputError(
            f"queries have {asked.shape[1]} components, vectors {table.shape[1]}: pass tables of the same space."
        )
    most = len(table) - (queries is None)
    try:
        count = operator.index(k)
    except TypeError:
        count = 0
    if not 1 <= count <= most:
        raise ParameterError(
            f"k={k}: expected an integer from 1 to {most}, the rows of the table"
            + (" other than the query itself." if queries is None else ".")
        )
    own = queries is None
    table, exponent = in_range(table)
    asked, other = (table, exponent) if own else in_range(asked)
    side = SearchTable.of(table, metric)
    search = Search(side, side if own else SearchTable.of(asked, metric), count, metric, own)
    return search, -(exponent + other) if metric == "dot" else 0


def _refuse_apart(table: Any, asked: Any) -> None:
    if isinstance(table, RowParts) or isinstance(asked, RowParts):
        raise InputError(
            "a table in parts: expected a NumPy array or a tensor. Pass a memory-mapped table, or gather() the parts."
        )
    places = [f"tensor on {side.device}" if is_tensor(side) else "NumPy array" for side in (table, asked)]
    if places[0] != places[1]:
        raise InputError(
            f"vectors: a {places[0]}, queries: a {places[1]}. simgauge copies nothing between devices silently: bring "
            "both to one place first (torch.as_tensor(queries, device=...), or tensor.cpu().numpy())."
        )


def _row_indices(rows: ArrayLike | None, n_queries: int) -> NDArray[np.int64]:
    if rows is None:
        return np.arange(n_queries)
    wanted = np.asarray(rows)
    if wanted.ndim != 1 or (wanted.size and wanted.dtype.kind not in "iu"):
        raise ParameterError(f"rows: expected a list of integers; received shape {wanted.shape}, {wanted.dtype}.")
    wanted = wanted.astype(np.int64)
    if wanted.size and not 0 <= wanted.min() <= wanted.max() < n_queries:
        raise ParameterError(
            f"rows: expected indices from 0 to {n_queries - 1}; received {wanted.min()} to {wanted.max()}."
        )
    return wanted
