"""Intervals over pairs of models: their coverage in simulations, where the spread of rows alone does not cover."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from simgauge.core.inference.intervals import mean_interval
from simgauge.core.inference.pairwise import pair_means, pairwise_interval


def pairs_of(n_models):
    return np.array(list(combinations(range(n_models), 2)))


def drawn(rng, n_models, n_rows, by_model=0.1, by_row=0.1):
    """Shares of pairs: a number of the row, one of each of the two models, and noise."""
    pairs = pairs_of(n_models)
    models, rows = by_model * rng.standard_normal(n_models), by_row * rng.standard_normal(n_rows)
    return 0.5 + models[pairs].sum(axis=1)[:, None] + rows + 0.05 * rng.standard_normal((len(pairs), n_rows))


@pytest.mark.parametrize("n_models", [3, 5, 8])
def test_coverage_for_the_next_models_and_all_rows(rng, n_models):
    pairs = pairs_of(n_models)
    ours, of_rows = [], []
    for _ in range(400):
        values = drawn(rng, n_models, 100)
        found = pairwise_interval(lambda kept, values=values: pair_means(values, pairs, kept), [range(n_models)])
        ours.append(found.low <= 0.5 <= found.high)
        alone = mean_interval(values.mean(axis=0))
        of_rows.append(alone.low <= 0.5 <= alone.high)
    assert 0.93 <= np.mean(ours) <= 1.0
    assert np.mean(of_rows) < 0.6, "control: the spread of the rows alone says nothing of the next model"


def test_the_mean_is_that_of_the_pairs_and_all_rows_leave_only_the_models(rng):
    values, pairs = drawn(rng, 4, 30), pairs_of(4)
    found = pairwise_interval(lambda kept: pair_means(values, pairs, kept), [range(4)], population=30)
    assert found.value == pytest.approx(values.mean())
    left_out = [values[(pairs != model).all(axis=1)].mean() for model in range(4)]
    error = np.sqrt(3 / 4 * np.sum((left_out - np.mean(left_out)) ** 2))
    assert found.high - found.value == pytest.approx(3.182446305 * error)
    wider = pairwise_interval(lambda kept: pair_means(values, pairs, kept), [range(4)])
    assert wider.high > found.high


def test_two_models_leave_the_spread_of_the_rows(rng):
    values, pairs = drawn(rng, 2, 50), pairs_of(2)
    found = pairwise_interval(lambda kept: pair_means(values, pairs, kept), [range(2)])
    assert found == pytest.approx(mean_interval(values[0]))


def test_groups_are_left_out_one_model_at_a_time_within_each(rng):
    """A difference between two groups covers 0 where they are alike, and not where one is shifted."""
    groups, covered, seen = [range(3), range(3, 6)], [], []
    pairs = pairs_of(6)
    across = (pairs[:, 0] < 3) & (pairs[:, 1] >= 3)

    def difference(values):
        return lambda kept: (
            pair_means(values[~across], pairs[~across], kept) - pair_means(values[across], pairs[across], kept)
        )

    for _ in range(200):
        values = drawn(rng, 6, 100, by_model=0.05)
        found = pairwise_interval(difference(values), groups, population=100)
        covered.append(found.low <= 0 <= found.high)
        shifted = pairwise_interval(difference(values - 0.2 * across[:, None]), groups, population=100)
        seen.append(shifted.low > 0)
    assert np.mean(covered) >= 0.93
    assert np.mean(seen) > 0.9
