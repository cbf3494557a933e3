"""The largest cosine over diagonal metrics, where some metric gives a positive one (method: see bounds_diagonal)."""

from __future__ import annotations

import numpy as np

from simgauge.core.bounds.sorted_axes import (
    MAX_STEPS,
    TOLERANCE,
    Floats,
    Indices,
    SortedAxes,
    Triple,
    pick,
    rank,
    run_mask,
    sort_axes,
    stretch,
    triple,
    weighted_cosine,
)

CLIMB_FROM, CLIMB_STEPS = (0.15, 0.5, 0.85), 4
"""Where the cheap first search begins (shares of the sorted axes), and its steps: they save exact sweeps, no more."""


def largest_weights(x: Floats, y: Floats, low: float) -> Floats:
    """Weights in [low, 1] of the largest cosine of unit rows x, y (rows, k); O(k) a sweep, one or two sweeps a pair."""
    axes = sort_axes(x, y, after=False)
    rows = np.arange(len(x), dtype=np.intp)
    value, start, stop = _climb(axes, weighted_cosine(x, y, np.ones_like(x)), low)
    live = axes
    for _ in range(MAX_STEPS):
        found, starts, stops = _best_window(live, value[rows], low)
        better = found > value[rows] + TOLERANCE
        if not better.any():
            break
        rows, live = rows[better], live.take(np.flatnonzero(better))
        value[rows], start[rows], stop[rows] = found[better], starts[better], stops[better]
    return np.where(run_mask(axes.order, start, stop, x.shape[1]), 1.0, low)


def _climb(axes: SortedAxes, value: Floats, low: float) -> tuple[Floats, Indices, Indices]:
    """A good run to begin with: value and window centre improved in turn from a few centres (no step can fall)."""
    count, rows = axes.n_positive, np.arange(len(value), dtype=np.intp)
    start, stop = np.zeros_like(count), count
    a, c, m = _inner_sums(axes, start, stop, low)
    best = m / np.sqrt(a * c)
    stop = np.where(value >= best, 0, stop)
    best = np.maximum(value, best)
    for share in CLIMB_FROM:
        centre = axes.ratio[rows, np.minimum((share * count).astype(np.intp), np.maximum(count - 1, 0))]
        now = best
        for _ in range(CLIMB_STEPS):
            reach = stretch(now)
            first = rank(axes.ratio, rows, centre / reach, inclusive=False)
            behind = np.minimum(rank(axes.ratio, rows, centre * reach, inclusive=True), count)
            a, c, m = _inner_sums(axes, first, behind, low)
            here = m / np.sqrt(a * c)
            better = here > best
            best = np.where(better, here, best)
            start, stop = np.where(better, first, start), np.where(better, behind, stop)
            now, centre = np.maximum(here, now), c / a
    return best, start, stop


def _inner_sums(axes: SortedAxes, start: Indices, stop: Indices, low: float) -> Triple:
    """Σda, Σdc, Σdm with d = 1 on one run [start, stop) of the sorted axes of each row and `low` elsewhere."""
    rows = np.arange(len(start))
    return triple(
        [
            low * total + (1.0 - low) * (before[rows, stop] - before[rows, start])
            for before, total in zip(axes.before, axes.total, strict=True)
        ]
    )


def _best_window(axes: SortedAxes, value: Floats, low: float) -> tuple[Floats, Indices, Indices]:
    """The best of all sets of axes that a window of trial value f meets: after each entry and after each exit."""
    n = axes.ratio.shape[1]
    reach = stretch(value)[:, None]
    # two sorted halves: the stable sort merges them in linear time, entries before exits at equal times
    event = np.argsort(np.concatenate([axes.ratio / reach, axes.ratio * reach], axis=1), axis=1, kind="stable")
    entry = event < n
    position = np.arange(n) + np.arange(len(value), dtype=np.intp)[:, None] * (2 * n)
    exits = np.flatnonzero(entry).reshape(-1, n) - position  # how many came before entry j
    entries = np.flatnonzero(~entry).reshape(-1, n) - position  # how many came before exit i
    sums = []
    for before, total in zip(axes.before, axes.total, strict=True):
        after_entry, after_exit = before[:, 1:] - pick(before, exits), pick(before, entries) - before[:, 1:]
        sums.append(low * total[:, None] + (1.0 - low) * np.concatenate([after_entry, after_exit], axis=1))
    cosines = sums[2] / np.sqrt(sums[0] * sums[1])
    best = cosines.argmax(axis=1)
    rows, column = np.arange(len(value)), best % n
    start = np.where(best < n, exits[rows, column], column + 1)
    stop = np.where(best < n, column + 1, entries[rows, column])
    return cosines[rows, best], start, stop
