"""Leading eigenpairs of a positive semi-definite operator by block Lanczos with full re-orthogonalisation.

The basis V and the products W = A V are both kept. That doubles the memory of the basis and buys three things: the
projected matrix VᵀW is exact whatever happens to the three-term recurrence (so there are no ghosts, and restarts need
no special case), residuals are those of products that were really computed, and they cost no further pass over X.
"""

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.core.spectral.krylov_basis import BLOCK, NOISE, KrylovBasis, Operator
from simgauge.core.spectral.orthogonal import Columns
from simgauge.core.spectral.tall_products import TallProducts, one_blas_thread
from simgauge.core.tables.arrays import on_host
from simgauge.core.tables.kinds import Array
from simgauge.progress import Progress

BASIS_BYTES = 1 << 30
"""Memory of V and W together, beyond which the basis is compressed and the iteration restarted."""

PROBED = 8
"""Components whose residual is computed first; the last ones converge last."""

SINGLE = float(np.finfo(np.float32).eps)


@dataclass(frozen=True, eq=False)
class RitzPairs:
    """Approximate eigenpairs, eigenvalues non-increasing, with the norms of their residuals."""

    values: NDArray[np.float64]
    """θ, shape (k,)."""

    vectors: Columns
    """Orthonormal, shape (n, k)."""

    residuals: NDArray[np.float64]
    """‖A v − θ v‖, shape (k,)."""

    n_iter: int
    """Products with a block of vectors."""

    converged: bool
    """Every residual is within the tolerance."""

    below_noise: bool
    """The wanted accuracy is out of reach in this dtype; a wider one may reach it."""


def basis_limit(size: int, count: int, itemsize: int, limit: int | None = None) -> int:
    """Columns that the basis may have: what BASIS_BYTES hold, but enough for `count` vectors and four blocks.

    The peak memory of the iteration is about 2 * size * basis_limit * itemsize bytes, plus that of a few blocks.

    Examples
    --------
    >>> basis_limit(27_000, 128, 4)
    896
    """
    affordable = (limit or BASIS_BYTES) // (2 * size * itemsize)
    return min(size, max(min(affordable, 6 * count + 8 * BLOCK), count + 4 * BLOCK))


def block_lanczos(
    operator: Operator,
    size: int,
    count: int,
    *,
    tol: float,
    dtype: Any,
    rng: np.random.Generator,
    like: Array | None = None,
    limit: int | None = None,
    max_iter: int | None = None,
    progress: Progress | None = None,
) -> RitzPairs:
    """The `count` largest eigenpairs of a symmetric positive semi-definite operator, each to ‖Av − θv‖ <= tol θ.

    Parameters
    ----------
    operator : callable
        Maps an array (size, b) to A times it, in the same dtype.
    size, count : int
        Order of A and number of eigenpairs, count <= size.
    tol : float, > 0
        Accuracy promised for every component. Eigenvalues below eps * size * θ_1 count as zero.
    dtype : float32 or float64
        Of basis and products.
    rng : numpy.random.Generator
        Draws the first block, on the host: the same for every device.
    like : array, optional
        Any array of the library and on the device that the operator works with; NumPy when not given.
    limit : int, optional
        Bytes for the basis; BASIS_BYTES when not given.
    max_iter : int, optional
        Products at most until the values found have converged. Default: 10 * (1 + count / BLOCK) + 100.

    Returns
    -------
    RitzPairs
        `converged` is False when the promise is not kept; no error is raised.

    Numerics
    --------
    A step costs one product and 8 size m BLOCK flops for m columns so far. Convergence is tested when the fall of
    the residual so far predicts it. Equal eigenvalues: a Krylov space holds at most BLOCK copies, so when BLOCK
    neighbouring values agree within tol the search goes on from a random block, and from another one until a block that
    had as many steps as the first convergence took raises no value.

    References
    ----------
    Golub & Underwood (1977), The block Lanczos method; Stewart (2001), A Krylov-Schur algorithm, section 5.
    """
    run = LanczosRun(operator, size, dtype=dtype, rng=rng, like=like, limit=limit)
    return run.leading(count, tol=tol, max_iter=max_iter, progress=progress)


class LanczosRun:
    """An iteration that can be asked for more eigenpairs later, and goes on where it was.

    Parameters
    ----------
    operator, size, dtype, rng, like, limit
        As in `block_lanczos`.
    """

    def __init__(
        self,
        operator: Operator,
        size: int,
        *,
        dtype: Any,
        rng: np.random.Generator,
        like: Array | None = None,
        limit: int | None = None,
    ) -> None:
        self._operator, self._size, self._dtype, self._rng = operator, size, np.dtype(dtype), rng
        self._place = np.empty(0) if like is None else like
        self._limit = limit
        self._basis: KrylovBasis | None = None
        self._next: Columns | None = None

    def leading(
        self, count: int, *, tol: float, max_iter: int | None = None, progress: Progress | None = None
    ) -> RitzPairs:
        """The `count` largest eigenpairs; `n_iter` counts all steps of the run so far."""
        done = self._basis.n_iter if self._basis is not None else 0
        last = done + (max_iter or 10 * (1 + count // BLOCK) + 100)
        watch = _Watch(count, tol, last, progress)
        host = on_host(self._place)
        with one_blas_thread() if host else nullcontext(), TallProducts(self._size, like=self._place) as tall:
            room = basis_limit(self._size, count, self._dtype.itemsize, self._limit)
            if self._basis is None:
                self._basis = KrylovBasis(self._operator, tall, self._size, self._dtype, room, self._rng, self._place)
                self._next = self._basis.random_block()
            else:
                self._basis.tall = tall
                self._basis.make_room(room)
            return self._iterate(self._basis, watch)

    def _iterate(self, basis: KrylovBasis, watch: _Watch) -> RitzPairs:
        while True:
            full = watch.must_end(basis)
            if basis.columns and (full or watch.is_due(basis)):
                pairs = watch.look(basis)
                if pairs.converged and basis.columns < basis.size and watch.doubts(pairs.values, basis):
                    self._next = basis.random_block()
                elif pairs.converged or pairs.below_noise or full:
                    return pairs
            if basis.columns + BLOCK > basis.limit:
                basis.compress(watch.count + BLOCK)
            assert self._next is not None  # there is a next block for as long as the basis is not full
            self._next = basis.extend(self._next)


def _may_miss_copies(values: NDArray[np.float64], tol: float, size: int) -> bool:
    """Whether BLOCK values that are not zero agree: as many copies of one value as the space of one block can hold."""
    zero = np.finfo(np.float64).eps * size * values[0]
    first, last = values[: max(0, len(values) - BLOCK + 1)], values[BLOCK - 1 :]
    return bool(((first - last <= tol * last) & (last > zero)).any())


class _Watch:
    """Decides when residuals are worth computing, and whether they are good enough."""

    def __init__(self, count: int, tol: float, last: int, progress: Progress | None) -> None:
        self.count, self.tol, self.last, self.progress = count, tol, last, progress
        self.next_look = 0
        self.history: list[tuple[int, float]] = []
        self._doubted: NDArray[np.float64] | None = None
        self._patience = 0

    def is_due(self, basis: KrylovBasis) -> bool:
        """A look costs as much as a step, so it waits until the residuals may be small enough."""
        enough = basis.columns >= self.count + min(self.count, 2 * BLOCK)
        return (enough or basis.columns + 2 * BLOCK > basis.limit) and basis.n_iter >= self.next_look

    def must_end(self, basis: KrylovBasis) -> bool:
        """The basis spans the whole space, or the steps are used up."""
        return basis.columns == basis.size or basis.n_iter >= self.last

    def doubts(self, values: NDArray[np.float64], basis: KrylovBasis) -> bool:
        """Whether copies of a value may be missing, so that a random block must be tried.

        A random block finds up to BLOCK missing copies in as many steps as the first convergence took. So the doubt
        ends when a block that had these steps has raised no value, and not before: the steps at most are put off until
        then.
        """
        before, self._doubted = self._doubted, values
        if not _may_miss_copies(values, self.tol, basis.size):
            return False
        if before is not None and bool((values <= (1 + self.tol) * before).all()):
            return False
        self._patience = self._patience or basis.n_iter
        self.next_look = basis.n_iter + self._patience
        self.last = max(self.last, self.next_look + self._patience)
        return True

    def look(self, basis: KrylovBasis) -> RitzPairs:
        """The Ritz pairs now; all residuals only when the last few are good, or nothing can improve them."""
        values, vectors = basis.ritz(self.count)
        # what counts as zero is decided in float64 only: in float32 the line would lie far too high
        zero = basis.eps * basis.size * values[0] if basis.eps < SINGLE else 0.0
        within = np.where(values > zero, self.tol * values, max(zero, NOISE * basis.eps * values[0]))
        last_look = self.must_end(basis)
        enough = len(values) == self.count
        tail = slice(max(0, len(values) - PROBED), None)
        probe = basis.residual_norms(values[tail], vectors[:, tail])
        excess = float((probe / np.maximum(within[tail], np.finfo(float).tiny)).max())
        below_noise = enough and self._hopeless(basis, values, zero, excess)
        self._plan(basis.n_iter, excess)
        if not (last_look or below_noise or (enough and excess <= 1)):
            return RitzPairs(values, vectors, probe, basis.n_iter, False, False)
        norms = basis.residual_norms(values, vectors)
        done = enough and bool((norms <= within).all())
        return RitzPairs(values, basis.combine(vectors), norms, basis.n_iter, done, below_noise and not done)

    def _hopeless(self, basis: KrylovBasis, values: NDArray[np.float64], zero: float, excess: float) -> bool:
        noise = basis.eps * values[0] * 2
        if basis.eps >= SINGLE and bool((noise > self.tol * values).any()):
            return True
        stalled = len(self.history) >= 6 and excess > 0.9 * min(e for _, e in self.history[-6:-1])
        smallest = values[values > zero].min(initial=np.inf)
        return stalled and excess > 1 and NOISE * NOISE * noise > self.tol * smallest

    def _plan(self, step: int, excess: float) -> None:
        self.history.append((step, excess))
        wait = 2
        if len(self.history) > 1 and excess > 1:
            (before, was), now = self.history[-2], step
            rate = (math.log(max(was, 1e-300)) - math.log(excess)) / max(now - before, 1)
            wait = min(4, max(1, round(0.6 * math.log(excess) / rate))) if rate > 0.05 else 4
            self._tell(step, math.log(excess) / rate if rate > 0.05 else None)
        self.next_look = step + wait

    def _tell(self, step: int, remaining: float | None) -> None:
        if self.progress is not None:
            expected = step + remaining if remaining is not None else self.last
            percent = min(99, round(100 * step / expected))
            self.progress(f"block Lanczos, step {step} of about {math.ceil(expected)}", percent, 100)
