"""The search on landscapes that are known: it arrives where an exhaustive look arrives, and keeps the guard."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.remedies.search_space import Family
from simgauge.selection.search import KEPT, Goal, climb

BOTH = Goal(np.array([0.5, 0.5]), "ratio", 0.02)
LADDER = tuple(float(step) for step in range(9))


class Spot:
    """A candidate that is two numbers."""

    def __init__(self, x, y, refit=False):
        self.x, self.y, self.needs_interactions = x, y, refit

    @property
    def name(self):
        """Where it is."""
        return f"{'refit ' if self.needs_interactions else ''}{self.x:g}, {self.y:g}"


class Baseline(Spot):
    """The vectors as they are."""

    name = "baseline"


BASE = Baseline(0, 0)


def family(refit=False):
    coarse = {"x": (0.0, 4.0, 8.0), "y": (0.0, 8.0)}
    return Family("spots", lambda **at: Spot(**at, refit=refit), {"x": LADDER, "y": LADDER}, coarse)


def hill(peak, height=1.0):
    """Log-ratios that fall with the distance from the peak; both measures alike."""

    def means(spot, _):
        if spot.name == "baseline":
            return np.ones(2)
        away = abs(spot.x - peak[0]) + abs(spot.y - peak[1])
        return np.exp(np.full(2, height - 0.1 * away))

    return means


@pytest.mark.parametrize("peak", [(3.0, 7.0), (6.0, 2.0), (8.0, 0.0)])
def test_it_arrives_at_the_best_of_all(peak):
    found = climb(family().start(), [], BASE, hill(peak), BOTH)
    everywhere = [Spot(x, y) for x in LADDER for y in LADDER]
    best = max(everywhere, key=lambda spot: hill(peak)(spot, 0)[0])
    assert found.candidates[0].name == best.name
    assert found.n_tried < len(everywhere) / 2


def test_the_coarse_grid_alone_does_not_arrive(monkeypatch):
    """Control of the test above: without steps the peak is not reached."""
    monkeypatch.setattr("simgauge.selection.search.CLIMBS", 0)
    found = climb(family().start(), [], BASE, hill((3.0, 7.0)), BOTH)
    assert found.candidates[0].name == "4, 8"


def test_refits_do_not_push_out_what_keeps_to_the_model():
    def means(spot, number):
        return hill((3.0, 7.0), 2.0 if spot.needs_interactions else 0.5)(spot, number)

    found = climb([*family().start(), *family(refit=True).start()], [], BASE, means, BOTH)
    names = [spot.name for spot in found.candidates]
    assert names[0] == "3, 7"
    assert "refit 3, 7" in names
    assert sum(name.startswith("refit") for name in names) == KEPT[-1]


def test_what_breaks_the_guard_comes_after_all_that_keeps_it():
    """The first measure rises along x, the second falls below what may be lost from x = 5 on."""

    def means(spot, _):
        return np.exp([0.2 * spot.x, -0.005 * spot.x if spot.x < 5 else -0.1])

    found = climb(family().start(), [], BASE, means, BOTH)
    assert found.candidates[0].x == 4
    free = climb(family().start(), [], BASE, means, BOTH._replace(max_loss=0.5))
    assert free.candidates[0].x == 8
    plain = climb(family().start(), [], BASE, means, Goal(np.array([1.0, 0.0]), "ratio", 0.0))
    assert plain.candidates[0].x == 8  # a measure that does not count is not guarded


def test_the_best_of_each_measure_is_kept_for_the_table(monkeypatch):
    def means(spot, _):
        return np.exp([0.1 * spot.x - 0.02 * spot.y, 0.1 * spot.y - 0.02 * spot.x])

    monkeypatch.setattr("simgauge.selection.search.KEPT", (99, 99, 1))
    found = climb(family().start(), [], BASE, means, BOTH)
    assert [(spot.x, spot.y) for spot in found.candidates] == [(8, 8), (8, 0), (0, 8)]


def test_rough_rounds_do_not_decide_what_is_close():
    """The first round takes another hill for the best; the last one sees the right one and climbs it."""

    def means(spot, number):
        if number == 0:
            return hill((8.0, 8.0))(spot, 0)
        return hill((3.0, 2.0))(spot, 0)

    assert climb(family().start(), [], BASE, means, BOTH).candidates[0].name == "3, 2"


def test_singles_are_kept_where_they_are_among_the_best_and_failures_are_passed_over():
    single = Spot(3.0, 7.0)
    steps = []

    def means(spot, number):
        return None if spot.x == 4.0 else hill((3.0, 7.0))(spot, number)

    told = lambda text, done, of: steps.append((text, done, of))  # noqa: E731
    found = climb(family().start(), [single], BASE, means, BOTH, told)
    assert found.candidates[0] is single
    assert all(spot.x != 4.0 for spot in found.candidates)
    assert all(done < of for _, done, of in steps)
    again = climb(family().start(), [single], BASE, means, BOTH)
    assert [spot.name for spot in again.candidates] == [spot.name for spot in found.candidates]


def test_differences_are_compared_as_differences():
    def means(spot, _):
        return np.array([0.3 if spot.name == "baseline" else 0.3 + 0.01 * spot.x])

    found = climb(family().start(), [], BASE, means, Goal(np.ones(1), "difference", 0.0))
    assert found.candidates[0].x == 8
