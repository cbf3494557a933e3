"""The search for candidates: a coarse grid, then around the best, with scores that get closer from round to round."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from simgauge.core.inference.tradeoff import Scale, changes
from simgauge.core.tables.kinds import Vector
from simgauge.progress import Progress
from simgauge.remedies.search_space import Place

KEPT = (8, 5, 3)
"""Candidates of each kind that stay after each round."""

AROUND = 2
"""Candidates of each kind around which a round looks, from the second round on."""

CLIMBS = 4
"""Times that a round looks around its best ones anew, while a step finds a better one."""

Pool = list[tuple[Any, Place | None]]
"""Remedies with the place where each stands in its family, or None for single candidates."""

Means = Callable[[Any, int], Vector | None]
"""(remedy, round) -> mean of each measure on the units of the search, or None when it cannot be fitted or scored."""


class Goal(NamedTuple):
    """What counts, as in `core.inference.tradeoff.Rule`."""

    weights: Vector
    scale: Scale
    max_loss: float


class Tried(NamedTuple):
    """One candidate as a round saw it."""

    remedy: Any
    """Not fitted."""
    place: Place | None
    changes: Vector
    """(n_measures,): against the baseline on the same units."""
    gain: float
    allowed: bool
    """Whether no measure that counts falls by more than may be lost."""


class Found(NamedTuple):
    """Where a search arrived."""

    candidates: list[Any]
    """Not fitted; the best of each kind, and those that are best on a single measure."""
    n_tried: int
    """Different candidates that were scored."""


def climb(
    starts: Iterable[Place],
    singles: Sequence[Any],
    baseline: Any,
    means: Means,
    goal: Goal,
    progress: Progress | None = None,
) -> Found:
    """Successive halving over rounds that look closer and closer, with steps around the best of each kind.

    Parameters
    ----------
    starts : iterable of Place
        The coarse grids of all families.
    singles : sequence of remedies
        Candidates without neighbours: compared in the first round and kept where they are among the best.
    baseline : remedy
        What changes are against.
    means : callable
        All that the search knows of a candidate; round 0 is rough and cheap, the last one is close.
    goal : Goal
    progress : callable, optional

    Returns
    -------
    Found

    Notes
    -----
    Kinds are candidates that keep to the model and those that need interactions: each has places of its own, so that
    the one does not push out the other. A candidate that breaks the guard comes after all that keep it. Equal gains
    stay in the order in which they were tried, so the same scores give the same result.

    References
    ----------
    Karnin, Koren, Somekh (2013), Almost optimal exploration in multi-armed bandits, ICML 30 (sequential halving); the
    steps along ladders are a coordinate search.
    """
    pool: Pool = [(place.remedy(), place) for place in starts] + [(remedy, None) for remedy in singles]
    names: dict[str, None] = {}
    tell = _Telling(progress, names, 2 * len(pool))
    for number, kept in enumerate(KEPT):
        look = _Round(number, means, baseline, goal, tell)
        look.add(pool)
        for _ in range(CLIMBS if number else 0):
            if not look.add(_around(look.best(AROUND))):
                break
        pool = [(tried.remedy, tried.place) for tried in look.best(kept)]
    ends = [max(kind, key=lambda one: one.changes[m]) for kind in look.kinds() for m in range(len(goal.weights))]
    best = {tried.remedy.name: tried.remedy for tried in [*look.best(KEPT[-1]), *ends]}
    return Found(list(best.values()), len(names))


class _Round:
    """Candidates compared on the same units."""

    def __init__(self, number: int, means: Means, baseline: Any, goal: Goal, tell: _Telling) -> None:
        self.number, self.means, self.goal, self.tell = number, means, goal, tell
        base = means(baseline, number)
        assert base is not None, "the vectors as they are cannot be scored"
        self.base = base
        self.known: dict[str, Tried | None] = {baseline.name: None}

    def add(self, pool: Pool) -> bool:
        """Score what is new; whether anything was."""
        fresh = {remedy.name: (remedy, place) for remedy, place in pool if remedy.name not in self.known}
        for remedy, place in sorted(fresh.values(), key=_shared_work):
            self.tell(remedy.name)
            found = self.means(remedy, self.number)
            self.known[remedy.name] = None if found is None else self._tried(remedy, place, found)
        return bool(fresh)

    def kinds(self) -> list[list[Tried]]:
        """What was scored, of each kind that there is."""
        tried = [one for one in self.known.values() if one is not None]
        parts = [[one for one in tried if bool(one.remedy.needs_interactions) == needs] for needs in (False, True)]
        return [part for part in parts if part]

    def best(self, count: int) -> list[Tried]:
        """The first ones of each kind: those that keep the guard before the others, then by gain."""
        return [one for kind in self.kinds() for one in sorted(kind, key=_guard_then_gain)[:count]]

    def _tried(self, remedy: Any, place: Place | None, found: Vector) -> Tried:
        goal = self.goal
        moved = changes(np.stack([self.base, found], axis=1), goal.scale)[:, 1]
        least = np.log1p(-goal.max_loss) if goal.scale == "ratio" else -goal.max_loss
        return Tried(remedy, place, moved, float(goal.weights @ moved), bool((moved[goal.weights > 0] >= least).all()))


class _Telling:
    """Progress of a search, whose number of steps is a guess until it ends."""

    def __init__(self, progress: Progress | None, names: dict[str, None], guess: int) -> None:
        self.progress, self.names, self.guess, self.done = progress, names, guess, 0

    def __call__(self, name: str) -> None:
        self.names[name] = None
        if self.progress is not None:
            self.progress(f"searching: {name}", min(self.done, self.guess - 1), self.guess)
        self.done += 1


def _guard_then_gain(tried: Tried) -> tuple[bool, float]:
    return not tried.allowed, -tried.gain


def _around(best: Iterable[Tried]) -> Pool:
    return [
        (near.remedy(), near)
        for tried in best
        if tried.place is not None
        for near in tried.place.family.near(tried.place)
    ]


def _shared_work(candidate: tuple[Any, Place | None]) -> tuple[str, int]:
    """Refits of one weighting come one after the other, the largest rank first: it is decomposed once."""
    remedy = candidate[0]
    return str(getattr(remedy, "decomposed", "")), -int(getattr(remedy, "n_components", None) or 0)
