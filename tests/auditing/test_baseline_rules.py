"""The rules of one value: each has a case, and beside it the case that it must not catch."""

from __future__ import annotations

import pytest

from simgauge.auditing.baseline_rules import Rule
from simgauge.auditing.noise import Noise, Spread

LIMIT = {"warn": 4.0, "fail": 10.0, "direction": "above"}
BELOW = {"warn": 0.1, "fail": 0.03, "direction": "below"}
QUIET = Noise("no model", {})
LOUD = Noise("a loud model", {"hubness": Spread(1.0, 0.0)})


def side(value, verdict, interval=None):
    return {"value": value, "verdict": verdict, "interval": interval}


def outcome(then, now, limit=LIMIT, noise=QUIET, **more):
    return Rule("hubness", limit, noise, 1, **more).judge(side(*then), side(*now))


@pytest.mark.parametrize(
    ("then", "now", "expected"),
    [
        ((3.0, "ok", [2.5, 3.5]), (5.0, "warn", [4.5, 5.5]), "worse"),
        ((3.0, "ok", [2.5, 4.6]), (5.0, "warn", [4.5, 5.5]), "inconclusive"),
        ((5.0, "warn", [4.5, 5.5]), (3.0, "ok", [2.5, 3.5]), "better"),
        ((5.0, "warn", [4.5, 5.5]), (3.0, "ok", [2.5, 4.6]), "inconclusive"),
        ((3.0, "ok"), (5.0, "warn"), "worse"),
        ((5.0, "warn", [4.9, 5.1]), (8.0, "warn", [7.9, 8.1]), "worse"),
        ((5.0, "warn", [4.9, 5.1]), (5.3, "warn", [5.2, 5.4]), "same"),
        ((5.0, "warn", [4.0, 6.5]), (8.0, "warn", [6.0, 9.9]), "same"),
        ((8.0, "warn", [7.9, 8.1]), (5.0, "warn", [4.9, 5.1]), "better"),
        ((1.0, "ok", [0.9, 1.1]), (3.0, "ok", [2.9, 3.1]), "moved"),
        ((3.0, "info", [2.9, 3.1]), (1.0, "info", [0.9, 1.1]), "moved"),
        ((1.0, "ok", [0.5, 2.5]), (3.0, "ok", [2.4, 3.6]), "same"),
        ((1.0, "ok"), (1.2, "ok"), "same"),
        ((0.001, "ok"), (0.009, "ok"), "same"),
        ((None, "info"), (1.0, "info"), "same"),
        ((None, "info"), (None, "warn"), "worse"),
        ((None, "info"), (None, "ok"), "same"),
    ],
)
def test_the_outcome_of_a_value(then, now, expected):
    assert outcome(then, now)[0] == expected


def test_the_bad_side_is_that_of_the_limits():
    """The same rise is worse for a value that must be small, and better for one that must be large."""
    then, now = (0.02, "warn", [0.01, 0.03]), (0.06, "warn", [0.05, 0.07])
    assert outcome(then, now)[0] == "worse"
    assert outcome(then, now, BELOW)[0] == "better"


@pytest.mark.parametrize(
    ("then", "now", "expected"),
    [
        ((3.0, "ok"), (5.0, "warn"), "same"),  # 2 of 1.64 √2 = 2.33
        ((3.0, "ok"), (5.5, "warn"), "worse"),
        ((5.5, "warn"), (3.0, "ok"), "better"),
        ((5.0, "warn"), (7.0, "warn"), "same"),
        ((5.0, "warn"), (7.5, "warn"), "worse"),
        ((3.0, "ok", [2.0, 4.6]), (5.0, "warn", [4.5, 5.5]), "same"),  # noise, whatever the sample
        ((3.0, "ok", [2.0, 4.6]), (5.5, "warn", [4.5, 6.5]), "inconclusive"),
        ((1.0, "ok"), (3.0, "ok"), "same"),
        ((1.0, "ok"), (3.5, "ok"), "moved"),
        ((None, "info"), (None, "warn"), "worse"),
    ],
)
def test_what_another_training_does_is_no_change(then, now, expected):
    found, reason = outcome(then, now, noise=LOUD)
    assert found == expected
    if expected == "same" and then[0] and "warn" in (then[1], now[1]):
        assert "than two trainings of a loud model may be" in reason


def test_a_share_of_the_value_replaces_the_noise():
    assert outcome((3.0, "ok"), (5.0, "warn"), noise=LOUD, min_move=0.1)[0] == "worse"
    assert outcome((3.0, "ok"), (5.5, "warn"), noise=LOUD, min_move=0.9)[0] == "same"
