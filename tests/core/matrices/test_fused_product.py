"""The compiled product: the same as scipy's for every dtype, width and shape of rows."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from simgauge.core.matrices import fused_product
from simgauge.core.matrices.fused_product import fused_gram_product

pytest.importorskip("llvmlite", reason="llvmlite is not installed: pip install simgauge[fast]")


@pytest.mark.parametrize("width", fused_product.WIDTHS)
@pytest.mark.parametrize(("values", "vectors"), [("f4", "f4"), ("f4", "f8"), ("f8", "f8")])
@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_it_equals_the_dense_product(rng, width, values, vectors, index):
    X = sp.random_array((300, 70), density=0.1, rng=rng, format="csr", dtype=np.float64).astype(values)
    X = sp.vstack([X, sp.csr_array((20, 70), dtype=values)], format="csr")  # rows without entries
    X.indices, X.indptr = X.indices.astype(index), X.indptr.astype(index)
    V = rng.standard_normal((70, width)).astype(vectors)
    dense = X.toarray().astype(np.float64)
    expected = dense.T @ (dense @ V.astype(np.float64))
    found = fused_gram_product(X, V)
    assert found.dtype == V.dtype
    np.testing.assert_allclose(found, expected, rtol=0, atol=100 * np.finfo(vectors).eps * np.abs(expected).max())
    X.data[7] *= 1.01  # the control: another matrix has another product
    assert np.abs(fused_gram_product(X, V) - expected).max() > 1000 * np.finfo(vectors).eps * np.abs(expected).max()


def test_entries_stored_twice_and_out_of_order(rng):
    X = sp.csr_array((np.array([1.0, 2.0, 3.0]), np.array([2, 0, 2]), np.array([0, 3])), shape=(1, 3))
    V = rng.standard_normal((3, 8))
    dense = np.array([[2.0, 0.0, 4.0]])
    np.testing.assert_allclose(fused_gram_product(X, V), dense.T @ (dense @ V), rtol=1e-14)


def test_what_has_no_kernel_is_left_to_scipy(rng, monkeypatch):
    X = sp.random_array((30, 7), density=0.5, rng=rng, format="csr")
    assert fused_gram_product(X, np.ones((7, 5))) is None
    assert fused_gram_product(X, np.ones((7, 8), dtype=np.float32)) is None  # would lose digits of X
    monkeypatch.setattr(fused_product, "find_spec", lambda _: None)
    assert fused_gram_product(X, np.ones((7, 8))) is None
