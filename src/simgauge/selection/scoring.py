"""Every candidate fitted and scored on the same units."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError, RankWarning, SimgaugeError
from simgauge.evidence.matching import is_list_only
from simgauge.evidence.protocol import Scorer
from simgauge.interactions import Interactions, require_interactions
from simgauge.progress import Progress, logged


class Scored(NamedTuple):
    """Fitted candidates with their scores."""

    candidates: tuple[Any, ...]
    """The baseline first."""
    units: NDArray[np.float64]
    """(n_units, n_measures, n_candidates)"""
    skipped: tuple[tuple[str, str], ...]
    """Name and reason of candidates that could not be fitted or scored."""
    exponents: tuple[float, ...] = ()
    """Of popularity, one for each measure: 0 for the plain one, then the stated one, then those that are only shown."""
    drawn: NDArray[np.float64] | None = None
    """(2, n_drawn, n_measures, n_candidates): as `UnitScores.drawn`; None where nothing was drawn."""
    nodes: NDArray[np.int64] | None = None
    """(n_units, 2): the two things of each unit, where units are pairs of things that recur."""


class LeakedEvidenceWarning(UserWarning):
    """Held-out pairs were in the interactions to fit on; the message says how many were dropped."""


def unleaked(evidence: Any, interactions: Interactions | None) -> Any:
    """The evidence without held-out pairs that are in the training interactions.

    Raises
    ------
    InputError
        All of it is.
    """
    if interactions is None or not hasattr(evidence, "without"):
        return evidence
    require_interactions(interactions, "interactions")
    kept, leaked = evidence.without(interactions)
    if kept is None:
        raise InputError(
            f"all {leaked} held-out pairs are in the training interactions: what was trained on cannot be evidence. "
            "Split first (hold_out), train on the training part and pass that as interactions."
        )
    if leaked:
        warnings.warn(
            f"{leaked} held-out pairs are in the training interactions and were dropped from the evidence.",
            LeakedEvidenceWarning,
            stacklevel=3,
        )
    return kept


def unchecked(evidence: Any, interactions: Interactions | None) -> list[str]:
    """What `unleaked` could not see, a sentence each: without training interactions nothing tells whether held-out
    events are new."""
    if interactions is not None or not hasattr(evidence, "without"):
        return []
    return [
        "without the training interactions (--interactions, interactions=) it could not be checked that the held-out "
        "events are new to the model; if it was trained on some of them, the scores flatter it as trained"
    ]


def with_baseline(candidates: Sequence[Any]) -> list[Any]:
    """The candidates with leaving alone first, and the plain dot product among them."""
    from simgauge.remedies.leave_alone import LeaveAlone

    if not isinstance(candidates, Iterable):
        raise ParameterError(f"candidates={candidates!r}: expected a list of remedies, or None for the default ones.")
    chosen = list(candidates)
    if not chosen:
        raise ParameterError("candidates=[]: pass at least one remedy, or None for the default ones.")
    for candidate in chosen:
        needed = ("name", "metric", "fit", "neighbors", *(() if is_list_only(candidate) else ("transform",)))
        missing = [name for name in needed if not hasattr(candidate, name)]
        if missing:
            raise ParameterError(f"{candidate!r} is no remedy: it has no {', '.join(missing)}.")
    alone = [candidate for candidate in chosen if isinstance(candidate, LeaveAlone)]
    base = next((candidate for candidate in alone if candidate.metric == "cosine"), None)
    ordered = [base or LeaveAlone(), *(candidate for candidate in chosen if candidate is not base)]
    if not any(isinstance(candidate, LeaveAlone) and candidate.metric == "dot" for candidate in ordered):
        ordered.insert(1, LeaveAlone("dot"))
    names = [candidate.name for candidate in ordered]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ParameterError(f"candidates: {', '.join(map(repr, twice))} occur more than once.")
    return ordered


def score_candidates(
    candidates: Sequence[Any],
    embedding: Embedding,
    interactions: Interactions | None,
    scorer: Scorer,
    *,
    strict: bool,
    progress: Progress | None = None,
) -> Scored:
    """Fit and score; candidates that cannot be are listed with the reason.

    Parameters
    ----------
    strict : bool
        Raise instead when a candidate cannot be fitted: the caller named it.
    """
    show = progress or logged
    fitted, columns, skipped, drawn = [], [], [], []
    for position, candidate in enumerate(candidates):
        show(candidate.name, position, len(candidates))
        try:
            with warnings.catch_warnings():
                if not strict:
                    warnings.simplefilter("ignore", RankWarning)  # nobody asked for this candidate
                candidate.fit(embedding, interactions)
        except SimgaugeError as error:
            if strict or position == 0:
                raise
            skipped.append((candidate.name, str(error)))
            continue
        try:
            scores = scorer.scores(candidate, embedding)
        except SimgaugeError as error:
            if position == 0:
                raise
            skipped.append((candidate.name, str(error)))
            continue
        fitted.append(candidate)
        weighted = () if scores.weighted is None else (scores.weighted, *scores.others)
        columns.append(np.stack([scores.plain, *weighted], axis=1))
        drawn.append(scores.drawn)
    show("scored", len(candidates), len(candidates))
    units = np.empty((*columns[0].shape, len(columns)))
    for position in range(len(columns)):
        units[:, :, position] = columns[position]
        columns[position] = columns[0]  # so that the scores are not held twice
    told = [part for part in drawn if part is not None]
    luck = np.stack(told, axis=3) if len(told) == len(drawn) else None
    return Scored(tuple(fitted), units, tuple(skipped), scorer.exponents, luck, getattr(scorer, "nodes", None))
