"""Evidence from sessions: what came next should be near what was there before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse

from simgauge.core.scores.observed_pairs import PairGain
from simgauge.core.scores.steps import Steps, steps_in_order
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.evidence.observed import ObservedPairs, ObservedScorer, Pairs, bind_pairs, coded, same_lengths
from simgauge.evidence.popularity import DEFAULT_EXPONENT
from simgauge.interactions import Interactions
from simgauge.matching.ids import IdSource
from simgauge.wording import counted


@dataclass(frozen=True, eq=False)
class NextItem(ObservedPairs):
    """Sessions, or histories of users: is the next item in the list of the one before?

    For every step from an item i to the next item j of a session: the gain of j in the list of the k items that are
    nearest to i. A unit's score is the mean over its steps, the measure the mean over units.

    Parameters
    ----------
    sessions, items : sequence of int or str, length n_events
        Which session each event belongs to (or which user, where there are no sessions), and its item. Any order.
    times : sequence of float, length n_events, optional
        When; all in one unit. Events of a session with equal times have no order: a step leads from each item of one
        moment to each of the next, and these pairs share a weight of 1. Events without a time (NaN) are left out. When
        not given, the order of the rows is the order of the events.
    users : sequence of int or str, length n_events, optional
        Whose session it is. Users are resampled then, which is right where one user has many sessions.
    after : float, optional
        Only steps whose second event is later than this count: pass the end of the training data.
    max_gap : float, optional
        Longer pauses between two events of a session are no steps; in the unit of the times.
    metric : {"recall", "ndcg", "mrr"}
        See `simgauge.core.scores.observed_pairs.pair_gains`; with one wanted item, recall is the hit rate.
    k : int
    popularity : mapping, optional
        Item id -> positive number. Sessions that hold the item, when not given.
    popularity_exponent : float in (0, 2]
        β of the weighted form Σ w_j gain / Σ w_j over all steps, w_j = popularity_j^−β.
    max_queries : int or None
        Different items whose neighbours are searched.

    Raises
    ------
    InputError
        Unequal lengths, no time at all, or no session in which one item follows another.

    Notes
    -----
    Full ranking of all items, none sampled. Repeated events of one item, one after the other, are no step.

    References
    ----------
    Ludewig, Jannach (2018), Evaluation of session-based recommendation algorithms, UMUAI 28: the
    next item is what lists are asked for.

    Examples
    --------
    >>> NextItem(["s", "s", "s", "t", "t"], [1, 2, 3, 2, 3], times=[10, 20, 30, 5, 6], k=5)
    NextItem(recall@5, 2 sessions, 3 steps)
    """

    sessions: Any
    items: Any
    times: Any = None
    users: Any = None
    after: float | None = None
    max_gap: float | None = None
    metric: PairGain = "recall"
    k: int = 20
    popularity: Mapping[Any, float] | None = None
    popularity_exponent: float = DEFAULT_EXPONENT
    max_queries: int | None = 4000
    pairs: Pairs = field(init=False)
    events: Interactions = field(init=False)
    """Which items each session held."""
    notes: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self._check()
        same_lengths(sessions=self.sessions, items=self.items, times=self.times, users=self.users)
        session, item = coded(self.sessions, "sessions"), coded(self.items, "items")
        known = np.ones(len(item.codes), dtype=bool)
        times = None if self.times is None else np.asarray(self.times, dtype=np.float64)
        if times is not None:
            known = np.isfinite(times)
            if not known.any():
                raise InputError("times: every one is missing. Leave times out if the rows are in order.")
        elif self.after is not None or self.max_gap is not None:
            raise InputError("after and max_gap compare times: pass times, too (--time, times=).")
        moments = None if times is None else times[known]
        steps = steps_in_order(session.codes[known], item.codes[known], moments, self.max_gap)
        if self.after is not None:
            steps = _later(steps, self.after)
        if len(steps.first) == 0:
            limits = "" if self.after is None and self.max_gap is None else " within the limits of after and max_gap"
            raise InputError(
                f"no session holds an item that is followed by another{limits}: nothing to ask with. Is the column of "
                "sessions the right one?"
            )
        units = session.codes
        if self.users is not None:
            units = coded(self.users, "users").codes
            owner = np.full(len(session.ids), -1)
            owner[session.codes] = units
            if (owner[session.codes] != units).any():
                raise InputError("a session belongs to several users: pass session ids that are unique.")
            units = owner[steps.sessions]
        else:
            units = steps.sessions
        happened = sparse.csr_array(
            (np.ones(int(known.sum())), (session.codes[known], item.codes[known])),
            shape=(len(session.ids), len(item.ids)),
        )
        happened.data[:] = 1.0
        counts = np.bincount(happened.indices, minlength=len(item.ids)).astype(np.float64)
        labels = [f"session {label}" for label in session.ids.tolist()]
        n_untimed = int((~known).sum())
        notes = [f"{counted(n_untimed, 'event')} without a time were left out"] if n_untimed else []
        if self.after is None:
            notes.append(
                "no time was given from which on the steps are new to the model (--after, after=); if it was trained "
                "on some of them, the scores flatter it as trained"
            )
        object.__setattr__(self, "pairs", Pairs(item.ids, steps.first, steps.second, steps.weights, units, counts))
        object.__setattr__(self, "events", Interactions(happened, labels, item.ids))
        object.__setattr__(self, "notes", tuple(notes))

    def __repr__(self) -> str:
        pairs = self.pairs
        n_steps, n_units = round(float(pairs.weights.sum())), len(np.unique(pairs.units))
        return f"NextItem({self.measure}, {counted(n_units, self.unit)}, {counted(n_steps, 'step')})"

    @property
    def unit(self) -> str:
        """Sessions are resampled, or users where they are known."""
        return "session" if self.users is None else "user"

    def sources(self) -> list[IdSource]:
        """Ids of the items."""
        return [IdSource("the sessions", self.pairs.ids)]

    def bind(self, embedding: Embedding, seed: int = 0) -> ObservedScorer:
        """Match with an embedding; steps with an item that it lacks are left out."""
        scorer = bind_pairs(self, self.pairs, embedding, seed)
        scorer.notes.extend(self.notes)
        return scorer


def _later(steps: Steps, moment: float) -> Steps:
    """The steps whose second item came after a moment."""
    keep = steps.times > moment
    return Steps(steps.sessions[keep], steps.first[keep], steps.second[keep], steps.weights[keep], steps.times[keep])
