"""Singular values and right singular vectors of interactions: the one decomposition every model is made from."""

from __future__ import annotations

import math
import operator
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg as sla
import scipy.sparse as sp
from numpy.typing import NDArray

from simgauge.core.gram import gram, top_eigenpairs
from simgauge.core.lanczos import BLOCK, ConvergenceWarning, RitzPairs, block_lanczos
from simgauge.core.matrix_input import Matrix, as_matrix, largest_magnitude
from simgauge.core.orthogonal import Columns, complete, fix_signs
from simgauge.core.row_parts import RowParts
from simgauge.core.solver_cost import gram_side, route_costs
from simgauge.core.sparse_product import GramProduct
from simgauge.errors import InputError, ParameterError

__all__ = ["ConvergenceWarning", "Progress", "Spectrum", "complete", "fix_signs", "measure_residuals", "spectrum"]

SOLVERS = ("auto", "dense", "gram", "lanczos")

DEFAULT_TOL = 1e-4
"""Residual promised by the iterative route when none is asked for: singular values right to 5e-5 in the worst case (to
about its square in practice), at the price of two or three steps more than 1e-3."""

SAFE_RANGE = (1e-9, 1e9)
"""Largest magnitudes whose sums of squares neither overflow nor vanish in float32; outside it X is scaled first."""

Progress = Callable[[float, str], None]
"""Called with the share of the work done (0 to 1, an estimate) and a short text."""


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The leading singular values and right singular vectors of a matrix of interactions, X = U diag(σ) Vᵀ.

    Gauge
    -----
    The sign of each vector is arbitrary and fixed here: its entry of largest magnitude is positive. Vectors of
    equal singular values, and those of the value 0, are determined only as a subspace.
    """

    singular_values: NDArray[np.float64]
    """σ, shape (n_components,), non-increasing, >= 0. Values that cannot be told from zero are exactly 0."""

    right_vectors: Columns
    """V, shape (n_items, n_components), orthonormal columns, in the float dtype of X; float64 for float32 X only where
    the iterative route could not keep its tolerance in float32."""

    residuals: NDArray[np.float64] | None
    """‖XᵀXv − σ²v‖/σ² per component (σ_1² below the line where σ = 0), as the iterative route measured it; None from
    the direct routes, for which `measure_residuals` computes it."""

    solver: str
    """The route that was taken: "dense", "gram" or "lanczos"."""

    n_users: int
    """Rows of X."""

    n_iter: int
    """Block steps of the iterative route; 0 for the direct ones."""

    @property
    def n_items(self) -> int:
        """Columns of X."""
        return int(self.right_vectors.shape[0])

    @property
    def n_components(self) -> int:
        """Components kept."""
        return len(self.singular_values)

    @property
    def rank(self) -> int:
        """Number of singular values that are not zero, among those kept."""
        return int(np.count_nonzero(self.singular_values))


def spectrum(
    X: Any,
    n_components: int,
    *,
    solver: str = "auto",
    tol: float | None = None,
    random_state: int | np.random.Generator = 0,
    progress: Progress | None = None,
) -> Spectrum:
    """Leading singular values and right singular vectors of users x items interactions.

    Parameters
    ----------
    X : scipy sparse matrix (any format), array-like, or RowParts, shape (n_users, n_items)
        CSR, CSC and dense tables of float32 or float64 are not copied. Finite. Parts by rows may be memory-mapped or lie
        on the workers of a cluster: only sums of n_items x 24 (or n_items x n_items, "gram") come here.
    n_components : int, 1 <= n_components <= n_items
        Up to full rank, also when n_users < n_items.
    solver : {"auto", "dense", "gram", "lanczos"}
        "dense": LAPACK's SVD in float64. "gram": eigenvectors of the smaller Gram matrix, in float64.
        "lanczos": block Lanczos. "auto": the cheapest by `solver_cost.route_costs`; "dense" where it is nearly free.
    tol : float, > 0, optional
        Bound of ‖XᵀXv − σ²v‖/σ² that "lanczos" keeps for every component. Default 1e-4. Direct routes ignore it.
    random_state : int or Generator
        Draws the first block of "lanczos" and the vectors that complete a basis. The same seed gives the same result.
    progress : callable, optional
        Called as progress(share_done, text) while "lanczos" runs.

    Returns
    -------
    Spectrum
        Components beyond the rank of X have σ = 0 exactly; their vectors complete the basis orthonormally and are an
        arbitrary choice.

    Gauge
    -----
    Signs are fixed by the largest entry; see `Spectrum`.

    Numerics
    --------
    With n = min(n_users, n_items): "dense" sees σ down to eps max(n_users, n_items) σ_1; "gram" and "lanczos" work with
    σ² and see σ only down to the square root of that, about 1e-6 σ_1 at 10,000 items (eps is that of float64). Smaller
    values are returned as 0. "lanczos" computes in float32 when X is float32 and the tolerance allows it, else in
    float64. Memory beyond X: "dense" about 3 n_users n_items float64; "gram" 3 n² float64; "lanczos" two bases of
    `lanczos.basis_limit` vectors of length n.

    Warns
    -----
    ConvergenceWarning
        Some component misses the tolerance; the result is returned with its residuals.

    Raises
    ------
    InputError
        See `matrix_input.as_matrix`.
    ParameterError
        n_components, solver or tol out of range.

    Examples
    --------
    >>> result = spectrum(np.array([[3.0, 0.0], [0.0, 4.0], [0.0, 0.0]]), n_components=2)
    >>> result.singular_values
    array([4., 3.])
    >>> np.abs(result.right_vectors)
    array([[0., 1.],
           [1., 0.]])
    """
    matrix = as_matrix(X)
    count = _component_count(n_components, matrix.shape[1])
    accuracy = _tolerance(tol)
    if solver not in SOLVERS:
        raise ParameterError(f"solver={solver!r}: expected one of {', '.join(SOLVERS)}.")
    rng = np.random.default_rng(random_state)
    scale = _scale(matrix)
    scaled = _divided(matrix, scale)
    route = route_costs(scaled, count).choice if solver == "auto" else solver
    if route == "dense" and isinstance(scaled, RowParts):
        scaled = scaled.gather()
    residuals: NDArray[np.float64] | None = None
    n_iter = 0
    if route == "dense":
        sigma, vectors = _by_svd(scaled, count)
    elif route == "gram":
        sigma, vectors = _by_gram(scaled, count)
    else:
        sigma, vectors, residuals, n_iter = _by_lanczos(scaled, count, accuracy, rng, progress)
    sigma = np.concatenate([sigma, np.zeros(count - len(sigma))]) * scale
    vectors = fix_signs(complete(vectors, count, rng))
    stored = vectors.astype(matrix.dtype, copy=False)
    if residuals is not None and stored.dtype != vectors.dtype:
        # what is promised holds for the vectors handed out, not for those before rounding
        rounded = _residuals(scaled, sigma / scale, stored)
        stored, residuals = (stored, rounded) if rounded.max() <= accuracy else (vectors, residuals)
    result = Spectrum(sigma, stored, residuals, route, int(matrix.shape[0]), n_iter)
    if residuals is not None:
        _warn_if_missed(result, accuracy)
    return result


def measure_residuals(X: Any, result: Spectrum) -> NDArray[np.float64]:
    """‖XᵀXv − σ²v‖/σ² of every component (σ_1² below the line where σ = 0), by products in float64.

    Numerics
    --------
    One pass over X for 24 components: 4 nnz n_components flops. Rounding alone gives about eps σ_1²/σ², with the eps of
    the dtype in which the vectors are stored.

    Examples
    --------
    >>> X = np.diag([3.0, 2.0, 1.0])
    >>> bool(measure_residuals(X, spectrum(X, 2)).max() < 1e-12)
    True
    """
    matrix = as_matrix(X)
    return _residuals(matrix, result.singular_values, result.right_vectors)


def _residuals(X: Matrix, sigma: NDArray[np.float64], vectors: Columns) -> NDArray[np.float64]:
    scale = _scale(X)
    product, squares = GramProduct(_divided(X, scale)), (sigma / scale) ** 2
    norms = np.empty(len(sigma))
    for start in range(0, len(sigma), BLOCK):
        part = slice(start, start + BLOCK)
        block = vectors[:, part].astype(np.float64)
        norms[part] = np.linalg.norm(product(block) - block * squares[part], axis=0)
    return _relative(norms, squares)


def _relative(norms: NDArray[np.float64], squares: NDArray[np.float64]) -> NDArray[np.float64]:
    below = np.where(squares > 0, squares, squares[0] if squares[0] > 0 else 1.0)
    return norms / below


def _component_count(n_components: int, n_items: int) -> int:
    try:
        count = operator.index(n_components)
    except TypeError:
        count = 0
    if not 1 <= count <= n_items:
        raise ParameterError(f"n_components={n_components}: expected an integer from 1 to n_items = {n_items}.")
    return count


def _tolerance(tol: float | None) -> float:
    if tol is None:
        return DEFAULT_TOL
    if not (math.isfinite(tol) and 0 < tol < 1):
        raise ParameterError(f"tol={tol}: expected a number above 0 and below 1, such as {DEFAULT_TOL}.")
    return float(tol)


def _scale(X: Matrix) -> float:
    peak = largest_magnitude(X)
    return 1.0 if peak == 0 or SAFE_RANGE[0] <= peak <= SAFE_RANGE[1] else peak


def _divided(X: Matrix, scale: float) -> Matrix:
    if scale == 1.0:
        return X
    if isinstance(X, RowParts):
        raise InputError(
            f"X: its largest magnitude is {scale:g}, and squares of it leave the range of float32. Divide the weights by "
            "that before they are cut into parts."
        )
    return X.astype(np.float64) / scale


def _by_svd(X: Matrix, count: int) -> tuple[NDArray[np.float64], Columns]:
    table = np.asarray(X.toarray() if sp.issparse(X) else X, dtype=np.float64)
    _, sigma, right = sla.svd(table, full_matrices=False, check_finite=False)
    sigma[sigma <= np.finfo(np.float64).eps * max(X.shape) * sigma[0]] = 0.0
    return sigma[:count], right[:count].T


def _by_gram(X: Matrix, count: int) -> tuple[NDArray[np.float64], Columns]:
    side = gram_side(X)
    values, vectors = top_eigenpairs(gram(X, side), min(count, *X.shape))
    sigma = _roots(values, max(X.shape))
    return (sigma, vectors) if side == "items" else _right_from_left(X, sigma, vectors)


def _roots(values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """σ = √θ, with exact zeros where θ is within rounding of zero."""
    floor = np.finfo(np.float64).eps * size * max(float(values[0]), 0.0)
    return np.sqrt(np.where(values > floor, values, 0.0))


def _right_from_left(X: Matrix, sigma: NDArray[np.float64], left: Columns) -> tuple[NDArray[np.float64], Columns]:
    """V = XᵀU/σ for the values that are not zero; QR restores the orthogonality that small σ lose."""
    keep = sigma > 0
    right = np.asarray(X.T @ left[:, keep].astype(np.float64)) / sigma[keep]
    return sigma[keep], sla.qr(right, mode="economic", check_finite=False)[0]


def _by_lanczos(
    X: Matrix, count: int, tol: float, rng: np.random.Generator, progress: Progress | None
) -> tuple[NDArray[np.float64], Columns, NDArray[np.float64], int]:
    side = gram_side(X)
    wanted = min(count, *X.shape)
    product = GramProduct(X, side)

    def run(dtype: Any) -> RitzPairs:
        return block_lanczos(product, product.size, wanted, tol=tol, dtype=dtype, rng=rng, progress=progress)

    pairs = run(X.dtype)
    n_iter = pairs.n_iter
    if pairs.below_noise and X.dtype == np.float32:
        pairs = run(np.float64)
        n_iter += pairs.n_iter
    sigma, vectors = _roots(pairs.values, max(X.shape)), pairs.vectors
    residuals = _relative(pairs.residuals, sigma**2)
    if side == "users":
        sigma, vectors = _right_from_left(X, sigma, vectors)
        residuals = _residuals(X, sigma, vectors) if len(sigma) else residuals[:0]
    return sigma, vectors, np.concatenate([residuals, np.zeros(count - len(residuals))]), n_iter


def _warn_if_missed(result: Spectrum, tol: float) -> None:
    residuals = result.residuals if result.residuals is not None else np.zeros(1)
    missed = int((residuals[result.singular_values > 0] > tol).sum())
    if missed:
        warnings.warn(
            f"{missed} of {result.n_components} components miss the tolerance {tol:g} (largest residual "
            f"{residuals.max():.2g}, after {result.n_iter} steps). Ask for fewer components, allow a larger tol, or "
            "pass solver='dense' if X fits into memory as a dense table.",
            ConvergenceWarning,
            stacklevel=3,
        )
