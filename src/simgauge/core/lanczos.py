"""Leading eigenpairs of a positive semi-definite operator by block Lanczos with full re-orthogonalisation.

The basis V and the products W = A V are both kept. That doubles the memory of the basis and buys three things: the
projected matrix VᵀW is exact whatever happens to the three-term recurrence (so there are no ghosts, and restarts need
no special case), residuals are those of products that were really computed, and they cost no further pass over X.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.core.gram import top_eigenpairs
from simgauge.core.orthogonal import Columns, orthonormal_columns
from simgauge.core.tall_products import TallProducts, one_blas_thread

BLOCK = 24
"""Columns multiplied at a time. Wide blocks make a product cheaper per column, narrow ones need fewer columns in all:
16, 24, 32 and 48 took 11.6, 10.8, 12.3 and 14.8 processor seconds for 128 components of the power-law bench."""

BASIS_BYTES = 1 << 30
"""Memory of V and W together, beyond which the basis is compressed and the iteration restarted."""

PROBED = 8
"""Components whose residual is looked at first; the last ones converge last."""

NOISE = 8.0
"""Rounding of one product, in units of eps * θ_1 (measured 1 to 3 for float32 sums over row blocks)."""

SINGLE = float(np.finfo(np.float32).eps)

Operator = Callable[[Columns], Columns]
Progress = Callable[[float, str], None]


class ConvergenceWarning(UserWarning):
    """The iteration ended before every component met the tolerance; the message says how many and how far."""


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
    960
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
        Draws the first block.
    limit : int, optional
        Bytes for the basis; BASIS_BYTES when not given.
    max_iter : int, optional
        Products at most. Default: 10 * (1 + count / BLOCK) + 100.

    Returns
    -------
    RitzPairs
        `converged` is False when the promise is not kept; no error is raised.

    Numerics
    --------
    A step costs one product and 8 size m BLOCK flops for m columns so far. Convergence is looked at when the fall of
    the residual so far predicts it. Equal eigenvalues: a Krylov space holds at most BLOCK copies, so when BLOCK
    neighbouring values agree within tol the search goes on from a random block until none is missed.

    References
    ----------
    Golub & Underwood (1977), The block Lanczos method; Stewart (2001), A Krylov-Schur algorithm, section 5.
    """
    kind = np.dtype(dtype)
    last = max_iter or 10 * (1 + count // BLOCK) + 100
    watch = _Watch(count, tol, last, progress)
    with one_blas_thread(), TallProducts(size) as tall:
        basis = _Basis(operator, tall, size, kind, basis_limit(size, count, kind.itemsize, limit), rng)
        return _iterate(basis, watch)


def _iterate(basis: _Basis, watch: _Watch) -> RitzPairs:
    block = basis.random_block()
    while True:
        remainder = basis.extend(block)
        full = watch.must_end(basis)
        if full or watch.is_due(basis):
            pairs = watch.look(basis)
            if pairs.converged and not full and _may_miss_copies(pairs.values, watch.tol) and watch.first_doubt():
                remainder = basis.random_block()
            elif pairs.converged or pairs.below_noise or full:
                return pairs
        if basis.columns + BLOCK > basis.limit and not watch.must_end(basis):
            basis.compress(watch.count + BLOCK)
        block = remainder


def _may_miss_copies(values: NDArray[np.float64], tol: float) -> bool:
    if len(values) < BLOCK:
        return False
    return bool((values[: len(values) - BLOCK + 1] - values[BLOCK - 1 :] <= tol * values[BLOCK - 1 :]).any())


class _Basis:
    """Orthonormal V, W = A V (both stored row by row, one row a vector) and T = VᵀW."""

    def __init__(
        self,
        operator: Operator,
        tall: TallProducts,
        size: int,
        dtype: np.dtype[Any],
        limit: int,
        rng: np.random.Generator,
    ) -> None:
        self.tall = tall
        self.operator, self.size, self.dtype, self.limit, self.rng = operator, size, dtype, limit, rng
        self.eps = float(np.finfo(dtype).eps)
        self.columns = self.n_iter = 0
        self._v = np.empty((limit, size), dtype=dtype)
        self._w = np.empty((limit, size), dtype=dtype)
        self._t = np.zeros((limit, limit))
        self._peak = 0.0

    def random_block(self) -> Columns:
        """A random orthonormal block outside the basis, as wide as there is room in the space."""
        width = min(BLOCK, self.size - self.columns)
        return self._outside(self.rng.standard_normal((self.size, width)).astype(self.dtype), 0.0)

    def extend(self, block: Columns) -> Columns:
        """Append a block, multiply it, and return the next block: what of the product lies outside the basis."""
        start, stop = self.columns, self.columns + block.shape[1]
        product = self.operator(block)
        self.n_iter += 1
        self._v[start:stop], self._w[start:stop] = block.T, product.T
        self.columns = stop
        overlaps = self.tall.overlaps(self._v[:stop], product)
        self._t[:stop, start:stop] = overlaps
        self._t[start:stop, :stop] = overlaps.T
        corner = overlaps[start:stop]
        self._t[start:stop, start:stop] = (corner + corner.T) / 2
        self._peak = max(self._peak, float(np.abs(corner.diagonal()).max()))
        self.tall.subtract(self._v[:stop], overlaps, product)
        return self._outside(product, NOISE * self.eps * self._peak)

    def _outside(self, block: Columns, floor: float) -> Columns:
        """Orthonormal, and orthogonal to the basis; columns below the floor are replaced by random ones."""
        width = min(BLOCK, self.size - self.columns)
        block, rank = orthonormal_columns(block, floor)
        block, rank = block[:, :width], min(rank, width)
        for _ in range(6):
            settled = rank >= width
            if not settled:
                fresh = self.rng.standard_normal((self.size, width - rank)).astype(self.dtype)
                block = np.hstack([block, fresh / np.float32(math.sqrt(self.size))])
            basis = self._v[: self.columns]
            self.tall.subtract(basis, self.tall.overlaps(basis, block), block)
            block, rank = orthonormal_columns(block, 100 * self.eps)
            if settled and rank >= width:
                break
        return block

    def ritz(self, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The largest eigenvalues of T, non-increasing, and their vectors in terms of the basis."""
        m = self.columns
        values, vectors = top_eigenpairs(self._t[:m, :m], min(count, m))
        return np.maximum(values, 0.0), vectors

    def residual_norms(self, values: NDArray[np.float64], vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """‖W s − θ V s‖ per pair, summed in float64."""
        plain, scaled = vectors.T.astype(self.dtype), (vectors * values).T.astype(self.dtype)

        def squares(piece: slice) -> NDArray[np.float64]:
            difference = plain @ self._w[: self.columns, piece] - scaled @ self._v[: self.columns, piece]
            return np.asarray(np.einsum("ij,ij->i", difference, difference, dtype=np.float64))

        return np.asarray(np.sqrt(sum(self.tall.each(squares))))

    def combine(self, vectors: NDArray[np.float64]) -> Columns:
        """V s for every column s."""
        narrow, result = vectors.astype(self.dtype), np.empty((self.size, vectors.shape[1]), dtype=self.dtype)

        def work(piece: slice) -> None:
            result[piece] = self._v[: self.columns, piece].T @ narrow

        self.tall.each(work)
        return result

    def compress(self, count: int) -> None:
        """Keep only the `count` leading Ritz vectors: the thick restart."""
        values, vectors = self.ritz(count)
        narrow = vectors.T.astype(self.dtype)

        def work(piece: slice) -> None:  # in place, by pieces, so that no second basis is needed
            for table in (self._v, self._w):
                table[: len(narrow), piece] = narrow @ table[: self.columns, piece]

        self.tall.each(work)
        self.columns = len(values)
        self._t[:] = 0.0
        np.fill_diagonal(self._t[: self.columns, : self.columns], values)


class _Watch:
    """Decides when residuals are worth computing, and whether they are good enough."""

    def __init__(self, count: int, tol: float, last: int, progress: Progress | None) -> None:
        self.count, self.tol, self.last, self.progress = count, tol, last, progress
        self.next_look = 0
        self.history: list[tuple[int, float]] = []
        self._doubted = 0

    def is_due(self, basis: _Basis) -> bool:
        """A look costs as much as a step, so it waits until the residuals may be small enough."""
        enough = basis.columns >= self.count + min(self.count, 2 * BLOCK)
        return (enough or basis.columns + 2 * BLOCK > basis.limit) and basis.n_iter >= self.next_look

    def must_end(self, basis: _Basis) -> bool:
        """The basis spans the whole space, or the steps are used up."""
        return basis.columns == basis.size or basis.n_iter >= self.last

    def first_doubt(self) -> bool:
        """True for the first three times; a random block each time, which catches BLOCK missed copies or more."""
        self._doubted += 1
        self.next_look = 0
        return self._doubted <= 3

    def look(self, basis: _Basis) -> RitzPairs:
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

    def _hopeless(self, basis: _Basis, values: NDArray[np.float64], zero: float, excess: float) -> bool:
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
            self.progress(min(0.99, step / expected), f"block Lanczos, step {step} of about {math.ceil(expected)}")
