"""Intervals for means over pairs of models: models are drawn at random, and so are the rows that are compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from simgauge.core.inference.intervals import CONFIDENCE, Interval, mean_interval
from simgauge.core.tables.kinds import Matrix, Vector

Pairs = NDArray[np.int64]


def pairwise_interval(
    statistic: Callable[[NDArray[np.bool_]], Vector],
    groups: Sequence[Sequence[int]],
    *,
    population: int | None = None,
) -> Interval:
    """95 % interval for the mean of a number per row that is itself a mean over pairs of models.

    Parameters
    ----------
    statistic : callable
        From a mask of models to a number per sampled row, made from the pairs of models within the mask.
    groups : sequence of sequences of int
        Models by group, such as those trained on the same data; models of one group are exchangeable. A group of fewer
        than three, or two where the statistic does not need its inner pairs, has no part in the spread.
    population : int, optional
        As in `mean_interval`, for the rows.

    Returns
    -------
    Interval
        Both sources together: leaving out one model at a time within each group, and the spread of the rows. With
        groups of two models only the rows count, and the interval speaks of these models.

    References
    ----------
    Arvesen (1969), Jackknifing U-statistics; Shao, Tu (1995), The jackknife and bootstrap.

    Examples
    --------
    >>> table = np.array([[0.5, 0.7], [0.6, 0.8], [0.4, 0.9]])
    >>> found = pairwise_interval(lambda kept: table[kept].mean(axis=0), [range(3)], population=2)
    >>> round(found.value, 2), found.low < found.value < found.high
    (0.65, True)
    """
    n_models = sum(len(group) for group in groups)
    everyone = np.ones(n_models, dtype=bool)
    per_row = statistic(everyone)
    rows = mean_interval(per_row, population=population) if len(per_row) > 1 else None
    value = float(per_row.mean())
    of_rows = 0.0 if rows is None else rows.high - rows.value
    variance, degrees = 0.0, 0
    for group in groups:
        if len(group) < 3:
            continue
        left_out = []
        for model in group:
            kept = everyone.copy()
            kept[model] = False
            left_out.append(float(statistic(kept).mean()))
        n = len(group)
        variance += (n - 1) / n * float(np.sum((np.array(left_out) - np.mean(left_out)) ** 2))
        degrees += n - 1
    of_models = float(stdtrit(degrees, (1 + CONFIDENCE) / 2)) * np.sqrt(variance) if degrees else 0.0
    half = float(np.hypot(of_rows, of_models))
    return Interval(value, value - half, value + half)


def pair_means(values: Matrix, pairs: Pairs, kept: NDArray[np.bool_]) -> Vector:
    """Mean over the pairs of kept models, a number per row.

    Parameters
    ----------
    values : ndarray, shape (n_pairs, n_rows)
    pairs : ndarray of int, shape (n_pairs, 2)
    kept : ndarray of bool, shape (n_models,)

    Examples
    --------
    >>> pair_means(np.array([[1.0], [0.0], [0.5]]), np.array([[0, 1], [0, 2], [1, 2]]), np.array([True, False, True]))
    array([0.])
    """
    return np.asarray(values[kept[pairs].all(axis=1)].mean(axis=0))
