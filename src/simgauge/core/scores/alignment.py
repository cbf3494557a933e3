"""Whether the rows of two tables belong to the users and items of some interactions: the model's score tells them
apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import stdtrit

from simgauge.core.tables.kinds import Vector

Rows = NDArray[np.int64]

N_PAIRS = 10_000
"""Training pairs that are scored: the standard error of an area is at most .5 / sqrt(10,000) = .005 for independent
ones."""

LEAST_SWAPS = 30
"""Fewer swaps of pairs than this have no interval worth the name."""


class Area(NamedTuple):
    """A mean over couples of pairs, with its interval."""

    value: float
    low: float
    high: float


class Swaps(NamedTuple):
    """Couples of pairs (u, i), (v, j) that are there, whose exchanges (u, j), (v, i) are not; one array for each
    letter."""

    users: Rows
    items: Rows
    other_users: Rows
    other_items: Rows


def swapped_pairs(interactions: sparse.csr_array, rng: np.random.Generator, n_pairs: int = N_PAIRS) -> Swaps:
    """Pairs drawn at random and coupled, so that exchanging the items of a couple gives two pairs that never happened.

    Every user and every item occurs in the exchanged pairs as often as in the drawn ones: popularity, activity and
    biases of either side cannot tell one from the other.

    Parameters
    ----------
    interactions : CSR, shape (n_users, n_items)
        Any stored entry counts.
    rng : Generator
    n_pairs : int
        Pairs that are drawn without replacement; all, when there are fewer.

    Returns
    -------
    Swaps
        At most n_pairs / 2 couples; none where every exchange happened too.

    Examples
    --------
    >>> swaps = swapped_pairs(sparse.csr_array(np.eye(4)), np.random.default_rng(0))
    >>> bool((swaps.users == swaps.items).all()), len(swaps.users)
    (True, 2)
    """
    nnz = int(interactions.nnz)
    drawn = rng.permutation(nnz) if nnz <= n_pairs else rng.choice(nnz, n_pairs, replace=False)
    half = len(drawn) // 2
    users = np.searchsorted(interactions.indptr, drawn, side="right") - 1
    items = interactions.indices[drawn].astype(np.int64)
    u, i, v, j = users[:half], items[:half], users[half : 2 * half], items[half : 2 * half]
    new = (u != v) & (i != j) & ~_present(interactions, u, j) & ~_present(interactions, v, i)
    return Swaps(u[new], i[new], v[new], j[new])


def alignment_units(score: Callable[[Rows, Rows], Vector], swaps: Swaps) -> Vector:
    """For each couple: 1 when both users' own item scores above the other's, one half when one does; ties count half.

    The mean is the area under the ROC curve within users: the chance that a user's own item outscores an item of the
    same popularity that the user did not use.

    Theorem: averaged over all assignments of the rows of items to the items (and so in expectation for rows in random
    order), it is exactly one half, whatever the tables and the interactions.
    """
    first = _above(score(swaps.users, swaps.items), score(swaps.users, swaps.other_items))
    second = _above(score(swaps.other_users, swaps.other_items), score(swaps.other_users, swaps.items))
    return np.asarray((first + second) / 2)


def swap_interval(units: Vector, swaps: Swaps, confidence: float = 0.95) -> Area:
    """Mean of a number per couple, with an interval that allows for couples which share a user or an item.

    Numerics
    --------
    Variance: the sum over users and items of the squared sum of the deviations of their couples, with what is counted
    more than once taken off; not less than that of independent couples.

    References
    ----------
    Aronow, Samii, Assenova (2015), Cluster-robust variance estimation for dyadic data, Political Analysis 23.
    """
    mean = float(units.mean())
    deviations = units - mean
    alone = float(deviations @ deviations)
    shared = -3 * alone  # a couple has four members, and its own square belongs into the sum once
    for first, second in ((swaps.users, swaps.other_users), (swaps.items, swaps.other_items)):
        sums = np.bincount(np.concatenate([first, second]), weights=np.concatenate([deviations, deviations]))
        shared += float(sums @ sums)
    error = np.sqrt(max(alone, shared)) / len(units)
    half = float(stdtrit(len(units) - 1, (1 + confidence) / 2) * error)
    return Area(mean, mean - half, mean + half)


def pairs_used_together(
    interactions: sparse.csr_array, rng: np.random.Generator, n_pairs: int = N_PAIRS
) -> sparse.csr_array:
    """Items x items: pairs of different items that one user used, drawn at random; symmetric, without duplicates.

    Each drawn interaction is coupled with another of the same user.

    Examples
    --------
    >>> together = pairs_used_together(sparse.csr_array([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]), np.random.default_rng(0))
    >>> together.toarray()
    array([[0., 1., 0.],
           [1., 0., 0.],
           [0., 0., 0.]])
    """
    lengths = np.diff(interactions.indptr)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    eligible = np.flatnonzero(lengths[rows] > 1)
    drawn = eligible if len(eligible) <= n_pairs else rng.choice(eligible, n_pairs, replace=False)
    start, length = interactions.indptr[rows[drawn]], lengths[rows[drawn]]
    offset = rng.integers(1, np.maximum(length, 2))
    partner = start + (drawn - start + offset) % length
    left, right = interactions.indices[drawn], interactions.indices[partner]
    shape = (interactions.shape[1],) * 2
    ones = np.ones(2 * len(drawn))
    pairs = sparse.csr_array((ones, (np.concatenate([left, right]), np.concatenate([right, left]))), shape=shape)
    pairs.sum_duplicates()
    pairs.data[:] = 1.0
    return pairs


def _above(own: Vector, other: Vector) -> Vector:
    return np.asarray((own > other) + 0.5 * (own == other))


def _present(matrix: sparse.csr_array, rows: Rows, columns: Rows) -> NDArray[np.bool_]:
    """Mask of the entries that are stored."""
    if len(rows) == 0:
        return np.zeros(0, dtype=bool)
    n = np.int64(matrix.shape[1])
    asked = np.unique(rows)
    lengths = np.diff(matrix.indptr)[asked]
    starts = np.repeat(matrix.indptr[asked], lengths) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    entries = starts + np.arange(int(lengths.sum()))
    known = np.repeat(asked, lengths).astype(np.int64) * n + matrix.indices[entries]
    return np.isin(rows.astype(np.int64) * n + columns, known)
