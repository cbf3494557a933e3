"""Metrics of held-out co-consumption per user, plain and weighted, from one product of sparse matrices."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from simgauge.core.tables.kinds import Matrix, Vector
from simgauge.errors import ParameterError

PairMetric = Literal["recall", "precision", "ndcg"]


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
    """How many of the items a user took later are among the neighbours of what they used before.

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
    O(nnz(used) k). Entries of `used` times k are held at once.

    Examples
    --------
    >>> used, later = sparse.csr_array([[1.0, 0.0, 0.0]]), sparse.csr_array([[0.0, 1.0, 1.0]])
    >>> coconsumption_scores(np.array([[1], [0], [0]]), used, later, np.array([[1.0], [0.25], [0.5]]))
    UserScores(plain=array([0.5]), weighted=array([[0.33333333]]))
    """
    if metric not in get_args(PairMetric):
        raise ParameterError(f"metric={metric!r}: expected one of {', '.join(map(repr, get_args(PairMetric)))}.")
    n_queries, k = lists.shape
    discount = 1.0 / np.log2(np.arange(2, k + 2)) if metric == "ndcg" else np.ones(k)
    listed = lists >= 0
    rows = np.repeat(np.arange(n_queries), listed.sum(axis=1))
    values = np.broadcast_to(discount, lists.shape)[listed]
    similar = sparse.csr_array((values, (rows, lists[listed])), shape=(n_queries, later.shape[1]))
    found = sparse.csr_array((used @ similar).multiply(later))
    queries = np.asarray(used.sum(axis=1)).ravel()
    ones = np.ones((later.shape[1], 1))
    weights = ones if item_weights is None else np.column_stack([ones, item_weights])
    collected = np.asarray(found @ weights) / queries[:, None]
    if metric == "recall":
        best = np.asarray(later @ weights)
    else:
        best = np.stack([_best_gain(later, kind, discount) for kind in weights.T], axis=1)
    if metric == "precision":
        best[:, 0] = float(k)
    return UserScores(collected[:, 0] / best[:, 0], collected[:, 1:] / best[:, 1:].mean(axis=0))


def _best_gain(later: sparse.csr_array, weights: Vector, discount: Vector) -> Vector:
    """Discounted gain of each user's best list: their held-out items by falling weight."""
    lengths = np.diff(later.indptr)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    ordered = weights[later.indices][np.lexsort((-weights[later.indices], rows))]
    position = np.arange(len(rows)) - np.repeat(later.indptr[:-1], lengths)
    first = position < len(discount)
    worth = ordered[first] * discount[position[first]]
    return np.bincount(rows[first], weights=worth, minlength=len(lengths)).astype(np.float64)
