"""Hubness: the formulas of scikit-hubness by hand, planted hubs, and what a sample of queries can tell."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from geometry_problems import nearest
from simgauge.core.neighbors.hubness import (
    _raw_moments_of_all,
    antihub_expectation,
    antihub_share,
    hub_share,
    k_occurrence,
    k_skewness,
    k_skewness_from_sample,
    k_skewness_truncnorm,
    largest_hubs,
    neighbor_log_popularity,
    popularity_correlation,
    robin_hood_index,
    top_share,
)
from simgauge.errors import InputError, ParameterError


@pytest.fixture
def lists(rng):
    return nearest(rng.standard_normal((120, 20)), 5)[0]


def test_occurrence_is_the_count_of_every_row(lists):
    brute = [sum(row in list_ for list_ in lists.tolist()) for row in range(120)]
    assert k_occurrence(lists, 120).tolist() == brute
    assert k_occurrence(lists[:7], 120).sum() == 35


def test_measures_are_those_of_scikit_hubness(lists):
    """`skhubness.analysis.Hubness.score`, formula by formula, for k = 5 and all rows as queries."""
    occurrence, k, n = k_occurrence(lists, 120), 5, 120
    assert k_skewness(occurrence) == pytest.approx(stats.skew(occurrence))
    lower = -occurrence.mean() / occurrence.std(ddof=1)
    upper = (np.iinfo(np.int64).max - occurrence.mean()) / occurrence.std(ddof=1)
    reference = stats.truncnorm(lower, upper).moment(3)
    assert k_skewness_truncnorm(occurrence) == pytest.approx(reference, rel=1e-6)
    assert hub_share(occurrence) == pytest.approx(occurrence[occurrence >= 2 * k].sum() / k / n)
    assert robin_hood_index(occurrence) == pytest.approx(0.5 * np.abs(occurrence - k).sum() / occurrence.sum())
    assert antihub_share(occurrence) == (occurrence == 0).sum() / n


@pytest.mark.parametrize("cut", [0.1, 1.0, 3.0, 12.0])
def test_truncated_moment_by_integration(cut):
    occurrence = np.array([1.0, -1.0]) / np.sqrt(2) + cut  # mean `cut`, standard deviation 1 with n − 1
    z = np.linspace(-cut, 15, 400_001)
    density = stats.norm.pdf(z)
    expected = np.trapezoid(z**3 * density, z) / np.trapezoid(density, z)
    assert k_skewness_truncnorm(occurrence) == pytest.approx(expected, abs=1e-6)


def test_random_lists_have_the_poisson_share_of_antihubs(rng):
    n, k = 4000, 3
    for n_queries in (n, n // 4):
        random_lists = np.array([rng.choice(n, k, replace=False) for _ in range(n_queries)])
        occurrence = k_occurrence(random_lists, n)
        expected = antihub_expectation(k, n_queries, n)
        assert antihub_share(occurrence) == pytest.approx(expected, abs=5 * np.sqrt(expected / n))
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


@given(arrays(np.int64, st.integers(2, 40), elements=st.integers(0, 50)).filter(lambda counts: counts.sum() > 0))
def test_bounds_and_equality(occurrence):
    assert 0 <= robin_hood_index(occurrence) < 1
    assert 0 <= hub_share(occurrence) <= 1
    assert top_share(occurrence, 1.0) == 1
    if np.ptp(occurrence) == 0:
        assert robin_hood_index(occurrence) == k_skewness(occurrence) == k_skewness_truncnorm(occurrence) == 0


def test_moments_from_a_sample_are_unbiased(rng):
    """What `k_skewness_from_sample` stands on, over all samples of 4 of 7 queries: exact, no chance."""
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
        occurrence = k_occurrence(lists[rng.choice(n, m, replace=False)], n)
        corrected.append(k_skewness_from_sample(occurrence, m, n))
        plain.append(k_skewness(occurrence))
    error = np.std(corrected) / np.sqrt(30)
    assert np.mean(corrected) == pytest.approx(truth, abs=4 * error + 0.03 * truth)
    assert abs(np.mean(plain) - truth) > 5 * error  # control: the sample's own counts have another skewness
    assert k_skewness_from_sample(k_occurrence(lists, n), n, n) == pytest.approx(truth)


def test_a_sample_that_shows_no_spread_gives_zero():
    assert k_skewness_from_sample(np.array([1, 1, 1, 0, 0, 0]), 3, 6) == 0


def test_popularity_of_neighbours(rng, lists):
    popularity = rng.integers(0, 100, 120)
    brute = [np.mean([np.log(1 + popularity[j]) for j in row]) for row in lists]
    np.testing.assert_allclose(neighbor_log_popularity(lists, popularity), brute)


def test_correlation_is_spearman(rng):
    values, popularity = rng.integers(0, 9, 80), rng.integers(0, 9, 80)
    assert popularity_correlation(values, popularity) == pytest.approx(stats.spearmanr(values, popularity).statistic)
    assert popularity_correlation(popularity**2, popularity) == pytest.approx(1)
    assert popularity_correlation(np.ones(80), popularity) == 0


def test_bad_input():
    with pytest.raises(InputError, match="one finite count >= 0"):
        neighbor_log_popularity([[0]], np.array([-1.0]))
    with pytest.raises(InputError, match="expected one count per row, 3; received 2"):
        popularity_correlation(np.arange(3), np.arange(2))
    with pytest.raises(ParameterError, match="n_queries=2: expected 3 to n_rows=9"):
        k_skewness_from_sample(np.ones(9, dtype=int), 2, 9)
    with pytest.raises(ParameterError, match="share=0"):
        top_share(np.ones(3, dtype=int), 0)
    with pytest.raises(ParameterError, match="count=0"):
        largest_hubs(np.ones(3, dtype=int), 0)
