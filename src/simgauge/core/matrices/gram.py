"""The Gram matrix of interactions on either side, accumulated in float64, and its eigen-decomposition."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg as sla
import scipy.sparse as sp
from numpy.typing import NDArray

from simgauge.core.matrices.tensor_matrix import TensorMatrix
from simgauge.core.tables.arrays import namespace, on_host, to_host
from simgauge.core.tables.kinds import Array, MatrixLike
from simgauge.core.tables.row_parts import LocalParts, RowParts

BLOCK_BYTES = 64 << 20
"""Size of one dense row block, float64."""

SPARSE_COST = 20.0
"""One multiplication in a sparse-sparse product costs as much as this many in a dense one (measured 15 to 30)."""


def gram(X: MatrixLike, side: str = "items") -> Array:
    """XᵀX (side "items") or XXᵀ (side "users") as a dense float64 array; on the device of X when it is a tensor.

    Numerics
    --------
    Sums are taken in float64 whatever the dtype of X. Sparse X: either a sparse product or dense blocks through BLAS,
    whichever `gram_flops` says is cheaper. Memory: the result, plus a 64 MiB block (or the sparse product).

    Examples
    --------
    >>> gram(np.array([[1.0, 2.0], [0.0, 1.0]]))
    array([[1., 2.],
           [2., 5.]])
    """
    if isinstance(X, LocalParts):
        total = np.zeros((X.shape[1], X.shape[1]))
        for term in X.map(_gram_of_part):  # not a sum in pairs, which holds one matrix for each level
            total += term
        return total
    if isinstance(X, RowParts):
        return np.asarray(X.sum(_gram_of_part))
    if isinstance(X, TensorMatrix):
        return _gram_on_device(X if side == "items" else X.adjoint)
    rows = X if side == "items" else X.T
    if sp.issparse(rows):
        dense_cost, sparse_cost = gram_flops(X, side)
        if sparse_cost < dense_cost:
            product = rows.astype(np.float64)
            return np.asarray((product.T @ product).toarray(), dtype=np.float64)
        rows = rows.tocsr()
    n_rows, size = rows.shape
    total = np.zeros((size, size))
    step = max(1, BLOCK_BYTES // (8 * size))
    for start in range(0, n_rows, step):
        part = rows[start : start + step]
        block = np.asarray(part.toarray() if sp.issparse(part) else part, dtype=np.float64)
        total += block.T @ block
    return total


def _gram_on_device(X: TensorMatrix) -> Array:
    step = max(1, BLOCK_BYTES // (8 * X.shape[1]))
    total = 0.0
    for start in range(0, X.shape[0], step):
        block = X.rows(start, min(start + step, X.shape[0])).dense()
        total = block.T @ block + total
    return total


def _gram_of_part(part: MatrixLike, _: int) -> Array:
    return gram(part)


def gram_flops(X: MatrixLike, side: str) -> tuple[float, float]:
    """Cost of the Gram matrix by dense blocks and by a sparse product, in flops of a dense product.

    Examples
    --------
    >>> gram_flops(np.eye(3), "items")
    (27.0, inf)
    """
    n_rows, size = X.shape if side == "items" else X.shape[::-1]
    dense = float(n_rows) * size * size
    if isinstance(X, RowParts):
        return dense, SPARSE_COST * X.extent.squared_counts
    if not sp.issparse(X):  # a tensor has its Gram matrix made from dense blocks, sparse or not
        return dense, float("inf")
    axis_format = "csr" if side == "items" else "csc"
    if X.format == axis_format:
        counts = np.diff(X.indptr).astype(np.float64)
    else:
        counts = np.bincount(X.indices, minlength=n_rows).astype(np.float64)
    return dense, SPARSE_COST * float(counts @ counts)


def top_eigenpairs(symmetric: Array, count: int) -> tuple[NDArray[Any], Array]:
    """The `count` largest eigenvalues of a symmetric matrix, non-increasing, and their vectors, next to the matrix.

    Examples
    --------
    >>> top_eigenpairs(np.diag([1.0, 3.0, 2.0]), 2)[0]
    array([3., 2.])
    """
    size = len(symmetric)
    if not on_host(symmetric):
        xp = namespace(symmetric)
        values, vectors = xp.linalg.eigh(symmetric)  # a device has no method for a part of the spectrum
        return to_host(values)[::-1][:count].copy(), xp.flip(vectors, axis=1)[:, :count]
    try:
        values, vectors = sla.eigh(symmetric, subset_by_index=(size - count, size - 1), check_finite=False)
    except sla.LinAlgError:
        # LAPACK's method for a part of the spectrum gives up on some graded matrices; the one for all of it does not
        values, vectors = sla.eigh(symmetric, driver="evd", check_finite=False)
    return values[-count:][::-1], vectors[:, -count:][:, ::-1]
