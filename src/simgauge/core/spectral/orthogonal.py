"""Orthonormal columns: by Cholesky where it is safe, by pivoted QR where it is not; completed, and with fixed signs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

from simgauge.core.tables.arrays import beside, doubled, namespace, numpy_dtype, on_host, to_host

Columns = Any
"""Tall arrays of columns: ndarray, or tensor on any device; float32 or float64."""

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
    gram = to_host(columns.T @ columns).astype(np.float64)
    norms = np.sqrt(np.maximum(gram.diagonal(), 0.0))
    keep = norms > floor
    if not keep.any():
        return columns[:, :0], 0
    if not keep.all():
        columns, gram, norms = _columns_at(columns, np.flatnonzero(keep)), gram[np.ix_(keep, keep)], norms[keep]
    basis = _by_cholesky(columns, gram, norms)
    if basis is None and numpy_dtype(columns) == np.float32:
        wide = doubled(columns)
        basis = _by_cholesky(wide, to_host(wide.T @ wide), norms)
    if basis is None:
        noise = 10 * len(norms) * float(np.finfo(numpy_dtype(columns)).eps)
        basis = _independent(columns / beside(norms, columns, dtype=namespace(columns).float64), noise)
    basis = namespace(columns).astype(basis, columns.dtype, copy=False)
    return np.ascontiguousarray(basis) if on_host(basis) else basis.contiguous(), basis.shape[1]


def _columns_at(columns: Columns, which: NDArray[np.intp]) -> Columns:
    if on_host(columns):
        return np.ascontiguousarray(columns[:, which])
    return columns[:, beside(which, columns, dtype=namespace(columns).int64)]


def _by_cholesky(columns: Columns, gram: NDArray[np.float64], norms: NDArray[np.float64]) -> Columns | None:
    try:
        factor = sla.cholesky(gram / np.outer(norms, norms), lower=False, check_finite=False)
    except sla.LinAlgError:
        return None
    if not factor.diagonal().min() > WORST_PIVOT * math.sqrt(np.finfo(numpy_dtype(columns)).eps):
        return None
    inverse = sla.solve_triangular(factor, np.eye(len(factor)), check_finite=False) / norms[:, None]
    return columns @ beside(inverse, columns)


def _independent(columns: Columns, noise: float) -> Columns:
    """Orthonormal columns of the same range, without the directions that are noise, for columns of norm one."""
    if on_host(columns):
        q, r, _ = sla.qr(columns, mode="economic", pivoting=True, check_finite=False)
        return q[:, np.abs(r.diagonal()) > noise]
    q, r = namespace(columns).linalg.qr(columns)  # without pivots there, so the small factor is decomposed here
    left, sizes, _ = sla.svd(to_host(r), check_finite=False)
    return q @ beside(left[:, sizes > noise], q)


def orthonormal_range(columns: Columns) -> Columns:
    """Q of the QR decomposition, next to the columns."""
    if on_host(columns):
        return sla.qr(columns, mode="economic", check_finite=False)[0]
    return namespace(columns).linalg.qr(columns)[0]


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
    extra = beside(rng.standard_normal((len(vectors), missing)).astype(numpy_dtype(vectors)), vectors)
    for _ in range(2):  # the second pass removes what rounding left of the first
        extra -= vectors @ (vectors.T @ extra)
        extra = orthonormal_range(extra)
    return namespace(vectors).concat([vectors, extra], axis=1)


def fix_signs(vectors: Columns) -> Columns:
    """Columns with the entry of largest magnitude made positive (the first one when several tie).

    Examples
    --------
    >>> fix_signs(np.array([[0.6, 0.8], [-0.8, 0.6]]))
    array([[-0.6,  0.8],
           [ 0.8,  0.6]])
    """
    xp = namespace(vectors)
    largest = xp.argmax(xp.abs(vectors), axis=0)
    peak = to_host(xp.take_along_axis(vectors, largest[None, :], axis=0))[0]
    return vectors * beside(np.where(peak < 0, -1.0, 1.0), vectors)
