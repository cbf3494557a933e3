"""Samples of items: exact size, exact chances, and estimates of sums without bias."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.core.scores.query_sample import sample_queries


@pytest.fixture
def mass(rng):
    return rng.pareto(1.2, 60) + 0.05


@pytest.mark.parametrize("size", [1, 5, 25, 59])
def test_the_size_is_exact_and_chances_are_those_of_the_draw(mass, size):
    times = np.zeros(60)
    for seed in range(2000):
        drawn = sample_queries(mass, size, np.random.default_rng(seed))
        assert len(np.unique(drawn.items)) == size
        times[drawn.items] += 1
    chances = np.minimum(1.0, mass * size / mass.sum())
    for _ in range(60):  # raised for the others, until they sum to the size
        free = chances < 1
        chances[free] = (size - (~free).sum()) * mass[free] / mass[free].sum()
        chances = np.minimum(chances, 1.0)
    assert chances.sum() == pytest.approx(size)
    np.testing.assert_allclose(times / 2000, chances, atol=5 * np.sqrt(0.25 / 2000))
    drawn = sample_queries(mass, size, np.random.default_rng(0))
    np.testing.assert_allclose(drawn.chances, chances[drawn.items], rtol=1e-9)


def test_sums_are_estimated_without_bias_and_better_than_by_equal_chances(mass):
    rng = np.random.default_rng(1)
    values = mass * rng.uniform(0.2, 1.0, 60)
    found, plain = [], []
    for seed in range(2000):
        drawn = sample_queries(mass, 20, np.random.default_rng(seed))
        found.append((values[drawn.items] / drawn.chances).sum())
        plain.append(values[rng.choice(60, 20, replace=False)].sum() * 3)
    assert np.mean(found) == pytest.approx(values.sum(), abs=4 * np.std(found) / np.sqrt(2000))
    assert np.std(found) < np.std(plain) / 3, "control: every item as likely as another"


def test_all_items_are_sure_where_there_are_no_more(mass):
    for size in (60, 100):
        drawn = sample_queries(mass, size, np.random.default_rng(0))
        assert drawn.items.tolist() == list(range(60))
        assert (drawn.chances == 1).all()


def test_equal_masses_and_one_giant():
    even = sample_queries(np.ones(10), 4, np.random.default_rng(0))
    np.testing.assert_allclose(even.chances, 0.4)
    giant = sample_queries(np.array([1e9, 1.0, 1.0]), 2, np.random.default_rng(0))
    assert giant.items[0] == 0
    np.testing.assert_allclose(giant.chances, [1.0, 0.5])
