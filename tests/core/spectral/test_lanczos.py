"""The parts of the iterative route: products by blocks, orthonormal columns, restarts within a memory limit."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from simgauge.core.matrices import sparse_product
from simgauge.core.matrices.gram import gram
from simgauge.core.matrices.sparse_product import GramProduct
from simgauge.core.spectral.krylov_basis import BLOCK
from simgauge.core.spectral.lanczos import basis_limit, block_lanczos
from simgauge.core.spectral.orthogonal import complete, fix_signs, orthonormal_columns
from simgauge.core.spectral.spectrum import spectrum
from simgauge.core.spectral.tall_products import TallProducts
from simgauge.core.tables.threads import thread_count


@pytest.fixture
def many_blocks(monkeypatch):
    monkeypatch.setattr(sparse_product, "VALUES_PER_BLOCK", 100)


@pytest.mark.usefixtures("many_blocks")
@pytest.mark.parametrize("side", ["items", "users"])
@pytest.mark.parametrize("fmt", ["csr", "csc", "dense"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_product_equals_the_dense_one_for_any_number_of_threads(rng, side, fmt, dtype):
    X = sp.random_array((300, 40), density=0.2, rng=rng, dtype=dtype)
    X = X.toarray() if fmt == "dense" else X.asformat(fmt)
    dense = np.asarray(X.toarray() if fmt != "dense" else X, dtype=np.float64)
    dense = dense if side == "items" else dense.T
    V = rng.standard_normal((dense.shape[1], 3)).astype(dtype)
    results = []
    for threads in (1, 3):
        results.append(GramProduct(X, side, n_threads=threads)(V))
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_allclose(results[0], dense.T @ (dense @ V), rtol=0, atol=1e3 * np.finfo(dtype).eps)
    assert results[0].dtype == dtype


@pytest.mark.usefixtures("many_blocks")
def test_blocks_are_views_and_cover_empty_rows(rng):
    X = sp.random_array((500, 30), density=0.1, rng=rng, format="csr")
    X = sp.vstack([sp.csr_array((100, 30)), X, sp.csr_array((50, 30))], format="csr")
    parts = sparse_product.row_parts(X).parts
    assert len(parts) > 3
    assert sum(part.shape[0] for part in parts) == 650
    assert all(np.shares_memory(part.data, X.data) for part in parts if part.nnz)
    assert all(np.shares_memory(sparse_product._adjoint(part).indices, X.indices) for part in parts if part.nnz)


def test_thread_count_follows_the_environment(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert thread_count() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "none")
    assert thread_count() >= 1


@pytest.mark.parametrize("side", ["items", "users"])
@pytest.mark.parametrize("density", [0.002, 0.5])  # sparse product, dense blocks
def test_gram_equals_the_dense_product(rng, side, density):
    X = sp.random_array((700, 300), density=density, rng=rng, format="csr")
    dense = X.toarray() if side == "items" else X.toarray().T
    for table in (X, X.tocsc(), X.toarray()):
        np.testing.assert_allclose(gram(table, side), dense.T @ dense, rtol=1e-12, atol=1e-12)


def test_gram_sums_in_float64(rng):
    X = np.full((20_000, 1), 0.1, dtype=np.float32)
    exact = 20_000 * float(X[0, 0]) ** 2
    assert abs(gram(X)[0, 0] - exact) < 1e-9 * exact
    assert abs(float(np.cumsum(X[:, 0] ** 2)[-1]) - exact) > 1e-7 * exact  # what float32 sums give


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("condition", [1.0, 1e3, 1e9])
def test_two_passes_are_orthonormal_to_rounding(rng, dtype, condition):
    Q = np.linalg.qr(rng.standard_normal((500, 8)))[0]
    mix = np.linalg.qr(rng.standard_normal((8, 8)))[0]
    block = ((Q * np.geomspace(1, 1 / condition, 8)) @ mix).astype(dtype)
    basis, rank = orthonormal_columns(orthonormal_columns(block, 0.0)[0], 0.0)
    np.testing.assert_allclose(basis.T @ basis, np.eye(rank), atol=20 * np.finfo(dtype).eps)
    if condition < 1 / np.finfo(dtype).eps / 100:
        assert rank == 8
        np.testing.assert_allclose(basis @ (basis.T @ block), block, atol=100 * np.finfo(dtype).eps)


def test_dependent_and_negligible_columns_are_dropped(rng):
    column = rng.standard_normal((50, 1))
    assert orthonormal_columns(np.hstack([column, 2 * column, rng.standard_normal((50, 1))]), 0.0)[1] == 2
    assert orthonormal_columns(np.hstack([column, 1e-9 * rng.standard_normal((50, 1))]), 1e-6)[1] == 1
    assert orthonormal_columns(np.zeros((50, 3)), 0.0)[1] == 0


def test_completion_and_signs(rng):
    Q = np.linalg.qr(rng.standard_normal((20, 6)))[0]
    full = complete(Q, 20, rng)
    np.testing.assert_array_equal(full[:, :6], Q)
    np.testing.assert_allclose(full.T @ full, np.eye(20), atol=1e-14)
    np.testing.assert_array_equal(fix_signs(-full), fix_signs(full))


def test_completion_needs_its_second_pass_when_little_room_is_left(rng):
    Q = np.linalg.qr(rng.standard_normal((400, 399)))[0]
    last = complete(Q, 400, rng)[:, -1]
    np.testing.assert_allclose(Q.T @ last, 0, atol=1e-15)


def test_restart_within_a_memory_limit_gives_the_same_answer(rng):
    A = np.diag(1 / np.arange(1.0, 901.0))
    tight = block_lanczos(lambda v: A @ v, 900, 30, tol=1e-9, dtype="f8", rng=rng, limit=1)
    assert tight.converged
    assert tight.n_iter * BLOCK > basis_limit(900, 30, 8, limit=1)  # it did restart
    np.testing.assert_allclose(tight.values, 1 / np.arange(1.0, 31.0), rtol=1e-12)
    np.testing.assert_allclose(np.abs(tight.vectors[:30]), np.eye(30), atol=1e-6)


def test_more_copies_than_a_block_holds_are_not_replaced_by_smaller_values(rng):
    values = np.concatenate([np.full(60, 2.0), 0.8 ** np.arange(60.0), np.full(280, 1e-7)])
    pairs = block_lanczos(lambda v: values[:, None] * v, 400, 50, tol=1e-3, dtype="f8", rng=rng)
    np.testing.assert_allclose(pairs.values, 2.0, rtol=1e-3)


@pytest.mark.parametrize(("copies", "dtype"), [(40, np.float32), (100, np.float64), (150, np.float32)])
def test_every_copy_of_a_value_is_found(copies, dtype):
    """The space of one block holds BLOCK copies of a value: those that follow are found by random blocks, all of
    them."""
    for tail in (4 / np.arange(1, 601.0), 4 * 0.97 ** np.arange(600.0)):
        matrix = sp.diags_array(np.concatenate([np.full(copies, 5.0), tail]).astype(dtype)).tocsr()
        for seed in range(2):
            found = spectrum(matrix, copies, solver="lanczos", rng=seed)
            np.testing.assert_allclose(found.singular_values, 5.0, rtol=1e-6)
    within = np.concatenate([5 * 0.97 ** np.arange(40.0), np.full(copies, 1.2), 0.9 * 0.97 ** np.arange(600.0)])
    found = spectrum(np.diag(within.astype(dtype)), copies + 30, solver="lanczos")
    np.testing.assert_allclose(found.singular_values, np.sort(within)[::-1][: copies + 30], rtol=1e-6)


def test_steps_that_look_for_copies_come_on_top_of_those_that_were_allowed(rng):
    values = np.concatenate([np.full(100, 5.0), 4 * 0.97 ** np.arange(600.0)])
    few = {"tol": 1e-4, "dtype": "f8", "max_iter": 16}
    pairs = block_lanczos(lambda v: values[:, None] * v, 700, 100, rng=rng, **few)
    assert pairs.n_iter > 16
    np.testing.assert_allclose(pairs.values, 5.0, rtol=1e-8)


def test_values_that_are_zero_are_no_reason_for_doubt(rng):
    """Whether forty components are zero or sixty does not matter: no step is spent on it."""
    values = np.concatenate([0.9 ** np.arange(20.0), np.zeros(380)])
    pairs = block_lanczos(lambda v: values[:, None] * v, 400, 60, tol=1e-4, dtype="f8", rng=rng)
    assert pairs.n_iter <= 8
    np.testing.assert_allclose(pairs.values, values[:60], atol=1e-14)


def test_too_few_steps_are_reported_not_hidden(rng):
    A = np.diag(np.linspace(1, 0.9, 900))
    pairs = block_lanczos(lambda v: A @ v, 900, 30, tol=1e-9, dtype="f8", rng=rng, max_iter=4)
    assert not pairs.converged
    assert (pairs.residuals > 1e-9 * pairs.values).any()
    assert pairs.n_iter == 4


def test_tall_products_equal_plain_ones_for_any_number_of_threads(rng):
    basis, block = rng.standard_normal((5, 20_000)), rng.standard_normal((20_000, 3))
    expected = block - basis.T @ (basis @ block)
    results = []
    for threads in (1, 2):
        with TallProducts(20_000, threads) as tall:
            changed = block.copy()
            tall.subtract(basis, tall.overlaps(basis, block), changed)
            results.append(changed)
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_allclose(results[0], expected, rtol=1e-10, atol=1e-9)
