"""Singular values and right singular vectors of interactions: the one decomposition every model is made from."""

from __future__ import annotations

import math
import operator
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.core.matrices.matrix_input import as_matrix
from simgauge.core.matrices.tensor_matrix import TensorMatrix
from simgauge.core.spectral.orthogonal import Columns, complete, fix_signs
from simgauge.core.spectral.routes import (
    LanczosRoute,
    by_gram,
    by_lanczos,
    by_svd,
    divided,
    fitting_scale,
    place,
    relative_residuals,
)
from simgauge.core.spectral.solver_cost import route_costs
from simgauge.core.tables.arrays import is_tensor, namespace
from simgauge.core.tables.row_parts import RowParts
from simgauge.core.tables.tensor_precision import ieee_products
from simgauge.errors import InputError, ParameterError
from simgauge.parameters import Rng, as_generator
from simgauge.progress import Progress

__all__ = [
    "GrowingSpectrum",
    "Progress",
    "Spectrum",
    "complete",
    "fix_signs",
    "measure_residuals",
    "spectrum",
]

SOLVERS = ("auto", "dense", "gram", "lanczos")

DEFAULT_TOL = 1e-4
"""Residual promised by the iterative route when none is asked for: singular values right to 5e-5 in the worst case (to
about its square in practice), at the price of two or three steps more than 1e-3."""


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
    the iterative route could not keep its tolerance in float32. A tensor on the device of X when X is one."""

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
    rng: Rng = 0,
    progress: Progress | None = None,
) -> Spectrum:
    """Leading singular values and right singular vectors of users x items interactions.

    Parameters
    ----------
    X : scipy sparse matrix (any format), array-like, torch tensor, or RowParts, shape (n_users, n_items)
        CSR, CSC and dense tables of float32 or float64 are not copied. Finite. Parts by rows may be memory-mapped or
        lie on the workers of a cluster: only sums of n_items x 16 (or n_items x n_items, "gram") are copied to the
        host. A tensor, dense or `torch.sparse_csr`, is decomposed on its device: what comes to the host are overlaps of
        at most the size of the Lanczos basis squared.
    n_components : int, 1 <= n_components <= n_items
        Up to full rank, also when n_users < n_items.
    solver : {"auto", "dense", "gram", "lanczos"}
        "dense": LAPACK's SVD in float64. "gram": eigenvectors of the smaller Gram matrix, in float64.
        "lanczos": block Lanczos. "auto": the cheapest by `solver_cost.route_costs`; "dense" where it is nearly free.
    tol : float, > 0, optional
        Bound of ‖XᵀXv − σ²v‖/σ² that "lanczos" keeps for every component. Default 1e-4. Direct routes ignore it.
    rng : int or numpy.random.Generator
        Draws the first block of "lanczos" and the vectors that complete a basis. The same seed gives the same result.
    progress : callable, optional
        Called as ``progress(text, percent, 100)`` while "lanczos" runs.

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
    `lanczos.basis_limit` vectors of length n. Tensors: the same on their device, and for sparse ones by "lanczos" a
    second CSR tensor, the transpose. Products are IEEE float32 also where TF32 is switched on; the routes are torch's
    SVD and `eigh` (of all of the spectrum) and the same block Lanczos. Equal to those of NumPy to rounding, not bit by
    bit.

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
    return GrowingSpectrum(X, solver=solver, tol=tol, rng=rng).leading(n_components, progress=progress)


class GrowingSpectrum:
    """The decomposition of a matrix that can be asked for more components later: a warm start when the rank grows.

    Parameters
    ----------
    X, solver, tol, rng
        As in `spectrum`.

    Numerics
    --------
    The iterative route keeps its space (two bases, see `spectrum`) and goes on where it was: all ranks together cost
    what the largest costs, about. The direct routes start again for each rank.

    Examples
    --------
    >>> growing = GrowingSpectrum(np.diag([5.0, 4.0, 3.0, 2.0]))
    >>> growing.leading(1).singular_values, growing.leading(3).singular_values
    (array([5.]), array([5., 4., 3.]))
    """

    def __init__(
        self,
        X: Any,
        *,
        solver: str = "auto",
        tol: float | None = None,
        rng: Rng = 0,
    ) -> None:
        if solver not in SOLVERS:
            raise ParameterError(f"solver={solver!r}: expected one of {', '.join(SOLVERS)}.")
        self._matrix = as_matrix(X)
        self._solver, self._tol = solver, _tolerance(tol)
        self._rng = as_generator(rng)
        self._scale = fitting_scale(self._matrix)
        self._scaled = divided(self._matrix, self._scale)
        self._lanczos: LanczosRoute | None = None

    def leading(self, n_components: int, progress: Progress | None = None) -> Spectrum:
        """The `n_components` leading components, with the promises of `spectrum`."""
        count = _component_count(n_components, self._matrix.shape[1])
        with ieee_products(place(self._matrix)):
            result = self._decomposed(count, progress)
        if result.residuals is not None:
            _warn_if_missed(result, self._tol)
        return result

    def _decomposed(self, count: int, progress: Progress | None) -> Spectrum:
        scaled = self._scaled
        route = route_costs(scaled, count).choice if self._solver == "auto" else self._solver
        if self._lanczos is not None and self._solver == "auto":
            route = "lanczos"  # what was begun is cheaper to go on with
        if route == "dense" and isinstance(scaled, RowParts):
            scaled = scaled.gather()
        residuals: NDArray[np.float64] | None = None
        n_iter = 0
        if route == "dense":
            sigma, vectors = by_svd(scaled, count)
        elif route == "gram":
            sigma, vectors = by_gram(scaled, count)
        else:
            self._lanczos = self._lanczos or LanczosRoute(scaled, self._rng)
            sigma, vectors, residuals, n_iter = by_lanczos(scaled, count, self._tol, self._lanczos, progress)
        sigma = np.concatenate([sigma, np.zeros(count - len(sigma))]) * self._scale
        vectors = fix_signs(complete(vectors, count, self._rng))
        xp = namespace(vectors)
        stored = xp.astype(vectors, getattr(xp, self._matrix.dtype.name), copy=False)
        if residuals is not None and stored.dtype != vectors.dtype:
            # what is promised holds for the vectors handed out, not for those before rounding
            rounded = relative_residuals(scaled, sigma / self._scale, stored)
            stored, residuals = (stored, rounded) if rounded.max() <= self._tol else (vectors, residuals)
        return Spectrum(sigma, stored, residuals, route, int(self._matrix.shape[0]), n_iter)


def measure_residuals(X: Any, result: Spectrum) -> NDArray[np.float64]:
    """‖XᵀXv − σ²v‖/σ² of every component (σ_1² below the line where σ = 0), by products in float64.

    Numerics
    --------
    One pass over X for 16 components: 4 nnz n_components flops. Rounding alone gives about eps σ_1²/σ², with the eps of
    the dtype in which the vectors are stored.

    Examples
    --------
    >>> X = np.diag([3.0, 2.0, 1.0])
    >>> bool(measure_residuals(X, spectrum(X, 2)).max() < 1e-12)
    True
    """
    matrix = as_matrix(X)
    if isinstance(matrix, TensorMatrix) != is_tensor(result.right_vectors):
        raise InputError(
            "X and the vectors of the spectrum: one is a tensor, the other is not. Bring both to one place first; "
            "simgauge "
            "copies nothing between devices silently."
        )
    with ieee_products(place(matrix)):
        return relative_residuals(matrix, result.singular_values, result.right_vectors)


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


def _warn_if_missed(result: Spectrum, tol: float) -> None:
    residuals = result.residuals if result.residuals is not None else np.zeros(1)
    missed = int((residuals[result.singular_values > 0] > tol).sum())
    if missed:
        from simgauge.errors import ConvergenceWarning

        warnings.warn(
            f"{missed} of {result.n_components} components miss the tolerance {tol:g} (largest residual "
            f"{residuals.max():.2g}, after {result.n_iter} steps). Ask for fewer components, allow a larger tol, or "
            "pass solver='dense' if X fits into memory as a dense table.",
            ConvergenceWarning,
            stacklevel=3,
        )
