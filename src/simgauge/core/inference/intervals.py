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
    """95 % interval for the mean of a number per row, from a sample of a hundred rows or more: mean ± t · standard error.

    Parameters
    ----------
    values : ndarray, shape (n,)
        One number per sampled row, n >= 2.
    population : int, optional
        Rows of the whole table when the sample was drawn without replacement: the interval shrinks by
        √(1 − n/population) and is a point when all rows were looked at.

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
    """Interval for the mean of a share per row, each in [0, 1], such as how much of a list is kept; also right at 0 and 1.

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
