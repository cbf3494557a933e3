"""The axes of two vectors sorted by the ratio of their entries: what both diagonal bounds slide a window over.

Arrays are over pairs (first axis). x and y are the unit rows of a pair; a = x², c = y², m = xy.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Triple = tuple[Floats, Floats, Floats]

MAX_STEPS = 100
"""Dinkelbach converges superlinearly (2 to 6 steps are typical); the cap only guards against an endless loop."""

TOLERANCE = 4 * float(np.finfo(np.float64).eps)
"""A value that changes by less is rounding, and the iteration has ended."""

RATIO_LIMIT = 1e120
"""Squared ratios are cut here: the product of such a pair of entries is below 1e-60 of the norms."""

SMALLEST_VALUE = 1e-45
"""Smallest |cosine| that sets a window width; below it the window covers every axis that can matter."""


class SortedAxes(NamedTuple):
    """Axes with x·y > 0 by ascending squared ratio (y/x)²; the others come last, with infinite ratio and no weight.

    Shapes: n is the largest number of axes with x·y > 0 in any row. Triples hold a, c, m.
    """

    ratio: Floats  # (rows, n)
    order: Indices  # (rows, n), which axis
    n_positive: Indices  # (rows,), how many ratios are finite
    before: Triple  # (rows, n + 1): sums over the first j sorted axes
    after: Triple  # (rows, n + 1): sums over all axes but the first j sorted ones
    total: Triple  # (rows,): sums over all axes

    def take(self, rows: Indices) -> SortedAxes:
        """The same for some of the pairs (a copy)."""
        return SortedAxes(
            self.ratio[rows],
            self.order[rows],
            self.n_positive[rows],
            triple([part[rows] for part in self.before]),
            triple([part[rows] for part in self.after]),
            triple([part[rows] for part in self.total]),
        )


def triple(parts: list[Floats]) -> Triple:
    """Three arrays as a tuple of known length."""
    a, c, m = parts
    return a, c, m


def sort_axes(x: Floats, y: Floats, *, after: bool) -> SortedAxes:
    """Sort the axes of unit rows x, y (rows, k) and sum a, c, m along them; O(k log k) a row.

    The sums `after` are left empty when they are not asked for.
    """
    positive = np.sign(x) * np.sign(y) > 0
    ratio = np.full_like(x, np.inf)
    with np.errstate(over="ignore", under="ignore"):
        np.square(np.divide(y, x, out=ratio, where=positive), out=ratio)
    np.clip(ratio, 1 / RATIO_LIMIT, RATIO_LIMIT, out=ratio, where=positive)
    n_positive = np.count_nonzero(positive, axis=1)
    width = max(int(n_positive.max()), 1)
    order = np.argsort(ratio, axis=1, kind="stable")[:, :width]
    ratio = pick(ratio, order)
    sorted_x, sorted_y = pick(x, order), pick(y, order)
    sorted_x[np.isinf(ratio)] = 0.0
    sorted_y[np.isinf(ratio)] = 0.0
    before_all, after_all, total_all = [], [], []
    for (first, second), values in (
        ((x, x), sorted_x * sorted_x),
        ((y, y), sorted_y * sorted_y),
        ((x, y), sorted_x * sorted_y),
    ):
        before_all.append(_sums_before(values))
        total_all.append(np.einsum("ij,ij->i", first, second))
        if after:
            # what is not on a sorted axis is summed on its own: a difference of totals would lose its small digits
            rest = np.where(positive, 0.0, first * second).sum(axis=1)
            after_all.append(_sums_before(values[:, ::-1])[:, ::-1] + rest[:, None])
        else:
            after_all.append(np.empty((len(x), 0)))
    return SortedAxes(ratio, order, n_positive, triple(before_all), triple(after_all), triple(total_all))


def _sums_before(values: Floats) -> Floats:
    sums = np.zeros((len(values), values.shape[1] + 1))
    np.cumsum(values, axis=1, out=sums[:, 1:])
    return sums


def pick(table: Floats, columns: Indices) -> Floats:
    """table[row, columns[row, j]]: several times faster than take_along_axis."""
    offset = np.arange(len(table), dtype=np.intp)[:, None] * table.shape[1]
    result: Floats = np.take(table.ravel(), columns + offset)
    return result


def stretch(value: Floats) -> Floats:
    """e^{2τ} with cosh τ = 1/f: the window of trial value f reaches this factor up and down in the squared ratio."""
    inverse = 1.0 / np.clip(value, SMALLEST_VALUE, 1.0)
    result: Floats = np.square(inverse + np.sqrt((inverse - 1.0) * (inverse + 1.0)))
    return result


def rank(ratio: Floats, rows: Indices, limit: Floats, *, inclusive: bool) -> Indices:
    """Number of sorted entries of each of these rows below its limit, by a binary search in all rows at once."""
    n = ratio.shape[1]
    flat, offset = ratio.ravel(), rows * n - 1
    found = np.zeros(len(rows), dtype=np.intp)
    step = 1 << (n.bit_length() - 1)
    while step:
        ahead = np.minimum(found + step, n)
        entry = flat[offset + ahead]
        found = np.where(entry <= limit if inclusive else entry < limit, ahead, found)
        step >>= 1
    return found


def run_mask(order: Indices, start: Indices, stop: Indices, n_axes: int) -> NDArray[np.bool_]:
    """Mask (rows, n_axes) of the axes on the run [start, stop) of the sorted axes."""
    position = np.arange(order.shape[1])
    inside = np.zeros((len(order), n_axes), dtype=bool)
    np.put_along_axis(inside, order, (position >= start[:, None]) & (position < stop[:, None]), axis=1)
    return inside


def weighted_cosine(x: Floats, y: Floats, weights: Floats) -> Floats:
    """Cosine of rows of x and y under diagonal metrics, shape (rows,); the arguments are (rows, k), norms non-zero."""
    weighted = weights * x
    cross = np.einsum("ij,ij->i", weighted, y)
    first = np.einsum("ij,ij->i", weighted, x)
    second = np.einsum("ij,ij->i", weights * y, y)
    result: Floats = np.clip(cross / np.sqrt(first) / np.sqrt(second), -1.0, 1.0)
    return result
