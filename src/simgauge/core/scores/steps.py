"""Steps from one item to the next, within a session and in the order of time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simgauge.core.tables.kinds import Vector
from simgauge.errors import InputError

Codes = NDArray[np.int64]

MOST_PAIRS = 50_000_000
"""Pairs of items from all steps; equal times make many from few events."""


class Steps(NamedTuple):
    """One entry per pair (item, item that came next)."""

    sessions: Codes
    first: Codes
    second: Codes
    weights: Vector
    """Sum to 1 over the pairs of a step: more than one pair where events share a time."""
    times: Vector
    """Of the second item; the order of the events where there are no times."""


def steps_in_order(sessions: Codes, items: Codes, times: Vector | None = None, max_gap: float | None = None) -> Steps:
    """Every step of every session from the items of one moment to the items of the next.

    Events of a session at the same time have no order. A step then leads from each item of one moment to each of the
    next, and its pairs share a weight of 1. A step to the same item is none.

    Parameters
    ----------
    sessions, items : ndarray of int64, shape (n_events,)
        Numbered from 0; any order.
    times : ndarray, shape (n_events,), optional
        Finite. When not given, the events of a session happened in the order of the rows, one after the other.
    max_gap : float, optional
        Longer pauses end a session; in the unit of the times.

    Returns
    -------
    Steps
        In the order of sessions and times.

    Raises
    ------
    InputError
        So many events share a time that their pairs do not fit into memory.

    Numerics
    --------
    O(n_events log n_events), and 40 bytes a pair.

    Examples
    --------
    >>> steps = steps_in_order(np.array([0, 0, 0]), np.array([7, 8, 9]), np.array([2.0, 1.0, 2.0]))
    >>> steps.first.tolist(), steps.second.tolist(), steps.weights.tolist()
    ([8, 8], [7, 9], [0.5, 0.5])
    """
    at = np.arange(len(items), dtype=np.float64) if times is None else np.asarray(times, dtype=np.float64)
    order = np.lexsort((items, at, sessions))
    sessions, items, at = sessions[order], items[order], at[order]
    same = (sessions[1:] == sessions[:-1]) & (at[1:] == at[:-1])
    distinct = np.concatenate(([True], ~(same & (items[1:] == items[:-1]))))[: len(items)]
    sessions, items, at = sessions[distinct], items[distinct], at[distinct]
    starts = np.flatnonzero(
        np.concatenate(([True], (sessions[1:] != sessions[:-1]) | (at[1:] != at[:-1])))[: len(items)]
    )
    sizes = np.diff(starts, append=len(items))
    follows = sessions[starts[1:]] == sessions[starts[:-1]]
    if max_gap is not None:
        follows &= at[starts[1:]] - at[starts[:-1]] <= max_gap
    before = np.flatnonzero(follows)
    counts = sizes[before] * sizes[before + 1]
    if counts.sum() > MOST_PAIRS:
        raise InputError(
            f"the steps make {int(counts.sum()):,} pairs of items, because up to {int(sizes.max()):,} events of a "
            "session share a time: pass finer times, or take what was used at one time as pairs that belong together."
        )
    step = np.repeat(np.arange(len(before)), counts)
    inside = np.arange(len(step)) - np.repeat(np.cumsum(counts) - counts, counts)
    wide = sizes[before + 1][step]
    first = items[starts[before][step] + inside // wide] if len(step) else items[:0]
    place = starts[before + 1][step] + inside % wide if len(step) else np.zeros(0, dtype=np.int64)
    second = items[place]
    moves = first != second
    n_moves = np.bincount(step, weights=moves, minlength=len(before))
    weights = 1.0 / np.maximum(n_moves, 1.0)[step]
    found = (sessions[place], first, second, weights, at[place])
    return Steps(*(part[moves] for part in found))
