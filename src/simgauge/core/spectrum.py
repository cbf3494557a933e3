"""Singular values and right singular vectors of interactions: the one decomposition every model is made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg as sla
import scipy.sparse as sp
from numpy.typing import NDArray

from simgauge.core.gram import gram, top_eigenpairs
from simgauge.core.matrix_input import Matrix, as_matrix
from simgauge.errors import ParameterError

SOLVERS = ("auto", "dense", "gram", "lanczos")

Progress = Callable[[float, str], None]
"""Called with the share of the work done (0 to 1, an estimate) and a short text."""


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The leading singular values and right singular vectors of a matrix of interactions, X = U diag(σ) Vᵀ.

    Gauge
    -----
    The sign of each vector is arbitrary and fixed here: its entry of largest magnitude is positive. Vectors of
    equal singular values are determined only as a subspace.
    """

    singular_values: NDArray[np.float64]
    """σ, shape (n_components,), non-increasing, >= 0. Values that cannot be told from zero are exactly 0."""

    right_vectors: NDArray[np.floating[Any]]
    """V, shape (n_items, n_components), orthonormal columns, in the float dtype of X."""

    residuals: NDArray[np.float64] | None
    """‖XᵀXv − σ²v‖/σ² per component, measured; where σ = 0 the norm is divided by σ_1² instead."""

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
    random_state: int = 0,
    progress: Progress | None = None,
) -> Spectrum:
    """Leading singular values and right singular vectors of users x items interactions."""
    matrix = as_matrix(X)
    n_users, n_items = matrix.shape
    if not 1 <= n_components <= n_items:
        raise ParameterError(f"n_components={n_components}: expected an integer from 1 to n_items = {n_items}.")
    if solver not in SOLVERS:
        raise ParameterError(f"solver={solver!r}: expected one of {', '.join(SOLVERS)}.")
    route = "gram" if solver in ("auto", "lanczos") else solver
    sigma, vectors = (_by_svd if route == "dense" else _by_gram)(matrix, n_components)
    rng = np.random.default_rng(random_state)
    vectors = fix_signs(complete(vectors, n_components, rng))
    sigma = np.concatenate([sigma, np.zeros(n_components - len(sigma))])
    return Spectrum(sigma, vectors.astype(matrix.dtype, copy=False), None, route, n_users, 0)


def _by_svd(X: Matrix, count: int) -> tuple[NDArray[Any], NDArray[Any]]:
    table = np.asarray(X.toarray() if sp.issparse(X) else X, dtype=np.float64)
    _, sigma, right = sla.svd(table, full_matrices=False, check_finite=False)
    sigma[sigma <= np.finfo(np.float64).eps * max(X.shape) * sigma[0]] = 0.0
    return sigma[:count], right[:count].T


def _by_gram(X: Matrix, count: int) -> tuple[NDArray[Any], NDArray[Any]]:
    side = "items" if X.shape[1] <= X.shape[0] else "users"
    values, vectors = top_eigenpairs(gram(X, side), min(count, *X.shape))
    floor = np.finfo(np.float64).eps * max(X.shape) * max(values[0], 0.0)
    sigma = np.sqrt(np.where(values > floor, values, 0.0))
    if side == "items":
        return sigma, vectors
    keep = sigma > 0
    right = np.asarray(X.T @ vectors[:, keep], dtype=np.float64) / sigma[keep]
    return sigma, sla.qr(right, mode="economic")[0]


def complete(vectors: NDArray[Any], count: int, rng: np.random.Generator) -> NDArray[Any]:
    """Orthonormal columns extended to `count` orthonormal columns."""
    missing = count - vectors.shape[1]
    if missing <= 0:
        return vectors
    extra = rng.standard_normal((len(vectors), missing))
    for _ in range(2):
        extra -= vectors @ (vectors.T @ extra)
        extra = sla.qr(extra, mode="economic")[0]
    return np.hstack([vectors, extra])


def fix_signs(vectors: NDArray[Any]) -> NDArray[Any]:
    """Columns with the entry of largest magnitude made positive (the first one when several tie)."""
    peak = vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])]
    return vectors * np.where(peak < 0, -1.0, 1.0).astype(vectors.dtype)
