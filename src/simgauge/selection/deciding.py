"""From scores to a choice: pick, confirm on units that had no part in it, tabulate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from simgauge.core.inference.tradeoff import Rule, Scale, cross_fit, measure_weights, pick
from simgauge.core.tables.kinds import Vector
from simgauge.evidence.matching import works_on_vectors
from simgauge.selection.confirming import confirm, tabulate
from simgauge.selection.record import Confirmation, Selection
from simgauge.selection.scoring import Scored
from simgauge.selection.wording import summary_of

MARGINS = (0.0, 1.0)
"""Standard errors that a pick must stay clear of a forbidden loss. The largest gain tends to be found at the edge of
what is allowed, with a candidate whose loss was measured too small by luck; where cross-fitting shows that, a pick that
stays clear is tried before leaving alone."""


class Settings(NamedTuple):
    """Parameters of `fix` that the decision depends on; documented there."""

    popularity_tradeoff: float = 0.5
    popularity_exponent: float | None = None
    aim: str | None = None
    max_loss: float = 0.02
    vectors_only: bool = True
    folds: int = 5
    confidence: float = 0.95
    n_resamples: int = 2000
    seed: int = 0


def decide(scored: Scored, scale: Scale, settings: Settings, about: Mapping[str, Any]) -> Selection:
    """The selection that scores support; the same scores give the same selection.

    Two conditions, because each guards what the other does not. The interval of the table, adjusted for all candidates,
    keeps the chance of any false claim: with many equally good candidates the cross-fitted gains of the folds are
    positively related, and their interval alone calls noise better in 8 % of experiments where 2.5 % were meant. The
    cross-fitted gain is the size to be told, because it does not contain the luck of having been chosen.

    Parameters
    ----------
    scored : Scored
        The baseline first.
    scale : {"ratio", "difference"}
        How two candidates are compared.
    settings : Settings
    about : mapping
        The evidence: "measure", "unit", "n_units" and notes for the reader.
    """
    weights = measure_weights(scored.units.shape[1], settings.popularity_tradeoff)
    rng = np.random.default_rng(settings.seed)
    folds = rng.permutation(np.arange(len(scored.units)) % settings.folds)
    eligible = np.array([not settings.vectors_only or works_on_vectors(candidate) for candidate in scored.candidates])
    resampling = (weights, scale, rng, settings.confidence, settings.n_resamples)
    rows, critical = tabulate(scored, *resampling)
    for margin in MARGINS:
        rule = Rule(weights, scale, settings.max_loss, margin)
        best = pick(scored.units, rule, eligible)
        cross, picks = cross_fit(scored.units, rule, folds, eligible)
        names = [scored.candidates[index].name for index in picks]
        confirmation = confirm(cross, names, scored, best, *resampling, critical)
        if not _loses(confirmation, weights, settings.max_loss):
            break
    wanted = scored.candidates[best.candidate].name
    adjusted = next(row for row in rows if row.name == wanted).significant == "better"
    loses = _loses(confirmation, weights, settings.max_loss)
    improved = adjusted and confirmation.gain.verdict == "better" and not loses
    final = best.candidate if improved else 0
    chosen = scored.candidates[final].name
    within = {candidate.name: bool(kept) for candidate, kept in zip(scored.candidates, best.allowed, strict=True)}
    return Selection(
        decision="improved" if improved else "left alone",
        best=scored.candidates[final],
        summary=summary_of(scored, best, improved, loses, confirmation, about),
        table=tuple(replace(row, chosen=row.name == chosen, guarded=not within[row.name]) for row in rows),
        confirmation=confirmation,
        evidence=about,
        settings=settings._asdict(),
        skipped=scored.skipped,
    )


def _loses(confirmation: Confirmation, weights: Vector, max_loss: float) -> bool:
    """Whether a measure that counts falls by more than may be lost, on units that had no part in the choice."""
    parts = (confirmation.plain_change, confirmation.weighted_change)
    counted = [part for part, weight in zip(parts, [*weights, 0.0], strict=False) if part is not None and weight > 0]
    return any(part.value < (1 - max_loss if part.scale == "ratio" else -max_loss) for part in counted)
