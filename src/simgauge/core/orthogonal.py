"""Orthonormal columns: by Cholesky where it is safe, by pivoted QR where it is not; completed, and with fixed signs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

Columns = NDArray[np.floating[Any]]

WORST_PIVOT = 30.0
"""Smallest pivot (of unit columns) that Cholesky-QR is trusted with, in units of sqrt(eps) of its Gram matrix; what it
leaves of non-orthogonality, eps / pivot², is then about 1e-3, and a second pass brings it to rounding level."""


def orthonormal_columns(columns: Columns, floor: float) -> tuple[Columns, int]:
    """An orthonormal basis of the columns, in one pass: repeat it for orthogonality to rounding.

    Parameters
    ----------
    columns : ndarray, shape (n, b)
    floor : float
        Columns with a norm at or below it are noise and left out.

    Returns
    -------
    basis : ndarray, shape (n, r), r <= b
        In the dtype of the input.
    rank : int
        r.

    Numerics
    --------
    Cholesky of the b x b Gram matrix and one product (about 70 times faster than Householder QR for tall blocks). A
    block too near to dependence for that is tried again in float64, then by pivoted Householder QR, which drops
    dependent columns.

    Examples
    --------
    >>> orthonormal_columns(np.array([[2.0, 2.0], [0.0, 0.0]]), 0.0)[1]
    1
    """
    gram = (columns.T @ columns).astype(np.float64)
    norms = np.sqrt(np.maximum(gram.diagonal(), 0.0))
    keep = norms > floor
    if not keep.any():
        return columns[:, :0], 0
    if not keep.all():
        columns, gram, norms = np.ascontiguousarray(columns[:, keep]), gram[np.ix_(keep, keep)], norms[keep]
    basis = _by_cholesky(columns, gram, norms)
    if basis is None and columns.dtype == np.float32:
        wide = columns.astype(np.float64)
        basis = _by_cholesky(wide, wide.T @ wide, norms)
    if basis is None:
        q, r, _ = sla.qr(columns / norms, mode="economic", pivoting=True, check_finite=False)
        basis = q[:, np.abs(r.diagonal()) > np.finfo(columns.dtype).eps * len(r) * 10]
    return np.ascontiguousarray(basis, dtype=columns.dtype), basis.shape[1]


def _by_cholesky(columns: Columns, gram: Columns, norms: NDArray[np.float64]) -> Columns | None:
    try:
        factor = sla.cholesky(gram / np.outer(norms, norms), lower=False, check_finite=False)
    except sla.LinAlgError:
        return None
    if not factor.diagonal().min() > WORST_PIVOT * math.sqrt(np.finfo(columns.dtype).eps):
        return None
    inverse = sla.solve_triangular(factor, np.eye(len(factor)), check_finite=False) / norms[:, None]
    return np.asarray(columns @ inverse.astype(columns.dtype))


def complete(vectors: Columns, count: int, rng: np.random.Generator) -> Columns:
    """Orthonormal columns extended to `count` orthonormal columns; the added ones are an arbitrary choice.

    Examples
    --------
    >>> full = complete(np.eye(3)[:, :1], 3, np.random.default_rng(0))
    >>> bool(np.allclose(full.T @ full, np.eye(3)))
    True
    """
    missing = count - vectors.shape[1]
    if missing <= 0:
        return vectors
    extra = rng.standard_normal((len(vectors), missing)).astype(vectors.dtype)
    for _ in range(2):  # the second pass removes what rounding left of the first
        extra -= vectors @ (vectors.T @ extra)
        extra = sla.qr(extra, mode="economic", check_finite=False)[0]
    return np.hstack([vectors, extra])


def fix_signs(vectors: Columns) -> Columns:
    """Columns with the entry of largest magnitude made positive (the first one when several tie).

    Examples
    --------
    >>> fix_signs(np.array([[0.6, 0.8], [-0.8, 0.6]]))
    array([[-0.6,  0.8],
           [ 0.8,  0.6]])
    """
    peak = vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])]
    return vectors * np.where(peak < 0, -1.0, 1.0).astype(vectors.dtype)
