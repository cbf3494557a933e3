"""Metrics of held-out co-consumption per user, plain and weighted, from one product of sparse matrices."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from simgauge.core.tables.kinds import Matrix, Vector
from simgauge.errors import ParameterError

PairMetric = Literal["recall", "precision", "ndcg"]

ENTRIES_PER_BLOCK = 4_000_000
"""Listed and held-out items that are compared in one step."""


class UserScores(NamedTuple):
    """One number per user; the mean over users is the metric, in [0, 1]."""

    plain: Vector
    """Every user counts the same, and every held-out item of theirs."""
    weighted: Matrix
    """(n_users, n_weightings): every held-out item of anybody counts its weight. With 1 / popularity, every *item*
    counts the same."""


def coconsumption_scores(
    lists: NDArray[np.int64],
    used: sparse.csr_array,
    later: sparse.csr_array,
    item_weights: Matrix | None = None,
    metric: PairMetric = "recall",
) -> UserScores:
    """Share of the items a user took later that are among the neighbours of what they used before.

    A query is one (user, used item); its relevant items are the user's held-out ones; a user's score is the mean over
    their queries. Full ranking over all items, no sampled negatives.

    Parameters
    ----------
    lists : ndarray, shape (n_queries, k)
        Neighbours of the items that are columns of `used`; -1 pads.
    used : CSR of 0 and 1, shape (n_users, n_queries)
        At least one entry a user.
    later : CSR of 0 and 1, shape (n_users, n_items)
        At least one entry a user.
    item_weights : ndarray, shape (n_items, n_weightings)
        Positive weights of a held-out item, such as 1 / popularity and 1 / √popularity, each in a column. None: there
        is no weighted form.
    metric : {"recall", "precision", "ndcg"}
        Share of the held-out items that are listed; share of the k places that they take; discounted gain of what is
        listed, of the best list. Weighted: weight collected, of the weight that perfect lists would collect over all
        users. (Shares within each user would not do: who only used popular items would count them in full, and one
        list of popular items for everybody would score high.)

    Returns
    -------
    UserScores
        ``plain`` for recall equals `pair_recall(...)` per user. ``weighted`` may exceed 1 for single users.

    Numerics
    --------
    O(nnz(used) k), in blocks of rows.

    Examples
    --------
    >>> used, later = sparse.csr_array([[1.0, 0.0, 0.0]]), sparse.csr_array([[0.0, 1.0, 1.0]])
    >>> coconsumption_scores(np.array([[1], [0], [0]]), used, later, np.array([[1.0], [0.25], [0.5]]))
    UserScores(plain=array([0.5]), weighted=array([[0.33333333]]))
    """
    weights = all_weights(item_weights, later.shape[1])
    collected = collected_gains(lists, used, later, np.arange(later.shape[0]), weights, metric)
    collected /= np.asarray(used.sum(axis=1)).reshape(-1, 1)
    scores = collected / perfect_gains(later, weights, lists.shape[1], metric)
    return UserScores(scores[:, 0], scores[:, 1:])


def all_weights(item_weights: Matrix | None, n_items: int) -> Matrix:
    """Weights of a held-out item in all measures: 1 in the plain one, which comes first."""
    ones = np.ones((n_items, 1))
    return ones if item_weights is None else np.column_stack([ones, item_weights])


def collected_gains(
    lists: NDArray[np.int64],
    used: sparse.csr_array,
    later: sparse.csr_array,
    users: NDArray[np.int64],
    weights: Matrix,
    metric: PairMetric = "recall",
) -> Matrix:
    """Held-out items of each user in the lists of the row's queries, summed over the queries.

    Parameters
    ----------
    lists : ndarray, shape (n_queries, k)
    used : CSR, shape (n_rows, n_queries)
        What each query counts in each row.
    later : CSR of 0 and 1, shape (n_users, n_items)
    users : ndarray of int, shape (n_rows,)
        Whose held-out items a row is compared with; a user may have several rows.
    weights : ndarray, shape (n_items, n_measures)
    metric : {"recall", "precision", "ndcg"}

    Returns
    -------
    ndarray, shape (n_rows, n_measures)
    """
    n_queries, k = lists.shape
    discount = _discount(k, metric)
    listed = lists >= 0
    rows = np.repeat(np.arange(n_queries), listed.sum(axis=1))
    values = np.broadcast_to(discount, lists.shape)[listed]
    similar = sparse.csr_array((values, (rows, lists[listed])), shape=(n_queries, later.shape[1]))
    collected = np.empty((used.shape[0], weights.shape[1]))
    ends = np.cumsum(np.diff(used.indptr) * k + np.diff(later.indptr)[users])
    starts = np.searchsorted(ends, np.arange(0, ends[-1] if len(ends) else 0, ENTRIES_PER_BLOCK), side="right")
    bounds = np.unique([0, *starts, used.shape[0]])
    for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        found = sparse.csr_array((used[first:last] @ similar).multiply(later[users[first:last]]))
        collected[first:last] = found @ weights
    return collected


def perfect_gains(later: sparse.csr_array, weights: Matrix, k: int, metric: PairMetric = "recall") -> Matrix:
    """What a score is measured by: the gain of perfect lists of length k, of each user in the plain measure, and of the
    mean over users in the weighted ones; shape (n_users, n_measures)."""
    discount = _discount(k, metric)
    if metric == "recall":
        best = np.asarray(later @ weights)
    else:
        best = np.stack([_best_gain(later, kind, discount) for kind in weights.T], axis=1)
    if metric == "precision":
        best[:, 0] = float(k)
    best[:, 1:] = best[:, 1:].mean(axis=0)
    return best


def _discount(k: int, metric: PairMetric) -> Vector:
    """What a place in the list counts."""
    if metric not in get_args(PairMetric):
        raise ParameterError(f"metric={metric!r}: expected one of {', '.join(map(repr, get_args(PairMetric)))}.")
    return 1.0 / np.log2(np.arange(2, k + 2)) if metric == "ndcg" else np.ones(k)


def _best_gain(later: sparse.csr_array, weights: Vector, discount: Vector) -> Vector:
    """Discounted gain of each user's best list: their held-out items by falling weight."""
    lengths = np.diff(later.indptr)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    ordered = weights[later.indices][np.lexsort((-weights[later.indices], rows))]
    position = np.arange(len(rows)) - np.repeat(later.indptr[:-1], lengths)
    first = position < len(discount)
    worth = ordered[first] * discount[position[first]]
    return np.bincount(rows[first], weights=worth, minlength=len(lengths)).astype(np.float64)
