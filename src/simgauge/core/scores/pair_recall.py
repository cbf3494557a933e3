"""Held-out co-consumption: do the neighbours of what somebody used hold what they used next?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from simgauge.errors import InputError


class PairRecall(NamedTuple):
    """Per user: weighted hits and weighted pairs, so that any resampling of users is two sums."""

    hits: NDArray[np.float64]
    """(n_users,): weight of the (used, held-out) pairs whose held-out item is a neighbour of the used one."""
    pairs: NDArray[np.float64]
    """(n_users,): weight of all pairs."""

    @property
    def per_user(self) -> NDArray[np.float64]:
        """Recall of each user who has pairs, in [0, 1]."""
        has = self.pairs > 0
        return self.hits[has] / self.pairs[has]

    @property
    def mean(self) -> float:
        """Mean over users who have pairs."""
        return float(self.per_user.mean())


def holdout_split(
    interactions: sp.csr_matrix, share: float, rng: np.random.Generator
) -> tuple[sp.csr_matrix, sp.csr_matrix]:
    """Hold out a share of every user's interactions at random; at least one stays for training.

    Parameters
    ----------
    interactions : CSR, shape (n_users, n_items)
    share : float in (0, 1)
        Of each row, rounded to whole interactions.
    rng : Generator

    Returns
    -------
    training, held_out : CSR, both (n_users, n_items)
        Disjoint; together they are `interactions`.

    Examples
    --------
    >>> X = sp.csr_matrix(np.ones((1, 5)))
    >>> training, held_out = holdout_split(X, 0.4, np.random.default_rng(0))
    >>> training.nnz, held_out.nnz
    (3, 2)
    """
    lengths = np.diff(interactions.indptr)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    order = np.lexsort((rng.random(interactions.nnz), rows))
    position = np.arange(interactions.nnz) - np.repeat(interactions.indptr[:-1], lengths)
    n_held = np.minimum(np.floor(share * lengths + 0.5).astype(np.int64), np.maximum(lengths - 1, 0))
    held = np.zeros(interactions.nnz, dtype=bool)
    held[order] = position < np.repeat(n_held, lengths)
    return _subset(interactions, rows, ~held), _subset(interactions, rows, held)


def pair_recall(
    neighbors: NDArray[np.int64],
    training: sp.csr_matrix,
    held_out: sp.csr_matrix,
    item_weights: NDArray[np.float64] | None = None,
) -> PairRecall:
    """Recall of held-out co-use by lists of similar items.

    For every pair of an item i in a user's training interactions and an item j in their held-out ones: is j
    among the k neighbours of i? Full ranking over all items, no sampled negatives.

    Parameters
    ----------
    neighbors : ndarray, shape (n_items, k)
        Row numbers of the neighbours of every item; -1 where there is none.
    training, held_out : CSR, shape (n_users, n_items)
        Any positive entry counts as use.
    item_weights : ndarray, shape (n_items,), optional
        Weight of a held-out item, such as 1 / popularity, which keeps popular items from carrying the figure.

    Returns
    -------
    PairRecall
        Hits and pairs per user.

    Raises
    ------
    InputError
        Shapes differ.

    Examples
    --------
    >>> used, later = sp.csr_matrix([[1, 0, 0]]), sp.csr_matrix([[0, 1, 1]])
    >>> pair_recall(np.array([[1], [0], [0]]), used, later).mean
    0.5
    """
    n_items = neighbors.shape[0]
    if training.shape != held_out.shape or training.shape[1] != n_items:
        raise InputError(
            f"training {training.shape} and held-out {held_out.shape} interactions must have one column per row of "
            f"the neighbour lists ({n_items})."
        )
    listed = neighbors >= 0
    rows = np.repeat(np.arange(n_items), listed.sum(axis=1))
    similar = sp.csr_matrix((np.ones(len(rows)), (rows, neighbors[listed])), shape=(n_items, n_items))
    used, later = _indicator(training), _indicator(held_out)
    if item_weights is not None:
        later = sp.csr_matrix(later.multiply(np.asarray(item_weights)[None, :]))
    hits = np.asarray((used @ similar).multiply(later).sum(axis=1)).ravel()
    pairs = np.asarray(used.sum(axis=1)).ravel() * np.asarray(later.sum(axis=1)).ravel()
    return PairRecall(hits, pairs)


def _indicator(matrix: sp.csr_matrix) -> sp.csr_matrix:
    out = sp.csr_matrix(matrix, dtype=np.float64, copy=True)
    out.data[:] = out.data > 0
    return out


def _subset(matrix: sp.csr_matrix, rows: NDArray[np.int64], keep: NDArray[np.bool_]) -> sp.csr_matrix:
    counts = np.bincount(rows[keep], minlength=matrix.shape[0])
    indptr = np.concatenate([[0], np.cumsum(counts)])
    return sp.csr_matrix((matrix.data[keep], matrix.indices[keep], indptr), shape=matrix.shape)
