"""Singular values and right vectors of a sparse matrix with a mean subtracted from every row, which stays sparse."""

from __future__ import annotations

import numpy as np
import scipy.linalg as sla
import scipy.sparse as sp
from numpy.typing import NDArray

from simgauge.core.matrices.gram import gram, top_eigenpairs
from simgauge.core.matrices.reweighting import Reweighted
from simgauge.core.matrices.sparse_product import GramProduct
from simgauge.core.spectral.lanczos import block_lanczos
from simgauge.core.spectral.orthogonal import complete, fix_signs
from simgauge.core.spectral.solver_cost import gram_side, route_costs
from simgauge.core.spectral.spectrum import DEFAULT_TOL, Spectrum, spectrum
from simgauge.core.tables.kinds import Matrix
from simgauge.errors import ParameterError
from simgauge.parameters import Rng, as_generator


def reweighted_spectrum(X: Reweighted, n_components: int, solver: str = "auto", rng: Rng = 0) -> Spectrum:
    """Leading singular values and right vectors of ``matrix − 1 meanᵀ``; `spectrum` itself where no mean is subtracted.

    Parameters
    ----------
    X : Reweighted
        n_users x n_items.
    n_components : int
        From 1 to n_items.
    solver : {"auto", "dense", "gram", "lanczos"}
        As for `spectrum`. With a mean, "dense" takes the Gram route: nothing of the size of a dense X is formed.
    rng : int or numpy.random.Generator

    Returns
    -------
    Spectrum

    Numerics
    --------
    The mean enters as a correction of rank one: of the Gram matrix, ``MᵀM − n m mᵀ``, or of each product of the
    iteration, ``Mᵀ(M v) − n m (mᵀ v)``. Both lose ``ε n ‖m‖² / σ²`` of relative accuracy in σ², in float64. Values of σ
    below √ε σ_1 are returned as 0.

    Examples
    --------
    >>> from simgauge.core.matrices.reweighting import standardized
    >>> X = standardized(sp.csr_array(np.array([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0], [1.0, 0.0]])))
    >>> sigma = reweighted_spectrum(X, 2).singular_values
    >>> bool(np.allclose(sigma, np.linalg.svd(X.matrix.toarray() - X.column_mean, compute_uv=False)))
    True
    """
    if X.column_mean is None:
        return spectrum(X.matrix, n_components, solver=solver, rng=rng)
    n_users, n_items = X.matrix.shape
    if not 1 <= n_components <= n_items:
        raise ParameterError(f"n_components={n_components}: expected 1 to {n_items}, the number of items.")
    rng = as_generator(rng)
    count = min(n_components, n_users, n_items)
    route = route_costs(X.matrix, count).choice if solver == "auto" else solver
    n_iter, residuals = 0, None
    if route == "lanczos":
        values, vectors, residuals, n_iter = _by_lanczos(X.matrix, X.column_mean, count, rng)
    elif gram_side(X.matrix) == "items":
        values, vectors = top_eigenpairs(_item_gram(X.matrix, X.column_mean), count)
    else:
        values, left = top_eigenpairs(_user_gram(X.matrix, X.column_mean), count)
        values, vectors = _right_from_left(X, values, left)
    sigma = _roots(values, max(n_users, n_items))
    positive = int(np.count_nonzero(sigma))
    right = fix_signs(complete(np.asarray(vectors)[:, :positive], n_components, rng))
    sigma = np.concatenate([sigma[:positive], np.zeros(n_components - positive)])
    if residuals is not None:
        residuals = np.concatenate([residuals[:positive], np.zeros(n_components - positive)])
    return Spectrum(sigma, right, residuals, "lanczos" if n_iter else "gram", n_users, n_iter)


def _item_gram(M: sp.csr_array, mean: Matrix) -> Matrix:
    return np.asarray(gram(M) - M.shape[0] * np.outer(mean, mean))


def _user_gram(M: sp.csr_array, mean: Matrix) -> Matrix:
    shift = np.asarray(M @ mean)
    return np.asarray(gram(M, "users") - shift[:, None] - shift[None, :] + mean @ mean)


def _right_from_left(X: Reweighted, values: Matrix, left: Matrix) -> tuple[Matrix, Matrix]:
    sigma = _roots(values, max(X.matrix.shape))
    keep = sigma > 0
    U = left[:, keep]
    assert X.column_mean is not None
    right = (np.asarray(X.matrix.T @ U) - np.outer(X.column_mean, U.sum(axis=0))) / sigma[keep]
    return values[keep], sla.qr(right, mode="economic", check_finite=False)[0]


def _by_lanczos(
    M: sp.csr_array, mean: Matrix, count: int, rng: np.random.Generator
) -> tuple[Matrix, Matrix, Matrix, int]:
    n_users = M.shape[0]
    product = GramProduct(M)

    def centred(vectors: NDArray[np.floating]) -> NDArray[np.floating]:
        return np.asarray(product(vectors) - n_users * np.outer(mean, mean @ vectors))

    pairs = block_lanczos(centred, M.shape[1], count, tol=DEFAULT_TOL, dtype=np.float64, rng=rng)
    relative = np.divide(pairs.residuals, pairs.values, out=np.zeros(len(pairs.values)), where=pairs.values > 0)
    return pairs.values, np.asarray(pairs.vectors, dtype=np.float64), relative, pairs.n_iter


def _roots(values: Matrix, size: int) -> Matrix:
    floor = np.finfo(np.float64).eps * size * max(float(values[0]), 0.0) if len(values) else 0.0
    return np.sqrt(np.where(values > floor, values, 0.0))
