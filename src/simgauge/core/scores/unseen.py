"""Lists of items for users, without what they used before."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from simgauge.core.tables.kinds import FloatTable
from simgauge.core.tables.tables import unit_rows

SCORES_PER_BLOCK = 8_000_000
"""Scores of users and items held in one step (64 MB)."""


def unseen_top_k(
    users: FloatTable, items: FloatTable, seen: sparse.csr_array, k: int, metric: Literal["dot", "cosine"]
) -> NDArray[np.int64]:
    """The k items of highest score for every user among those that they have not used.

    Parameters
    ----------
    users, items : ndarray, shapes (n_users, d), (n_items, d)
    seen : CSR, shape (n_users, n_items)
        Stored entries are left out of the user's list.
    k : int
        Up to n_items.
    metric : {"dot", "cosine"}
        The model's prediction, or the same divided by the length of the item's vector (that of the user changes no
        order).

    Returns
    -------
    ndarray of int64, shape (n_users, k)
        Highest first, equal scores in the order of the rows; -1 pads where a user has used all but fewer than k.

    Numerics
    --------
    Scores in float64; 2 n_users n_items d flops.

    Examples
    --------
    >>> seen = sparse.csr_array([[1.0, 0.0, 0.0]])
    >>> unseen_top_k(np.array([[1.0]]), np.array([[3.0], [2.0], [1.0]]), seen, 3, "dot")
    array([[ 1,  2, -1]])
    """
    table = np.asarray(unit_rows(items) if metric == "cosine" else items, dtype=np.float64)
    n_items = len(table)
    lists = np.full((len(users), k), -1, dtype=np.int64)
    step = max(1, SCORES_PER_BLOCK // n_items)
    for start in range(0, len(users), step):
        rows = np.arange(start, min(start + step, len(users)))
        scores = np.asarray(users[rows], dtype=np.float64) @ table.T
        part = seen[rows].tocoo()
        scores[part.row, part.col] = -np.inf
        edge = np.partition(scores, n_items - k, axis=1)[:, n_items - k]
        for row, own in enumerate(scores):
            near = np.flatnonzero(own >= edge[row])
            best = near[np.argsort(-own[near], kind="stable")][:k]
            best = best[np.isfinite(own[best])]
            lists[rows[row], : len(best)] = best
    return lists
