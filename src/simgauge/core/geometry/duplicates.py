"""Rows that occur twice: exactly, by hashing; nearly, among the neighbours that were computed anyway."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from simgauge.core.neighbors.neighbor_lists import Indices, as_neighbor_lists
from simgauge.core.tables.equal_rows import first_equal
from simgauge.core.tables.kinds import Table, Vector
from simgauge.errors import InputError, ParameterError


@dataclass(frozen=True, eq=False)
class Duplicates:
    """Groups of rows that are the same, or nearly."""

    labels: Indices
    """(n_rows,): position of the first row of the group; a row without copies is its own label."""
    pairs: Indices
    """(n_pairs, 2): examples, at most as many as asked for."""
    n_rows_in_groups: int
    """Rows that have at least one copy."""
    n_groups: int
    """Groups of two rows or more."""


def exact_duplicates(table: Table, max_examples: int = 10) -> Duplicates:
    """Rows with equal entries (0.0 and −0.0 are equal), found by a 64-bit hash and verified entry by entry.

    Gauge
    -----
    Invariant: ``x G = y G`` if and only if ``x = y``, for every invertible G (in exact arithmetic; a product in
    floating point may round copies apart). The one geometry check that belongs to the model.

    Numerics
    --------
    One pass, O(n k), see `equal_rows.first_equal`; about 50 bytes a row.

    Examples
    --------
    >>> duplicates = exact_duplicates(np.array([[1.0, 0.0], [2.0, 1.0], [1.0, -0.0]]))
    >>> duplicates.labels, duplicates.pairs, duplicates.n_rows_in_groups
    (array([0, 1, 0]), array([[0, 2]]), 2)
    """
    labels = first_equal(table)
    copies = np.flatnonzero(labels != np.arange(len(table)))[:max_examples]
    return _duplicates(labels, np.column_stack([labels[copies], copies]))


def near_duplicates(
    indices: Any,
    scores: NDArray[np.floating[Any]],
    n_rows: int,
    *,
    threshold: float = 0.99,
    rows: Indices | None = None,
    max_examples: int = 10,
) -> Duplicates:
    """Rows whose neighbour scores reach a threshold, joined into groups by single linkage.

    Parameters
    ----------
    indices, scores : arrays, shape (n_queries, k)
        Neighbours and their similarity, higher is closer.
    n_rows : int
        Rows of the table that was searched.
    threshold : float
        Least similarity of near duplicates.
    rows : ndarray of int, shape (n_queries,), optional
        Which row each query is, when the queries are a sample; all rows in order when not given. From a sample the
        groups are those that its lists show: a lower bound.
    max_examples : int
        The closest pairs are returned, each once.

    Gauge
    -----
    Changes under a general G (directions close to those that G shrinks move apart), not under an orthogonal one.

    Examples
    --------
    >>> near_duplicates([[1], [0], [1]], np.array([[0.999], [0.999], [0.2]]), n_rows=3).pairs
    array([[0, 1]])
    """
    lists = as_neighbor_lists(indices, n_rows)
    if scores.shape != lists.shape:
        raise InputError(f"scores of shape {scores.shape}: expected that of the neighbour lists, {lists.shape}.")
    if not np.isfinite(threshold):
        raise ParameterError(f"threshold={threshold}: expected a finite similarity.")
    queries = query_rows(rows, len(lists), n_rows)
    close, column = np.nonzero((scores >= threshold) & (lists != queries[:, None]))
    a, b, score = queries[close], lists[close, column], np.asarray(scores[close, column], dtype=np.float64)
    count, component = connected_components(
        coo_array((np.ones(len(a)), (a, b)), shape=(n_rows, n_rows)), directed=False
    )
    first = np.full(count, n_rows)
    np.minimum.at(first, component, np.arange(n_rows))
    return _duplicates(first[component], _closest_pairs(a, b, score, max_examples))


def query_rows(rows: Indices | None, n_queries: int, n_rows: int) -> Indices:
    """Positions of the queries in the table; all rows in order when `rows` is not given."""
    if rows is None:
        if n_queries != n_rows:
            raise ParameterError(f"{n_queries} lists for {n_rows} rows: say with rows= which rows the queries are.")
        return np.arange(n_rows)
    positions = np.asarray(rows)
    if positions.shape != (n_queries,) or positions.dtype.kind not in "iu":
        raise InputError(f"rows of shape {positions.shape}: expected one row position per list, ({n_queries},).")
    if positions.min() < 0 or positions.max() >= n_rows:
        raise InputError(f"rows: positions must lie in 0..{n_rows - 1}.")
    return positions.astype(np.int64, copy=False)


def _closest_pairs(a: Indices, b: Indices, score: Vector, count: int) -> Indices:
    low, high = np.minimum(a, b), np.maximum(a, b)
    order = np.lexsort((high, low, -score))
    pairs = np.column_stack([low, high])[order]
    _, first = np.unique(pairs, axis=0, return_index=True)
    return pairs[np.sort(first)[:count]]


def _duplicates(labels: Indices, pairs: Indices) -> Duplicates:
    sizes = np.bincount(labels, minlength=len(labels))
    grouped = sizes[sizes > 1]
    return Duplicates(labels, pairs, int(grouped.sum()), len(grouped))
