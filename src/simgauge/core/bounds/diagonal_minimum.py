"""The smallest cosine over diagonal metrics, where every metric gives one >= 0 (method: see bounds_diagonal)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simgauge.core.bounds.sorted_axes import (
    MAX_STEPS,
    TOLERANCE,
    Floats,
    Indices,
    SortedAxes,
    Triple,
    rank,
    run_mask,
    sort_axes,
    stretch,
    triple,
    weighted_cosine,
)

DESCENT_STEPS = 6
"""Cheap steps before the exact ones: they save exact steps, no more."""


class _Valley(NamedTuple):
    """Minimiser of Σdm − f·√(Σda·Σdc): d = low on a run of the sorted axes, 1 elsewhere, and one axis in between."""

    value: Floats
    start: Indices
    stop: Indices
    axis: Indices  # position among the sorted axes
    weight: Floats  # of that axis


def smallest_weights(x: Floats, y: Floats, low: float) -> Floats:
    """Weights in [low, 1] of the smallest cosine of unit rows x, y (rows, k); O(log² k) a step after one sort."""
    axes = sort_axes(x, y, after=True)
    nothing = np.zeros_like(axes.n_positive)
    weights = np.where(run_mask(axes.order, nothing, axes.n_positive, x.shape[1]), low, 1.0)
    value, flat = np.maximum(weighted_cosine(x, y, weights), 0.0), weighted_cosine(x, y, np.ones_like(x))
    weights[flat < value] = 1.0
    value = np.minimum(value, flat)
    best = _Valley(value, nothing, nothing.copy(), nothing.copy(), np.full(len(x), np.nan))
    rows, trial = np.arange(len(x), dtype=np.intp), _descend(axes, value, low)
    for _ in range(MAX_STEPS):
        found = _valley(axes, rows, trial, low)
        better = found.value < best.value[rows] - TOLERANCE
        if not better.any():
            break
        rows, trial = rows[better], found.value[better]
        for whole, part in zip(best, found, strict=True):
            whole[rows] = part[better]
    moved = np.flatnonzero(np.isfinite(best.weight))
    run = run_mask(axes.order[moved], best.start[moved], best.stop[moved], x.shape[1])
    chosen = np.where(run, low, 1.0)
    chosen[np.arange(len(moved)), axes.order[moved, best.axis[moved]]] = best.weight[moved]
    weights[moved] = chosen
    return weights


def _descend(axes: SortedAxes, value: Floats, low: float) -> Floats:
    """A good value to begin with: value and window centre improved in turn (feasible, so never below the minimum)."""
    rows = np.arange(len(value), dtype=np.intp)
    now, centre = value, axes.total[1] / axes.total[0]
    for _ in range(DESCENT_STEPS):
        reach = stretch(now)
        start = rank(axes.ratio, rows, centre / reach, inclusive=False)
        stop = rank(axes.ratio, rows, centre * reach, inclusive=True)
        a, c, m = _outer_sums(axes, rows, start, stop, low)
        now, centre = np.minimum(np.maximum(m, 0.0) / np.sqrt(a * c), now), c / a
    return now


def _valley(axes: SortedAxes, rows: Indices, value: Floats, low: float) -> _Valley:
    """Where the inner problem of these rows peaks along log s at trial value f, and the weights there."""
    reach, n = stretch(value), axes.ratio.shape[1]
    entered = _count_rising(axes, rows, reach, low, entries=True)
    left = _count_rising(axes, rows, reach, low, entries=False)
    a, c, m = _outer_sums(axes, rows, left, entered, low)
    next_entry = np.where(entered < n, axes.ratio[rows, np.minimum(entered, n - 1)] / reach, np.inf)
    next_exit = np.where(left < n, axes.ratio[rows, np.minimum(left, n - 1)] * reach, np.inf)
    entering = next_entry <= next_exit
    axis = np.minimum(np.where(entering, entered, left), n - 1)
    square = np.minimum(next_entry, next_exit)  # s² of the next event
    kink = np.isfinite(square) & (c >= square * a)  # still rising there: the peak is at the event itself
    own_a, own_c, own_m = (before[rows, axis + 1] - before[rows, axis] for before in axes.before)
    square = np.where(kink, square, 1.0)
    slope = own_c - square * own_a
    usable = kink & (slope != 0)
    # the weight of the event's axis is the one that makes s optimal: s² (a + step·own_a) = c + step·own_c
    step = np.where(usable, (square * a - c) / np.where(usable, slope, 1.0), 0.0)
    step = np.where(entering, np.clip(step, low - 1.0, 0.0), np.clip(step, 0.0, 1.0 - low))
    weight = np.where((axis >= left) & (axis < entered), low, 1.0) + step
    a, c = np.maximum(a + step * own_a, low), np.maximum(c + step * own_c, low)  # a unit row cannot weigh less
    found = np.maximum(m + step * own_m, 0.0) / np.sqrt(a * c)
    return _Valley(found, left, entered, axis, weight)


def _outer_sums(axes: SortedAxes, rows: Indices, start: Indices, stop: Indices, low: float) -> Triple:
    """Σda, Σdc, Σdm with d = `low` on one run [start, stop) of the sorted axes of each row and 1 elsewhere."""
    return triple(
        [
            low * total[rows] + (1.0 - low) * (before[rows, start] + after[rows, stop])
            for before, after, total in zip(axes.before, axes.after, axes.total, strict=True)
        ]
    )


def _count_rising(axes: SortedAxes, rows: Indices, reach: Floats, low: float, *, entries: bool) -> Indices:
    """Number of entries (exits) just after which the concave inner problem still rises in log s: a binary search."""
    n = axes.ratio.shape[1]
    found = np.zeros(len(rows), dtype=np.intp)
    step = 1 << (n.bit_length() - 1)
    while step:
        ahead = np.minimum(found + step, n)
        event = axes.ratio[rows, ahead - 1]
        if entries:
            time = event / reach
            start, stop = rank(axes.ratio, rows, time / reach, inclusive=False), ahead
        else:
            time = event * reach
            start, stop = ahead, rank(axes.ratio, rows, time * reach, inclusive=True)
        a, c, _ = _outer_sums(axes, rows, start, stop, low)
        found = np.where(c > time * a, ahead, found)
        step >>= 1
    return found
