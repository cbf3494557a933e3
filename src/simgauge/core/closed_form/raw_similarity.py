"""Similarity of items from the interactions themselves, without any embedding: column cosine and EASE weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray

from simgauge.core.matrices.gram import gram
from simgauge.core.neighbors.largest import largest_per_row
from simgauge.core.tables.kinds import Lists
from simgauge.errors import InputError, ParameterError

MAX_ITEMS = 30_000
"""Beyond this many items the dense inverse of EASE (7 GB) is refused."""

BLOCK_BYTES = 64 << 20
"""Size of one dense block of scores."""


def column_cosine_lists(X: Any, k: int, rows: NDArray[np.int64]) -> Lists:
    """The k items whose interaction columns have the largest cosine with those of the items `rows`.

    Parameters
    ----------
    X : CSR, shape (n_users, n_items)
    k : int
        At most n_items − 1; an item is not in its own list.
    rows : ndarray of int

    Returns
    -------
    indices, scores : ndarray, shape (len(rows), k)
        Items nobody used have cosine 0 with everything; equal scores by the lower index.

    Numerics
    --------
    Sparse products in blocks of items; a dense block holds at most 64 MiB.

    Examples
    --------
    >>> X = sp.csr_array(np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0], [1.0, 0.0, 1.0]]))
    >>> column_cosine_lists(X, 1, np.arange(3))[0].ravel()
    array([2, 0, 0])
    """
    norms = np.sqrt(np.asarray(X.multiply(X).sum(axis=0), dtype=np.float64)).ravel()
    inverse = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
    unit = sp.csr_array(X @ sp.diags_array(inverse))
    by_item = sp.csr_array(unit.T)
    return _lists(lambda part: (by_item[part] @ unit).toarray(), X.shape[1], k, rows)


def ease_weights(X: Any, l2: float | None = None) -> NDArray[np.float64]:
    """Item-item weights B of EASE: row i holds what each item adds to the others, diagonal 0.

    Minimises ``‖X − X B‖² + λ‖B‖²`` with ``diag(B) = 0``: with ``P = (XᵀX + λI)⁻¹``, ``B_ij = −P_ij / P_jj``.

    Parameters
    ----------
    X : CSR, shape (n_users, n_items)
    l2 : float, > 0, optional
        λ; the mean of the diagonal of XᵀX when not given.

    Raises
    ------
    InputError
        More than `MAX_ITEMS` items, or no interactions.
    ParameterError
        `l2` not a number above 0.

    Numerics
    --------
    Dense: O(n_items³), two n_items² float64 arrays.

    References
    ----------
    Steck (2019), arXiv 1905.03375, Eqs. 7, 8.

    Examples
    --------
    >>> ease_weights(sp.csr_array(np.array([[1.0, 1.0], [1.0, 0.0]])), l2=1.0)
    array([[0.        , 0.33333333],
           [0.5       , 0.        ]])
    """
    n_items = X.shape[1]
    if n_items > MAX_ITEMS:
        raise InputError(
            f"EASE inverts a dense {n_items} x {n_items} matrix: at most {MAX_ITEMS} items. Compare with the cosine of "
            "raw columns instead, or drop rare items."
        )
    G = gram(X)
    strength = float(np.diag(G).mean()) if l2 is None else float(l2)
    if l2 is None and strength == 0:
        raise InputError("there are no interactions with these items: nothing to compute EASE weights from.")
    if not (np.isfinite(strength) and strength > 0):
        raise ParameterError(f"l2={l2}: expected a finite number > 0, such as half of the mean popularity.")
    G[np.diag_indices(n_items)] += strength
    P = scipy.linalg.inv(G, overwrite_a=True, check_finite=False)
    B = np.asarray(P / -np.diag(P))
    np.fill_diagonal(B, 0.0)
    return B


def weight_lists(weights: NDArray[np.float64], k: int, rows: NDArray[np.int64]) -> Lists:
    """The k largest weights in the given rows of a dense item-item table, an item itself left out."""
    return _lists(lambda part: weights[part].copy(), weights.shape[1], k, rows)


def _lists(scores_of: Any, n_items: int, k: int, rows: NDArray[np.int64]) -> Lists:
    if not 1 <= k <= n_items - 1:
        raise ParameterError(f"k={k}: expected 1 to {n_items - 1}, the number of other items.")
    indices = np.empty((len(rows), k), dtype=np.int64)
    scores = np.empty((len(rows), k))
    step = max(1, BLOCK_BYTES // (8 * n_items))
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        block = scores_of(part)
        block[np.arange(len(part)), part] = -np.inf
        indices[start : start + step], scores[start : start + step] = largest_per_row(block, k)
    return indices, scores
