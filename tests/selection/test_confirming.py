"""Intervals of the table and of the expectation against normal theory, and what is said of a choice that gains
nothing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from selection_problems import ABOUT, named
from simgauge.core.inference.paired import detectable_gain, units_needed
from simgauge.selection.confirming import confirm, measure, tabulate
from simgauge.selection.deciding import Settings, decide

RESAMPLES = 4000
ENDS = 0.08  # of the length of an interval: its ends are quantiles of 4000 resamples


def measured(units, rng, scale="difference", confidence=0.95, resamples=RESAMPLES, max_loss=0.02, weights=None):
    if weights is None:
        weights = np.ones(units.shape[1]) / units.shape[1]
    return measure(named(units), np.asarray(weights), scale, rng, confidence, resamples, max_loss)


def half_width(values, confidence):
    student = stats.t.ppf((1 + confidence) / 2, len(values) - 1)
    return student * values.std() / np.sqrt(len(values))


@pytest.mark.parametrize("confidence", [0.5, 0.95])
def test_every_interval_has_the_confidence_asked_for(rng, confidence):
    """One candidate against the baseline, so the adjusted intervals are those of normal theory too."""
    units = 1.0 + 0.1 * rng.standard_normal((400, 2, 2))
    weights = np.array([0.3, 0.7])
    found = measured(units, rng, confidence=confidence, weights=weights)
    assert found.gains.critical == pytest.approx(stats.norm.ppf((1 + confidence) / 2), rel=ENDS)
    row = next(row for row in tabulate(found) if row.name == "c1")
    change = units[:, :, 1] - units[:, :, 0]
    for interval, values in (
        (row.plain, units[:, 0, 1]),
        (row.weighted, units[:, 1, 1]),
        (row.gain, change @ weights),
    ):
        wide = half_width(values, confidence)
        expected = [values.mean(), values.mean() - wide, values.mean() + wide]
        np.testing.assert_allclose(tuple(interval)[:3], expected, atol=ENDS * 2 * wide)


@pytest.mark.parametrize("confidence", [0.5, 0.95])
@pytest.mark.parametrize("part", [0, 1])
def test_the_changes_of_the_table_hold_for_all_candidates_and_measures_together(rng, part, confidence):
    units = 1.0 + 0.1 * rng.standard_normal((400, 2, 6))
    row = next(row for row in tabulate(measured(units, rng, confidence=confidence)) if row.name == "c3")
    change = (row.plain_change, row.weighted_change)[part]
    values = units[:, part, 3] - units[:, part, 0]
    error = values.std() / np.sqrt(400)
    assert change.value == pytest.approx(values.mean())
    assert change.value - change.low == pytest.approx(change.high - change.value)
    beyond = (change.high - change.value) / error
    one, bonferroni = (stats.norm.ppf(1 - (1 - confidence) / 2 / claims) for claims in (1, 10))
    assert 1.1 * one < beyond < bonferroni


def test_the_expectation_is_what_other_units_show_in_the_intervals_of_the_table(rng):
    units = 1.0 + 0.1 * rng.standard_normal((200, 2, 4))
    found = measured(units, rng)
    cross = units[:, :, [0, 2]] - np.array([0.0, 0.01])
    told = confirm(cross, ["c2", "c2", "c1"], found, 2)
    row = next(row for row in tabulate(found) if row.name == "c2")
    for change, of_table, values in (
        (told.plain_change, row.plain_change, cross[:, 0]),
        (told.weighted_change, row.weighted_change, cross[:, 1]),
        (told.gain, row.gain, cross.mean(axis=1)),
    ):
        assert change.value == pytest.approx((values[:, 1] - values[:, 0]).mean())
        assert (change.low, change.high) == (of_table.low, of_table.high)
    assert told.agreement == pytest.approx(2 / 3)
    outside = confirm(units[:, :, [0, 2]] - np.array([0.0, 9.0]), ["c2"], found, 2)
    assert outside.gain.low == outside.gain.value == pytest.approx(row.gain.value - 9.0), "the interval holds the value"


def test_units_needed_and_the_detectable_gain_allow_for_all_candidates(rng):
    units = 1.0 + 0.1 * rng.standard_normal((200, 1, 20))
    units[:, 0, 7] += 0.01
    found = measured(units, rng, resamples=400)
    told = confirm(units[:, :, [0, 7]], ["c7"] * 4 + ["c3"], found, 7)
    change, critical = units[:, 0, 7] - units[:, 0, 0], found.gains.critical
    assert critical > 2.5
    assert told.detectable.value == pytest.approx(detectable_gain(change, critical))
    assert told.units_needed == units_needed(change, change.mean(), critical)
    assert told.units_needed > 1.3 * units_needed(change, change.mean()), "control: as if there were one candidate"
    assert told.agreement == 0.8
    assert told.weighted_change is None


def test_where_nothing_is_chosen_the_detectable_gain_is_that_of_the_runner_up(rng):
    units = 0.5 + 0.01 * rng.standard_normal((80, 1, 3))
    units[:, 0, 1] -= 0.20 + 0.1 * rng.standard_normal(80)
    units[:, 0, 2] -= 0.05 + 0.02 * rng.standard_normal(80)
    found = decide(named(units), "difference", Settings(), ABOUT)
    assert found.best_name == "c0"
    error = (units[:, 0, 2] - units[:, 0, 0]).std(ddof=1) / np.sqrt(80)
    assert (1.96 + 0.84) * error < found.confirmation.detectable.value < (3.0 + 0.84) * error
    assert found.confirmation.units_needed is None, "there is no gain to show"


def test_the_baseline_alone_has_no_runner_up(rng):
    found = decide(named(0.5 + 0.1 * rng.standard_normal((40, 1, 1))), "ratio", Settings(), ABOUT)
    assert (found.decision, found.confirmation.detectable.value, len(found.table)) == ("left alone", 1.0, 1)


def test_huge_ratios_stay_finite(rng):
    """A baseline that finds next to nothing: e^700 is the largest ratio that is told."""
    units = np.full((20, 1, 2), 1e-300)
    units[:, 0, 1] = 1.0
    rows = tabulate(measured(units, rng, "ratio", resamples=50))
    assert all(np.isfinite(tuple(row.gain)[:3]).all() for row in rows)


def test_the_table_is_sorted_by_gain_and_names_the_baseline(rng):
    units = 1.0 + 0.1 * rng.standard_normal((200, 1, 4)) + np.array([0.0, 0.2, -0.2, 0.4])
    rows = tabulate(measured(units, rng, resamples=200))
    assert [row.name for row in rows] == ["c3", "c1", "c0", "c2"]
    assert [row.baseline for row in rows] == [False, False, True, False]
    assert [row.significant for row in rows] == ["better", "better", "", "worse"]
    assert [row.pareto for row in rows] == [True, False, False, False]
    assert [row.guarded for row in rows] == [False, False, False, True]
    assert all(row.weighted is None and row.weighted_change is None for row in rows)
