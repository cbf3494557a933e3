"""From scores to a choice: pick, confirm on units that had no part in it, tabulate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from simgauge.core.tradeoff import Scale, cross_fit, measure_weights, pick
from simgauge.evidence.matching import works_on_vectors
from simgauge.selection.confirming import confirm, tabulate
from simgauge.selection.record import Confirmation, Selection
from simgauge.selection.scoring import Scored
from simgauge.selection.wording import summary_of


class Settings(NamedTuple):
    """Parameters of `select` that the decision depends on; documented there."""

    popularity_tradeoff: float = 0.5
    max_loss: float = 0.0
    vectors_only: bool = True
    folds: int = 5
    confidence: float = 0.95
    n_resamples: int = 2000
    seed: int = 0


def decide(scored: Scored, scale: Scale, settings: Settings, about: Mapping[str, Any]) -> Selection:
    """The selection that scores support; the same scores give the same selection.

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
    confirmation = confirm(cross, names, scored, best, *resampling)
    improved = best.index > 0 and confirmation.gain.verdict == "better" and not _loses(confirmation)
    final = best.index if improved else 0
    return Selection(
        decision="improved" if improved else "left alone",
        best=scored.candidates[final],
        summary=summary_of(scored, best, improved, confirmation, about),
        table=tabulate(scored, best, final, *resampling),
        confirmation=confirmation,
        evidence=about,
        settings=settings._asdict(),
        skipped=scored.skipped,
    )


def _loses(confirmation: Confirmation) -> bool:
    parts = (confirmation.plain_change, confirmation.weighted_change)
    return any(part is not None and part.verdict == "worse" for part in parts)
