"""Every route against LAPACK's dense SVD; the promise on residuals; rank deficiency, copies, extremes; bad input."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from simgauge.core.spectral.solver_cost import route_costs
from simgauge.core.spectral.spectrum import GrowingSpectrum, measure_residuals, spectrum
from simgauge.errors import ConvergenceWarning, InputError, ParameterError

ROUTES = ["dense", "gram", "lanczos"]
EPS = float(np.finfo(np.float64).eps)


def planted(rng, singular_values, shape):
    """A matrix with known singular values."""
    count = len(singular_values)
    left = np.linalg.qr(rng.standard_normal((shape[0], count)))[0]
    right = np.linalg.qr(rng.standard_normal((shape[1], count)))[0]
    return (left * singular_values) @ right.T


def sparse(rng, shape=(600, 250), fmt="csr", dtype=np.float64):
    return sp.random_array(shape, density=0.03, rng=rng, format=fmt, dtype=dtype)


def true_values(X, count):
    values = np.linalg.svd(np.asarray(X.toarray() if sp.issparse(X) else X, dtype=np.float64), compute_uv=False)
    return np.concatenate([values, np.zeros(max(0, count - len(values)))])[:count]


def slow_residuals(X, result):
    table = np.asarray(X.toarray() if sp.issparse(X) else X, dtype=np.float64)
    norms = []
    for sigma, v in zip(result.singular_values, result.right_vectors.T.astype(np.float64), strict=True):
        below = sigma**2 if sigma > 0 else max(result.singular_values[0] ** 2, 1e-300)
        norms.append(np.linalg.norm(table.T @ (table @ v) - sigma**2 * v) / below)
    return np.array(norms)


@pytest.mark.parametrize("solver", ROUTES)
@pytest.mark.parametrize("shape", [(600, 250), (250, 600)])
@pytest.mark.parametrize("fmt", ["csr", "csc", "coo", "dense"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equal_to_the_dense_decomposition(rng, solver, shape, fmt, dtype):
    X = sparse(rng, shape, "csr", dtype)
    X = X.toarray() if fmt == "dense" else X.asformat(fmt)
    result = spectrum(X, 20, solver=solver, tol=1e-5)
    # the error of σ is at most tol σ / 2
    np.testing.assert_allclose(result.singular_values, true_values(X, 20), rtol=1e-5)
    gram = result.right_vectors.astype(np.float64).T @ result.right_vectors
    np.testing.assert_allclose(gram, np.eye(20), atol=40 * np.finfo(dtype).eps)
    assert result.right_vectors.dtype == dtype
    assert (np.diff(result.singular_values) <= 0).all()
    assert result.solver == solver
    assert (result.n_items, result.n_users, result.n_components) == (shape[1], shape[0], 20)


@pytest.mark.parametrize("solver", ROUTES)
@pytest.mark.parametrize("shape", [(30, 20), (20, 30)])
def test_full_rank_rebuilds_the_gram_matrix_also_with_fewer_users_than_items(rng, solver, shape):
    X = rng.standard_normal(shape)
    result = spectrum(X, shape[1], solver=solver)
    V = result.right_vectors
    np.testing.assert_allclose(V.T @ V, np.eye(shape[1]), atol=1e-12)
    np.testing.assert_allclose((V * result.singular_values**2) @ V.T, X.T @ X, atol=1e-10)
    assert result.rank == 20
    assert (result.singular_values[20:] == 0).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("tol", [1e-3, 1e-6, 1e-10])
def test_every_residual_keeps_the_promise_and_is_what_it_says(rng, dtype, tol):
    X = sparse(rng, (900, 400), dtype=dtype)
    result = spectrum(X, 30, solver="lanczos", tol=tol)
    assert result.residuals.max() <= tol
    # measured by other sums: differs by rounding of the working precision, worst for the smallest σ
    noise = 50 * np.finfo(dtype).eps * (result.singular_values[0] / result.singular_values[-1]) ** 2
    np.testing.assert_allclose(slow_residuals(X, result), result.residuals, rtol=1e-2, atol=noise)
    np.testing.assert_allclose(measure_residuals(X, result), slow_residuals(X, result), rtol=1e-6, atol=1e-13)


def test_a_perturbed_vector_is_caught_by_the_residual(rng):
    X = sparse(rng)
    result = spectrum(X, 5, solver="gram")
    assert measure_residuals(X, result).max() < 1e-12
    result.right_vectors[:, 3] += 1e-3 * result.right_vectors[:, 4]
    assert measure_residuals(X, result)[3] > 1e-5


def test_a_looser_tolerance_takes_fewer_steps(rng):
    X = sparse(rng, (1500, 700))
    assert spectrum(X, 20, solver="lanczos", tol=1e-2).n_iter < spectrum(X, 20, solver="lanczos", tol=1e-9).n_iter


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("copies", [5, 40, 80])
def test_equal_singular_values_are_all_found(rng, copies, dtype):
    # 40 and 80 copies are more than one block of 24 can hold; the values below them must not slip in instead
    values = np.concatenate([[5.0], np.full(copies, 2.0), np.linspace(1.9, 0.5, 200 - copies)])
    X = planted(rng, values, (500, 300)).astype(dtype)
    found = spectrum(X, copies + 10, solver="lanczos").singular_values
    np.testing.assert_allclose(found, values[: copies + 10], rtol=1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ill_conditioned(rng, dtype):
    values = np.logspace(0, -5, 150)
    X = planted(rng, values, (500, 300)).astype(dtype)
    result = spectrum(X, 80, solver="lanczos")
    np.testing.assert_allclose(result.singular_values, true_values(X, 80), rtol=1e-4)
    assert measure_residuals(X, result).max() <= 1e-4


@pytest.mark.parametrize("solver", ROUTES)
@pytest.mark.parametrize("shape", [(400, 200), (200, 400)])
def test_rank_deficient_values_are_exactly_zero(rng, solver, shape):
    X = rng.standard_normal((shape[0], 5)) @ rng.standard_normal((5, shape[1]))
    result = spectrum(X, 50, solver=solver)
    assert result.rank == 5
    np.testing.assert_allclose(result.singular_values[:5], true_values(X, 5), rtol=1e-8)
    np.testing.assert_allclose(result.right_vectors.T @ result.right_vectors, np.eye(50), atol=1e-12)
    np.testing.assert_allclose(X @ result.right_vectors[:, 5:], 0, atol=1e-9 * result.singular_values[0])


def test_zero_is_not_decided_in_float32(rng):
    # rounded to float32 the other 45 values are 1e-8 to 1e-7 of the first, not 0; float32 sums cannot tell
    X = (rng.standard_normal((600, 5)) @ rng.standard_normal((5, 400))).astype(np.float32)
    result = spectrum(X, 50, solver="lanczos")
    expected = true_values(X, 50)
    np.testing.assert_allclose(result.singular_values, expected, rtol=0, atol=1e-6 * expected[0])


@pytest.mark.parametrize("solver", ROUTES)
@pytest.mark.parametrize("X", [np.zeros((9, 6)), sp.csr_array((9, 6)), sp.csc_array((6, 9))])
def test_the_zero_matrix_has_rank_zero(solver, X):
    result = spectrum(X, 4, solver=solver)
    assert (result.singular_values == 0).all()
    np.testing.assert_allclose(result.right_vectors.T @ result.right_vectors, np.eye(4), atol=1e-14)


@pytest.mark.parametrize("solver", ROUTES)
@pytest.mark.parametrize("shape", [(60, 40), (1, 7), (7, 1), (1, 1)])
def test_all_columns_equal(solver, shape):
    result = spectrum(np.ones(shape), 1, solver=solver)
    np.testing.assert_allclose(result.singular_values, [np.sqrt(shape[0] * shape[1])], rtol=1e-12)
    np.testing.assert_allclose(result.right_vectors[:, 0], 1 / np.sqrt(shape[1]), rtol=1e-12)


@pytest.mark.parametrize("solver", ROUTES)
@pytest.mark.parametrize("n_components", [198, 199, 200])
def test_as_many_components_as_there_are_items(rng, solver, n_components):
    X = rng.standard_normal((300, 200))
    result = spectrum(X, n_components, solver=solver)
    np.testing.assert_allclose(result.singular_values, true_values(X, n_components), rtol=1e-6)


def test_one_user_has_everything_and_one_item_everybody_has(rng):
    X = sparse(rng, (300, 2000)).tolil()
    X[4, :] = 1.0
    X[:, 9] = 1.0
    X = X.tocsr()
    result = spectrum(X, 12, solver="lanczos")
    np.testing.assert_allclose(result.singular_values, true_values(X, 12), rtol=1e-4)
    assert result.residuals.max() <= 1e-4


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("solver", ROUTES)
@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_squares_neither_overflow_nor_vanish(rng, solver, scale, dtype):
    X = rng.standard_normal((80, 40))
    result = spectrum((X * scale).astype(dtype), 5, solver=solver)
    np.testing.assert_allclose(result.singular_values / scale, true_values(X, 5), rtol=1e-4)


@pytest.mark.parametrize("solver", ROUTES)
def test_same_seed_same_result_and_signs_are_fixed(rng, solver):
    X = sparse(rng)
    first, second = spectrum(X, 10, solver=solver, rng=3), spectrum(X, 10, solver=solver, rng=3)
    np.testing.assert_array_equal(first.right_vectors, second.right_vectors)
    V = spectrum(-X, 10, solver=solver, rng=8, tol=1e-9).right_vectors
    np.testing.assert_allclose(V, spectrum(X, 10, solver=solver, tol=1e-9).right_vectors, atol=1e-6)
    assert (V[np.abs(V).argmax(axis=0), np.arange(10)] > 0).all()


def test_integers_booleans_duplicates_and_int64_indices_are_read_rightly(rng):
    X = (rng.random((90, 30)) < 0.2).astype(int)
    expected = true_values(X, 4)
    wide = sp.csr_array(X)
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
    row, column = np.nonzero(X)
    doubled = sp.csr_array((90, 30))
    order = np.argsort(np.concatenate([row, row]), kind="stable")
    doubled.indices = np.concatenate([column, column])[order].astype(np.int32)
    doubled.data = np.full(2 * len(row), 0.5)
    doubled.indptr = np.concatenate([[0], np.cumsum(2 * X.sum(axis=1))]).astype(np.int32)
    for table in (X, X.astype(bool), X.tolist(), sp.coo_array(X), wide, doubled, X.astype(np.float16)):
        for solver in ROUTES:
            np.testing.assert_allclose(spectrum(table, 4, solver=solver, tol=1e-8).singular_values, expected, rtol=1e-5)


def test_the_input_is_not_changed(rng):
    X = sparse(rng, (100, 60))
    before = X.toarray()
    for solver in ROUTES:
        spectrum(X, 5, solver=solver)
    dense = before.copy()
    dense.flags.writeable = False
    for solver in ROUTES:
        spectrum(dense, 5, solver=solver)
    np.testing.assert_array_equal(X.toarray(), before)


def test_progress_rises_to_one(rng):
    seen = []
    spectrum(
        sparse(rng, (1500, 900)), 40, solver="lanczos", tol=1e-8, progress=lambda *now: seen.append(now[1] / now[2])
    )
    assert seen == sorted(seen)
    assert 0 < seen[0] < seen[-1] <= 1


def test_a_missed_tolerance_warns_with_the_numbers(rng):
    # σ from 1 to 1e-6: σ² spans more than float64 holds at a tolerance of 1e-9
    X = planted(rng, np.logspace(0, -6, 100), (300, 200))
    with pytest.warns(ConvergenceWarning, match=r"of 90 components miss the tolerance 1e-09 .*solver='dense'"):
        result = spectrum(X, 90, solver="lanczos", tol=1e-9)
    assert result.residuals.max() > 1e-9


@pytest.mark.parametrize("bad", [0, -1, 7, 2.5, None])
def test_bad_n_components(bad):
    with pytest.raises(ParameterError, match="expected an integer from 1 to n_items = 6"):
        spectrum(np.ones((9, 6)), bad)


@pytest.mark.parametrize("tol", [0, -1.0, np.nan, np.inf, 1])
def test_bad_tolerance(tol):
    with pytest.raises(ParameterError, match="expected a number above 0"):
        spectrum(np.ones((9, 6)), 2, tol=tol)


def test_bad_solver_and_bad_matrices():
    with pytest.raises(ParameterError, match="solver='arpack': expected one of auto, dense, gram, lanczos"):
        spectrum(np.ones((9, 6)), 2, solver="arpack")
    for X, match in [
        (np.array([[1.0, np.nan]]), "1 stored values are NaN or infinite"),
        (sp.csr_array([[1.0, np.inf]]), "NaN or infinite"),
        (np.ones(3), "1 dimension"),
        (np.ones((0, 3)), "empty"),
        (np.ones((2, 2), dtype=complex), "complex128"),
        ([["a", "b"]], "real numbers"),
        ([[1], [1, 2]], "unequal length"),
    ]:
        with pytest.raises(InputError, match=match):
            spectrum(X, 1)


class TestChoiceByCost:
    def test_small_matrices_go_to_the_accurate_route(self):
        assert route_costs(np.ones((500, 100)), 10).choice == "dense"

    def test_many_rows_few_items_go_to_the_gram_matrix(self, rng):
        X = sp.random_array((20_000, 800), density=0.05, rng=rng, format="csr")
        assert route_costs(X, 30).choice == "gram"
        assert route_costs(sp.csr_array(X.T), 30).choice == "gram"

    def test_large_sparse_matrices_are_iterated(self, rng):
        X = sp.random_array((30_000, 20_000), density=2e-4, rng=rng, format="csr")
        costs = route_costs(X, 64)
        assert costs.choice == "lanczos"
        assert costs.lanczos < costs.gram < costs.dense

    def test_nearly_all_components_are_not_iterated(self, rng):
        X = sp.random_array((30_000, 20_000), density=2e-4, rng=rng, format="csr")
        assert route_costs(X, 19_000).choice == "gram"

    def test_auto_takes_the_choice(self, rng):
        X = sp.random_array((6000, 2500), density=1e-3, rng=rng, format="csr")
        assert spectrum(X, 4).solver == route_costs(X, 4).choice != "dense"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_growing_rank_goes_on_where_it_was(rng, dtype):
    X = sp.random_array((6000, 1500), density=0.02, rng=rng, format="csr", dtype=np.float64)
    X = sp.csr_array((X @ sp.diags_array((1.0 + np.arange(1500)) ** -0.5)).astype(dtype))  # a spectrum that falls
    growing = GrowingSpectrum(X, solver="lanczos", tol=1e-3)
    small, large = growing.leading(20), growing.leading(60)
    again = growing.leading(20)
    cold = spectrum(X, 60, solver="lanczos", tol=1e-3)
    assert small.n_iter < large.n_iter == again.n_iter <= cold.n_iter + small.n_iter // 2
    assert measure_residuals(X, large).max() <= 1e-3
    np.testing.assert_allclose(large.singular_values, cold.singular_values, rtol=1e-3)
    np.testing.assert_allclose(again.singular_values, small.singular_values, rtol=1e-3)
    np.testing.assert_allclose(large.right_vectors.T @ large.right_vectors, np.eye(60), atol=100 * np.finfo(dtype).eps)


def test_growing_to_full_rank_and_beyond_the_first_room(rng):
    X = sp.random_array((500, 90), density=0.2, rng=rng, format="csr")
    growing = GrowingSpectrum(X, solver="lanczos", tol=1e-8)
    dense = spectrum(X, 90, solver="dense")
    for rank in (3, 40, 90):
        np.testing.assert_allclose(growing.leading(rank).singular_values, dense.singular_values[:rank], rtol=1e-7)
    with pytest.raises(ParameterError, match="90"):
        growing.leading(91)
