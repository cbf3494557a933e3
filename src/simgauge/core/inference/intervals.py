"""Intervals for numbers that come from a sample of rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from simgauge.core.tables.kinds import Vector
from simgauge.errors import ParameterError

CONFIDENCE = 0.95
"""Of every interval here."""


class Interval(NamedTuple):
    """An estimate and the interval around it."""

    value: float
    low: float
    high: float


def mean_interval(values: Vector, *, population: int | None = None) -> Interval:
    """95 % interval for the mean of a number per row, from a sample of a hundred rows or more: mean ± t · standard
    error.

    Parameters
    ----------
    values : ndarray, shape (n,)
        One number per sampled row, n >= 2.
    population : int, optional
        Rows of the whole table when the sample was drawn without replacement: the interval shrinks by
        √(1 − n/population) and is a point when all rows were used.

    Examples
    --------
    >>> mean_interval(np.array([1.0, 2.0, 3.0, 2.0]), population=4)
    Interval(value=2.0, low=2.0, high=2.0)
    """
    shrink = _shrink(len(values), population)
    mean, error = float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
    half = float(stdtrit(len(values) - 1, (1 + CONFIDENCE) / 2)) * error * shrink
    return Interval(mean, mean - half, mean + half)


def proportion_interval(successes: int, n: int, *, population: int | None = None) -> Interval:
    """Wilson interval for a share, from `successes` among `n` sampled rows; also right for 0 and n.

    Parameters
    ----------
    population : int, optional
        As in `mean_interval`: the sample counts as ``n (population − 1) / (population − n)`` rows.

    References
    ----------
    Wilson (1927), JASA 22; same as ``scipy.stats.binomtest(...).proportion_ci(method="wilson")``.

    Examples
    --------
    >>> [round(x, 3) for x in proportion_interval(0, 100)]
    [0.0, 0.0, 0.037]
    """
    if not 0 <= successes <= n:
        raise ParameterError(f"successes={successes}: expected 0 to n={n}.")
    _shrink(n, population, least=1)
    share = successes / n
    if population == n:
        return Interval(share, share, share)
    return _wilson(share, n, n, population)


def _wilson(share: float, size: float, n: int, population: int | None) -> Interval:
    """Wilson's interval for a share seen among `size` rows; n of `population` rows were drawn."""
    if population is not None:
        size *= (population - 1) / (population - n)
    z = float(ndtri((1 + CONFIDENCE) / 2))
    centre = (share + z**2 / (2 * size)) / (1 + z**2 / size)
    half = z / (1 + z**2 / size) * float(np.sqrt(share * (1 - share) / size + z**2 / (4 * size**2)))
    low, high = min(max(centre - half, 0.0), share), max(min(centre + half, 1.0), share)
    return Interval(share, 0.0 if share == 0 else low, 1.0 if share == 1 else high)


def share_interval(values: Vector, *, population: int | None = None) -> Interval:
    """Interval for the mean of a share per row, each in [0, 1], such as how much of a list is kept; also right at 0 and
    1.

    Wilson's interval for as many rows as a yes-or-no answer would need for the same spread: with mean p and variance s²
    these are ``n p (1 − p) / s²``, at least n. So rows of 0 and 1 give `proportion_interval`, rows that hardly differ a
    narrow interval, and n rows of 0 end where 0 of n would.

    Parameters
    ----------
    values : ndarray, shape (n,)
        One share per sampled row.
    population : int, optional
        As in `mean_interval`.

    Examples
    --------
    >>> share_interval(np.zeros(100)) == proportion_interval(0, 100)
    True
    """
    n = len(values)
    _shrink(n, population, least=1)
    share = float(values.mean())
    if population == n:
        return Interval(share, share, share)
    spread = float(values.var(ddof=1)) if n > 1 else 0.0
    most = share * (1 - share) * n / (n - 1) if n > 1 else 0.0
    gain = most / spread if spread > 0 else 1.0
    return _wilson(share, n * max(gain, 1.0), n, population)


def share_below_interval(values: Vector, cutoff: Interval, *, population: int | None = None) -> Interval:
    """Interval for the share of values below a cut-off that is itself estimated from another sample.

    From Wilson's lower end at the lowest likely cut-off to his upper end at the highest: both errors at once, so it
    covers somewhat more than 95 %.

    Parameters
    ----------
    values : ndarray, shape (n,)
    cutoff : Interval
        Its ends are equal where it is known exactly.
    population : int, optional
        As in `mean_interval`, for `values`.

    Examples
    --------
    >>> share_below_interval(np.arange(10.0), Interval(5.0, 5.0, 5.0), population=10)
    Interval(value=0.5, low=0.5, high=0.5)
    """
    n = len(values)
    low = proportion_interval(int(np.count_nonzero(values < cutoff.low)), n, population=population).low
    high = proportion_interval(int(np.count_nonzero(values < cutoff.high)), n, population=population).high
    return Interval(float(np.mean(values < cutoff.value)), low, high)


def quantile_interval(values: Vector, level: float, *, population: int | None = None) -> Interval:
    """95 % interval for a quantile of a population, from two order statistics of a sample; a point for all rows.

    The ranks lie as far from the middle as a count with that probability deviates; below the smallest value the
    interval has no end.

    References
    ----------
    Conover (1999), Practical nonparametric statistics, section 3.2.

    Examples
    --------
    >>> quantile_interval(np.arange(101.0), 0.5)
    Interval(value=50.0, low=40.0, high=60.0)
    """
    ordered = np.sort(values)
    n = len(ordered)
    shrink = _shrink(n, population, least=1)
    value = float(np.quantile(ordered, level))
    if shrink == 0:
        return Interval(value, value, value)
    half = float(ndtri((1 + CONFIDENCE) / 2)) * np.sqrt(n * level * (1 - level)) * shrink
    low, high = int(np.floor((n - 1) * level - half)), int(np.ceil((n - 1) * level + half))
    return Interval(value, float(ordered[low]) if low >= 0 else -np.inf, float(ordered[high]) if high < n else np.inf)


def jackknife_interval(
    statistic: Callable[[NDArray[np.int64]], float],
    n: int,
    rng: np.random.Generator,
    *,
    groups: int = 20,
    population: int | None = None,
) -> Interval:
    """Interval for any smooth statistic of a sample (a ratio, a skewness), by leaving out one random group at a time.

    Parameters
    ----------
    statistic : callable
        From positions in the sample to a number; called `groups` + 1 times.
    n : int
        Size of the sample, at least `groups`.
    groups : int, >= 3

    References
    ----------
    Shao, Tu (1995), The jackknife and bootstrap, section 2.3 (delete-a-group).

    Examples
    --------
    >>> values = np.arange(100.0)
    >>> jackknife_interval(lambda rows: values[rows].mean(), 100, np.random.default_rng(0)).value
    49.5
    """
    shrink = _shrink(n, population)
    if not 3 <= groups <= n:
        raise ParameterError(f"groups={groups}: expected 3 to the size of the sample, {n}.")
    value = float(statistic(np.arange(n)))
    label = rng.permutation(np.arange(n) % groups)
    left_out = np.array([statistic(np.flatnonzero(label != group)) for group in range(groups)])
    error = np.sqrt((groups - 1) / groups * np.sum((left_out - left_out.mean()) ** 2)) * shrink
    half = float(stdtrit(groups - 1, (1 + CONFIDENCE) / 2) * error)
    return Interval(value, value - half, value + half)


def _shrink(n: int, population: int | None, least: int = 2) -> float:
    """√(1 − n/population), after checking the sizes."""
    if n < least:
        raise ParameterError(f"{n} sampled row(s): an interval needs at least {least}.")
    if population is not None and population < n:
        raise ParameterError(f"population={population}: expected at least the {n} rows of the sample.")
    return 1.0 if population is None else float(np.sqrt(1 - n / population))
