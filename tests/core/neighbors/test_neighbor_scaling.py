"""CSLS and local scaling by dot product against their definitions in loops; discounts against their formula."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.core.neighbors.csls import csls_scores, csls_tables
from simgauge.core.neighbors.largest import largest_per_row
from simgauge.core.neighbors.local_scaling import check_method, local_scale, scaled_scores, scaled_tables
from simgauge.core.neighbors.norm_discount import popularity_discount
from simgauge.core.tables.tables import unit_rows
from simgauge.errors import ParameterError


def neighbor_cosines(unit, k):
    cos = unit @ unit.T
    np.fill_diagonal(cos, -np.inf)
    return -np.sort(-cos, axis=1)[:, :k]


def test_csls_is_its_formula(rng):
    unit = unit_rows(rng.standard_normal((12, 4)))
    r = neighbor_cosines(unit, 3).mean(axis=1)
    items, queries = csls_tables(unit, unit, r)
    expected = [[2 * (unit[x] @ unit[y]) - r[x] - r[y] for y in range(12)] for x in range(12)]
    np.testing.assert_allclose(csls_scores(queries @ items.T, r), expected, atol=1e-14)


@pytest.mark.parametrize("method", ["exponential", "nicdm"])
def test_local_scaling_is_the_definition_of_kiez(rng, method):
    """Distances of kiez and scikit-hubness, written out; they are turned into scores, higher is closer."""
    unit, k = unit_rows(rng.standard_normal((12, 4))), 3
    distance = np.linalg.norm(unit[:, None] - unit[None], axis=2)
    near = np.sort(distance, axis=1)[:, 1 : k + 1]
    expected = np.empty((12, 12))
    for x in range(12):
        for y in range(12):
            if method == "exponential":
                expected[x, y] = 1 - (1 - np.exp(-(distance[x, y] ** 2) / (near[x, -1] * near[y, -1])))
            else:
                expected[x, y] = -distance[x, y] / np.sqrt(near[x].mean() * near[y].mean())
    scale = local_scale(neighbor_cosines(unit, k), method, 1e-8)
    items, queries = scaled_tables(unit, unit, scale)
    # d² has rounding of some ε, and d the root of that where a vector meets itself
    np.testing.assert_allclose(scaled_scores(queries @ items.T, scale, method), expected, atol=1e-7)


def test_duplicates_get_the_resolution_as_their_scale():
    assert local_scale(np.ones((1, 4)), "nicdm", 1e-3) == 1e-3
    with pytest.raises(ParameterError, match="method='LS': expected one of 'exponential', 'nicdm'"):
        check_method("LS")


def test_discount_formula_and_signs():
    popularity = np.array([0, 3, 9, 99])
    psi = np.log1p(popularity) / np.log(100)
    expected = [1 / (1 + 0.4 * (psi.mean() - value)) for value in psi]
    np.testing.assert_allclose(popularity_discount(popularity, 0.4), expected, rtol=1e-14)
    assert np.all(np.diff(popularity_discount(popularity, 0.4)) > 0)
    assert np.all(np.diff(popularity_discount(popularity, -0.4)) < 0)
    assert np.all(popularity_discount(popularity, 0.9) > 0)
    np.testing.assert_array_equal(popularity_discount(np.zeros(3, int), 0.9), 1)
    with pytest.raises(ParameterError, match=r"strength=1\.5"):
        popularity_discount(popularity, 1.5)


@pytest.mark.parametrize("k", [1, 4, 9])
def test_largest_per_row_breaks_ties_by_column(rng, k):
    scores = rng.integers(0, 4, (50, 9)).astype(float)
    indices, values = largest_per_row(scores, k)
    order = np.lexsort((np.broadcast_to(np.arange(9), scores.shape), -scores), axis=1)[:, :k]
    np.testing.assert_array_equal(indices, order)
    np.testing.assert_array_equal(values, np.take_along_axis(scores, order, 1))
