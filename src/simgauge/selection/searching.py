"""What the search sees: a part of the users, none of whom has a part in the decision."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from simgauge.core.tables.kinds import Vector
from simgauge.embedding import Embedding
from simgauge.errors import RankWarning, SimgaugeError
from simgauge.evidence.coconsumption import CoConsumption
from simgauge.interactions import Interactions
from simgauge.progress import Progress
from simgauge.remedies import LeaveAlone, RawColumns
from simgauge.remedies.candidates import default_references, single_candidates
from simgauge.remedies.search_space import search_families
from simgauge.selection.search import Goal, climb
from simgauge.wording import counted

MIN_UNITS = 300
"""With fewer users the fixed list is scored on all of them: a part of them would confirm too little."""

SHARE = 0.4
"""Of the users, who search; the others decide."""

MAX_UNITS = 10_000
"""Users that a search needs at most; all others decide."""

QUERIES = (0.25, 0.5, 1.0)
"""Share of the queries that each round asks: many candidates are compared roughly, few of them closely."""

MIN_QUERIES = 300


class Plan(NamedTuple):
    """What is left to decide, and on whom."""

    candidates: list[Any]
    """Not fitted, the baseline first."""
    deciding: CoConsumption
    """The users who had no part in the search."""
    note: str


def is_searched(evidence: Any, n_units: int) -> bool:
    """Whether evidence is of users who are independent of each other, and of enough of them to spare some."""
    return isinstance(evidence, CoConsumption) and n_units >= MIN_UNITS


def search_candidates(
    evidence: CoConsumption,
    embedding: Embedding,
    interactions: Interactions | None,
    goal: Goal,
    *,
    vectors_only: bool = True,
    seed: int = 0,
    progress: Progress | None = None,
) -> Plan:
    """Search on a part of the users; the best candidates are then compared on the others, as if they had been named.

    So the decision pays for the few candidates that arrived and not for all that were tried, and no user who decides
    had a part in what there is to decide on.

    Parameters
    ----------
    evidence : CoConsumption
    embedding : Embedding
    interactions : Interactions, optional
        In the order of the embedding; with them, refits are searched too, and what the interactions themselves say is
        among the candidates: cosine of columns and EASE weights, the best of each as measured on the same users.
    goal : Goal
    vectors_only : bool
        Leave out remedies that change the search for neighbours: they could not be chosen.
    seed : int
    progress : callable, optional
    """
    share = min(SHARE, MAX_UNITS / len(evidence.users_with_both()))
    searching, deciding = evidence.split(share, seed)
    means = _Means(searching, embedding, interactions, len(goal.weights), seed)
    starts = [place for family in search_families(embedding, interactions) for place in family.start()]
    singles = single_candidates(embedding, interactions, vectors_only=vectors_only)
    found = climb(starts, singles, LeaveAlone(), means, goal, progress)
    references = [] if interactions is None else _best_references(interactions, means, goal)
    candidates = {one.name: one for one in (LeaveAlone(), LeaveAlone(metric="dot"), *found.candidates, *references)}
    users = counted(len(searching.users_with_both()), "user")
    note = f"{found.n_tried} candidates were searched on {users} who had no part in the decision"
    return Plan(list(candidates.values()), deciding, note)


class _Means:
    """Mean of each measure of a candidate, on the users of the search."""

    def __init__(
        self,
        evidence: CoConsumption,
        embedding: Embedding,
        interactions: Interactions | None,
        n_measures: int,
        seed: int,
    ) -> None:
        self.embedding, self.interactions, self.n_measures = embedding, interactions, n_measures
        full = evidence.bind(embedding, seed)
        asked = len(full.queries)
        sizes = [min(asked, max(MIN_QUERIES, int(share * asked))) for share in QUERIES]
        self.scorers = [
            full if size == asked else replace(evidence, max_queries=size).bind(embedding, seed) for size in sizes
        ]

    def __call__(self, remedy: Any, number: int) -> Vector | None:
        own = clone(remedy)  # fitted tables of many candidates would not fit in memory together
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RankWarning)  # nobody asked for this candidate
                own.fit(self.embedding, self.interactions)
                scores = self.scorers[number].scores(own, self.embedding)
        except SimgaugeError:
            return None
        parts = [part for part in (scores.plain, scores.weighted) if part is not None]
        return np.array([part.mean() for part in parts[: self.n_measures]])


def _best_references(interactions: Interactions, means: _Means, goal: Goal) -> list[Any]:
    """The cosine of raw columns as everybody knows it, and the best of its kind and of EASE."""
    best: dict[str, tuple[float, Any]] = {}
    for reference in default_references(interactions):
        found = means(reference, len(QUERIES) - 1)
        if found is not None:
            values = np.log(np.maximum(found, 1e-9)) if goal.scale == "ratio" else found
            gain = float(goal.weights @ values)
            kind = type(reference).__name__
            if kind not in best or gain > best[kind][0]:
                best[kind] = (gain, reference)
    return [RawColumns(), *(reference for _, reference in best.values())]
