"""From scores to a choice: what is surely better and surely no loss, and how much of it is to be expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from simgauge.core.inference.tradeoff import Rule, Scale, cross_fit, measure_weights, pick
from simgauge.evidence.matching import is_list_only, works_on_vectors
from simgauge.selection.confirming import Measured, confirm, measure, tabulate
from simgauge.selection.record import Confirmation, Selection
from simgauge.selection.scoring import Scored
from simgauge.selection.wording import summary_of

MARGIN = 1.0
"""Standard errors that a measure must stay clear of a forbidden loss where the guard is repeated on parts of the units.
They are too few for the bounds that hold for all candidates together."""


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

    A candidate can be chosen when its gain lies above none and its losses within what is allowed, both surely: by
    bounds that hold for all candidates together, so that the chance of any false claim is that of one. Among these, and
    not among all, the gain is chosen that is largest at least, so that a candidate whose gain is large by luck does not
    stand before those that are proven. What is told as the size of the gain is measured on units that had no part in
    the choice.

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
    eligible = np.array([_may_be_chosen(candidate, settings.vectors_only) for candidate in scored.candidates])
    found = measure(scored, weights, scale, rng, settings.confidence, settings.n_resamples, settings.max_loss)
    best = _best(found, (found.gains.low > 0) & found.safe & eligible)
    rule = Rule(weights, scale, settings.max_loss, MARGIN, found.gains.critical)
    likely = pick(scored.units, rule, eligible).candidate
    subject = best or likely or _nearest(found, eligible)
    possible = eligible & found.safe if best else eligible  # parts of the units could not rule out losses as well
    cross, picks = cross_fit(scored.units, rule, folds, possible)
    confirmation = confirm(cross, [scored.candidates[index].name for index in picks], found, subject)
    improved = best > 0
    leaning = not improved and subject == likely > 0 and _leans(found, likely) and _gains(confirmation)
    chosen = scored.candidates[best].name
    return Selection(
        decision="improved" if improved else "left alone",
        best=scored.candidates[best],
        summary=summary_of(found, subject, improved, leaning, confirmation, about),
        table=tuple(replace(row, chosen=row.name == chosen) for row in tabulate(found)),
        confirmation=confirmation,
        leaning=scored.candidates[likely].name if leaning else None,
        spoken_of=scored.candidates[subject].name,
        evidence=about,
        settings=settings._asdict(),
        skipped=scored.skipped,
    )


def _may_be_chosen(candidate: Any, vectors_only: bool) -> bool:
    """Lists from interactions alone are references: there are no vectors to give back."""
    return works_on_vectors(candidate) or (not vectors_only and not is_list_only(candidate))


def _best(found: Measured, possible: NDArray[np.bool_]) -> int:
    """The gain that is largest at least, of those that may be chosen; 0, the baseline, where there is none."""
    return int(np.where(possible, found.gains.low, -np.inf).argmax())


def _leans(found: Measured, index: int) -> bool:
    """Whether the gain would be proven if this were the only candidate."""
    return bool(found.gain[index] > ndtri((1 + found.confidence) / 2) * found.error[index])


def _nearest(found: Measured, eligible: NDArray[np.bool_]) -> int:
    """Of which candidate a reader wants to know why it was not chosen: the largest gain; the baseline without any."""
    gain = np.where(eligible, found.gain, -np.inf)
    gain[0] = -np.inf
    return int(gain.argmax()) if len(gain) > 1 else 0


def _gains(confirmation: Confirmation) -> bool:
    """Whether units that had no part in the choice show a gain too, however small."""
    return confirmation.gain.value > (1.0 if confirmation.gain.scale == "ratio" else 0.0)
