"""Cuts of events by time: one moment for everybody, or one for each user."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simgauge.core.tables.kinds import Vector

Codes = NDArray[np.int32] | NDArray[np.int64]


def common_cut(times: Vector, share: float) -> float:
    """The moment after which the latest share of the events happened; what happened at that moment lies before it.

    Parameters
    ----------
    times : ndarray, shape (n_events,)
        NaN where it is not known; at least one is known.
    share : float in (0, 1)
        Of the events with a time, rounded; events at the moment of the cut make it smaller.

    Examples
    --------
    >>> common_cut(np.array([5.0, 1.0, 4.0, 2.0, 3.0]), 0.4)
    3.0
    """
    ordered = np.sort(times[np.isfinite(times)])
    last = len(ordered) - int(np.floor(share * len(ordered) + 0.5)) - 1
    return float(ordered[max(last, 0)])


def first_times(users: Codes, items: Codes, times: Vector, n_items: int) -> tuple[NDArray[np.int64], Vector]:
    """Every pair of user and item once, as user x n_items + item, and when it happened first; NaN sorts last.

    Examples
    --------
    >>> first_times(np.array([0, 0, 1]), np.array([2, 2, 0]), np.array([9.0, 4.0, 1.0]), 3)
    (array([2, 3]), array([4., 1.]))
    """
    keys = users.astype(np.int64) * n_items + items
    order = np.lexsort((times, keys))
    keys, times = keys[order], times[order]
    new = np.concatenate(([True], keys[1:] != keys[:-1]))[: len(keys)]
    return keys[new], times[new]


def user_cuts(users: Codes, first: Vector, n_users: int, share: float) -> Vector:
    """Moment, for each user, after which the latest share of their items happened for the first time.

    Parameters
    ----------
    users : ndarray, shape (n_pairs,)
        One entry per pair of user and item.
    first : ndarray, shape (n_pairs,)
        When the pair happened first; NaN where it is not known.
    n_users : int
    share : float in (0, 1)
        Of each user's items with a time, rounded, and never all of them.

    Returns
    -------
    ndarray, shape (n_users,)
        Infinite for users of whom nothing is held out because no time is known.

    Examples
    --------
    >>> user_cuts(np.array([0, 0, 0, 1]), np.array([3.0, 1.0, 2.0, 7.0]), 2, 0.4)
    array([2., 7.])
    """
    known = np.isfinite(first)
    users, first = users[known], first[known]
    order = np.lexsort((first, users))
    users, first = users[order], first[order]
    counts = np.bincount(users, minlength=n_users)
    held = np.minimum(np.floor(share * counts + 0.5).astype(np.int64), np.maximum(counts - 1, 0))
    cuts = np.full(n_users, np.inf)
    some = counts > 0
    cuts[some] = first[(np.cumsum(counts) - held - 1)[some]]
    return cuts
