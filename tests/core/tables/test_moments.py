"""One pass equals the obvious formulas, whatever the blocks, the dtype and the mean."""

from __future__ import annotations

import numpy as np
import pytest

from geometry_problems import skewed_table
from simgauge.core.geometry.effective_rank import effective_rank, participation_ratio
from simgauge.core.tables import moments as geometry_moments
from simgauge.core.tables.moments import row_blocks, table_moments
from simgauge.errors import InputError


@pytest.fixture
def tiny_blocks(monkeypatch):
    monkeypatch.setattr(geometry_moments, "BLOCK_BYTES", 8 * 6 * 7)  # seven rows of six columns


def test_blocks_cover_every_row_once(tiny_blocks):
    rows = np.concatenate([np.arange(30)[block] for block in row_blocks(30, 6)])
    np.testing.assert_array_equal(rows, np.arange(30))
    assert len(row_blocks(30, 6)) == 5


def test_a_streamed_pass_equals_the_formulas(rng, tiny_blocks):
    x = skewed_table(rng)
    norms = np.array([np.sqrt(row @ row) for row in x])
    unit = x / norms[:, None]
    moments = table_moments(x)
    np.testing.assert_allclose(moments.norms, norms, rtol=1e-14)
    np.testing.assert_allclose(moments.mean, x.mean(axis=0), atol=1e-13)
    np.testing.assert_allclose(moments.scatter, (len(x) - 1) * np.cov(x.T), atol=1e-9)
    np.testing.assert_allclose(moments.gram, x.T @ x, atol=1e-9)
    np.testing.assert_allclose(moments.direction_sum, unit.sum(axis=0), atol=1e-12)
    np.testing.assert_allclose(moments.direction_squares, (unit**2).sum(axis=0), atol=1e-12)
    np.testing.assert_allclose(moments.singular_values(), np.linalg.svd(x, compute_uv=False), rtol=1e-10)
    centred = np.linalg.svd(x - x.mean(axis=0), compute_uv=False)
    np.testing.assert_allclose(moments.variances(), centred**2 / len(x), rtol=1e-10)


def test_variances_survive_a_mean_ten_million_times_larger(rng):
    x = rng.standard_normal((500, 4)) * [1, 2, 3, 4]
    far = x + 3e7
    reference = np.linalg.eigvalsh(np.cov((far - 3e7).T, ddof=0))[::-1]
    np.testing.assert_allclose(table_moments(far).variances(), reference, rtol=1e-6)
    naive = far.T @ far / 500 - np.outer(far.mean(axis=0), far.mean(axis=0))
    assert not np.allclose(np.linalg.eigvalsh(naive)[::-1], reference, rtol=1e-2)  # control: the textbook formula


def test_float32_tables_are_summed_in_float64(rng):
    x = (rng.standard_normal((40_000, 3)) + 50).astype(np.float32)
    moments = table_moments(x)
    np.testing.assert_allclose(moments.mean, x.astype(float).mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(moments.scatter, 39_999 * np.cov(x.astype(float).T), rtol=1e-9, atol=1e-4)
    single = (x.T @ x).astype(float) - 40_000 * np.outer(moments.mean, moments.mean)
    assert not np.allclose(single, moments.scatter, rtol=1e-4, atol=1e-4)  # control: single precision is not enough


def test_a_memory_mapped_table_gives_the_same(rng, tmp_path):
    x = skewed_table(rng).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    mapped = table_moments(np.load(tmp_path / "x.npy", mmap_mode="r"))
    np.testing.assert_array_equal(mapped.scatter, table_moments(x).scatter)


@pytest.mark.parametrize("value", [0.0, 0.1, -3e6])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_table_has_no_variance(value, dtype):
    moments = table_moments(np.full((1000, 5), value, dtype=dtype))
    np.testing.assert_array_equal(moments.variances(), 0)
    assert participation_ratio(moments.variances()) == 0
    assert effective_rank(moments.singular_values()) == pytest.approx(1 if value else 0)


def test_a_table_of_low_rank_has_that_rank(rng):
    x = rng.standard_normal((200, 3)) @ rng.standard_normal((3, 20))
    moments = table_moments(x)
    assert np.count_nonzero(moments.singular_values()) == np.count_nonzero(moments.variances()) == 3


def test_fewer_rows_than_columns_and_one_row(rng):
    x = rng.standard_normal((4, 9))
    np.testing.assert_allclose(table_moments(x).singular_values(), np.linalg.svd(x, compute_uv=False), rtol=1e-10)
    one = table_moments(x[:1])
    assert one.variances().tolist() == [0.0]
    np.testing.assert_allclose(one.singular_values(), np.linalg.norm(x[0]))


def test_zero_rows_have_no_direction(rng):
    x = skewed_table(rng, 10)
    x[[2, 5]] = 0
    moments = table_moments(x)
    assert moments.n_directions == 8
    np.testing.assert_array_equal(moments.norms[[2, 5]], 0)


@pytest.mark.parametrize("size", [1e-170, 1e-200])
def test_tiny_rows_keep_their_norm_and_direction(size):
    moments = table_moments(np.array([[3.0, 4.0]]) * size)
    np.testing.assert_allclose(moments.norms, 5 * size)
    np.testing.assert_allclose(moments.direction_sum, [0.6, 0.8])


def test_entries_whose_squares_overflow_are_refused():
    with pytest.raises(InputError, match=r"2e\+200: squares overflow. Divide"):
        table_moments(np.array([[2e200, 0.0], [1.0, 1.0]]))
