"""The linear autoencoder with input dropout, in closed form at any rank."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from simgauge.core.closed_form.factorize import Factors
from simgauge.core.matrices.gram import gram, top_eigenpairs
from simgauge.core.matrices.matrix_input import as_matrix
from simgauge.core.spectral.spectrum import Spectrum, complete, fix_signs
from simgauge.core.tables.arrays import to_host
from simgauge.errors import InputError, ParameterError

MAX_ITEMS = 30_000
"""Beyond this many items the dense n_items x n_items matrices of the closed form (7 GB each) are refused."""


def dropout_spectrum(X: Any, n_components: int, rate: float) -> tuple[Spectrum, NDArray[np.float64]]:
    """Decomposition behind input dropout: it serves every rank up to n_components, for one rate.

    With ``G = XᵀX``, ``L = q/(1−q) diag(G)`` and ``H = G + L`` the objective is ``‖H^½ (M − H⁻¹G)‖² + const``, so
    ``M = H^−½ [H^−½ G]_k = H⁻¹ G V Vᵀ`` with V the leading right singular vectors of ``H^−½ G``.

    Parameters
    ----------
    X : sparse or dense matrix, shape (n_users, n_items)
    n_components : int
    rate : float in (0, 1)
        q, the share of the input that is dropped (inverted dropout, averaged exactly).

    Returns
    -------
    decomposition : Spectrum
        Singular values and right singular vectors of ``H^−½ G`` (not of X).
    encoded : ndarray, shape (n_items, n_components)
        ``H⁻¹ G V``.

    Raises
    ------
    ParameterError
        `rate` outside (0, 1).
    InputError
        More than `MAX_ITEMS` items.

    Numerics
    --------
    Dense: O(n_items³), three n_items² float64 arrays. Items nobody used have zero rows. Of a tensor or of parts the
    Gram matrix comes to the host, and the vectors are NumPy arrays.

    References
    ----------
    arXiv 2403.05440 calls Eq. 1 the dropout objective; that is exact only for columns of equal norm.
    """
    check_rate(rate)
    matrix = as_matrix(X)
    n_users, n_items = matrix.shape
    if not 1 <= n_components <= n_items:
        raise ParameterError(f"n_components={n_components}: expected an integer from 1 to n_items = {n_items}.")
    if n_items > MAX_ITEMS:
        raise InputError(
            f"penalty 'dropout' works on dense {n_items} x {n_items} matrices: at most {MAX_ITEMS} items. Drop rare "
            "items (min_item_count), or take penalty='product', which serves any number."
        )
    G = to_host(gram(matrix))
    used = np.flatnonzero(np.diag(G) > 0)
    k = min(n_components, len(used))
    vectors, encoded = np.zeros((n_items, k)), np.zeros((n_items, n_components))
    singular_values = np.zeros(n_components)
    if k:
        sub = np.ascontiguousarray(G[np.ix_(used, used)])
        H = sub + np.diag(rate / (1 - rate) * np.diag(sub))
        half = scipy.linalg.solve_triangular(scipy.linalg.cholesky(H, lower=True), sub, lower=True)
        values, right = top_eigenpairs(half.T @ half, k)
        values = np.where(values > np.finfo(np.float64).eps * len(used) * values[0], values, 0.0)
        singular_values[:k] = np.sqrt(values)
        right = fix_signs(right)
        vectors[used] = right
        encoded[used, :k] = scipy.linalg.solve(H, sub @ (right * (values > 0)), assume_a="pos")
    full = complete(vectors, n_components, np.random.default_rng(0))
    residuals = None
    decomposition = Spectrum(singular_values, full.astype(matrix.dtype), residuals, "gram", n_users, 0)
    return decomposition, encoded


def factorize_dropout(
    decomposition: Spectrum, encoded: NDArray[np.float64], n_components: int | None = None
) -> Factors:
    """Factors ``A Bᵀ = H⁻¹ G V Vᵀ`` in the gauge in which the columns of A and B have equal norms.

    Where all columns of X have the same norm this is Eq. 5 of the paper: ``A = B = V √s``.
    """
    k = len(decomposition.singular_values) if n_components is None else n_components
    A, V = encoded[:, :k], decomposition.right_vectors[:, :k]
    norms = np.linalg.norm(A, axis=0)
    root = np.sqrt(norms)
    A = np.divide(A, root, out=np.zeros_like(A), where=root > 0)
    return Factors(A.astype(V.dtype), (V * root).astype(V.dtype))


def check_rate(rate: float) -> None:
    """Raise unless `rate` is a dropout rate."""
    if not (isinstance(rate, (int, float)) and 0 < rate < 1):
        raise ParameterError(f"rate={rate!r}: expected a dropout rate between 0 and 1, both excluded.")
