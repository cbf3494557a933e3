"""Products with a table of few long vectors, cut along the vectors and threaded here instead of in BLAS.

BLAS threads wait by spinning. Between two sparse products, on a machine that does other work too, that cost more than
it gained (three times the whole decomposition was measured), so BLAS is held to one thread and the pieces are shared
out by a pool. The pieces depend on the shapes alone: results do not depend on the number of threads.

Tensors are cut too, which keeps their float32 sums short, and are left to their library to thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.core.tables.arrays import beside, doubled, on_host, to_host
from simgauge.core.tables.kinds import Array
from simgauge.core.tables.threads import thread_count

PIECE, DEVICE_PIECE = 4096, 65_536
"""Entries of each vector in one piece; more on an accelerator, where starting a product takes as long as a small
one."""


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold BLAS to one thread; the previous setting is restored at the end, also after an error."""
    from threadpoolctl import threadpool_limits  # costs tens of milliseconds: only where it is used

    with threadpool_limits(limits=1, user_api="blas"):
        yield


class TallProducts:
    """Products of Vᵀ, held row by row as (m, n), with blocks (n, b).

    Parameters
    ----------
    size : int
        n.
    n_threads : int, optional
        OMP_NUM_THREADS or the processors of this process when not given. For NumPy; tensors are not threaded here.
    like : array, optional
        Any array next to those that will be multiplied; NumPy when not given.
    """

    def __init__(self, size: int, n_threads: int | None = None, like: Array | None = None) -> None:
        tensors = like is not None and not on_host(like)
        step = DEVICE_PIECE if tensors and like.device.type != "cpu" else PIECE  # type: ignore[union-attr]
        self._pieces = [slice(start, min(start + step, size)) for start in range(0, size, step)]
        threads = 1 if tensors else min(n_threads or thread_count(), len(self._pieces))
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def __enter__(self) -> TallProducts:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def each(self, work: Callable[[slice], Any]) -> list[Any]:
        """`work` on every piece, results in the order of the pieces."""
        return list((map if self._pool is None else self._pool.map)(work, self._pieces))

    def overlaps(self, basis: Array, block: Array) -> NDArray[np.float64]:
        """VᵀB, shape (m, b), on the host; pieces in the dtype of the block, their sum in float64."""
        terms = self.each(lambda piece: basis[:, piece] @ block[piece])
        if not on_host(block):
            return to_host(reduce(lambda total, term: total + term, terms[1:], doubled(terms[0])))
        total = np.zeros((len(basis), block.shape[1]))
        for term in terms:
            total += term
        return total

    def subtract(self, basis: Array, weights: NDArray[np.float64], block: Array) -> None:
        """B -= V h, in place."""
        narrow = beside(weights, block)

        def work(piece: slice) -> None:
            block[piece] -= (narrow.T @ basis[:, piece]).T  # this way round BLAS is 1.5 times faster

        self.each(work)
