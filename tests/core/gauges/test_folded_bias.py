"""Folded biases: planted columns and directions are found, look-alikes are not."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.core.gauges.folded_bias import bias_columns, constant_columns, constant_direction
from simgauge.errors import InputError, ParameterError


def test_constant_columns_are_found_and_near_misses_are_not(rng):
    table = rng.normal(size=(100, 6))
    table[:, 1] = -2.5
    table[:, 3] = 0.0  # constant, but multiplies nothing
    table[:, 4] = 1 + 1e-3 * rng.normal(size=100)  # not constant enough
    table[:, 5] = 1 + 1e-7 * rng.uniform(-1, 1, 100)  # rounding
    found = constant_columns(table)
    assert [entry.column for entry in found] == [1, 5]
    assert found[0].value == -2.5
    assert found[0].deviation == 0
    assert 0 < found[1].deviation < 2e-7
    assert [entry.column for entry in constant_columns(table, tolerance=0.0)] == [1]
    assert [entry.column for entry in constant_columns(table, tolerance=0.01)] == [1, 4, 5]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("value", [0.1, -3.0, 1e4])
def test_constant_in_any_dtype(rng, dtype, value):
    table = rng.normal(size=(50_001, 2)).astype(dtype)
    table[:, 0] = value
    assert [entry.column for entry in constant_columns(table)] == [0]


def test_bias_columns_name_the_table_that_holds_the_bias(rng):
    items, users = rng.normal(size=(40, 5)), rng.normal(size=(30, 5))
    users[:, 1], items[:, 2] = 2.0, 1.0
    users[:, 4] = items[:, 4] = 3.0
    found = bias_columns(items, users)
    assert [(entry.side, entry.column, entry.multiplier) for entry in found] == [
        ("items", 1, 2.0),
        ("users", 2, 1.0),
        ("both", 4, 3.0),
    ]
    assert found[0].spread == pytest.approx(2 * items[:, 1].std())
    assert found[2].spread == 0
    assert bias_columns(rng.normal(size=(40, 5)), rng.normal(size=(30, 5))) == []


def test_a_gauge_hides_the_column_but_not_the_direction(rng):
    """P w = 1 in one gauge is P G (G⁻¹ w) = 1 in another: residual and verdict stay."""
    users = rng.normal(size=(60, 4))
    users[:, 2] = 1.5
    gauge = rng.normal(size=(4, 4))
    plain, mixed = constant_direction(users), constant_direction(users @ gauge)
    assert plain.found
    assert mixed.found
    assert constant_columns(users @ gauge) == []
    assert np.allclose(plain.weights, [0, 0, 1 / 1.5, 0], atol=1e-12)
    assert np.allclose(mixed.weights, np.linalg.solve(gauge, plain.weights), atol=1e-9)
    assert np.allclose(users @ gauge @ mixed.weights, 1)
    assert constant_direction((users @ gauge).astype(np.float32)).found


def test_residual_is_that_of_least_squares_and_the_same_in_every_gauge(rng):
    table = rng.normal(size=(200, 5)) + 0.7
    expected = np.linalg.lstsq(table, np.ones(200), rcond=None)[0]
    found = constant_direction(table)
    assert not found.found
    assert np.allclose(found.weights, expected)
    assert found.residual == pytest.approx(np.linalg.norm(table @ expected - 1) / np.sqrt(200))
    assert constant_direction(table @ rng.normal(size=(5, 5))).residual == pytest.approx(found.residual)
    assert 0.99 < constant_direction(rng.normal(size=(20_000, 3))).residual <= 1


def test_the_mean_user_takes_the_bias_of_a_constant_direction_out(rng):
    """Scores = (P − 1 mean) Qᵀ + mean predicted score of each item; the centred users have no such direction left."""
    users = np.column_stack([rng.normal(size=(60, 3)), np.ones(60)]) @ rng.normal(size=(4, 4))
    assert constant_direction(users).found
    centred = constant_direction(users - users.mean(axis=0))
    assert not centred.found
    assert centred.residual == pytest.approx(1)


def test_small_residuals_survive_bad_conditioning(rng):
    users = np.column_stack([np.ones(300), 1 + 1e-3 * rng.normal(size=300), 1e2 * rng.normal(size=(300, 2))])
    found = constant_direction(users @ np.array([[1.0, 2, 0, 0], [0, 1, 3, 0], [0, 0, 1, 0], [1, 0, 0, 1]]))
    assert found.residual < 1e-9


def test_few_rows_fit_by_chance_and_are_not_called_found(rng):
    found = constant_direction(rng.normal(size=(5, 8)))
    assert found.residual < 1e-10
    assert not found.found
    assert not constant_direction(np.zeros((50, 3))).found
    assert constant_direction(np.ones((50, 3))).found  # rank one, the shortest w is all thirds
    assert np.allclose(constant_direction(np.ones((50, 3))).weights, 1 / 3)


def test_real_factors(shared_data, rng):
    """`implicit` stores the item bias of BPR in the last column; its ALS has none."""
    items, users = (np.load(shared_data / "ml-100k-bpr" / f"{side}_embeddings.npy") for side in ("item", "user"))
    (found,) = bias_columns(items, users)
    assert (found.side, found.column, found.multiplier) == ("items", 64, 1.0)
    mixed = users @ rng.normal(size=(65, 65))
    assert constant_columns(mixed) == []
    assert constant_direction(mixed).found
    assert constant_direction(users[:, :-1]).residual > 0.5
    als = [np.load(shared_data / "ml-small-als" / f"{side}_factors.npy") for side in ("item", "user")]
    assert bias_columns(*als) == []
    assert not any(constant_direction(table).found for table in als)


def test_bad_input():
    with pytest.raises(InputError, match="two rows"):
        constant_columns([[1.0, 2.0]])
    with pytest.raises(InputError, match="same n_components"):
        bias_columns(np.ones((3, 2)), np.ones((3, 4)))
    for tolerance in (-1, 1, np.nan):
        with pytest.raises(ParameterError, match="tolerance"):
            constant_columns(np.ones((3, 2)), tolerance=tolerance)
        with pytest.raises(ParameterError, match="tolerance"):
            constant_direction(np.ones((3, 2)), tolerance=tolerance)


@pytest.mark.parametrize("n_components", [1, 4, 9])
def test_a_direction_counts_from_more_rows_than_twice_the_components(rng, n_components):
    table = np.column_stack([rng.normal(size=(40, n_components - 1)), np.ones(40)])
    for n_rows in range(2, 2 * n_components + 4):
        found = constant_direction(table[:n_rows])
        assert found.residual < 1e-12
        assert found.found == (n_rows > 2 * n_components)
