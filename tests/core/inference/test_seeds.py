"""Intervals over units and seeds: coverage by simulation, against intervals that forget the seeds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from simgauge.core.inference.seeds import change_of, draw_of, several, spread_of
from simgauge.errors import ParameterError


def test_one_seed_is_students_interval(rng):
    values = rng.exponential(size=40)
    found = spread_of(values[:, None]).interval(0.9)
    expected = stats.t.interval(0.9, 39, values.mean(), stats.sem(values))
    assert found[1:] == pytest.approx(expected)


def test_one_seed_is_the_paired_test(rng):
    base = rng.exponential(size=(60, 1))
    other = base + 0.3 + 0.2 * rng.standard_normal((60, 1))
    found = change_of(other, base, ratio=False).interval(0.95)
    expected = stats.ttest_rel(other[:, 0], base[:, 0]).confidence_interval(0.95)
    assert found[1:] == pytest.approx((expected.low, expected.high))
    value = change_of(other, base, ratio=True)
    assert value.mean == pytest.approx(np.log(other.mean() / base.mean()))
    draws = rng.integers(0, 60, (4000, 60))
    again = np.log(other[draws, 0].mean(axis=1) / base[draws, 0].mean(axis=1))
    assert np.sqrt(value.variance) == pytest.approx(again.std(), rel=0.1), "the bootstrap of the ratio"


def simulate(rng, shift=0.0):
    """Four trainings of a model: units differ, trainings differ, and each training errs on each unit."""
    users, seeds = 0.15 * rng.standard_normal((50, 1)), 0.03 * rng.standard_normal((1, 4))
    return 0.5 + shift + users + seeds + 0.05 * rng.standard_normal((50, 4)), users


def test_intervals_hold_for_other_seeds_and_units(rng):
    held, forgotten, paired = [], [], []
    for _ in range(400):
        units, users = simulate(rng)
        found = spread_of(units).interval(0.95)
        held.append(found.low <= 0.5 <= found.high)
        other = 0.5 + users + 0.03 * rng.standard_normal((1, 4)) + 0.05 * rng.standard_normal((50, 4))
        change = change_of(other, units, ratio=False).interval(0.95)
        paired.append(change.low <= 0.0 <= change.high)
        naive = change_of(other.mean(axis=1)[:, None], units.mean(axis=1)[:, None], ratio=False).interval(0.95)
        forgotten.append(naive.low <= 0.0 <= naive.high)
    assert np.mean(held) > 0.93
    assert np.mean(paired) > 0.93
    assert np.mean(forgotten) < 0.6, "control: without the variance between trainings"


def test_numbers_that_do_not_vary_and_too_few_units():
    assert spread_of(np.ones((5, 2))).interval(0.95) == (1.0, 1.0, 1.0)
    assert change_of(np.zeros((5, 1)), np.zeros((5, 1)), ratio=True).mean == 0.0
    with pytest.raises(ParameterError, match="needs at least 2"):
        spread_of(np.ones((1, 3)))


def test_several_intervals_hold_together(rng):
    level = several(0.9, 6)
    draws = rng.standard_normal((4000, 6))
    assert (np.abs(draws).max(axis=1) < stats.norm.ppf((1 + level) / 2)).mean() == pytest.approx(0.9, abs=0.02)
    assert several(0.9, 0) == 0.9


def test_a_draw_that_all_units_share_widens_both(rng):
    units = rng.exponential(size=(40, 1))
    halves = 0.05 * np.tile(rng.standard_normal(30), (2, 1))
    draw = draw_of(halves)
    assert draw.variance == pytest.approx(4 * (halves[0] ** 2).sum())
    assert spread_of(units, draw).variance == pytest.approx(spread_of(units).variance + draw.variance)
    wide = change_of(units, units, ratio=True, draw=draw)
    assert wide.variance == pytest.approx(draw.variance)
    noise = [draw_of(rng.standard_normal((2, 30))).variance for _ in range(2000)]
    assert np.mean(noise) < 30, "halves that differ by noise alone tell of no draw: well below the sum of squares, 60"
