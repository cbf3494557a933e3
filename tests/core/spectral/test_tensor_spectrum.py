"""Spectra of torch matrices, dense and CSR: those of NumPy, on the device, and never through a dense or a host copy."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from simgauge.core.closed_form.dropout import dropout_spectrum
from simgauge.core.closed_form.factorize import factorize
from simgauge.core.matrices import sparse_product, tensor_matrix
from simgauge.core.matrices.gram import gram
from simgauge.core.matrices.matrix_input import as_matrix, largest_magnitude, stored_values
from simgauge.core.matrices.sparse_product import GramProduct
from simgauge.core.spectral import krylov_basis
from simgauge.core.spectral.orthogonal import complete, orthonormal_columns
from simgauge.core.spectral.solver_cost import route_costs
from simgauge.core.spectral.spectrum import measure_residuals, spectrum
from simgauge.core.tables.arrays import to_host
from simgauge.errors import ConvergenceWarning, InputError
from tensor_problems import REASON, csr_tensor, devices, tensor, watched_copies

torch = pytest.importorskip("torch", reason=REASON)

on_each_device = pytest.mark.parametrize("device", devices())
in_both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])
by_each_route = pytest.mark.parametrize("solver", ["dense", "gram", "lanczos"])


@pytest.fixture
def many_blocks(monkeypatch):
    monkeypatch.setattr(sparse_product, "VALUES_PER_BLOCK", 100)


def power_law(rng, n_users=900, n_items=200, stored=15_000, dtype=np.float64):
    popularity = 1 / (1 + np.arange(n_items)) ** 0.8
    columns = rng.choice(n_items, stored, p=popularity / popularity.sum())
    X = sp.coo_array((np.ones(stored, dtype), (rng.integers(0, n_users, stored), columns)), (n_users, n_items))
    return X.tocsr()


@pytest.fixture(params=["csr", "csr32", "coo", "csc", "dense"])
def placed(request):
    """Every layout that is accepted, from a scipy CSR matrix."""

    def place(X, device):
        made = csr_tensor(X, device, np.int32 if request.param == "csr32" else np.int64)
        if request.param == "dense":
            return made.to_dense()
        if request.param == "coo":
            return made.to_sparse_coo()
        return made.to_sparse_csc() if request.param == "csc" else made

    return place


@pytest.mark.usefixtures("many_blocks")
@on_each_device
@in_both_dtypes
@pytest.mark.parametrize("side", ["items", "users"])
def test_products_are_those_of_the_dense_matrix(rng, placed, device, dtype, side):
    X = sp.vstack([sp.csr_array((70, 40)), sp.random_array((300, 40), density=0.2, rng=rng)]).tocsr().astype(dtype)
    dense = X.toarray().astype(np.float64)
    dense = dense if side == "items" else dense.T
    matrix = as_matrix(placed(X, device))
    assert len(sparse_product.row_parts(matrix).parts) > 3
    for kind in (dtype, np.float64):  # also a float64 block with a float32 matrix
        V = rng.standard_normal((dense.shape[1], 3)).astype(kind)
        product = GramProduct(matrix, side)(tensor(V, device))
        assert (product.device.type, product.dtype) == (device, tensor(V).dtype)
        np.testing.assert_allclose(to_host(product), dense.T @ (dense @ V), rtol=0, atol=1e3 * np.finfo(dtype).eps)
    np.testing.assert_allclose(to_host(gram(matrix, side)), dense.T @ dense, rtol=0, atol=1e3 * np.finfo(dtype).eps)
    assert stored_values(matrix) in (X.nnz, dense.size)
    assert largest_magnitude(matrix) == np.abs(dense).max()


@on_each_device
@in_both_dtypes
@by_each_route
@pytest.mark.parametrize("tall", [True, False])
def test_the_spectrum_of_a_tensor_is_that_of_the_array(rng, placed, device, dtype, solver, tall):
    X = power_law(rng, dtype=dtype)
    X = X if tall else X.T.tocsr()
    expected, got = (spectrum(M, 7, solver=solver, tol=1e-5) for M in (X, placed(X, device)))
    eps = float(np.finfo(dtype).eps)
    # σ to its squared residual or to rounding; V to residual over gap (gaps are above 2 percent here)
    np.testing.assert_allclose(got.singular_values, expected.singular_values, rtol=64 * eps)
    V = got.right_vectors
    assert (V.device.type, V.dtype) == (device, tensor(np.ones(1, dtype)).dtype)
    agreement = np.abs((to_host(V) * expected.right_vectors).sum(axis=0))
    np.testing.assert_allclose(agreement, 1.0, rtol=0, atol=1e-5)
    peaks = to_host(V)[np.abs(to_host(V)).argmax(axis=0), np.arange(7)]
    assert (peaks > 0).all()
    assert got.solver == solver
    assert measure_residuals(placed(X, device), got).max() < 1e-4
    assert isinstance(got.singular_values, np.ndarray)


@on_each_device
@pytest.mark.parametrize("tol", [1e-3, 1e-6, 1e-10])
def test_the_promised_residual_is_kept_also_where_float32_cannot(rng, device, tol):
    X = csr_tensor(power_law(rng, 2000, 600, 40_000, np.float32), device)
    result = spectrum(X, 12, solver="lanczos", tol=tol)
    assert result.residuals.max() <= tol
    np.testing.assert_allclose(
        measure_residuals(X, result), result.residuals, rtol=0.2, atol=1e-6 if tol > 1e-9 else tol
    )
    assert (result.right_vectors.dtype == torch.float64) == (tol < 1e-7)


@on_each_device
def test_a_missed_tolerance_warns(rng, device):
    X = csr_tensor(power_law(rng, 2000, 600, 40_000, np.float32), device)
    with pytest.warns(ConvergenceWarning, match="miss the tolerance"):
        spectrum(X, 12, solver="lanczos", tol=1e-15)


@on_each_device
@in_both_dtypes
@by_each_route
@pytest.mark.parametrize("tall", [True, False])
def test_values_beyond_the_rank_are_exactly_zero(rng, device, dtype, solver, tall):
    low = (rng.standard_normal((90, 4)) @ rng.standard_normal((4, 60))).round().astype(dtype)
    low = low if tall else low.T.copy()
    result = spectrum(tensor(low, device), 30, solver=solver)
    rank = np.linalg.matrix_rank(low.astype(np.float64))
    V = to_host(result.right_vectors).astype(np.float64)
    np.testing.assert_allclose(V.T @ V, np.eye(30), rtol=0, atol=200 * np.finfo(dtype).eps)
    if rank <= 30:
        assert result.rank == rank


@on_each_device
@in_both_dtypes
def test_equal_values_and_dependent_blocks(rng, device, dtype):
    X = sp.block_diag([3 * sp.eye_array(30), sp.csr_array(([2.0, 1.0], ([0, 1], [0, 1])), (300, 90))]).tocsr()
    got = spectrum(csr_tensor(X.astype(dtype), device), 32, solver="lanczos")
    np.testing.assert_allclose(got.singular_values, [3.0] * 30 + [2.0, 1.0], rtol=1e-4)


@on_each_device
@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_squares_neither_overflow_nor_vanish(rng, device, scale):
    X = power_law(rng, 300, 80, 4000)
    expected = spectrum(X, 5).singular_values
    for solver in ("dense", "gram", "lanczos"):
        got = spectrum(csr_tensor((X * scale).astype(np.float32), device), 5, solver=solver).singular_values
        np.testing.assert_allclose(got / scale, expected, rtol=1e-6)


@on_each_device
@in_both_dtypes
def test_orthonormal_columns_of_a_tensor(rng, device, dtype):
    eps = float(np.finfo(dtype).eps)
    base = rng.standard_normal((500, 4))
    near = base @ rng.standard_normal((4, 4)) + 1e3 * eps * rng.standard_normal((500, 4))
    for columns, rank in (
        (np.hstack([base, 1e-9 * base]), 4),  # small ones count as noise
        (np.hstack([base, base @ rng.standard_normal((4, 3))]), 4),
        (np.hstack([base, near]), 8),
    ):
        block = tensor(columns.astype(dtype), device)
        basis, found = orthonormal_columns(block, 1e-6)
        if rank == 8 and dtype == np.float32:
            continue
        assert found == rank
        basis, again = orthonormal_columns(basis, 0.0)
        assert again == rank
        Q = to_host(basis).astype(np.float64)
        np.testing.assert_allclose(Q.T @ Q, np.eye(rank), rtol=0, atol=100 * eps)
        np.testing.assert_allclose(Q @ (Q.T @ base), base, rtol=0, atol=1e3 * eps)
    full = complete(tensor(np.eye(6)[:, :2].astype(dtype), device), 6, np.random.default_rng(0))
    np.testing.assert_allclose(to_host(full.T @ full), np.eye(6), rtol=0, atol=30 * eps)


@on_each_device
@pytest.mark.parametrize("penalty", ["product", "factors", "weights"])
def test_factors_are_made_where_the_vectors_are(rng, device, penalty):
    X = power_law(rng, dtype=np.float32)
    expected, got = (factorize(spectrum(M, 5, solver="gram"), penalty, 3.0) for M in (X, csr_tensor(X, device)))
    for mine, other in zip(got, expected, strict=True):
        assert (mine.device.type, mine.dtype) == (device, torch.float32)
        np.testing.assert_allclose(to_host(mine), other, rtol=0, atol=1e-5 * np.abs(other).max())


@on_each_device
@pytest.mark.parametrize("tall", [True, False])
def test_neither_the_matrix_nor_the_basis_crosses_over(rng, device, tall, monkeypatch):
    X = power_law(rng, 9000, 3000, 90_000, np.float32)
    X = csr_tensor(X if tall else X.T.tocsr(), device)
    dense = []
    monkeypatch.setattr(tensor_matrix.TensorMatrix, "dense", lambda self: dense.append(self.shape))
    largest = 12_000  # overlaps of the basis with a block; a single block of vectors is 48,000
    assert largest < 3000 * krylov_basis.BLOCK
    with watched_copies(monkeypatch, largest):
        result = spectrum(X, 20)
        factorize(result, "factors", 1.0)
        measure_residuals(X, result)
        with pytest.raises(AssertionError, match="shape"):  # the control: the watch sees a block
            to_host(result.right_vectors)
    assert result.solver == "lanczos"
    assert not dense


@on_each_device
def test_the_route_is_chosen_by_the_same_costs(rng, device):
    X = sp.random_array((3000, 2000), density=0.01, rng=rng).tocsr()
    here, there = route_costs(X, 20), route_costs(as_matrix(csr_tensor(X, device)), 20)
    assert (here.dense, here.lanczos, here.choice) == (there.dense, there.lanczos, there.choice)
    assert spectrum(csr_tensor(X[:90, :40].tocsr(), device), 3).solver == "dense"


@on_each_device
def test_dropout_takes_the_gram_matrix_of_a_tensor(rng, device):
    X = power_law(rng, dtype=np.float32)
    (expected, _), (got, _) = (dropout_spectrum(M, 5, 0.3) for M in (X, csr_tensor(X, device)))
    np.testing.assert_allclose(got.singular_values, expected.singular_values, rtol=1e-12)
    np.testing.assert_allclose(got.right_vectors, expected.right_vectors, rtol=0, atol=1e-5)


@on_each_device
def test_precision_settings_come_back_and_are_off_within(rng, device):
    X = csr_tensor(power_law(rng, dtype=np.float32), device)
    seen = []
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        spectrum(X, 3, solver="lanczos", progress=lambda *_: seen.append(torch.backends.cuda.matmul.fp32_precision))
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)
    assert set(seen[:-1]) <= {"ieee"}
    assert seen


@on_each_device
def test_numbers_of_other_types(rng, device):
    dense = rng.integers(0, 2, (40, 12))
    expected = spectrum(dense, 3).singular_values
    for kind, dtype in ((torch.bool, torch.float32), (torch.int64, torch.float64), (torch.bfloat16, torch.float32)):
        got = spectrum(tensor(dense, device).to(kind), 3)
        np.testing.assert_allclose(got.singular_values, expected, rtol=1e-12)
        assert got.right_vectors.dtype == dtype


@on_each_device
def test_bad_matrices(rng, device):
    X = power_law(rng, 30, 10, 60)
    broken = csr_tensor(X, device)
    broken.col_indices()[3] = 99
    with pytest.raises(InputError, match=r"X: not a valid CSR tensor.*coalesce"):
        spectrum(broken, 2)
    X.data[4] = np.nan
    with pytest.raises(InputError, match="1 stored values are NaN or infinite"):
        spectrum(csr_tensor(X, device), 2)
    with pytest.raises(InputError, match="1 dimension"):
        spectrum(tensor(np.ones(3), device), 1)
    with pytest.raises(InputError, match="is empty"):
        spectrum(tensor(np.ones((0, 3)), device), 1)
    with pytest.raises(InputError, match="expected real numbers; received dtype complex64"):
        spectrum(tensor(np.ones((2, 3)), device).to(torch.complex64), 1)
    with pytest.raises(InputError, match="one is a tensor, the other is not"):
        measure_residuals(np.eye(3), spectrum(tensor(np.eye(3), device), 1))
