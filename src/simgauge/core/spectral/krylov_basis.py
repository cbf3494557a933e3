"""The orthonormal basis that block Lanczos grows, with the products of the operator with it, and the Ritz pairs of
both.

Basis and products lie where the operator works, in memory or on a device. Overlaps, of the size of the basis, are on
the host in float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.core.matrices.gram import top_eigenpairs
from simgauge.core.spectral.orthogonal import Columns, orthonormal_columns
from simgauge.core.spectral.tall_products import TallProducts
from simgauge.core.tables.arrays import beside, doubled, namespace, on_host, room_beside, to_host
from simgauge.core.tables.kinds import Array

BLOCK = 16
"""Columns multiplied at a time. Wide blocks make a product cheaper per column, narrow ones need fewer columns in all:
with 16, 24 and 32 the power-law bench takes 640, 720 and 800 columns for 128 components. A kernel holds them in
registers."""

NOISE = 8.0
"""Rounding of one product, in units of eps * θ_1 (measured 1 to 3 for float32 sums over row blocks)."""

Operator = Callable[[Columns], Columns]


class KrylovBasis:
    """Orthonormal V, W = A V (both stored row by row, one row a vector) and T = VᵀW."""

    def __init__(
        self,
        operator: Operator,
        tall: TallProducts,
        size: int,
        dtype: np.dtype[Any],
        limit: int,
        rng: np.random.Generator,
        like: Array,
    ) -> None:
        self.tall = tall
        self.operator, self.size, self.dtype, self.limit, self.rng = operator, size, dtype, limit, rng
        self.eps = float(np.finfo(dtype).eps)
        self.columns = self.n_iter = 0
        kind = getattr(namespace(like), dtype.name)  # as the library of the basis calls it
        self._v = room_beside((limit, size), like, dtype=kind)
        self._w = room_beside((limit, size), like, dtype=kind)
        self._t = np.zeros((limit, limit))
        self._peak = 0.0

    def make_room(self, limit: int) -> None:
        """Let the basis have more columns; what it holds stays."""
        if limit <= self.limit:
            return
        tables = []
        for table in (self._v, self._w):
            wider = room_beside((limit, self.size), table)
            wider[: self.columns] = table[: self.columns]
            tables.append(wider)
        self._v, self._w = tables
        overlaps = np.zeros((limit, limit))
        overlaps[: self.columns, : self.columns] = self._t[: self.columns, : self.columns]
        self._t, self.limit = overlaps, limit

    def random_block(self) -> Columns:
        """A random orthonormal block outside the basis, as wide as there is room in the space."""
        width = min(BLOCK, self.size - self.columns)
        return self._outside(self._placed(self.rng.standard_normal((self.size, width))), 0.0)

    def _placed(self, values: NDArray[np.floating[Any]]) -> Array:
        return beside(values, self._v)

    def extend(self, block: Columns) -> Columns:
        """Append a block, multiply it, and return the next block: what of the product lies outside the basis."""
        start, stop = self.columns, self.columns + block.shape[1]
        product = self.operator(block)
        self.n_iter += 1

        def store(piece: slice) -> None:
            self._v[start:stop, piece], self._w[start:stop, piece] = block[piece].T, product[piece].T

        self.tall.each(store)
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
                fresh = self._placed(fresh / np.float32(math.sqrt(self.size)))
                block = namespace(block).concat([block, fresh], axis=1)
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
        plain, scaled = self._placed(vectors.T), self._placed((vectors * values).T)

        def squares(piece: slice) -> NDArray[np.float64]:
            return _squares(plain @ self._w[: self.columns, piece] - scaled @ self._v[: self.columns, piece])

        return np.asarray(np.sqrt(sum(self.tall.each(squares))))

    def combine(self, vectors: NDArray[np.float64]) -> Columns:
        """V s for every column s."""
        narrow, result = self._placed(vectors), room_beside((self.size, vectors.shape[1]), self._v)

        def work(piece: slice) -> None:
            result[piece] = self._v[: self.columns, piece].T @ narrow

        self.tall.each(work)
        return result

    def compress(self, count: int) -> None:
        """Keep only the `count` leading Ritz vectors: the thick restart."""
        values, vectors = self.ritz(count)
        narrow = self._placed(vectors.T)

        def work(piece: slice) -> None:  # in place, by pieces, so that no second basis is needed
            for table in (self._v, self._w):
                table[: len(narrow), piece] = narrow @ table[: self.columns, piece]

        self.tall.each(work)
        self.columns = len(values)
        self._t[:] = 0.0
        np.fill_diagonal(self._t[: self.columns, : self.columns], values)


def _squares(rows: Array) -> NDArray[np.float64]:
    if on_host(rows):
        return np.asarray(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
    wide = doubled(rows)
    return to_host(namespace(rows).sum(wide * wide, axis=1))
