"""Principal axes against NumPy's covariance, weights against repeated rows, and noise that must not count as spread."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.core.tables.principal_axes import principal_axes, weighted_mean
from simgauge.errors import InputError


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("center", [True, False])
def test_they_diagonalise_the_second_moments(rng, dtype, center):
    table = (rng.standard_normal((300, 5)) * [5, 3, 2, 1, 0.5] + [1, 2, 3, 4, 5]).astype(dtype)
    mean, variances, axes = principal_axes(table, center=center)
    rows = table.astype(float) - (table.astype(float).mean(axis=0) if center else 0)
    tolerance = 40 * np.finfo(dtype).eps * np.square(table).sum(axis=1).max()
    np.testing.assert_allclose(axes * variances @ axes.T, rows.T @ rows / 300, atol=tolerance)
    np.testing.assert_allclose(axes.T @ axes, np.eye(5), atol=1e-12)
    assert np.all(np.diff(variances) <= 0)
    assert mean.any() == center


def test_a_weight_of_three_is_the_row_three_times(rng):
    table, weights = rng.standard_normal((40, 4)) + 1, rng.integers(0, 4, 40)
    weighted = principal_axes(table, weights.astype(float))
    repeated = principal_axes(np.repeat(table, weights, axis=0))
    np.testing.assert_allclose(weighted.mean, repeated.mean, atol=1e-13)
    np.testing.assert_allclose(weighted.variances, repeated.variances, rtol=1e-11)
    np.testing.assert_allclose(weighted_mean(table, weights.astype(float)), weighted.mean, atol=1e-13)
    assert np.abs(principal_axes(table).mean - weighted.mean).max() > 1e-3  # control: weights matter


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_column_has_no_spread_whatever_its_size(rng, dtype):
    table = rng.standard_normal((20_000, 3)).astype(dtype)  # enough rows for the rounding of a plain sum to show
    table[:, 1] = 1000.1
    axes = principal_axes(table)
    assert axes.rank == 2
    assert axes.variances[2] == 0
    assert abs(axes.axes[1, 2]) > 0.999
    assert principal_axes(table, center=False).rank == 3  # control: uncentred, the column does stick out


def test_fewer_rows_than_columns(rng):
    axes = principal_axes(rng.standard_normal((3, 6)))
    assert axes.rank == 2
    assert axes.axes.shape == (6, 6)


def test_what_cannot_be_used_is_named():
    with pytest.raises(InputError, match="all 3 rows are the same vector"):
        principal_axes(np.ones((3, 2)))
    with pytest.raises(InputError, match="all 3 rows are zero"):
        principal_axes(np.zeros((3, 2)), center=False)
    for weights in (np.ones(2), -np.ones(3), np.zeros(3), np.array([1.0, np.nan, 1.0])):
        with pytest.raises(InputError, match="weights: expected 3 finite"):
            principal_axes(np.eye(3), weights)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rounding_of_a_large_mean_is_no_spread(rng, dtype):
    """Rows that are equal but for the last bit of a large common vector have no axes."""
    eps = np.finfo(dtype).eps
    table = (1000.0 * (1 + eps * rng.integers(-1, 2, (50, 3)))).astype(dtype)
    assert np.ptp(table, axis=0).min() > 0, "control: they are not equal"
    with pytest.raises(InputError, match="the same vector"):
        principal_axes(table)
    wide = table + dtype(1000 * 1000 * eps) * rng.standard_normal((50, 3)).astype(dtype)
    assert principal_axes(wide).rank == 3, "control: a spread above rounding"
