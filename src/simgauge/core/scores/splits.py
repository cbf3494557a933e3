"""Which interactions are held out: by user, or the latest of each user."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from simgauge.core.scores.pair_recall import holdout_split
from simgauge.core.tables.kinds import Vector


class UserSplit(NamedTuple):
    """All of shape (n_users, n_items)."""

    training: sparse.csr_array
    """Empty in the rows of held-out users."""
    used: sparse.csr_array
    """Of held-out users: what is asked with."""
    later: sparse.csr_array
    """Of held-out users: what is looked for."""


def user_split(interactions: sparse.csr_array, share: float, rng: np.random.Generator) -> UserSplit:
    """Hold out a share of the users who have two items or more; half of their items ask, the other half is looked for.

    Parameters
    ----------
    interactions : CSR, shape (n_users, n_items)
    share : float in (0, 1)
        Of the users; at least one is held out and one is kept.
    rng : Generator

    Examples
    --------
    >>> split = user_split(sparse.csr_array(np.ones((4, 4))), 0.5, np.random.default_rng(0))
    >>> split.training.nnz, split.used.nnz, split.later.nnz
    (8, 4, 4)
    """
    lengths = np.diff(interactions.indptr)
    eligible = np.flatnonzero(lengths >= 2)
    n_held = min(max(1, round(share * len(eligible))), max(0, (lengths > 0).sum() - 1))
    held = np.zeros(len(lengths), dtype=bool)
    held[rng.permutation(eligible)[:n_held]] = True
    used, later = holdout_split(_rows(interactions, held), 0.5, rng)
    return UserSplit(_rows(interactions, ~held), sparse.csr_array(used), sparse.csr_array(later))


def latest_split(
    interactions: sparse.csr_array, times: Vector, share: float
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Hold out the latest share of every user's interactions: all of them strictly later than what is kept.

    Parameters
    ----------
    interactions : CSR, shape (n_users, n_items)
    times : ndarray, shape (nnz,)
        In the order of the entries; any order within a user. NaN: not known, kept for training.
    share : float in (0, 1)
        Of each user's interactions with a known time, rounded. What happened at the same time as the last one kept
        is kept too, so a user whose times are all equal has none held out.

    Returns
    -------
    training, held_out : CSR, disjoint

    Examples
    --------
    >>> X = sparse.csr_array(np.ones((1, 4)))
    >>> latest_split(X, np.array([3.0, 1.0, 4.0, 2.0]), 0.5)[1].toarray()
    array([[1., 0., 1., 0.]])
    """
    lengths = np.diff(interactions.indptr)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    known = np.isfinite(times)
    n_known = np.bincount(rows[known], minlength=len(lengths))
    order = np.lexsort((times, ~known, rows))
    position = np.empty(len(rows), dtype=np.int64)
    position[order] = np.arange(len(rows)) - np.repeat(interactions.indptr[:-1], lengths)
    n_kept = n_known - np.minimum(np.floor(share * n_known + 0.5).astype(np.int64), np.maximum(n_known - 1, 0))
    last_kept = np.full(len(lengths), np.inf)
    kept = known & (position == n_kept[rows] - 1)
    last_kept[rows[kept]] = times[kept]
    held = known & (times > last_kept[rows])
    return _entries(interactions, rows, ~held), _entries(interactions, rows, held)


def sample_for_each_user(used: sparse.csr_array, max_items: int, rng: np.random.Generator) -> sparse.csr_array:
    """A random part of each user's items, of at most a given number of different items over all users.

    First one random item of every user in random order, then a second one, until the items are used up. So users stay
    independent of each other: their items were not drawn together. (A sample of items for all users would make every
    user's score depend on the same draw, which no resampling of users can see.)

    Parameters
    ----------
    used : CSR, shape (n_users, n_items)
    max_items : int, >= 1
    rng : Generator

    Examples
    --------
    >>> part = sample_for_each_user(sparse.csr_array(np.ones((3, 8))), 4, np.random.default_rng(0))
    >>> len(np.unique(part.indices)), np.diff(part.indptr).min() >= 1
    (4, np.True_)
    """
    lengths = np.diff(used.indptr)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    shuffled = np.lexsort((rng.random(used.nnz), rows))
    turn = np.empty(used.nnz, dtype=np.int64)
    turn[shuffled] = np.arange(used.nnz) - np.repeat(used.indptr[:-1], lengths)
    order = np.lexsort((rng.permutation(len(lengths))[rows], turn))
    _, first = np.unique(used.indices[order], return_index=True)
    new = np.zeros(used.nnz, dtype=np.int64)
    new[first] = 1
    keep = np.zeros(used.nnz, dtype=bool)
    keep[order[new.cumsum() <= max_items]] = True
    return _entries(used, rows, keep)


def _rows(matrix: sparse.csr_array, keep: NDArray[np.bool_]) -> sparse.csr_array:
    rows = np.repeat(np.arange(len(keep)), np.diff(matrix.indptr))
    return _entries(matrix, rows, keep[rows])


def _entries(matrix: sparse.csr_array, rows: NDArray[np.int64], keep: NDArray[np.bool_]) -> sparse.csr_array:
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows[keep], minlength=matrix.shape[0]))])
    return sparse.csr_array((matrix.data[keep], matrix.indices[keep], indptr), shape=matrix.shape)
