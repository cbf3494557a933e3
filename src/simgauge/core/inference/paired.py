"""Paired comparison of many candidates with one baseline, from numbers per unit; control for their number."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from simgauge.core.tables.kinds import Cube, Matrix, Vector
from simgauge.errors import ParameterError

RESAMPLED_NUMBERS = 4_000_000
"""Weights of resamples held in one step (32 MB)."""

MAX_GROUPS = 20_000
"""Above this many units, random groups of units are resampled as one (same variance, less work)."""


class Simultaneous(NamedTuple):
    """Intervals that hold for all candidates together."""

    low: Vector
    high: Vector
    p_value: Vector
    """Adjusted for the number of candidates; two-sided."""
    critical: float
    """Standard errors on either side; what 1.96 is for a single candidate."""


def bootstrap_means(units: Matrix, rng: np.random.Generator, n_resamples: int = 2000) -> Matrix:
    """Means of resampled units, the same resample for every column (that is what pairs the candidates).

    Parameters
    ----------
    units : ndarray, shape (n_units, n_columns)
        One row per user, query or pair.
    rng : Generator
    n_resamples : int

    Returns
    -------
    ndarray, shape (n_resamples, n_columns)

    Examples
    --------
    >>> bootstrap_means(np.ones((4, 2)), np.random.default_rng(0), 3)
    array([[1., 1.],
           [1., 1.],
           [1., 1.]])
    """
    if n_resamples < 1:
        raise ParameterError(f"n_resamples={n_resamples}: expected 1 or more.")
    sums, sizes = np.asarray(units, dtype=np.float64), np.ones(len(units))
    if len(units) > MAX_GROUPS:
        starts = np.linspace(0, len(units), MAX_GROUPS, endpoint=False).astype(np.int64)
        sums = np.add.reduceat(sums[rng.permutation(len(units))], starts, axis=0)
        sizes = np.diff(np.append(starts, len(units))).astype(np.float64)
    n = len(sums)
    means = np.empty((n_resamples, units.shape[1]))
    step = max(1, RESAMPLED_NUMBERS // n)
    for start in range(0, n_resamples, step):
        size = min(step, n_resamples - start)
        drawn = rng.integers(0, n, size=(size, n)) + np.arange(size)[:, None] * n
        counts = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
        means[start : start + size] = counts @ sums / (counts @ sizes)[:, None]
    return means


def max_t(values: Vector, resampled: Matrix, confidence: float = 0.95, n_units: int | None = None) -> Simultaneous:
    """Simultaneous intervals and adjusted p-values by the bootstrap distribution of the largest |t|.

    Parameters
    ----------
    values : ndarray, shape (n_candidates,)
        Estimates that are 0 when a candidate equals the baseline.
    resampled : ndarray, shape (n_resamples, n_candidates)
        The same estimates on resampled units.
    confidence : float in (0, 1)
        That *all* intervals cover.
    n_units : int, optional
        Independent units behind the estimates, for Student's distribution: the standard errors of few units are
        themselves uncertain. As if there were very many when not given.

    Notes
    -----
    Candidates are near copies of each other; the largest |t| of correlated candidates is far smaller than Bonferroni
    or Holm fear, so this keeps power while the chance of any false claim stays below 1 − confidence. A candidate that
    never differs from the baseline has an interval of length 0 and p = 1.

    References
    ----------
    Romano, Wolf (2005), Exact and approximate stepdown methods for multiple hypothesis testing, JASA 100, single step.

    Examples
    --------
    >>> draws = np.random.default_rng(0).standard_normal((2000, 3)) + [0, 0, 9]
    >>> max_t(np.array([0.0, 0.0, 9.0]), draws).p_value.round(2) < 0.05
    array([False, False,  True])
    """
    if not 0 < confidence < 1:
        raise ParameterError(f"confidence={confidence}: expected a number between 0 and 1, such as 0.95.")
    error = resampled.std(axis=0)
    moves = error > 0
    if not moves.any():
        return Simultaneous(values, values, np.ones(len(values)), 0.0)
    largest = (np.abs(resampled[:, moves] - values[moves]) / error[moves]).max(axis=1)
    critical = _student(float(np.quantile(largest, confidence)), n_units)
    t = np.divide(np.abs(values), error, out=np.zeros(len(values)), where=moves)
    as_normal = _normal(t, n_units)
    p_value = (1 + (largest[:, None] >= as_normal).sum(axis=0)) / (1 + len(largest))
    low, high = values - critical * error, values + critical * error
    return Simultaneous(low, high, np.where(moves, p_value, 1.0), critical)


def surely_above(
    values: Matrix, limit: float, resampled: Cube, confidence: float = 0.95, n_units: int | None = None
) -> NDArray[np.bool_]:
    """Candidates that lie above a limit on all measures, with a bounded chance that any of these claims is false.

    Parameters
    ----------
    values : ndarray, shape (n_measures, n_candidates)
        Estimates.
    limit : float
        Such as the loss that may be.
    resampled : ndarray, shape (n_resamples, n_measures, n_candidates)
        The same estimates on resampled units.
    confidence : float in (0, 1)
        Of two-sided intervals: the chance of a false claim is at most (1 − confidence) / 2.
    n_units : int, optional
        As for `max_t`.

    Returns
    -------
    ndarray of bool, shape (n_candidates,)

    Notes
    -----
    A candidate is claimed when its lowest measure is, in standard errors (an intersection-union test). Candidates are
    claimed in steps: those that are clear of the largest of all are set aside, and the others are compared with the
    largest among themselves. A measure that never differs from its estimate is compared with the limit as it is.

    References
    ----------
    Romano, Wolf (2005), Exact and approximate stepdown methods for multiple hypothesis testing, JASA 100, step-down.

    Examples
    --------
    >>> draws = np.random.default_rng(0).standard_normal((2000, 1, 3)) + [0.0, 1.0, 9.0]
    >>> surely_above(np.array([[0.0, 1.0, 9.0]]), 0.0, draws)
    array([False, False,  True])
    """
    error = resampled.std(axis=0)
    certain = np.where(values >= limit, np.inf, -np.inf)
    t = np.divide(values - limit, error, out=certain, where=error > 0).min(axis=0)
    deviation = np.divide(resampled - values, error, out=np.full_like(resampled, -np.inf), where=error > 0)
    largest = deviation.max(axis=1)
    claimed, live = np.isposinf(t), np.isfinite(t)
    while live.any():
        critical = _student(float(np.quantile(largest[:, live].max(axis=1), (1 + confidence) / 2)), n_units)
        found = live & (t > critical)
        if not found.any():
            break
        claimed |= found
        live &= ~found
    return np.asarray(claimed)


def units_needed(per_unit: Vector, gain: float, critical: float = 1.96, power: float = 0.8) -> int | None:
    """Number of units that a paired comparison needs to show a gain of this size.

    Parameters
    ----------
    per_unit : ndarray, shape (n_units,)
        Paired differences, or influences on the gain; their variance is that of one unit.
    gain : float
        What there is to show; None is returned when it is not positive.
    critical : float
        Standard errors that the interval reaches to either side: 1.96 for one candidate at 95 %, `max_t` for many.
    power : float in (0, 1)
        Chance to find the gain.

    References
    ----------
    n = (critical + z_power)² σ² / gain², the usual formula for paired means.

    Examples
    --------
    >>> units_needed(np.array([1.0, -1.0, 1.0, -1.0]), 0.5)
    42
    """
    if not gain > 0:
        return None
    return int(np.ceil(((critical + _quantile(power)) * per_unit.std(ddof=1) / gain) ** 2))


def detectable_gain(per_unit: Vector, critical: float = 1.96, power: float = 0.8) -> float:
    """The smallest gain that these units would show with the given power; parameters as for `units_needed`.

    Examples
    --------
    >>> round(detectable_gain(np.array([1.0, -1.0] * 50)), 3)
    0.282
    """
    return float((critical + _quantile(power)) * per_unit.std(ddof=1) / np.sqrt(len(per_unit)))


def pareto_front(scores: Matrix) -> NDArray[np.bool_]:
    """Mask of the rows that are not beaten: no other row is at least as high in every column and higher in one.

    Examples
    --------
    >>> pareto_front(np.array([[1.0, 3.0], [2.0, 2.0], [1.0, 2.0]])).tolist()
    [True, True, False]
    """
    at_least = (scores[:, None, :] >= scores[None, :, :]).all(axis=2)
    higher = (scores[:, None, :] > scores[None, :, :]).any(axis=2)
    return np.asarray(~(at_least & higher).any(axis=0))


def _student(critical: float, n_units: int | None) -> float:
    """What a critical value of the normal distribution is in Student's with the freedom of these units."""
    if n_units is None or not np.isfinite(critical):
        return critical
    return float(-special.stdtrit(n_units - 1, special.ndtr(-critical)))


def _normal(t: Vector, n_units: int | None) -> Vector:
    """The other way: as many normal standard errors as are as rare."""
    return t if n_units is None else np.asarray(-special.ndtri(special.stdtr(n_units - 1, -t)))


def _quantile(power: float) -> float:
    if not 0 < power < 1:
        raise ParameterError(f"power={power}: expected a number between 0 and 1.")
    return float(special.ndtri(power))
