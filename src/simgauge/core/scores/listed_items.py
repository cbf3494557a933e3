"""Scores of items in both of their parts: as queries, and as what the lists of other queries hold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simgauge.core.scores.ranking import Ideal, RankingMetric, ranking_scores
from simgauge.core.tables.kinds import Matrix, Vector


def with_listed(
    metric: RankingMetric, gains: Matrix, owner: NDArray[np.int64], ideal: Ideal, weights: Matrix | None = None
) -> Vector:
    """The score of every query plus what its item adds to the mean through the lists of other queries.

    Parameters
    ----------
    metric : {"recall", "precision", "ndcg", "mrr"}
    gains : ndarray, shape (n_queries, k + 1)
        Of the k listed items and of the item that follows them.
    owner : ndarray of int, shape (n_queries, k + 1)
        Unit, from 0 to n_queries − 1, of every listed item; -1 pads.
    ideal : Ideal
        Of lists of length k. It is kept as it is when an item is left out.
    weights : ndarray, shape (n_queries, k + 1), optional
        As for `ranking_scores`.

    Returns
    -------
    ndarray, shape (n_queries,)
        The mean is the metric exactly. The standard error of that mean is the one by leaving out one item at a time, in
        its lists and in those of others.

    Notes
    -----
    A mean over queries whose lists share items is a U-statistic, not a mean of independent numbers: by its queries
    alone, the variance is up to four times too small. O(n k²).

    References
    ----------
    Efron, Stein (1981), The jackknife estimate of variance, Annals of Statistics 9.

    Examples
    --------
    >>> gains, owner = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1, 0], [0, 1]])
    >>> with_listed("precision", gains, owner, Ideal(np.ones((2, 1)), np.ones(2)))
    array([0., 1.])
    """
    n_queries, longer = gains.shape
    k = longer - 1
    listed = None if weights is None else weights[:, :k]
    scores = ranking_scores(metric, gains[:, :k], ideal, listed)
    added = np.zeros(n_queries)
    for place in range(k):
        rest = np.delete(np.arange(longer), place)
        without = ranking_scores(metric, gains[:, rest], ideal, None if weights is None else weights[:, rest])
        known = owner[:, place] >= 0
        added += np.bincount(owner[known, place], weights=(scores - without)[known], minlength=n_queries)
    return np.asarray(scores + added - added.mean())
