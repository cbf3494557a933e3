"""Held-out recall of items for users, by which epochs and temperature are chosen."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from simgauge.core.scores.pair_recall import holdout_split

USERS_PER_BLOCK = 1024


class Validation(NamedTuple):
    """What is trained on while settings are chosen, and what they are chosen by."""

    training: sp.csr_array
    held_out: sp.csr_array
    """Of the validation users only; the rows of all others are empty."""


def validation_split(
    matrix: sp.csr_array, user_share: float, held_share: float, rng: np.random.Generator
) -> Validation:
    """Hold a share of the interactions of a share of the users out.

    Parameters
    ----------
    matrix : CSR (n_users, n_items)
    user_share : float in (0, 1]
        Of the users with at least two interactions; at least one.
    held_share : float in (0, 1)
        Of their interactions.
    rng : numpy.random.Generator

    Returns
    -------
    Validation
    """
    able = np.flatnonzero(np.diff(matrix.indptr) > 1)
    chosen = rng.choice(able, max(1, round(user_share * len(able))), replace=False) if len(able) else able
    keep, later = holdout_split(sp.csr_matrix(matrix), held_share, rng)
    mask = np.zeros(matrix.shape[0], bool)
    mask[chosen] = True
    training = sp.diags_array(mask.astype(matrix.dtype)) @ keep + sp.diags_array((~mask).astype(matrix.dtype)) @ matrix
    training, held = sp.csr_array(training), sp.csr_array(sp.diags_array(mask.astype(matrix.dtype)) @ later)
    training.eliminate_zeros()
    held.eliminate_zeros()
    return Validation(training, held)


def recall_at_k(
    users: NDArray[Any], items: NDArray[Any], training: sp.csr_array, held_out: sp.csr_array, k: int = 20
) -> NDArray[np.float64]:
    """Share of each user's held-out items among the k with the largest dot product, items of training left out.

    Parameters
    ----------
    users, items : ndarray (n_users, d), (n_items, d)
    training, held_out : CSR (n_users, n_items)
        Disjoint.
    k : int, default 20

    Returns
    -------
    ndarray (m,), float64 in [0, 1]
        For the m users who have held-out items.

    Examples
    --------
    >>> training, held_out = sp.csr_array([[1, 0, 0]]), sp.csr_array([[0, 1, 1]])
    >>> recall_at_k(np.ones((1, 1)), np.array([[9.0], [2.0], [1.0]]), training, held_out, k=1).tolist()
    [0.5]
    """
    asked = np.flatnonzero(np.diff(held_out.indptr))
    size = min(k, items.shape[0])
    shares = []
    for begin in range(0, len(asked), USERS_PER_BLOCK):
        rows = asked[begin : begin + USERS_PER_BLOCK]
        scores = users[rows] @ items.T
        scores[training[rows].nonzero()] = -np.inf
        top = np.argpartition(-scores, size - 1, axis=1)[:, :size]
        wanted = held_out[rows].toarray() != 0
        shares.append(np.take_along_axis(wanted, top, axis=1).sum(axis=1) / wanted.sum(axis=1))
    return np.concatenate(shares).astype(np.float64) if shares else np.empty(0)
