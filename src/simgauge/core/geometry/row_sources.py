"""Tables put together from two encoders, old rows first: parts that list nothing of each other and share no
directions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simgauge.core.neighbors.neighbor_lists import Indices, as_neighbor_lists
from simgauge.core.tables.kinds import FloatTable, Matrix
from simgauge.core.tables.tables import unit_rows

LEAST_PART = 0.05
"""A part is at least this share of the rows."""

MOST_PARTS = 4
"""More parts than these are a table sorted by subject."""

UNLINKED = 0.03
"""Links across a border, over what a random order would have, below which two parts do not know each other. In real
tables sorted by name or date the least is 0.06."""

LINKED = 0.05
"""The same inside a part, from which it is of one piece; less, and the table is sorted by subject."""


@dataclass(frozen=True, eq=False)
class RowSources:
    """Starts of the parts of a table that do not list each other."""

    borders: tuple[int, ...]
    """First rows of the second, third, ... part; none where the table is of one piece, or sorted by subject."""
    cross_ratio: float
    """Links across the borders over what a random order of rows would have, the largest of all borders; 1 without."""


def row_sources(rows: Indices, lists: Indices, n_rows: int) -> RowSources:
    """Find borders in the order of rows that neighbour lists do not cross.

    Two encoders lie in unrelated places of one space: rows of one list no rows of the other, while inside each part
    lists cross any border. A table sorted by clear-cut subjects has no links across any border, also inside its parts.

    Parameters
    ----------
    rows : ndarray of int, shape (n_queries,)
        A sample of rows, or all.
    lists : ndarray of int, shape (n_queries, k)

    Gauge
    -----
    Changes with the lists under a general G, not under an orthogonal one.

    Examples
    --------
    >>> lists = np.concatenate([np.random.default_rng(0).integers(50, size=(50, 5)) + start for start in (0, 50)])
    >>> row_sources(np.arange(100), lists, 100).borders
    (50,)
    """
    found = as_neighbor_lists(lists, n_rows)
    low = np.minimum(rows[:, None], found).ravel()
    high = np.maximum(rows[:, None], found).ravel()
    least = max(int(np.ceil(LEAST_PART * n_rows)), 2 * found.shape[1], 2)
    borders: list[int] = []
    ratios: list[float] = []
    parts = [(0, n_rows)]
    while parts:
        start, stop = parts.pop()
        inside = (low >= start) & (high < stop)
        border, ratio = _least_crossed(low[inside] - start, high[inside] - start, stop - start, least)
        if ratio < UNLINKED:
            borders.append(start + border)
            ratios.append(ratio)
            parts += [(start, start + border), (start + border, stop)]
            if len(borders) >= MOST_PARTS:
                return RowSources((), 1.0)
        elif ratio < LINKED:
            return RowSources((), 1.0)
    return RowSources(tuple(sorted(borders)), max(ratios, default=1.0))


def _least_crossed(low: Indices, high: Indices, n_rows: int, least: int) -> tuple[int, float]:
    """The border with the fewest links across it, relative to a random order; (0, 1) where no border is possible."""
    if n_rows < 2 * least or not len(low):
        return 0, 1.0
    change = np.zeros(n_rows + 1)
    np.add.at(change, low + 1, 1.0)
    np.add.at(change, high + 1, -1.0)
    crossing = np.cumsum(change)[:n_rows]
    border = np.arange(n_rows)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = crossing / (len(low) * 2.0 * border * (n_rows - border) / n_rows**2)
    allowed = slice(least, n_rows - least + 1)
    place = int(np.argmin(ratio[allowed])) + least
    return place, float(ratio[place])


def shared_directions(one: FloatTable, other: FloatTable) -> tuple[float, float]:
    """How alike the covariances of two sets of rows are, and how alike those of two halves of one set, the less alike
    one.

    The cosine of the two covariance matrices of unit rows, their traces taken away: 0 for two spaces turned against
    each other at random, whatever their spectra, near 1 for one space. The halves say whether there is anything to
    compare: where they have nothing in common (isotropic vectors), the first number says nothing.

    Gauge
    -----
    Unchanged by one orthogonal map of both; changes under a general G.

    Examples
    --------
    >>> rows = np.random.default_rng(0).standard_normal((400, 6)) * np.arange(1, 7)
    >>> same, halves = shared_directions(rows[:200], rows[200:])
    >>> min(same, halves) > 0.8
    True
    """
    halves = [_alikeness(_shape(part[::2]), _shape(part[1::2])) for part in (one, other)]
    return _alikeness(_shape(one), _shape(other)), min(halves)


def _shape(rows: FloatTable) -> Matrix:
    unit = unit_rows(np.asarray(rows, dtype=np.float64))
    centred = unit - unit.mean(axis=0)
    covariance = centred.T @ centred
    return np.asarray(covariance - np.trace(covariance) / len(covariance) * np.eye(len(covariance)))


def _alikeness(one: Matrix, other: Matrix) -> float:
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(np.sum(one * other) / size) if size > 0 else 0.0
