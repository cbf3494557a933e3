"""The spectrum with an implicit mean is that of the dense, centred matrix, on every route."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from problems import sparse_counts
from simgauge.core.matrices.reweighting import propensity, standardized
from simgauge.core.spectral import centered_spectrum
from simgauge.core.spectral.centered_spectrum import reweighted_spectrum
from simgauge.core.spectral.spectrum import spectrum
from simgauge.errors import ParameterError

ROUTES = [("gram", (80, 30)), ("gram", (30, 80)), ("lanczos", (400, 150)), ("lanczos", (150, 400))]


@pytest.mark.parametrize(("route", "shape"), ROUTES)
def test_it_is_the_svd_of_the_dense_centred_matrix(rng, route, shape):
    X = standardized(sp.csr_array(sparse_counts(rng, *shape)))
    dense = X.matrix.toarray() - X.column_mean
    result = reweighted_spectrum(X, 6, solver=route)
    assert result.solver == route
    exact = np.linalg.svd(dense, compute_uv=False)
    # the iterative route promises a residual of 1e-4 of σ², hence half of it for σ
    np.testing.assert_allclose(result.singular_values, exact[:6], rtol=1e-9 if route == "gram" else 5e-5)
    V = result.right_vectors
    np.testing.assert_allclose(V.T @ V, np.eye(6), atol=1e-10)
    residual = np.linalg.norm(dense.T @ (dense @ V) - V * result.singular_values**2, axis=0)
    assert (residual <= 2e-4 * result.singular_values**2).all()
    uncentred = np.linalg.svd(X.matrix.toarray(), compute_uv=False)[:6]
    assert np.abs(uncentred - exact[:6]).max() > 1  # control: the mean does matter


def test_rank_beyond_the_data_is_completed_with_zeros(rng):
    X = standardized(sp.csr_array(sparse_counts(rng, 5, 12)))
    result = reweighted_spectrum(X, 12)
    assert result.rank == 4  # five users, one direction lost to the mean
    np.testing.assert_allclose(result.right_vectors.T @ result.right_vectors, np.eye(12), atol=1e-10)


def test_without_a_mean_it_is_the_plain_spectrum(rng):
    X = propensity(sp.csr_array(sparse_counts(rng)))
    np.testing.assert_array_equal(reweighted_spectrum(X, 5).singular_values, spectrum(X.matrix, 5).singular_values)


def test_rank_out_of_range_is_named(rng):
    with pytest.raises(ParameterError, match="n_components=31: expected 1 to 30"):
        reweighted_spectrum(standardized(sp.csr_array(sparse_counts(rng))), 31)


@pytest.mark.parametrize("scale", [1e-40, 1.0, 1e40])
def test_what_counts_as_zero_is_relative_to_the_largest_value(scale):
    roots = centered_spectrum._roots(np.array([4.0, 1.0, 1e-15, 0.0, -1e-16]) * scale, 100)
    np.testing.assert_allclose(roots, np.array([2.0, 1.0, 0.0, 0.0, 0.0]) * np.sqrt(scale), rtol=1e-12)
    assert centered_spectrum._roots(np.empty(0), 100).size == 0
