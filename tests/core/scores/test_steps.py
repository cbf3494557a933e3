"""Steps of sessions against a slow walk through every session."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest

from simgauge.core.scores import steps as module
from simgauge.core.scores.steps import steps_in_order
from simgauge.errors import InputError


def slow(sessions, items, times, max_gap=None):
    """Session by session, moment by moment, with dictionaries."""
    moments = defaultdict(lambda: defaultdict(set))
    for session, item, time in zip(sessions.tolist(), items.tolist(), times.tolist(), strict=True):
        moments[session][time].add(item)
    found = {}
    for session, own in moments.items():
        ordered = sorted(own)
        for before, after in pairwise(ordered):
            pairs = [(a, b) for a in own[before] for b in own[after] if a != b]
            if pairs and (max_gap is None or after - before <= max_gap):
                for a, b in pairs:
                    found[session, a, b, after] = 1 / len(pairs)
    return found


def as_dictionary(steps):
    keys = zip(*(part.tolist() for part in (steps.sessions, steps.first, steps.second, steps.times)), strict=True)
    return dict(zip(keys, steps.weights.tolist(), strict=True))


@pytest.mark.parametrize("max_gap", [None, 2.0])
@pytest.mark.parametrize("seed", range(5))
def test_steps_are_those_of_a_walk(seed, max_gap):
    rng = np.random.default_rng(seed)
    sessions, items = rng.integers(0, 12, 200), rng.integers(0, 9, 200)
    times = rng.integers(0, 15, 200).astype(float)
    found = steps_in_order(sessions, items, times, max_gap)
    expected = slow(sessions, items, times, max_gap)
    assert as_dictionary(found) == pytest.approx(expected)
    assert len(found.first) == len(expected), "no pair of a step twice"
    order = rng.permutation(200)
    assert as_dictionary(steps_in_order(sessions[order], items[order], times[order], max_gap)) == pytest.approx(
        expected
    )
    assert (found.weights < 1).any(), "control: there are ties"


def test_without_times_the_order_of_the_rows_counts(rng):
    sessions, items = rng.integers(0, 5, 60), rng.integers(0, 9, 60)
    found = steps_in_order(sessions, items)
    pairs = [(s, a, b) for s in range(5) for a, b in pairwise(items[sessions == s])]
    expected = sorted((s, int(a), int(b)) for s, a, b in pairs if a != b)
    assert sorted(zip(found.sessions.tolist(), found.first.tolist(), found.second.tolist(), strict=True)) == expected
    assert (found.weights == 1).all()
    assert as_dictionary(steps_in_order(sessions, items[::-1])) != as_dictionary(found), "control: order matters"


def test_a_single_event_and_repetitions_make_no_step():
    for sessions, items in (([0], [3]), ([0, 1], [3, 3]), ([0, 0, 0], [3, 3, 3])):
        assert len(steps_in_order(np.array(sessions), np.array(items)).first) == 0


def test_too_many_events_of_one_moment_are_refused(monkeypatch):
    monkeypatch.setattr(module, "MOST_PAIRS", 99)
    sessions, items = np.zeros(20, dtype=int), np.arange(20)
    with pytest.raises(InputError, match="100 pairs of items, because up to 10 events"):
        steps_in_order(sessions, items, np.repeat([0.0, 1.0], 10))
    assert len(steps_in_order(sessions, items, np.arange(20.0)).first) == 19, "control: times that differ"
