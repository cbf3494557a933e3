"""Metrics of ranked lists, one number per query: precision, recall, nDCG, reciprocal rank at k."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from simgauge.core.tables.kinds import Matrix, Vector
from simgauge.errors import InputError, ParameterError
from simgauge.parameters import check_choice

RankingMetric = Literal["recall", "precision", "ndcg", "mrr"]


class Ideal(NamedTuple):
    """Gains of the best possible list of each query, the same for every ranking of it."""

    best: Matrix
    """(n_queries, k): the largest weighted gains of the query, falling, 0 where it has fewer."""
    total: Vector
    """(n_queries,): weight of all relevant items of the query."""


def check_ranking_metric(metric: str) -> None:
    """Raise unless `metric` is one of the known ones."""
    check_choice(metric, "metric", get_args(RankingMetric))


def ideal_gains(relevance: sparse.csr_array, k: int, item_weights: Vector | None = None) -> Ideal:
    """Gains of a perfect list of length k.

    Parameters
    ----------
    relevance : CSR, shape (n_queries, n_items)
        Graded relevance, positive where relevant.
    k : int
        Length of the lists.
    item_weights : ndarray, shape (n_items,), optional
        Weight of an item that is found, such as 1 / popularity. 1 each when not given.

    Examples
    --------
    >>> ideal_gains(sparse.csr_array([[0.0, 1.0, 3.0, 2.0]]), 2)
    Ideal(best=array([[3., 2.]]), total=array([3.]))
    """
    weights = np.ones(relevance.shape[1]) if item_weights is None else np.asarray(item_weights, dtype=np.float64)
    n_queries = relevance.shape[0]
    rows = np.repeat(np.arange(n_queries), np.diff(relevance.indptr))
    listed = np.where(relevance.data > 0, weights[relevance.indices], 0.0)
    gains = relevance.data * listed
    order = np.lexsort((-gains, rows))
    position = np.arange(len(rows)) - np.repeat(relevance.indptr[:-1], np.diff(relevance.indptr))
    best = np.zeros((n_queries, k))
    first = position < k
    best[rows[first], position[first]] = gains[order][first]
    return Ideal(best, np.bincount(rows, weights=listed, minlength=n_queries).astype(np.float64))


def listed_gains(lists: NDArray[np.int64], relevance: sparse.csr_array) -> Matrix:
    """Relevance of every listed item to its query, shape (n_queries, k); 0 for the padding -1.

    Examples
    --------
    >>> listed_gains(np.array([[2, 0, -1]]), sparse.csr_array([[0.0, 1.0, 3.0]]))
    array([[3., 0., 0.]])
    """
    rows = np.repeat(np.arange(len(lists)), lists.shape[1])
    found = np.asarray(relevance[rows, np.maximum(lists, 0).ravel()], dtype=np.float64).reshape(lists.shape)
    return np.where(lists >= 0, found, 0.0)


def ranking_scores(metric: RankingMetric, gains: Matrix, ideal: Ideal, weights: Matrix | None = None) -> Vector:
    """The metric of every query, from the gains of its list in the order of the list.

    Parameters
    ----------
    metric : {"recall", "precision", "ndcg", "mrr"}
        "recall": weight of the relevant items listed, of the weight of all relevant items. "precision": of the
        weight of all k places. "ndcg": Σ gain/log₂(1 + rank), of what the best list has; linear gains. "mrr": 1 / rank
        of the first relevant item, 0 when none is listed; it has no weighted form.
    gains : ndarray, shape (n_queries, k)
        Relevance of the listed items, not weighted; 0 for irrelevant ones.
    ideal : Ideal
        Of the same k and the same weights. Queries without any relevant item are refused: they cannot be scored.
    weights : ndarray, shape (n_queries, k), optional
        Weight of each listed item. 1 each when not given.

    Returns
    -------
    ndarray, shape (n_queries,), float64
        In [0, 1].

    Notes
    -----
    Ties are the list's business: it is scored in the order given. `top_k` puts equal scores in the order of the rows.

    References
    ----------
    Järvelin, Kekäläinen (2002), TOIS 20(4), for nDCG; same values as `ranx` (linear gains).

    Examples
    --------
    >>> relevance = sparse.csr_array([[0.0, 1.0, 1.0]])
    >>> gains = listed_gains(np.array([[0, 2]]), relevance)
    >>> [ranking_scores(name, gains, ideal_gains(relevance, 2)).tolist() for name in ("recall", "precision", "mrr")]
    [[0.5], [0.5], [0.5]]
    """
    check_ranking_metric(metric)
    if (ideal.total <= 0).any():
        raise InputError(f"{int((ideal.total <= 0).sum())} queries have no relevant item: leave them out.")
    if metric == "mrr" and weights is not None:
        raise ParameterError("metric='mrr' has no popularity-weighted form: take recall, precision or ndcg.")
    hits = gains > 0
    if metric == "mrr":
        return np.where(hits.any(axis=1), 1.0 / (1.0 + hits.argmax(axis=1)), 0.0)
    listed = np.ones_like(gains) if weights is None else weights
    if metric == "ndcg":
        discount = 1.0 / np.log2(np.arange(2, gains.shape[1] + 2))
        return np.asarray((gains * listed) @ discount / (ideal.best @ discount))
    collected = np.where(hits, listed, 0.0).sum(axis=1)
    if metric == "recall":
        return np.asarray(collected / ideal.total)
    places = listed.sum(axis=1)
    return np.asarray(np.divide(collected, places, out=np.zeros(len(gains)), where=places > 0))
