"""Agreement of scores with human judgements of pairs, as numbers per pair whose mean is the coefficient."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simgauge.core.tables.kinds import Vector
from simgauge.errors import InputError


def spearman_units(scores: Vector, judgements: Vector) -> Vector:
    """Spearman's rank correlation, as one number per pair.

    Parameters
    ----------
    scores, judgements : ndarray, shape (n_pairs,)
        Ties share the mean of their ranks. Constant scores order nothing: every number is 0.

    Returns
    -------
    ndarray, shape (n_pairs,), float64
        ρ + the influence of each pair on ρ. The mean is ρ exactly, and the standard error of that mean is the standard
        error of ρ, so that means, paired differences and resampling of pairs are all that selection needs.

    Notes
    -----
    ρ is the Pearson correlation of the two empirical distribution functions F, G. Dropping a pair changes its own
    product and the ranks of all others; both parts are here. O(n log n).

    Raises
    ------
    InputError
        Judgements that are all the same.

    References
    ----------
    Croux, Dehon (2010), Influence functions of the Spearman and Kendall correlation measures, section 3.

    Examples
    --------
    >>> float(spearman_units(np.array([0.1, 0.5, 0.9]), np.array([1.0, 3.0, 2.0])).mean().round(12))
    0.5
    """
    if np.ptp(judgements) == 0:
        raise InputError("all judgements are the same, so no order can be compared: pass graded judgements.")
    if np.ptp(scores) == 0:
        return np.zeros(len(scores))
    F, a, group_a = _ranks(scores)
    G, b, group_b = _ranks(judgements)
    cross, var_a, var_b = np.mean(a * b), np.mean(a * a), np.mean(b * b)
    influence_cross = a * b - cross + _shift(F, group_a, b) + _shift(G, group_b, a)
    influence_a = a * a - var_a + 2 * _shift(F, group_a, a)
    influence_b = b * b - var_b + 2 * _shift(G, group_b, b)
    rho = cross / np.sqrt(var_a * var_b)
    influence = influence_cross / np.sqrt(var_a * var_b) - rho / 2 * (influence_a / var_a + influence_b / var_b)
    return np.asarray(rho + influence)


def auc_units(scores: Vector, positive: NDArray[np.bool_]) -> Vector:
    """Area under the ROC curve, as one number per pair.

    Parameters
    ----------
    scores : ndarray, shape (n_pairs,)
        Higher is closer. A tie between a positive and a negative pair counts one half.
    positive : ndarray of bool, shape (n_pairs,)

    Returns
    -------
    ndarray, shape (n_pairs,), float64
        The AUC + the influence of each pair (its placement value, divided by the share of its class). The mean is the
        AUC exactly, its standard error that of DeLong.

    Raises
    ------
    InputError
        A single class.

    References
    ----------
    DeLong, DeLong, Clarke-Pearson (1988), Biometrics 44.

    Examples
    --------
    >>> float(auc_units(np.array([0.9, 0.4, 0.4, 0.1]), np.array([True, True, False, False])).mean())
    0.875
    """
    n_positive = int(positive.sum())
    if n_positive in (0, len(positive)):
        only = "positive" if n_positive else "negative"
        raise InputError(f"all {len(positive)} pairs are {only}: both similar and dissimilar pairs are needed.")
    high, low = np.sort(scores[positive]), np.sort(scores[~positive])
    placement = np.where(positive, _share_below(low, scores), 1.0 - _share_below(high, scores))
    area = float(placement[positive].mean())
    share = n_positive / len(positive)
    return np.asarray(area + (placement - area) / np.where(positive, share, 1 - share))


def _share_below(ordered: Vector, values: Vector) -> Vector:
    """Share of the sorted numbers below each value, ties as one half."""
    left, right = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    return np.asarray((left + right) / (2 * len(ordered)))


def _ranks(values: Vector) -> tuple[Vector, Vector, NDArray[np.int64]]:
    """Empirical distribution function at each value (mid-ranks / n), the same centred, and the group of equal
    values."""
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    distribution = (counts.cumsum() - counts / 2)[group] / len(values)
    return distribution, distribution - distribution.mean(), group


def _shift(distribution: Vector, group: NDArray[np.int64], other: Vector) -> Vector:
    """How the mean of F times other numbers moves with one more observation at each value (all ranks above it rise)."""
    per_value = np.bincount(group, weights=other)
    above = per_value[::-1].cumsum()[::-1] - per_value / 2
    return np.asarray((above[group] - distribution @ other) / len(other))
