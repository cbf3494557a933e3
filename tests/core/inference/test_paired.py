"""Resampled means, simultaneous intervals, sample sizes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from simgauge.core.inference import paired as paired_inference
from simgauge.core.inference.paired import (
    bootstrap_means,
    detectable_gain,
    max_t,
    pareto_front,
    surely_above,
    units_needed,
)
from simgauge.errors import ParameterError


def test_resampled_means_have_the_standard_error_of_the_mean_and_are_paired(rng):
    units = rng.standard_normal((500, 1)) @ np.array([[1.0, 1.0]]) + 0.01 * rng.standard_normal((500, 2))
    means = bootstrap_means(units, rng, 3000)
    np.testing.assert_allclose(means.std(axis=0), units.std(axis=0) / np.sqrt(500), rtol=0.08)
    difference = (means[:, 1] - means[:, 0]).std()
    assert difference == pytest.approx((units[:, 1] - units[:, 0]).std() / np.sqrt(500), rel=0.08)
    unpaired = np.hypot(*units.std(axis=0)) / np.sqrt(500)
    assert difference < unpaired / 50, "control: resampled apart, the difference would be lost in noise"


def test_groups_of_units_resample_like_units(rng, monkeypatch):
    monkeypatch.setattr(paired_inference, "MAX_GROUPS", 300)
    units = rng.exponential(size=(1000, 1))
    means = bootstrap_means(units, rng, 3000)
    assert means.mean() == pytest.approx(units.mean(), abs=0.01)
    assert means.std() == pytest.approx(units.std() / np.sqrt(1000), rel=0.12)


def false_claims(rng, adjust):
    """Share of experiments without any effect in which some of 20 related candidates is called different."""
    wrong = 0
    for _ in range(200):
        units = 0.5 * rng.standard_normal((60, 1)) + rng.standard_normal((60, 20))
        low, high = adjust(units.mean(axis=0), bootstrap_means(units, rng, 300))
        wrong += bool(((low > 0) | (high < 0)).any())
    return wrong / 200


def test_intervals_hold_for_all_candidates_together(rng):
    together = false_claims(rng, lambda values, draws: max_t(values, draws)[:2])
    alone = false_claims(rng, lambda _, draws: np.quantile(draws, [0.025, 0.975], axis=0))
    assert together < 0.12, "5 % expected, 200 experiments, small samples"
    assert alone > 0.3, "control: intervals made for one candidate alone"


def test_identical_candidates_are_never_different(rng):
    found = max_t(np.zeros(3), np.zeros((50, 3)))
    assert (found.low == 0).all()
    assert (found.high == 0).all()
    assert (found.p_value == 1).all()


def test_p_values_have_no_sign_and_are_one_where_nothing_moves(rng):
    draws = rng.standard_normal((2000, 3)) * [1.0, 1.0, 0.0]
    values = np.array([0.0, 9.0, 0.0])
    found, turned = max_t(values, draws + values), max_t(-values, -draws - values)
    assert found.p_value.tolist() == turned.p_value.tolist()
    assert turned.p_value[1] < 0.01, "a loss is as certain as the gain"
    assert found.p_value[2] == 1, "a candidate that never differs, beside others that do"


def test_surely_above_makes_few_false_claims_and_goes_on_after_those_that_are_clear(rng):
    """Twenty candidates at the limit on one of two measures; ten others far above it, which step down makes no
    matter."""
    wrong, alone = 0, 0
    for _ in range(200):
        units = 0.5 * rng.standard_normal((60, 1, 1)) + rng.standard_normal((60, 2, 30))
        units[:, 1, :20] += 3.0
        units[:, :, 20:] += 3.0
        draws = bootstrap_means(units.reshape(60, -1), rng, 300).reshape(300, 2, 30)
        values = units.mean(axis=0)
        claimed = surely_above(values, 0.0, draws, n_units=60)
        assert claimed[20:].all()
        wrong += bool(claimed[:20].any())
        alone += bool((np.quantile(draws, 0.025, axis=0).min(axis=0)[:20] > 0).any())
    assert wrong <= 12, "2.5 % expected: 12 of 200 are exceeded in 1 of 200 such tests"
    assert alone > 40, "control: bounds made for one candidate alone"


def test_surely_above_steps_down(rng):
    """A candidate between the bound for two and the bound for one is claimed once the other is."""
    draws = rng.standard_normal((20_000, 1, 2))
    values = np.array([[2.1, 9.0]])
    assert surely_above(values, 0.0, draws + values).tolist() == [True, True]
    values = np.array([[2.1, 0.0]])
    assert surely_above(values, 0.0, draws + values).tolist() == [False, False], "control"
    still = np.zeros((50, 1, 3))
    assert surely_above(np.array([[0.1, 0.0, -0.1]]), 0.0, still).tolist() == [True, True, False]


def test_few_units_have_the_critical_values_of_student(rng):
    draws = rng.standard_normal((40_000, 1))
    few, many = max_t(np.zeros(1), draws, n_units=6), max_t(np.zeros(1), draws)
    assert few.critical == pytest.approx(stats.t.ppf(0.975, 5), rel=0.05)
    assert many.critical == pytest.approx(1.96, rel=0.05)
    assert max_t(np.array([2.2]), draws + 2.2, n_units=6).p_value[0] == pytest.approx(2 * stats.t.sf(2.2, 5), rel=0.1)
    values = np.array([[2.2]])
    assert surely_above(values, 0.0, draws[:, :, None] + values).all()
    assert not surely_above(values, 0.0, draws[:, :, None] + values, n_units=6).any()


class RecordingGenerator:
    """Draws like another generator and keeps how many numbers each call asked for."""

    def __init__(self, seed):
        self.rng, self.sizes = np.random.default_rng(seed), []

    def integers(self, low, high, size):
        self.sizes.append(int(np.prod(size)))
        return self.rng.integers(low, high, size=size)


def test_resampling_draws_no_more_numbers_at_once_than_it_says(rng, monkeypatch):
    units = rng.standard_normal((50, 2))
    whole = bootstrap_means(units, RecordingGenerator(0), 33)
    monkeypatch.setattr(paired_inference, "RESAMPLED_NUMBERS", 520)
    recording = RecordingGenerator(0)
    np.testing.assert_allclose(bootstrap_means(units, recording, 33), whole, rtol=1e-12, atol=1e-14)
    assert recording.sizes == [500, 500, 500, 150]


def test_the_number_of_units_needed_gives_the_power_promised(rng):
    n = units_needed(rng.standard_normal(100_000), 0.2)
    found = 0
    for _ in range(1000):
        sample = 0.2 + rng.standard_normal(n)
        found += sample.mean() - 1.96 * sample.std() / np.sqrt(n) > 0
    assert found / 1000 == pytest.approx(0.8, abs=0.05)
    assert units_needed(np.array([1.0, -1.0]), 0.0) is None
    assert units_needed(np.array([1.0, -1.0]), -1.0) is None


def test_the_detectable_gain_needs_exactly_the_units_there_are(rng):
    sample = rng.standard_normal(250)
    assert units_needed(sample, detectable_gain(sample) * (1 + 1e-9)) == 250


def test_pareto_front_is_that_of_loops(rng):
    scores = rng.integers(0, 5, (40, 2)).astype(float)
    slow = [not any((other >= row).all() and (other > row).any() for other in scores) for row in scores]
    assert pareto_front(scores).tolist() == slow


def test_bad_parameters(rng):
    with pytest.raises(ParameterError, match="n_resamples=0"):
        bootstrap_means(np.ones((3, 1)), rng, 0)
    with pytest.raises(ParameterError, match="confidence=1"):
        max_t(np.zeros(1), np.zeros((2, 1)), 1.0)
    with pytest.raises(ParameterError, match="power=0"):
        units_needed(np.ones(3), 1.0, power=0)


def test_sorted_units_resample_like_units_in_any_order(rng, monkeypatch):
    """Groups are made of units at random: groups of neighbours of a sorted list would differ far more."""
    monkeypatch.setattr(paired_inference, "MAX_GROUPS", 100)
    units = np.sort(rng.exponential(size=(1000, 1)), axis=0)
    assert bootstrap_means(units, rng, 3000).std() == pytest.approx(units.std() / np.sqrt(1000), rel=0.25)
    together = units.reshape(100, 10).mean(axis=1)
    assert together.std() / np.sqrt(100) > 2.5 * units.std() / np.sqrt(1000), "control: groups of neighbours"


def test_a_p_value_counts_the_sample_itself_among_the_resamples():
    """p = (1 + resamples at least as extreme) / (1 + resamples): never 0, and 1 where all are as extreme."""
    resampled = np.array([[-1.0, 9.0], [1.0, 9.5], [-1.0, 10.0], [1.0, 10.5]])
    found = max_t(np.array([0.0, 9.75]), resampled)
    assert found.p_value.tolist() == [1.0, 1 / 5]


def test_intervals_reach_the_critical_value_of_standard_errors(rng):
    resampled = rng.standard_normal((4000, 2)) * [1.0, 3.0] + [0.5, -2.0]
    values = np.array([0.5, -2.0])
    for confidence in (0.5, 0.95):
        low, high, _, critical = max_t(values, resampled, confidence)
        np.testing.assert_allclose([values - low, high - values], critical * np.tile(resampled.std(axis=0), (2, 1)))
        both = np.abs(rng.standard_normal((200_000, 2))).max(axis=1)
        assert critical == pytest.approx(np.quantile(both, confidence), rel=0.05)


def test_every_unit_is_in_a_group_and_every_resample_is_drawn(monkeypatch):
    monkeypatch.setattr(paired_inference, "MAX_GROUPS", 2)
    monkeypatch.setattr(paired_inference, "RESAMPLED_NUMBERS", 2 * 3)
    one = np.zeros((5, 1))
    one[0] = 1.0
    for seed in range(40):
        means = bootstrap_means(one, np.random.default_rng(seed), 20)
        assert means.shape == (20, 1)
        assert means.max() > 0, "the unit that is not zero may not be left out"
    assert bootstrap_means(one, np.random.default_rng(0), 1).shape == (1, 1)
