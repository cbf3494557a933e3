"""XᵀX times a block of vectors: threaded over blocks of rows, without a copy or a transpose of X."""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from simgauge.core.matrix_input import Matrix

Block = NDArray[np.floating[Any]]

MAX_BLOCKS = 64
"""Upper limit of row blocks: enough for 64 threads, and for short float32 sums."""

VALUES_PER_BLOCK = 1_500_000
"""Stored values of a block: at 400,000 the same product took 1.6 times as long (memory for 4 times the sums)."""


def thread_count() -> int:
    """Threads for the products: OMP_NUM_THREADS where it is set, else the processors this process may use."""
    requested = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if requested.isdigit() and int(requested) > 0:
        return int(requested)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class GramProduct:
    """The operator V -> XᵀX V (side "items") or XXᵀ V (side "users").

    Rows are cut into blocks with about the same number of non-zeros. The number of blocks depends on X alone and
    partial sums are added in the order of the blocks, so the result is the same for any number of threads. Sums over
    rows are at most a block long in the dtype of V, which keeps float32 sums accurate.

    Numerics
    --------
    4 nnz b flops for b columns. Beyond X: two blocks of n_items x b a thread, and one of n_users x b when X is stored
    by columns. With V in float64 and X in float32 the values of one row block a thread are converted on the fly.

    Examples
    --------
    >>> import scipy.sparse as sp
    >>> with GramProduct(sp.csr_array([[1.0, 2.0], [0.0, 1.0]])) as product:
    ...     product(np.eye(2))
    array([[1., 2.],
           [2., 5.]])
    """

    def __init__(self, X: Matrix, side: str = "items", n_threads: int | None = None) -> None:
        rows = X if side == "items" else X.T
        self._by_rows = not sp.issparse(rows) or rows.format == "csr"
        major = rows if self._by_rows else rows.T
        self._parts = list(_row_parts(major))
        self._n_rows = rows.shape[0]
        self.size = int(rows.shape[1])
        threads = n_threads or thread_count()
        # a dense product is threaded by BLAS itself
        self._in_flight = min(threads, len(self._parts)) if sp.issparse(rows) else 1
        self._pool = ThreadPoolExecutor(self._in_flight) if self._in_flight > 1 else None

    def __enter__(self) -> GramProduct:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def __call__(self, vectors: Block) -> Block:
        """XᵀX V for V of shape (n_items, b), in the dtype of V, C-contiguous."""
        block = np.ascontiguousarray(vectors)
        if self._by_rows:
            return self._sum(
                lambda part: part.adjoint @ (part.forward @ block), (self.size, block.shape[1]), block.dtype
            )
        inner = self._sum(
            lambda part: part.adjoint @ block[part.start : part.stop], (self._n_rows, block.shape[1]), block.dtype
        )
        result = np.empty_like(block)
        for part, rows in zip(self._parts, self._map(lambda part: part.forward @ inner), strict=True):
            result[part.start : part.stop] = rows
        return result

    def _sum(self, work: Callable[[_Part], Block], shape: tuple[int, int], dtype: np.dtype[Any]) -> Block:
        if len(self._parts) == 1:
            return np.asarray(work(self._parts[0]), dtype=dtype)
        total = np.zeros(shape, dtype=dtype)
        for term in self._map(work):
            total += term
        return total

    def _map(self, work: Callable[[_Part], Block]) -> Iterator[Block]:
        if self._pool is None:
            yield from map(work, self._parts)
            return
        # a short queue, so that finished partial sums do not pile up in memory
        pending: deque[Future[Block]] = deque()
        for part in self._parts:
            pending.append(self._pool.submit(work, part))
            if len(pending) > self._in_flight:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


class _Part:
    """Rows start:stop of a CSR or dense matrix, and their transpose, both views."""

    def __init__(self, matrix: Matrix, start: int, stop: int) -> None:
        self.start, self.stop = start, stop
        if not sp.issparse(matrix):
            self.forward = matrix[start:stop]
            self.adjoint = self.forward.T
            return
        first, last = int(matrix.indptr[start]), int(matrix.indptr[stop])
        shape = (stop - start, matrix.shape[1])
        # attributes are set one by one because the constructor copies int64 indices into int32
        self.forward = sp.csr_array(shape, dtype=matrix.dtype)
        self.adjoint = sp.csc_array(shape[::-1], dtype=matrix.dtype)
        for view in (self.forward, self.adjoint):
            view.data = matrix.data[first:last]
            view.indices = matrix.indices[first:last]
        self.forward.indptr = self.adjoint.indptr = matrix.indptr[start : stop + 1] - matrix.indptr[start]


def _row_parts(matrix: Matrix) -> Iterator[_Part]:
    n_rows, n_columns = matrix.shape
    stored = int(matrix.indptr[-1]) if sp.issparse(matrix) else n_rows * n_columns
    # a block must hold many more values than its partial sum has rows, or adding up costs more than multiplying
    wanted = min(MAX_BLOCKS, n_rows, stored // VALUES_PER_BLOCK, max(stored // (16 * n_columns), 4))
    if sp.issparse(matrix):
        targets = np.linspace(0, stored, max(wanted, 1) + 1)
        cuts = np.searchsorted(matrix.indptr, targets, side="left")
        cuts[0], cuts[-1] = 0, n_rows
    else:
        cuts = np.linspace(0, n_rows, max(wanted, 1) + 1).astype(np.intp)
    edges = np.unique(cuts)
    for start, stop in itertools.pairwise(edges):
        yield _Part(matrix, int(start), int(stop))
