"""The decision on known scores: noise is left alone, gains are found, losses are guarded."""

from __future__ import annotations

import numpy as np
import pytest

from selection_problems import ABOUT, named
from simgauge.selection import deciding
from simgauge.selection.deciding import Settings, decide
from simgauge.selection.record import Change, Confirmation


def test_noise_is_left_alone_and_naive_choice_would_not(rng):
    """80 users, 30 candidates that differ by noise only: how often is one called better?"""
    called, alone, naive = 0, 0, 0
    for _ in range(150):
        units = np.maximum(0.2 + 0.1 * rng.standard_normal((80, 2, 30)), 0.0)
        found = decide(named(units), "ratio", Settings(n_resamples=200), ABOUT)
        called += found.decision == "improved"
        alone += found.confirmation.gain.verdict == "better"
        best = units[:, 0].mean(axis=0).argmax()
        difference = units[:, 0, best] - units[:, 0, 0]
        naive += best > 0 and difference.mean() > 1.96 * difference.std() / np.sqrt(80)
    assert called / 150 < 0.07, "2.5 % expected"
    assert alone > called, "control: the cross-fitted interval without the adjusted one"
    assert naive / 150 > 0.15, "control: testing the best of 30 on the data that chose it"


def test_a_real_gain_is_called_better(rng):
    units = 0.2 + 0.05 * rng.random((80, 2, 1)) + 0.02 * rng.standard_normal((80, 2, 5))
    units[:, :, 3] += 0.02
    found = decide(named(units), "ratio", Settings(), ABOUT)
    assert (found.decision, found.best_name) == ("improved", "c3")


def test_the_trade_off_and_the_guard_are_the_users(rng):
    units = 0.2 + 0.001 * rng.standard_normal((80, 2, 3))
    units[:, 0, 1] *= 3.0
    units[:, 1, 1] *= 0.9
    units[:, :, 2] *= 1.2
    both = decide(named(units), "ratio", Settings(), ABOUT)
    assert both.best_name == "c2"
    assert {row.name: row.guarded for row in both.table} == {"c0": False, "c1": True, "c2": False}
    assert all(row.pareto for row in both.table if not row.baseline)
    assert decide(named(units), "ratio", Settings(popularity_tradeoff=0.0), ABOUT).best_name == "c1"
    assert decide(named(units), "ratio", Settings(popularity_tradeoff=1.0), ABOUT).best_name == "c2"
    assert decide(named(units), "ratio", Settings(max_loss=0.2), ABOUT).best_name == "c1", "a loss that was allowed"


def test_too_little_evidence_says_how_much_is_needed(rng):
    units = np.maximum(0.2 + 0.1 * rng.standard_normal((30, 1, 2)), 0)
    units[:, :, 1] += 0.01
    found = decide(named(units), "ratio", Settings(), {**ABOUT, "n_units": 30})
    assert found.decision == "left alone"
    needed = found.confirmation.units_needed
    assert needed is None or needed > 30
    assert "The smallest gain that these 30 users would show" in found.summary
    more = np.tile(units, (200, 1, 1))
    assert decide(named(more), "ratio", Settings(), ABOUT).decision == ("improved" if needed else "left alone")


def test_a_baseline_that_finds_nothing_is_not_beaten_by_chance():
    units = np.zeros((40, 1, 2))
    units[0, 0, 1] = 0.5
    assert decide(named(units), "ratio", Settings(), ABOUT).decision == "left alone"


def lucky_losers(rng):
    """Ten candidates of large gain that lose slightly more than allowed, or less by luck, and a safe one of smaller
    gain."""
    units = np.repeat(1.0 + 0.05 * rng.standard_normal((200, 2, 1)), 12, axis=2)
    units[:, 0, 1:11] *= 1.5
    units[:, 1, 1:11] *= 0.975 + 0.1 * rng.standard_normal((200, 10))
    units[:, 0, 11] *= 1.2
    return units


def test_where_cross_fitting_shows_a_loss_a_pick_that_stays_clear_is_tried(monkeypatch):
    cases = [lucky_losers(np.random.default_rng(seed)) for seed in range(12)]
    settings = Settings(n_resamples=200)
    found = [decide(named(units), "ratio", settings, ABOUT).best_name for units in cases]
    monkeypatch.setattr(deciding, "MARGINS", (0.0,))
    once = [decide(named(units), "ratio", settings, ABOUT) for units in cases]
    assert sum(name == "c11" for name in found) >= 6, "the safe candidate"
    assert sum(one.best_name == "c11" for one in once) <= 1, "control: without a second try"
    alone = [one for one in once if one.decision == "left alone"]
    assert len(alone) >= 6
    assert all("loses more than allowed" in one.summary for one in alone)


def test_a_pick_need_not_stay_clear_where_cross_fitting_shows_no_loss(monkeypatch):
    rng = np.random.default_rng(0)
    units = 1.0 + 0.05 * rng.standard_normal((200, 2, 2))
    units[:, 0, 1] *= 1.5
    units[:, 1, 1] -= units[:, 1, 1].mean() - 0.985 * units[:, 1, 0].mean()
    settings = Settings(max_loss=0.016)  # a loss of 1.5 %, known to a third of a percent
    assert decide(named(units), "ratio", settings, ABOUT).decision == "improved"
    monkeypatch.setattr(deciding, "MARGINS", (1.0,))
    assert decide(named(units), "ratio", settings, ABOUT).decision == "left alone", "control: clear from the start"


def test_a_remedy_of_neighbours_is_chosen_only_where_the_user_allows_it(rng):
    units = 0.2 + 0.001 * rng.standard_normal((80, 2, 3))
    units[:, :, 1] *= 1.5
    units[:, :, 2] *= 1.2
    scored = named(units)
    scored.candidates[1].index_tables = None  # what remedies of neighbours have, and maps of vectors do not
    assert decide(scored, "ratio", Settings(), ABOUT).best_name == "c2"
    assert decide(scored, "ratio", Settings(vectors_only=False), ABOUT).best_name == "c1"
    assert decide(named(units), "ratio", Settings(), ABOUT).best_name == "c1", "control: a map of vectors"


@pytest.mark.parametrize(("scale", "edge"), [("ratio", 0.75), ("difference", -0.25)])
def test_a_loss_of_what_may_be_lost_is_no_loss_and_a_measure_without_weight_does_not_count(scale, edge):
    def loses(plain, weighted, weights):
        gain = Change(plain, plain, plain, scale)
        other = None if weighted is None else Change(weighted, weighted, weighted, scale)
        found = Confirmation(gain, gain, other, ("c1",), 1.0, None, gain)
        return deciding._loses(found, np.array(weights), 0.25)

    less, more = edge - 0.01, edge + 0.5
    assert not loses(edge, edge, [0.5, 0.5])
    assert loses(less, more, [0.5, 0.5])
    assert loses(more, less, [0.5, 0.5])
    assert not loses(more, less, [1.0, 0.0])
    assert not loses(less, more, [0.0, 1.0])
    assert loses(less, None, [1.0])
    assert not loses(edge, None, [1.0])
