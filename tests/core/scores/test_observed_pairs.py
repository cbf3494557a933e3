"""Gains of observed pairs, and their sums by unit, against slow definitions."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.core.scores import observed_pairs
from simgauge.core.scores.observed_pairs import mean_by_unit, pair_gains, pooled_by_unit


@pytest.fixture
def problem(rng):
    lists = np.array([rng.permutation(40)[:8] for _ in range(15)])
    lists[4, 5:] = -1
    asked, wanted = rng.integers(0, 15, 300), rng.integers(0, 40, 300)
    return lists, asked, wanted, rng.uniform(0.1, 5.0, 300), np.concatenate([np.arange(20), rng.integers(0, 20, 280)])


@pytest.mark.parametrize("metric", ["recall", "ndcg", "mrr"])
def test_gains_are_those_of_the_rank(problem, metric, monkeypatch):
    lists, asked, wanted, *_ = problem
    worth = {"recall": lambda _: 1.0, "ndcg": lambda r: 1 / np.log2(1 + r), "mrr": lambda r: 1 / r}[metric]
    expected = []
    for query, item in zip(asked.tolist(), wanted.tolist(), strict=True):
        own = lists[query].tolist()
        expected.append(worth(own.index(item) + 1) if item in own else 0.0)
    assert 0 < np.mean(expected) < 1, "control: some are found, some are not"
    np.testing.assert_allclose(pair_gains(lists, asked, wanted, metric), expected, rtol=1e-15)
    monkeypatch.setattr(observed_pairs, "PLACES_PER_BLOCK", 24)
    np.testing.assert_allclose(pair_gains(lists, asked, wanted, metric), expected, rtol=1e-15)


def test_units_or_weights_count_the_same(problem):
    lists, asked, wanted, weights, units = problem
    gains = pair_gains(lists, asked, wanted, "recall")
    slow = [np.average(gains[units == unit], weights=weights[units == unit]) for unit in range(20)]
    np.testing.assert_allclose(mean_by_unit(gains, weights, units, 20), slow, rtol=1e-12)
    pooled = pooled_by_unit(gains, weights, units, 20)
    assert pooled.mean() == pytest.approx(np.average(gains, weights=weights))
    assert abs(pooled.mean() - np.mean(slow)) > 1e-3, "control: the two means differ"
