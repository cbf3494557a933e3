"""Matrices in parts: the same sums, lists, rows and models as in one piece."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from simgauge.core.spectral.spectrum import measure_residuals, spectrum
from simgauge.core.tables.row_parts import LocalParts, tree_sum
from simgauge.errors import InputError
from simgauge.models import LinearAutoencoder


def cut(X, edges):
    return LocalParts([X[start:stop] for start, stop in zip([0, *edges], [*edges, X.shape[0]], strict=True)])


@pytest.fixture
def X(rng):  # noqa: N802
    matrix = sp.random_array((900, 200), density=0.05, rng=rng, format="csr", dtype=np.float64)
    matrix.data[:] = rng.integers(1, 6, matrix.nnz)
    return matrix


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("edges", [[], [450], [0, 1, 700, 700, 899]])
def test_sums_and_lists_do_not_depend_on_the_parts(X, edges, threads):
    parts = cut(X, edges)
    parts._threads = threads
    assert parts.shape == X.shape
    np.testing.assert_allclose(parts.sum(lambda part, _: (part.T @ part).toarray()), (X.T @ X).toarray(), atol=1e-9)
    counts = list(parts.map(lambda part, first: (first, part.shape[0])))
    assert [first for first, _ in counts] == np.cumsum([0, *(rows for _, rows in counts)])[:-1].tolist()
    assert sum(rows for _, rows in counts) == 900
    assert (parts.gather() != X).nnz == 0


def test_rows_are_taken_in_the_order_asked_for(rng):
    table = rng.standard_normal((50, 3))
    wanted = np.array([49, 0, 7, 7, 30])
    np.testing.assert_array_equal(cut(table, [7, 7, 31]).take(wanted), table[wanted])
    assert cut(table, [7]).take(np.array([], dtype=np.int64)).shape == (0, 3)


def test_sum_in_pairs_rounds_less_than_a_running_sum():
    terms = np.full(2**16, 0.1, dtype=np.float32)
    running = np.float32(0)
    for term in terms:
        running += term
    exact = 2**16 * float(np.float32(0.1))
    assert abs(float(tree_sum(iter(terms))) - exact) < 1e-6 * exact < abs(float(running) - exact)


@pytest.mark.parametrize("solver", ["auto", "dense", "gram", "lanczos"])
@pytest.mark.parametrize("penalty", ["product", "factors", "weights"])
def test_a_model_of_parts_is_the_model_of_the_whole(X, solver, penalty):
    one = LinearAutoencoder(8, penalty=penalty, solver=solver).fit(X)
    parts = cut(X, [100, 100, 850])
    other = LinearAutoencoder(8, penalty=penalty, solver=solver).fit(parts)
    np.testing.assert_allclose(other.singular_values_, one.singular_values_, rtol=1e-12)
    np.testing.assert_allclose(other.decoder_, one.decoder_, atol=1e-6)
    users = other.transform(parts)
    assert isinstance(users, LocalParts)
    np.testing.assert_allclose(users.gather(), one.transform(X), atol=1e-5)
    assert measure_residuals(parts, other.spectrum_).max() < 1e-4


def test_more_items_than_users(rng):
    X = sp.random_array((60, 400), density=0.1, rng=rng, format="csr")
    for solver in ("auto", "gram", "lanczos"):
        result = spectrum(cut(X, [20]), 10, solver=solver)
        np.testing.assert_allclose(result.singular_values, spectrum(X, 10, solver="dense").singular_values, rtol=1e-6)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([], "at least one part"),
        ([np.ones((2, 3)), np.ones((2, 4))], r"\[3, 4\] columns"),
        ([np.ones((2, 3)), np.ones((2, 3), dtype=np.float32)], "float32, float64"),
        ([np.ones((0, 3))], "nothing to work on"),
    ],
)
def test_parts_that_do_not_fit_together(parts, message):
    with pytest.raises(InputError, match=message):
        LocalParts(parts)


def test_bad_values_and_extreme_weights_are_refused(X):
    bad = X.copy()
    bad.data[3] = np.nan
    with pytest.raises(InputError, match="1 stored values are NaN"):
        spectrum(cut(bad, [30]), 3)
    with pytest.raises(InputError, match="Divide the weights"):
        spectrum(cut(X * 1e30, [30]), 3)


def test_another_width_and_dropout_are_refused(X):
    model = LinearAutoencoder(4).fit(cut(X, [30]))
    with pytest.raises(InputError, match="200"):
        model.transform(cut(X[:, :50], [30]))
    with pytest.raises(ValueError, match="dropout"):
        LinearAutoencoder(4, penalty="dropout").fit(cut(X, [30]))


def test_an_error_in_a_part_comes_through_and_threads_end(X):
    import threading

    before = threading.active_count()

    def work(_, first):
        if first:
            raise RuntimeError("the second part")

    parts = cut(X, [100, 200, 300])
    parts._threads = 3
    with pytest.raises(RuntimeError, match="second part"):
        list(parts.map(work))
    assert threading.active_count() == before
