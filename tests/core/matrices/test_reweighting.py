"""Weightings of interactions against their formulas written out entry by entry."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.sparse as sp

from problems import sparse_counts
from simgauge.core.matrices.reweighting import column_scaled, damped, propensity, standardized, unchanged
from simgauge.errors import ParameterError


@pytest.fixture
def X(rng):  # noqa: N802  the matrix of the formulas
    matrix = sp.csr_array(sparse_counts(rng))
    matrix.data = rng.integers(1, 6, matrix.nnz).astype(float)
    for array in (matrix.data, matrix.indices, matrix.indptr):
        array.flags.writeable = False  # as Interactions has them
    return matrix


def each(X, value):
    dense = X.toarray()
    return np.array([[value(u, i, x) if x else 0.0 for i, x in enumerate(row)] for u, row in enumerate(dense)])


def test_standardised_columns_have_mean_zero_and_variance_one(X):
    scaled, mean = standardized(X)
    dense = scaled.toarray() - mean
    np.testing.assert_allclose(dense, (X.toarray() - X.toarray().mean(axis=0)) / X.toarray().std(axis=0), atol=1e-12)
    vectors = np.random.default_rng(0).standard_normal((X.shape[1], 3))
    np.testing.assert_allclose(standardized(X).project(vectors), dense @ vectors, atol=1e-12)
    assert scaled.nnz == X.nnz  # stays sparse


def test_columns_without_variance_become_zero():
    scaled, mean = standardized(sp.csr_array(np.array([[1.0, 0.0, 1.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])))
    np.testing.assert_array_equal((scaled.toarray() - mean)[:, :2], 0)
    tenth = standardized(sp.csr_array(np.full((1000, 1), 0.1)))
    np.testing.assert_array_equal(tenth.matrix.toarray() - tenth.column_mean, 0)


def test_propensity_formula(X):
    popularity, activity = (X.toarray() > 0).sum(axis=0), (X.toarray() > 0).sum(axis=1)
    expected = each(X, lambda u, i, x: x * popularity[i] ** -0.7 * activity[u] ** -0.2)
    np.testing.assert_allclose(propensity(X, 0.7, 0.2).matrix.toarray(), expected, rtol=1e-12)
    np.testing.assert_allclose(propensity(X, 0, 0).matrix.toarray(), X.toarray(), rtol=1e-15)


@pytest.mark.parametrize(("beta", "negatives"), [(0.75, 1.0), (1.0, 5.0), (0.0, 0.5), (-0.5, 2.0)])
def test_damping_is_shifted_positive_pmi_with_smoothed_items(X, beta, negatives):
    dense = X.toarray()
    total = sum(c**beta for c in dense.sum(axis=0))

    def value(u, i, x):
        joint, user = x / dense.sum(), dense[u].sum() / dense.sum()
        item = dense[:, i].sum() ** beta / total
        return max(0.0, math.log(joint / (user * item)) - math.log(negatives))

    np.testing.assert_allclose(damped(X, beta, negatives).matrix.toarray(), each(X, value), atol=1e-12)


def test_column_scaling_formula(X):
    norms = np.linalg.norm(X.toarray(), axis=0)
    np.testing.assert_allclose(column_scaled(X, 0.3).matrix.toarray(), X.toarray() * norms ** (0.3 - 1), rtol=1e-12)
    np.testing.assert_allclose(column_scaled(X, 1.0).matrix.toarray(), X.toarray(), rtol=1e-15)


def test_items_and_users_without_interactions_stay_zero():
    X = sp.csr_array(np.array([[1.0, 0.0], [0.0, 0.0]]))
    for weighted in (unchanged(X), standardized(X), propensity(X, 1, 1), damped(X), column_scaled(X, 0)):
        assert np.isfinite(weighted.matrix.toarray()).all()
        mean = 0 if weighted.column_mean is None else weighted.column_mean
        assert not (weighted.matrix.toarray() - mean)[:, 1].any()


def test_the_interactions_are_never_changed(X):
    before = X.toarray()
    writable = X.copy()
    for call in (unchanged, standardized, propensity, damped, column_scaled):
        call(writable)
    np.testing.assert_array_equal(writable.toarray(), before)
    assert writable.nnz == X.nnz
    full = sp.csr_array(np.array([[1.0, 1.0], [1.0, 0.0]]))  # one column has no variance and is dropped from the copy
    standardized(full)
    np.testing.assert_array_equal(full.toarray(), [[1.0, 1.0], [1.0, 0.0]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda X: propensity(X, 3.0), "item_exponent=3.0"),
        (lambda X: propensity(X, 0.5, float("nan")), "user_exponent=nan"),
        (lambda X: damped(X, "much"), "exponent='much'"),
        (lambda X: damped(X, negatives=0), "negatives=0"),
        (lambda X: column_scaled(X, -3), "scaling=-3"),
    ],
)
def test_exponents_out_of_range_are_named(X, call, message):
    with pytest.raises(ParameterError, match=message):
        call(X)
