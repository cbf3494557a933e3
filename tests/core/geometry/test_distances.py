"""Distances of random pairs, and their concentration with the dimension."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from geometry_problems import nearest, skewed_table
from simgauge.core.geometry.distances import distance_concentration, random_pair_distances
from simgauge.core.geometry.random_cosine import mean_random_cosine
from simgauge.core.tables.moments import table_moments
from simgauge.errors import InputError, ParameterError


def test_sampled_pairs_have_the_moments_of_all_pairs(rng):
    x, n_pairs = skewed_table(rng, 60), 20_000
    sampled, every = random_pair_distances(x, n_pairs, rng), pdist(x, "cosine")
    assert abs(sampled.mean() - every.mean()) < 4 * every.std() / np.sqrt(n_pairs)
    assert sampled.std() == pytest.approx(every.std(), rel=0.05)
    assert np.isin(sampled.round(9), every.round(9)).all()  # no row with itself, no other distance


def test_sampled_cosines_agree_with_the_exact_moments(rng):
    x = skewed_table(rng, 300)
    result = distance_concentration(random_pair_distances(x, 20_000, rng))
    exact = mean_random_cosine(table_moments(x))
    assert result.mean == pytest.approx(1 - exact, abs=4 * result.deviation / np.sqrt(20_000))
    assert result.deviation == pytest.approx(pdist(x, "cosine").std(), rel=0.05)


def test_distances_concentrate_as_the_dimension_grows(rng):
    spread, contrast = [], []
    for k in (2, 20, 200):
        x = rng.standard_normal((150, k))
        closest = 1 - nearest(x, 1)[1][:, 0]
        result = distance_concentration(random_pair_distances(x, 2000, rng), closest)
        spread.append(result.relative_deviation)
        contrast.append(result.relative_contrast)
    assert spread == sorted(spread, reverse=True)
    assert contrast == sorted(contrast, reverse=True)
    assert spread[-1] == pytest.approx(200**-0.5, rel=0.1)
    assert contrast[-1] < 1.4 < 3 < contrast[0]


def test_copies_do_not_raise_the_contrast():
    pairs, near = np.array([1.0, 1.0]), np.array([0.5, 0.5])
    assert distance_concentration(pairs, np.r_[near, 0, 1e-7]).relative_contrast == 2
    assert distance_concentration(pairs, np.zeros(3)).relative_contrast is None
    assert distance_concentration(pairs).relative_contrast is None


def test_all_rows_equal(rng):
    x = np.full((4, 3), 0.1) * [1, 2, 7]
    result = distance_concentration(random_pair_distances(x, 10, rng), np.array([0, -1e-16, 1e-7, 0]))
    assert (result.mean, result.relative_deviation, result.relative_contrast) == (0, 0, None)


def test_parallel_rows_are_at_cosine_distance_zero(rng):
    x = rng.lognormal(size=(50, 1)) * rng.standard_normal((1, 20))
    assert random_pair_distances(x, 500, rng).max() == 0


def test_the_seed_decides(rng):
    x = skewed_table(rng)
    draws = [random_pair_distances(x, 50, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])


def test_bad_input(rng):
    with pytest.raises(InputError, match="one row has no pairs"):
        random_pair_distances(np.ones((1, 2)), 5, rng)
    with pytest.raises(ParameterError, match="n_pairs=0: expected 1 pair or more"):
        random_pair_distances(np.eye(2), 0, rng)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_unit_of_length_changes_nothing(scale):
    """Copies are told by their distance relative to the mean, so no scale of the vectors hides or makes them."""
    pairs, nearest_ones = np.array([1.0, 3.0, 2.0]), np.array([0.5, 1e-7, 0.7, 1e-3])
    found = distance_concentration(scale * pairs, scale * nearest_ones)
    assert found.relative_contrast == pytest.approx(2.0 / np.mean([0.5, 0.7, 1e-3]))
    assert found.relative_deviation == pytest.approx(pairs.std() / 2)
