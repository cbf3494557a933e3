"""The gain, its guard, and cross-fitting: choosing among many must not create gains out of noise."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.core.inference.tradeoff import Rule, change_influence, changes, cross_fit, measure_weights, pick


def test_the_gain_is_the_geometric_mean_of_the_two_ratios():
    means = np.array([[0.2, 0.4], [0.1, 0.05]])
    weights = measure_weights(2, 0.5)
    assert np.exp(weights @ changes(means, "ratio")).tolist() == pytest.approx([1.0, np.sqrt(2 * 0.5)])
    assert (measure_weights(2, 0.0) @ changes(means, "ratio"))[1] == pytest.approx(np.log(2))


@pytest.mark.parametrize("scale", ["ratio", "difference"])
def test_the_influence_gives_the_standard_error_of_the_change(rng, scale):
    units = rng.gamma(2.0, size=(400, 2, 3)) * 0.1 + 0.1 * rng.random((400, 1, 1))
    influence = change_influence(units, scale)
    np.testing.assert_allclose(influence.mean(axis=0), 0, atol=1e-12)
    drawn = rng.integers(0, 400, (3000, 400))
    again = np.array([changes(units[rows].mean(axis=0), scale) for rows in drawn])
    np.testing.assert_allclose(influence.std(axis=0) / 20, again.std(axis=0), rtol=0.08, atol=1e-12)


def test_the_guard_keeps_out_what_loses_on_a_measure_that_counts():
    units = np.array([[[0.1, 0.9, 0.2], [0.1, 0.09, 0.1]]])
    assert pick(units, Rule(measure_weights(2, 0.5), "ratio", 0.0)).candidate == 2
    assert pick(units, Rule(measure_weights(2, 0.5), "ratio", 0.2)).candidate == 1, "control: a loss that was allowed"
    assert pick(units, Rule(measure_weights(2, 0.0), "ratio", 0.0)).candidate == 1, (
        "a measure that does not count is not guarded"
    )
    assert pick(units, Rule(measure_weights(2, 0.5), "ratio"), np.array([True, False, False])).candidate == 0


def test_a_baseline_that_finds_nothing_does_not_divide_by_zero():
    units = np.array([[[0.0, 0.1]], [[0.0, 0.2]]])
    assert np.isfinite(changes(units.mean(axis=0), "ratio")).all()
    assert pick(units, Rule(np.ones(1), "ratio", 0.0)).candidate == 1


def test_no_unit_is_scored_by_a_choice_it_took_part_in(rng):
    units = rng.random((40, 1, 5))
    folds = np.arange(40) % 4
    scored, picks = cross_fit(units, Rule(np.ones(1), "difference"), folds)
    assert len(picks) == 4
    for fold in range(4):
        assert picks[fold] == pick(units[folds != fold], Rule(np.ones(1), "difference", 0.0)).candidate
        np.testing.assert_array_equal(scored[folds == fold][:, :, 1], units[folds == fold][:, :, picks[fold]])
    changed = units.copy()
    changed[folds == 0] = rng.random((10, 1, 5))
    assert cross_fit(changed, Rule(np.ones(1), "difference"), folds)[1][0] == picks[0]


def test_cross_fitting_is_free_of_the_optimism_of_choosing(rng):
    honest, optimistic = [], []
    for _ in range(200):
        units = np.concatenate([np.zeros((50, 1, 1)), rng.standard_normal((50, 1, 40))], axis=2)
        scored, _ = cross_fit(units, Rule(np.ones(1), "difference"), np.arange(50) % 5)
        honest.append(scored[:, 0, 1].mean())
        optimistic.append(units.mean(axis=0)[0].max())
    error = np.std(honest) / np.sqrt(200)
    assert abs(np.mean(honest)) < 4 * error
    assert np.mean(optimistic) > 0.2, "control: the best of 40 looks good on what it was chosen on"


def test_a_margin_keeps_out_what_may_lose_by_luck(rng):
    units = 0.2 + 0.05 * rng.standard_normal((50, 2, 2))
    units[:, 0, 1] *= 2.0
    units[:, 1, 1] += 0.001 - (units[:, 1, 1] - units[:, 1, 0]).mean()
    assert pick(units, Rule(measure_weights(2, 0.5), "ratio", 0.0)).candidate == 1
    assert pick(units, Rule(measure_weights(2, 0.5), "ratio", 0.0, margin=1.0)).candidate == 0


def test_with_a_gain_margin_the_gain_is_picked_that_is_largest_at_least(rng):
    """A gain of 0.05 known to 0.002 goes before one of 0.08 known to 0.1, and nothing is too small to be picked."""
    noise = rng.standard_normal((100, 2))
    noise = (noise - noise.mean(axis=0)) / noise.std(axis=0)
    units = np.ones((100, 1, 3))
    units[:, 0, 1] += 0.05 + 0.02 * noise[:, 0]
    units[:, 0, 2] += 0.08 + 1.0 * noise[:, 1]
    assert pick(units, Rule(np.ones(1), "difference")).candidate == 2
    assert pick(units, Rule(np.ones(1), "difference", gain_margin=2.0)).candidate == 1
    units[:, 0, 1:] -= 0.2
    assert pick(units, Rule(np.ones(1), "difference", max_loss=1.0)).candidate == 0
    assert pick(units, Rule(np.ones(1), "difference", max_loss=1.0, gain_margin=2.0)).candidate == 1
    assert pick(units, Rule(np.ones(1), "difference", gain_margin=2.0)).candidate == 0, "none is allowed"


def test_small_means_are_compared_as_they_are():
    assert changes(np.array([[1e-6, 3e-6]]), "ratio")[0, 1] == pytest.approx(np.log(3))
    influence = change_influence(np.array([[[1e-6, 2e-6]], [[3e-6, 2e-6]]]), "ratio")
    np.testing.assert_allclose(influence[:, 0, 1], [0.5, -0.5])


def test_the_influence_beside_a_baseline_that_finds_nothing_has_mean_zero():
    influence = change_influence(np.array([[[0.0, 0.1]], [[0.0, 0.3]]]), "ratio")
    np.testing.assert_allclose(influence[:, 0, 1], [-0.5, 0.5])


@pytest.mark.parametrize("max_loss", [0.02, 0.2, 0.5])
@pytest.mark.parametrize("scale", ["ratio", "difference"])
def test_the_guard_lies_exactly_at_the_loss_that_may_be(scale, max_loss):
    """A share of what there was, or a difference: log(1 − m) or −m."""
    for loss, kept in ((max_loss * 0.999, True), (max_loss * 1.001, False)):
        fallen = 1.0 - loss  # from one, so the share lost and the difference are the same number
        units = np.array([[[1.0, 2.0], [1.0, fallen]]])
        found = pick(units, Rule(measure_weights(2, 0.5), scale, max_loss))
        assert (found.candidate == 1) == kept
        assert found.allowed.tolist() == [True, kept]


@pytest.mark.parametrize("scale", ["ratio", "difference"])
def test_a_margin_counts_standard_errors_of_the_mean(rng, scale):
    """A measure that lies two standard errors of the mean above the limit is clear by one and not by three."""
    noise = rng.standard_normal(400)
    noise = 0.01 * (noise - noise.mean()) / noise.std()
    units = np.ones((400, 2, 2))
    units[:, 0, 1] = 1.5
    units[:, 1, 1] += noise + 2 * 0.01 / np.sqrt(400)
    for margin, kept in ((0.0, True), (1.0, True), (1.99, True), (2.01, False), (3.0, False)):
        assert (pick(units, Rule(measure_weights(2, 0.5), scale, 0.0, margin)).candidate == 1) == kept
