"""What every docstring says under Gauge: what an orthogonal map, a scale, a shift, a general map do to a measure."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from geometry_problems import general_map, nearest, rotation, skewed_table
from simgauge.core.geometry.axes import axis_shares
from simgauge.core.geometry.distances import distance_concentration, random_pair_distances
from simgauge.core.geometry.duplicates import exact_duplicates, near_duplicates
from simgauge.core.geometry.effective_rank import (
    effective_rank,
    isoscore,
    participation_ratio,
    rankme,
)
from simgauge.core.geometry.norms import norm_spread
from simgauge.core.geometry.outliers import islands, outliers
from simgauge.core.geometry.queries import query_fit
from simgauge.core.geometry.random_cosine import centered_random_cosine, mean_random_cosine
from simgauge.core.neighbors.hubness import k_occurrence, k_skewness
from simgauge.core.neighbors.overlap import neighbor_overlap
from simgauge.core.tables.moments import table_moments

K = 5
ROUNDING = (
    1e-9  # products of 6 columns of size 10 in float64 are right to 1e-14; sums over 80 rows and square roots follow
)


def _pairs(table):
    return distance_concentration(random_pair_distances(table, 200, np.random.default_rng(1)))


def _queries(table):
    others = table[:20] + 3 * np.random.default_rng(2).standard_normal((20, 1)) * table[20:40]
    scores = others @ table.T / np.linalg.norm(others, axis=1)[:, None] / np.linalg.norm(table, axis=1)
    return query_fit(scores.max(axis=1), nearest(table, 1)[1][:, 0], quantile=0.3)


MEASURES: dict[str, Callable[[np.ndarray], object]] = {
    "effective rank": lambda x: effective_rank(table_moments(x).singular_values()),
    "rankme": lambda x: rankme(table_moments(x).singular_values()),
    "participation ratio": lambda x: participation_ratio(table_moments(x).variances()),
    "isoscore": lambda x: isoscore(table_moments(x).variances(), x.shape[1]),
    "mean cosine": lambda x: mean_random_cosine(table_moments(x)),
    "centred cosine": lambda x: centered_random_cosine(x, table_moments(x).mean),
    "norm cv": lambda x: norm_spread(table_moments(x).norms).cv,
    "pairs": lambda x: _pairs(x).relative_deviation,
    "near duplicates": lambda x: near_duplicates(*nearest(x, K), len(x), threshold=0.97).n_rows_in_groups,
    "outliers": lambda x: outliers(nearest(x, K)[1]).z,
    "islands": lambda x: islands(nearest(x, 1)[0], len(x)).sizes,
    "query fit": lambda x: _queries(x).median_query,
    "k-occurrence": lambda x: k_occurrence(nearest(x, K)[0], len(x)),
    "k-skewness": lambda x: k_skewness(k_occurrence(nearest(x, K)[0], len(x))),
    "cosine and dot overlap": lambda x: neighbor_overlap(nearest(x, K)[0], np.argsort(-(x @ x.T))[:, :K]).mean,
}
SHIFT_INVARIANT = ("participation ratio", "isoscore", "centred cosine")
"""The measures of the centred table."""


def same(a: object, b: object) -> bool:
    return np.shape(a) == np.shape(b) and bool(np.allclose(a, b, rtol=ROUNDING, atol=ROUNDING))


@pytest.mark.parametrize("name", MEASURES)
def test_an_orthogonal_map_and_a_common_scale_leave_it_alone(rng, name):
    x = skewed_table(rng)
    assert same(MEASURES[name](x), MEASURES[name](2.5 * x @ rotation(rng, x.shape[1])))


@pytest.mark.parametrize("name", MEASURES)
def test_a_general_map_changes_it(rng, name):
    x = skewed_table(rng)
    assert not same(MEASURES[name](x), MEASURES[name](x @ general_map(rng, x.shape[1], condition=30)))


@pytest.mark.parametrize("name", MEASURES)
def test_a_common_shift_changes_it_unless_it_centres(rng, name):
    x = skewed_table(rng)
    moved = MEASURES[name](x + np.array([0.0, 4.0, 0.0, 0.0, -6.0, 0.0]))
    assert same(MEASURES[name](x), moved) == (name in SHIFT_INVARIANT)


def test_whitening_makes_every_table_look_perfect(rng):
    """The measures say nothing of the predictions: one gauge of any model has IsoScore 1 and full effective rank."""
    x = skewed_table(rng)
    x -= x.mean(axis=0)
    moments = table_moments(x @ np.linalg.inv(np.linalg.cholesky(x.T @ x)).T)
    assert isoscore(moments.variances(), 6) == pytest.approx(1, abs=1e-10)
    assert effective_rank(moments.singular_values()) == pytest.approx(6, abs=1e-10)
    assert isoscore(table_moments(x).variances(), 6) < 0.8  # control


def test_exact_duplicates_survive_every_invertible_map(rng):
    x = rng.integers(-3, 4, (60, 4)).astype(float)[rng.integers(60, size=90)]
    G = np.array([[1, 2, 0, 0], [0, 1, 3, 0], [0, 0, 1, -1], [0, 0, 0, 2.0]])  # whole numbers: exact products
    np.testing.assert_array_equal(exact_duplicates(x).labels, exact_duplicates(x @ G).labels)
    singular = np.diag([1.0, 1, 1, 0])
    assert exact_duplicates(x @ singular).n_groups != exact_duplicates(x).n_groups  # control


def test_rogue_dimensions_are_not_even_rotation_invariant(rng):
    x = rng.standard_normal((80, 6))
    x[:, 2] = 8 * x[:, 2] + 10
    before, after = axis_shares(table_moments(x)), axis_shares(table_moments(x @ rotation(rng, 6)))
    assert before.top_variance_excess > 0.8 > after.top_variance_excess
    assert before.top_cosine_contribution > 1.3 * after.top_cosine_contribution
    order, signs = rng.permutation(6), rng.choice([-3.0, 3.0], 6)
    swapped = axis_shares(table_moments(x[:, order] * signs))  # signs, order, common scale: allowed
    np.testing.assert_allclose(swapped.variance_share, before.variance_share[order], rtol=1e-10)
    np.testing.assert_allclose(swapped.cosine_contribution, before.cosine_contribution[order], atol=1e-12)
