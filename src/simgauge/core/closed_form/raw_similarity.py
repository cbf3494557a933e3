"""Similarity of items from the interactions themselves, without any embedding: column cosine and EASE weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray

from simgauge.core.matrices.gram import gram
from simgauge.core.matrices.reweighting import propensity
from simgauge.core.neighbors.largest import largest_per_row
from simgauge.core.tables.kinds import Lists
from simgauge.errors import InputError, ParameterError

MAX_ITEMS = 30_000
"""Beyond this many items the dense inverse of EASE (7 GB) is refused."""

BLOCK_BYTES = 64 << 20
"""Size of one dense block of scores."""


def column_cosine_lists(
    X: Any, k: int, rows: NDArray[np.int64], user_exponent: float = 0.0, norm_power: float = 0.0
) -> Lists:
    """The k items whose interaction columns have the largest cosine with those of the items `rows`.

    With rows of X scaled by ``act_u^(−b)`` and columns x_i of the result, item j is ranked for item i by
    ``x_i·x_j / (‖x_i‖ ‖x_j‖^(1−γ))``.

    Parameters
    ----------
    X : CSR, shape (n_users, n_items)
    k : int
        At most n_items − 1; an item is not in its own list.
    rows : ndarray of int
    user_exponent : float
        b: users with many items count less. 0: all alike.
    norm_power : float in [0, 1]
        γ: 0 is the cosine; above, items that many used come nearer.

    Returns
    -------
    indices, scores : ndarray, shape (len(rows), k)
        Items nobody used have score 0 with everything; equal scores by the lower index.

    Numerics
    --------
    Sparse products in blocks of items; a dense block holds at most 64 MiB.

    References
    ----------
    Users by their activity, and one exponent for each side of the normalisation: Deshpande & Karypis (2004), Item-based
    top-N recommendation algorithms, ACM TOIS 22, section 4.1.

    Examples
    --------
    >>> X = sp.csr_array(np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0], [1.0, 0.0, 1.0]]))
    >>> column_cosine_lists(X, 1, np.arange(3))[0].ravel()
    array([2, 0, 0])
    """
    if not 0 <= norm_power <= 1:
        raise ParameterError(f"norm_power={norm_power}: expected a number from 0 (cosine) to 1 (dot).")
    weighted = propensity(X, 0.0, user_exponent).matrix
    norms = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=0), dtype=np.float64)).ravel()
    used = norms > 0
    inverse = np.divide(1.0, norms, out=np.zeros_like(norms), where=used)
    unit = sp.csr_array(weighted @ sp.diags_array(inverse))
    by_item = sp.csr_array(unit.T)
    longer = np.power(norms, norm_power, out=np.zeros_like(norms), where=used) if norm_power else None
    target = unit if longer is None else sp.csr_array(unit @ sp.diags_array(longer))
    return _lists(lambda part: (by_item[part] @ target).toarray(), X.shape[1], k, rows)


def ease_weights(
    X: Any,
    l2: float | None = None,
    item_exponent: float = 0.0,
    user_exponent: float = 0.0,
    strength: float = 1.0,
) -> NDArray[np.float64]:
    """Item-item weights B of EASE: row i holds what each item adds to the others, diagonal 0.

    Minimises ``‖X − X B‖² + λ‖B‖²`` with ``diag(B) = 0``: with ``P = (XᵀX + λI)⁻¹``, ``B_ij = −P_ij / P_jj``. With
    exponents the same is done for the weighted ``Y_ui = X_ui pop_i^(−a) act_u^(−b)``, and its weights are those of X
    again after ``B_ij (pop_j / pop_i)^a``.

    Parameters
    ----------
    X : CSR, shape (n_users, n_items)
    l2 : float, > 0, optional
        λ; `strength` times the mean of the diagonal of YᵀY when not given.
    item_exponent, user_exponent : float
        a and b, as in `core.matrices.reweighting.propensity`.
    strength : float, > 0

    Raises
    ------
    InputError
        More than `MAX_ITEMS` items, or no interactions.
    ParameterError
        `l2` not a number above 0.

    Numerics
    --------
    Dense, n_items² float64 numbers. O(n_items³); with fewer users than items O(n_users³ + n_users n_items²), by the
    identity ``P = (I − Yᵀ(YYᵀ + λI)⁻¹Y) / λ``.

    References
    ----------
    Steck (2019), arXiv 1905.03375, Eqs. 7, 8. Exponents on both sides of a linear model: Park et al. (2025), arXiv
    2504.05805.

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
    Y = propensity(X, item_exponent, user_exponent).matrix
    penalty = strength * float(np.square(Y.data).sum() / n_items) if l2 is None else float(l2)
    if l2 is None and penalty == 0:
        raise InputError("there are no interactions with these items: nothing to compute EASE weights from.")
    if not (np.isfinite(penalty) and penalty > 0):
        raise ParameterError(f"l2={l2}: expected a finite number > 0, such as half of the mean popularity.")
    B = _regularized_inverse(Y, penalty)
    B /= -np.diag(B)
    np.fill_diagonal(B, 0.0)
    if item_exponent:
        popularity = np.maximum(np.bincount(Y.indices, minlength=n_items), 1).astype(np.float64)
        B *= popularity**item_exponent
        B *= (popularity**-item_exponent)[:, None]
    return B


def _regularized_inverse(Y: sp.csr_array, penalty: float) -> NDArray[np.float64]:
    """``(YᵀY + λI)⁻¹``, through the smaller of the two Gram matrices."""
    n_users, n_items = Y.shape
    if n_users < n_items:
        by_user = sp.csr_array(Y)
        small = np.asarray((by_user @ by_user.T).toarray(), dtype=np.float64)
        small[np.diag_indices(n_users)] += penalty
        factor = np.linalg.cholesky(small)
        half = scipy.linalg.solve_triangular(factor, by_user.toarray(), lower=True, check_finite=False)
        result = np.asarray(half.T @ half)
        result *= -1.0 / penalty
        result[np.diag_indices(n_items)] += 1.0 / penalty
        return result
    G = gram(Y)
    G[np.diag_indices(n_items)] += penalty
    factor, lower = scipy.linalg.cho_factor(G, lower=True, overwrite_a=True, check_finite=False)
    inverse, info = scipy.linalg.lapack.dpotri(factor, lower=lower, overwrite_c=True)
    if info != 0:
        raise InputError(f"EASE with l2={penalty:g} is numerically singular: pass a larger l2.")
    inverse = np.tril(inverse)
    return np.asarray(inverse + np.tril(inverse, -1).T)


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
