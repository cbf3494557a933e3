"""Products with a table of few long vectors, cut along the vectors and threaded here instead of in BLAS.

BLAS threads wait by spinning. Between two sparse products, on a machine that does other work too, that cost more than
it gained (three times the whole decomposition was measured), so BLAS is held to one thread and the pieces are shared
out by a pool. The pieces depend on the shapes alone: results do not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.core.threads import thread_count

Table = NDArray[np.floating[Any]]

PIECE = 8192
"""Entries of each vector in one piece."""


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold BLAS to one thread; the previous setting comes back at the end, also after an error."""
    from threadpoolctl import threadpool_limits  # costs tens of milliseconds: only where it is used

    with threadpool_limits(limits=1, user_api="blas"):
        yield


class TallProducts:
    """Products of Vᵀ, held row by row as (m, n), with blocks (n, b)."""

    def __init__(self, size: int, n_threads: int | None = None) -> None:
        self._pieces = [slice(start, min(start + PIECE, size)) for start in range(0, size, PIECE)]
        threads = min(n_threads or thread_count(), len(self._pieces))
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def __enter__(self) -> TallProducts:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def each(self, work: Callable[[slice], Any]) -> list[Any]:
        """`work` on every piece, results in the order of the pieces."""
        return list((map if self._pool is None else self._pool.map)(work, self._pieces))

    def overlaps(self, basis: Table, block: Table) -> NDArray[np.float64]:
        """VᵀB, shape (m, b); pieces in the dtype of the block, their sum in float64."""
        total = np.zeros((len(basis), block.shape[1]))
        for term in self.each(lambda piece: basis[:, piece] @ block[piece]):
            total += term
        return total

    def subtract(self, basis: Table, weights: NDArray[np.float64], block: Table) -> None:
        """B -= V h, in place."""
        narrow = weights.astype(block.dtype)

        def work(piece: slice) -> None:
            block[piece] -= basis[:, piece].T @ narrow

        self.each(work)
