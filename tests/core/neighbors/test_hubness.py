"""Hubness: the formulas of scikit-hubness by hand, planted hubs, and what a sample of queries can tell."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from geometry_problems import nearest
from simgauge.core.neighbors.hubness import (
    _raw_moments_of_all,
    antihub_expectation,
    k_occurrence,
    k_skewness,
    k_skewness_of_places,
    largest_hubs,
    top_share,
)
from simgauge.core.neighbors.shared_places import Places
from simgauge.errors import ParameterError


def places_of(lists, n_rows):
    """Whole places, as where no list ends in a tie."""
    n_queries, k = lists.shape
    return Places(np.repeat(np.arange(n_queries), k), lists.ravel(), np.ones(lists.size), n_queries, n_rows)


@pytest.fixture
def lists(rng):
    return nearest(rng.standard_normal((120, 20)), 5)[0]


def test_occurrence_is_the_count_of_every_row(lists):
    brute = [sum(row in list_ for list_ in lists.tolist()) for row in range(120)]
    assert k_occurrence(lists, 120).tolist() == brute
    assert k_occurrence(lists[:7], 120).sum() == 35


def test_the_skewness_is_that_of_scikit_hubness(lists):
    occurrence = k_occurrence(lists, 120)
    assert k_skewness(occurrence) == pytest.approx(stats.skew(occurrence))
    assert k_skewness(np.full(9, 3)) == 0


def test_random_lists_have_the_poisson_share_of_antihubs(rng):
    n, k = 4000, 3
    for n_queries in (n, n // 4):
        random_lists = np.array([rng.choice(n, k, replace=False) for _ in range(n_queries)])
        occurrence = k_occurrence(random_lists, n)
        expected = antihub_expectation(k, n_queries, n)
        assert np.mean(occurrence == 0) == pytest.approx(expected, abs=5 * np.sqrt(expected / n))
        assert k_skewness(occurrence) == pytest.approx((k * n_queries / n) ** -0.5, rel=0.25)


def test_a_planted_hub_is_found(rng):
    x = rng.standard_normal((300, 30))
    x[17] = 0.001 * x[17] + x.mean(axis=0)  # the mean is near to everything
    lists = nearest(x + 2, 5)[0]
    occurrence = k_occurrence(lists, 300)
    positions, counts = largest_hubs(occurrence, 3)
    assert positions[0] == 17
    assert counts[0] == occurrence.max() > 5 * counts[1] / 2
    without = k_occurrence(nearest(np.delete(x, 17, axis=0) + 2, 5)[0], 299)
    assert k_skewness(occurrence) > 3 * k_skewness(without)
    assert top_share(occurrence, 1 / 300) == occurrence.max() / occurrence.sum()


def test_hubness_grows_with_the_dimension(rng):
    skewness = [k_skewness(k_occurrence(nearest(rng.standard_normal((250, d)) + 1, 5)[0], 250)) for d in (2, 60)]
    assert skewness[0] < 0.5 < 1 < skewness[1]


def test_moments_from_a_sample_are_unbiased(rng):
    """What `k_skewness_of_places` stands on, over all samples of 4 of 7 queries: exact, no chance."""
    lists = np.array([rng.choice(7, 3, replace=False) for _ in range(7)])
    samples = [k_occurrence(lists[list(rows)], 7) for rows in combinations(range(7), 4)]
    estimates = [_raw_moments_of_all(np.stack([sample] * 3), 4, 7) for sample in samples]
    full = k_occurrence(lists, 7).astype(float)
    np.testing.assert_allclose(np.mean(estimates, axis=0), [np.mean(full**r) for r in (1, 2, 3)], rtol=1e-12)


@pytest.mark.parametrize("heavy", [False, True])
def test_skewness_from_a_sample_estimates_that_of_all_rows(rng, heavy):
    n, k, m = 2000, 10, 400
    weights = rng.lognormal(0, 1, n) if heavy else rng.uniform(0.2, 1.8, n)
    keys = rng.exponential(size=(n, n)) / weights
    lists = np.argpartition(keys, k, axis=1)[:, :k]  # drawn by weight, no row twice in a list
    truth = k_skewness(k_occurrence(lists, n))
    corrected, plain = [], []
    for _ in range(30):
        sample = lists[rng.choice(n, m, replace=False)]
        corrected.append(k_skewness_of_places(places_of(sample, n), n))
        plain.append(k_skewness(k_occurrence(sample, n)))
    error = np.std(corrected) / np.sqrt(30)
    assert np.mean(corrected) == pytest.approx(truth, abs=4 * error + 0.03 * truth)
    assert abs(np.mean(plain) - truth) > 5 * error  # control: the sample's own counts have another skewness
    whole = places_of(lists, n)
    assert k_skewness_of_places(whole, n) == pytest.approx(truth)
    chosen = np.arange(n) % 3 > 0
    some = k_skewness_of_places(places_of(lists[chosen], n), n)
    assert k_skewness_of_places(whole, n, chosen) == pytest.approx(some), "leaving queries out is having fewer"


def test_a_sample_that_shows_no_spread_gives_zero():
    assert k_skewness_of_places(places_of(np.array([[0], [1], [2]]), 6), 6) == 0


def test_bad_input():
    with pytest.raises(ParameterError, match="share=0"):
        top_share(np.ones(3, dtype=int), 0)
    with pytest.raises(ParameterError, match="count=0"):
        largest_hubs(np.ones(3, dtype=int), 0)
