"""XᵀX times a block of vectors: threaded over blocks of rows, without a copy or a transpose of X."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import scipy.sparse as sp

from simgauge.core.matrices.fused_product import STORED_FROM, fused_gram_product, is_available
from simgauge.core.matrices.matrix_input import stored_values
from simgauge.core.matrices.tensor_matrix import TensorMatrix
from simgauge.core.tables.arrays import namespace, on_host
from simgauge.core.tables.kinds import Array, MatrixLike
from simgauge.core.tables.row_parts import LocalParts, RowParts

MAX_BLOCKS = 64
"""Upper limit of row blocks: enough for 64 threads, and for short float32 sums."""

VALUES_PER_BLOCK = 1_500_000
"""Stored values of a block: at 400,000 the same product took 1.6 times as long (memory for 4 times the sums)."""


class GramProduct:
    """The operator V -> XᵀX V (side "items") or XXᵀ V (side "users").

    Rows are cut into blocks with about the same number of non-zeros, unless X comes in parts already. The number of
    blocks depends on X alone and partial sums are added in a fixed order, so the result is the same for any number of
    threads. Sums over rows are at most a block long in the dtype of V, which keeps float32 sums accurate.

    Numerics
    --------
    4 nnz b flops for b columns. Beyond X: two blocks of n_items x b a thread, and one of n_users x b when X is stored
    by columns. CSR with 200,000 stored values or more takes one pass with llvmlite (`fused_product`) where that is
    installed, two of scipy's otherwise; of X by columns, or for the side "users", it takes a copy of X. With V in
    float64 and X in float32 the values of one row block a thread are converted on the fly.
    Tensors: on their device, block by block; a CSR tensor is held a second time, transposed (see `TensorMatrix`).

    Examples
    --------
    >>> import scipy.sparse as sp
    >>> GramProduct(sp.csr_array([[1.0, 2.0], [0.0, 1.0]]))(np.eye(2))
    array([[1., 2.],
           [2., 5.]])
    """

    def __init__(self, X: MatrixLike, side: str = "items", n_threads: int | None = None) -> None:
        self._fused = (sp.issparse(X) or isinstance(X, RowParts)) and stored_values(X) >= STORED_FROM
        if isinstance(X, RowParts):
            self._parts: RowParts = X
            self._by_rows, self.size = True, X.shape[1]
            return
        if isinstance(X, TensorMatrix):
            self._parts, self._by_rows = row_parts(X, 1), side == "items"
            self.size = X.shape[1] if self._by_rows else X.shape[0]
            return
        rows = X if side == "items" else X.T
        if self._fused and rows.format == "csc" and is_available():
            rows = rows.tocsr()  # one copy, paid back by every product
        self._by_rows = not sp.issparse(rows) or rows.format == "csr"
        # a dense product is threaded by BLAS itself
        threads = n_threads if sp.issparse(rows) else 1
        self._parts = row_parts(rows if self._by_rows else rows.T, threads)
        self.size = int(rows.shape[1])

    def __call__(self, vectors: Array) -> Array:
        """XᵀX V for V of shape (n_items, b), in the dtype of V, C-contiguous."""
        block = np.ascontiguousarray(vectors) if on_host(vectors) else vectors.contiguous()
        if self._by_rows:
            return _as_block(self._parts.sum(gram_term, block, self._fused), block)
        inner = self._parts.sum(_column_term, block)
        return namespace(block).concat(list(self._parts.map(_row_term, inner)))

    def adjoint(self, vectors: Array) -> Array:
        """XᵀU for U with a row for each row of X as it is cut into parts: n_users x b on the side "users"."""
        return self._parts.sum(_column_term, vectors)


def gram_term(part: MatrixLike, _: int, block: Array, fused: bool = False) -> Array:
    """PᵀP V of one part P: what a worker computes; `fused` where compiling a kernel for it pays."""
    if fused and sp.issparse(part):
        product = fused_gram_product(part, block)
        if product is not None:
            return product
    return _as_block(_adjoint(part) @ (part @ block), block)


def _column_term(part: MatrixLike, first: int, block: Array) -> Array:
    return _as_block(_adjoint(part) @ block[first : first + part.shape[0]], block)


def _row_term(part: MatrixLike, _: int, inner: Array) -> Array:
    return _as_block(part @ inner, inner)


def _as_block(product: Any, block: Array) -> Array:
    """An ndarray of the dtype of the block for whatever a product of NumPy or scipy returns; tensors have it
    already."""
    return np.asarray(product, dtype=block.dtype) if on_host(block) else product


def _adjoint(part: MatrixLike) -> MatrixLike:
    """The transpose as a view; attributes are set one by one because the constructor copies int64 indices into
    int32."""
    if isinstance(part, TensorMatrix):
        return part.adjoint
    if not sp.issparse(part):
        return part.T
    view = sp.csc_array(part.shape[::-1], dtype=part.dtype)
    view.data, view.indices, view.indptr = part.data, part.indices, part.indptr
    return view


def row_parts(matrix: MatrixLike, n_threads: int | None = None) -> LocalParts:
    """A CSR or dense matrix, also a tensor, cut into blocks of rows with about the same number of stored values; views,
    no copies.

    Examples
    --------
    >>> row_parts(np.eye(3)).shape
    (3, 3)
    """
    n_rows, n_columns = matrix.shape
    stored = stored_values(matrix)
    # a block must hold many more values than its partial sum has rows, or adding up costs more than multiplying
    wanted = min(MAX_BLOCKS, n_rows, stored // VALUES_PER_BLOCK, max(stored // (16 * n_columns), 4))
    sparse_tensor = isinstance(matrix, TensorMatrix) and matrix.is_sparse
    if sp.issparse(matrix) or sparse_tensor:
        targets = np.linspace(0, stored, max(wanted, 1) + 1)
        cuts = matrix.row_cuts(targets) if sparse_tensor else np.searchsorted(matrix.indptr, targets, side="left")
        cuts[0], cuts[-1] = 0, n_rows
    else:
        cuts = np.linspace(0, n_rows, max(wanted, 1) + 1).astype(np.intp)
    edges = itertools.pairwise(np.unique(cuts).tolist())
    return LocalParts([_rows(matrix, start, stop) for start, stop in edges], n_threads)


def _rows(matrix: MatrixLike, start: int, stop: int) -> MatrixLike:
    if isinstance(matrix, TensorMatrix):
        return matrix if (start, stop) == (0, matrix.shape[0]) else matrix.rows(start, stop)
    if not sp.issparse(matrix):
        return matrix[start:stop]
    first, last = int(matrix.indptr[start]), int(matrix.indptr[stop])
    view = sp.csr_array((stop - start, matrix.shape[1]), dtype=matrix.dtype)
    view.data, view.indices = matrix.data[first:last], matrix.indices[first:last]
    view.indptr = matrix.indptr[start : stop + 1] - matrix.indptr[start]
    return view
