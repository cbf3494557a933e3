"""The three routes to singular values and right singular vectors, and the residuals that tell how well they did.

All take a `matrix_input.MatrixLike` whose squares fit into float32 (`divided` sees to that) and return σ on the host
and V where the matrix is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg as sla
import scipy.sparse as sp
from numpy.typing import NDArray

from simgauge.core.matrices.gram import gram, top_eigenpairs
from simgauge.core.matrices.matrix_input import largest_magnitude
from simgauge.core.matrices.sparse_product import GramProduct
from simgauge.core.matrices.tensor_matrix import TensorMatrix
from simgauge.core.spectral.krylov_basis import BLOCK
from simgauge.core.spectral.lanczos import LanczosRun, RitzPairs
from simgauge.core.spectral.orthogonal import Columns, orthonormal_range
from simgauge.core.spectral.solver_cost import gram_side
from simgauge.core.tables.arrays import beside, doubled, namespace, to_host
from simgauge.core.tables.kinds import Array, MatrixLike
from simgauge.core.tables.row_parts import RowParts
from simgauge.errors import InputError
from simgauge.progress import Progress

SAFE_RANGE = (1e-9, 1e9)
"""Largest magnitudes whose sums of squares neither overflow nor vanish in float32; outside it X is scaled first."""

"""Called with the share of the work done (0 to 1, an estimate) and a short text."""


def place(X: MatrixLike) -> Array:
    """An empty array of the library and on the device that X is worked on with."""
    return X.place if isinstance(X, TensorMatrix) else np.empty(0)


def relative_residuals(X: MatrixLike, sigma: NDArray[np.float64], vectors: Columns) -> NDArray[np.float64]:
    """‖XᵀXv − σ²v‖/σ² per component, by products in float64; see `spectrum.measure_residuals`."""
    scale = fitting_scale(X)
    product, squares = GramProduct(divided(X, scale)), (sigma / scale) ** 2
    norms = np.empty(len(sigma))
    for start in range(0, len(sigma), BLOCK):
        part = slice(start, start + BLOCK)
        block = doubled(vectors[:, part])
        difference = product(block) - block * beside(squares[part], block)
        norms[part] = to_host(namespace(block).linalg.vector_norm(difference, axis=0))
    return _relative(norms, squares)


def _relative(norms: NDArray[np.float64], squares: NDArray[np.float64]) -> NDArray[np.float64]:
    below = np.where(squares > 0, squares, squares[0] if squares[0] > 0 else 1.0)
    return norms / below


def fitting_scale(X: MatrixLike) -> float:
    """Divisor of X that keeps its squares within the range of float32: 1 if they are already."""
    peak = largest_magnitude(X)
    return 1.0 if peak == 0 or SAFE_RANGE[0] <= peak <= SAFE_RANGE[1] else peak


def divided(X: MatrixLike, scale: float) -> MatrixLike:
    """X / scale in float64; X itself when the scale is 1."""
    if scale == 1.0:
        return X
    if isinstance(X, RowParts):
        raise InputError(
            f"X: its largest magnitude is {scale:g}, and squares of it leave the range of float32. Divide the weights "
            f"by "
            "that before they are cut into parts."
        )
    return X.divided(scale) if isinstance(X, TensorMatrix) else X.astype(np.float64) / scale


def by_svd(X: MatrixLike, count: int) -> tuple[NDArray[np.float64], Columns]:
    """σ and V from the singular value decomposition of X as a dense table, in float64."""
    if isinstance(X, TensorMatrix):
        table = X.dense()
        _, values, right = namespace(table).linalg.svd(table, full_matrices=False)
        sigma = to_host(values).copy()
    else:
        table = np.asarray(X.toarray() if sp.issparse(X) else X, dtype=np.float64)
        _, sigma, right = sla.svd(table, full_matrices=False, check_finite=False)
    sigma[sigma <= np.finfo(np.float64).eps * max(X.shape) * sigma[0]] = 0.0
    return sigma[:count], right[:count].T


def by_gram(X: MatrixLike, count: int) -> tuple[NDArray[np.float64], Columns]:
    """σ and V from the eigenvectors of the smaller Gram matrix, in float64."""
    side = gram_side(X)
    values, vectors = top_eigenpairs(gram(X, side), min(count, *X.shape))
    sigma = _roots(values, max(X.shape))
    return (sigma, vectors) if side == "items" else _right_from_left(X, sigma, vectors, None)


def _roots(values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """σ = √θ, with exact zeros where θ is within rounding of zero."""
    floor = np.finfo(np.float64).eps * size * max(float(values[0]), 0.0)
    return np.sqrt(np.where(values > floor, values, 0.0))


def _right_from_left(
    X: MatrixLike, sigma: NDArray[np.float64], left: Columns, product: GramProduct | None
) -> tuple[NDArray[np.float64], Columns]:
    """V = XᵀU/σ for the values that are not zero; QR restores the orthogonality that small σ lose."""
    keep = np.flatnonzero(sigma > 0)
    if isinstance(X, TensorMatrix):
        wanted = doubled(left)[:, beside(keep, left, dtype=namespace(left).int64)]
        right = (product or GramProduct(X, "users")).adjoint(wanted)
    else:
        right = np.asarray(X.T @ left[:, keep].astype(np.float64))
    return sigma[keep], orthonormal_range(right / beside(sigma[keep], right))


class LanczosRoute:
    """Block Lanczos on the smaller side of X; asked for more components, it goes on where it was."""

    def __init__(self, X: MatrixLike, rng: np.random.Generator) -> None:
        self._X, self._rng, self.side = X, rng, gram_side(X)
        self.product = GramProduct(X, self.side)
        self._spent = 0
        self._run = self._started(X.dtype)

    def _started(self, dtype: Any) -> LanczosRun:
        self._dtype = np.dtype(dtype)
        return LanczosRun(self.product, self.product.size, dtype=dtype, rng=self._rng, like=place(self._X))

    def leading(self, count: int, tol: float, progress: Progress | None) -> tuple[RitzPairs, int]:
        """Eigenpairs and all steps so far; begun again in float64 where float32 cannot keep the tolerance."""
        pairs = self._run.leading(count, tol=tol, progress=progress)
        if pairs.below_noise and self._dtype == np.float32:
            self._spent += pairs.n_iter
            self._run = self._started(np.float64)
            pairs = self._run.leading(count, tol=tol, progress=progress)
        return pairs, self._spent + pairs.n_iter


def by_lanczos(
    X: MatrixLike, count: int, tol: float, route: LanczosRoute, progress: Progress | None
) -> tuple[NDArray[np.float64], Columns, NDArray[np.float64], int]:
    """σ, V, residuals and the number of steps of block Lanczos."""
    pairs, n_iter = route.leading(min(count, *X.shape), tol, progress)
    sigma, vectors = _roots(pairs.values, max(X.shape)), pairs.vectors
    residuals = _relative(pairs.residuals, sigma**2)
    if route.side == "users":
        sigma, vectors = _right_from_left(X, sigma, vectors, route.product)
        residuals = relative_residuals(X, sigma, vectors) if len(sigma) else residuals[:0]
    return sigma, vectors, np.concatenate([residuals, np.zeros(count - len(residuals))]), n_iter
