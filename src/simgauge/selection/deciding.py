"""From scores to a choice: pick, confirm on units that had no part in it, tabulate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from simgauge.core.geometry_moments import Vector
from simgauge.core.tradeoff import Scale, cross_fit, measure_weights, pick
from simgauge.evidence.matching import works_on_vectors
from simgauge.selection.confirming import confirm, tabulate
from simgauge.selection.record import Confirmation, Selection
from simgauge.selection.scoring import Scored
from simgauge.selection.wording import summary_of


class Settings(NamedTuple):
    """Parameters of `select` that the decision depends on; documented there."""

    popularity_tradeoff: float = 0.5
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
        The evidence: "measure", "unit", "n_units" and what else is to be told of it.
    """
    weights = measure_weights(scored.units.shape[1], settings.popularity_tradeoff)
    rng = np.random.default_rng(settings.seed)
    folds = rng.permutation(np.arange(len(scored.units)) % settings.folds)
    eligible = np.array([not settings.vectors_only or works_on_vectors(candidate) for candidate in scored.candidates])
    best = pick(scored.units, weights, scale, settings.max_loss, eligible)
    cross, picks = cross_fit(scored.units, weights, scale, settings.max_loss, folds, eligible)
    names = [scored.candidates[index].name for index in picks]
    resampling = (weights, scale, rng, settings.confidence, settings.n_resamples)
    rows, critical = tabulate(scored, best, *resampling)
    confirmation = confirm(cross, names, scored, best, *resampling, critical)
    wanted = scored.candidates[best.index].name
    adjusted = next(row for row in rows if row.name == wanted).significant == "better"
    improved = (
        adjusted and confirmation.gain.verdict == "better" and not _loses(confirmation, weights, settings.max_loss)
    )
    final = best.index if improved else 0
    chosen = scored.candidates[final].name
    return Selection(
        decision="improved" if improved else "left alone",
        best=scored.candidates[final],
        summary=summary_of(scored, best, improved, confirmation, about),
        table=tuple(replace(row, chosen=row.name == chosen) for row in rows),
        confirmation=confirmation,
        evidence=about,
        settings=settings._asdict(),
        skipped=scored.skipped,
    )


def _loses(confirmation: Confirmation, weights: Vector, max_loss: float) -> bool:
    """Whether a measure that counts lies, with its whole interval, below what may be lost."""
    parts = (confirmation.plain_change, confirmation.weighted_change)
    counted = [part for part, weight in zip(parts, [*weights, 0.0], strict=False) if part is not None and weight > 0]
    return any(part.high < (1 - max_loss if part.scale == "ratio" else -max_loss) for part in counted)
