"""Means over units and over repeated trainings: intervals that allow for both."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from simgauge.core.inference.intervals import Interval
from simgauge.core.tables.kinds import Matrix, Vector
from simgauge.errors import ParameterError


class Spread(NamedTuple):
    """A mean with its variance and the degrees of freedom of that."""

    mean: float
    variance: float
    freedom: float

    def interval(self, confidence: float) -> Interval:
        """Student's interval; a point where nothing varies."""
        half = float(stdtrit(self.freedom, (1 + confidence) / 2) * np.sqrt(self.variance)) if self.variance else 0.0
        return Interval(self.mean, self.mean - half, self.mean + half)


class Draw(NamedTuple):
    """Luck of a draw of queries that all units share: a variance that no unit can see."""

    variance: float = 0.0
    n_drawn: int = 0


NO_DRAW = Draw()


def draw_of(halves: Matrix | None) -> Draw:
    """Variance that a shared draw adds to a mean.

    Parameters
    ----------
    halves : ndarray, shape (2, n_drawn), optional
        What each thing drawn moves the mean by, in two random halves of the units. Their noise is independent, so that
        four times the sum of their products is that of the draw alone; see `luck_of_draw`.

    Examples
    --------
    >>> draw_of(np.array([[0.5, -0.5], [0.5, -0.5]])).variance, draw_of(None).variance
    (2.0, 0.0)
    """
    if halves is None:
        return NO_DRAW
    most = float(np.square(halves.sum(axis=0)).sum())
    return Draw(float(np.clip(4 * (halves[0] @ halves[1]), 0.0, most)), halves.shape[1])


def recurrence_of(influence: Vector, nodes: NDArray[np.int64]) -> Draw:
    """Variance that pairs add to a mean over pairs because they share things, beyond that of independent pairs.

    Parameters
    ----------
    influence : ndarray, shape (n_pairs,)
        What each pair adds to the mean, of mean 0.
    nodes : ndarray of int, shape (n_pairs, 2)
        The two things of each pair; as for `node_draws`, whose formula this is.

    Examples
    --------
    >>> pairs = np.array([1.0, 1.0, -2.0])
    >>> apart, shared = np.array([[0, 1], [2, 3], [4, 5]]), np.array([[0, 1], [0, 2], [3, 4]])
    >>> recurrence_of(pairs, apart).variance, round(recurrence_of(pairs, shared).variance, 3)
    (0.0, 0.222)
    """
    things, place = np.unique(nodes, return_inverse=True)
    place = place.reshape(nodes.shape)
    own = place[:, 0] == place[:, 1]
    sums = np.bincount(place[:, 0], weights=influence, minlength=len(things))
    sums += np.bincount(place[~own, 1], weights=influence[~own], minlength=len(things))
    twice, alone = float(np.square(influence[~own]).sum()), float(np.square(influence).sum())
    more = float(np.square(sums).sum()) - twice - alone
    return Draw(max(more, 0.0) / len(influence) ** 2, len(things))


def spread_of(units: Matrix, draw: Draw = NO_DRAW) -> Spread:
    """Mean over units and seeds, and how far it may be from that of all units and all seeds.

    Variance: that of the mean over units of the units' means over seeds, plus that of the mean over seeds of the seeds'
    means over units. What is unit and seed at once is in both, so that the sum is rather too large than too small. The
    degrees of freedom are those of Welch and Satterthwaite.

    Parameters
    ----------
    units : ndarray, shape (n_units, n_seeds)
        Numbers per unit of models that differ in the seed of their training, on the same units.
    draw : Draw, optional
        Of the queries, where they are a sample.

    Raises
    ------
    ParameterError
        Fewer than two units.

    References
    ----------
    Satterthwaite (1946), Biometrics Bulletin 2.

    Examples
    --------
    >>> spread_of(np.array([[1.0], [2.0], [3.0]])).interval(0.95)
    Interval(value=2.0, low=-0.4841377..., high=4.4841377...)
    """
    n, seeds = units.shape
    if n < 2:
        raise ParameterError(f"{n} unit(s): an interval needs at least 2.")
    parts = [(float(np.var(units.mean(axis=1), ddof=1)) / n, n - 1)]
    if seeds > 1:
        parts.append((float(np.var(units.mean(axis=0), ddof=1)) / seeds, seeds - 1))
    if draw.variance > 0:
        parts.append((draw.variance, max(draw.n_drawn - 1, 1)))
    return _summed(float(units.mean()), parts)


def change_of(units: Matrix, base: Matrix, *, ratio: bool, draw: Draw = NO_DRAW, floor: float = 1e-9) -> Spread:
    """Change of the mean against that of a base on the same units: difference, or logarithm of the ratio.

    The units are paired and the seeds are not: each model was trained by its own.

    Parameters
    ----------
    units, base : ndarray, shape (n_units, n_seeds), (n_units, n_base_seeds)
    ratio : bool
        The variance of the logarithm is that of its linear part (delta method).
    draw : Draw, optional
        Of the queries, where they are a sample; of the change itself.
    floor : float
        Means below count as this in ratios.

    Examples
    --------
    >>> change_of(np.array([[2.0], [4.0]]), np.array([[1.0], [2.0]]), ratio=True)
    Spread(mean=0.6931471805599453, variance=0.0, freedom=1)
    """
    scales = [max(float(part.mean()), floor) if ratio else 1.0 for part in (units, base)]
    paired = units.mean(axis=1) / scales[0] - base.mean(axis=1) / scales[1]
    parts = [(float(np.var(paired, ddof=1)) / len(units), len(units) - 1)]
    for part, scale in zip((units, base), scales, strict=True):
        if part.shape[1] > 1:
            seeds = part.shape[1]
            parts.append((float(np.var(part.mean(axis=0) / scale, ddof=1)) / seeds, seeds - 1))
    if draw.variance > 0:
        parts.append((draw.variance, max(draw.n_drawn - 1, 1)))
    value = np.log(scales[0] / scales[1]) if ratio else float(units.mean() - base.mean())
    return _summed(float(value), parts)


def _summed(mean: float, parts: list[tuple[float, int]]) -> Spread:
    """The sum of independent variances with its degrees of freedom."""
    total = sum(variance for variance, _ in parts)
    below = sum(variance**2 / freedom for variance, freedom in parts)
    return Spread(mean, total, total**2 / below if below > 0 else parts[0][1])


def several(confidence: float, n: int) -> float:
    """Confidence of each of n intervals, so that all of them hold together with the one asked (Šidák).

    Examples
    --------
    >>> several(0.95, 1), round(several(0.95, 5), 4)
    (0.95, 0.9898)
    """
    return float(confidence ** (1.0 / max(n, 1)))


def seed_means(units: Matrix) -> Vector:
    """Mean of every seed over the units."""
    return np.asarray(units.mean(axis=0))
