"""The outcome of a selection in a few sentences: what to do, what to expect of it, what it costs, when to ask again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simgauge.evidence.matching import works_on_vectors
from simgauge.remedies.leave_alone import LeaveAlone
from simgauge.selection.confirming import Measured
from simgauge.selection.record import Change, Confirmation
from simgauge.wording import counted, plural

MANY_TIMES = 2.0
"""From here on a ratio is told as how many times, below it in percent."""

AGAIN = "Check again after the next training, and when the users or the catalogue have changed: the choice is of these "
"""What is followed by the vectors or the units."""


def summary_of(
    found: Measured,
    subject: int,
    improved: bool,
    leaning: bool,
    confirmation: Confirmation,
    evidence: Mapping[str, Any],
) -> str:
    """What was chosen with its expected effect, or why nothing was.

    Parameters
    ----------
    found : Measured
    subject : int
        The candidate that is spoken of: the chosen one, or the one that came nearest to it.
    improved, leaning : bool
        Whether it was chosen; whether it was not, and is still more likely than not to gain.
    confirmation : Confirmation
        Of that candidate.
    evidence : mapping
        "measure", "unit" and "n_units".
    """
    candidate = found.scored.candidates[subject]
    unit, units = str(evidence["unit"]), counted(int(evidence["n_units"]), str(evidence["unit"]))
    others = counted(len(found.scored.candidates) - 1, "candidate")
    if not improved:
        return f"Leave it alone: {_why(found, subject, leaning, confirmation, evidence, units, others)}"
    folds = f"{round(confirmation.agreement * len(confirmation.picks))} of {len(confirmation.picks)}"
    several = plural(unit, 2)
    return (
        f"{_advice(candidate)}: {_effect(confirmation, evidence)}. {cost_of(candidate)} {AGAIN}vectors and these "
        f"{several}. Measured on {units}, on {several} that had no part in the choice; the ranges hold at "
        f"{found.confidence:.0%} and allow for {others}; {folds} parts of the {several} choose the same."
    )


def cost_of(candidate: Any) -> str:
    """What using a candidate takes, in a sentence.

    Examples
    --------
    >>> cost_of(LeaveAlone("dot"))
    'It costs nothing: no vector moves, only the comparison is another.'
    """
    if isinstance(candidate, LeaveAlone):
        return "It costs nothing: no vector moves, only the comparison is another."
    if not works_on_vectors(candidate):
        return "It costs a search of its own: it moves no vectors, so lists come from simgauge and not from a store."
    if getattr(candidate, "keeps_predictions_", None):
        return "It costs one writing of all vectors; dot products of users and items stay as they are."
    return (
        "It costs one writing of all vectors; dot products of users and items are not kept, so predictions still need "
        "the vectors of before."
    )


def told_change(change: Change) -> str:
    """A change with its range, in percent or in times.

    Examples
    --------
    >>> told_change(Change(1.25, 1.1, 1.5, "ratio")), told_change(Change(2.5, 2.0, 3.0, "ratio"))
    ('+25 % (+10 % to +50 %)', '×2.50 (×2.00 to ×3.00)')
    >>> told_change(Change(0.05, -0.01, 0.1, "difference"))
    '+0.050 (-0.010 to +0.100)'
    """
    value, low, high = (_one(number, change) for number in change[:3])
    return f"{value} ({low} to {high})"


def _one(number: float, change: Change) -> str:
    if change.scale == "difference":
        return f"{number:+.3f}"
    return f"×{number:.2f}" if change.value >= MANY_TIMES else f"{100 * (number - 1):+.0f} %"


def _advice(candidate: Any) -> str:
    if isinstance(candidate, LeaveAlone):
        return "Use the plain dot product of the vectors as they are"
    return f"Use {candidate.name}"


def _effect(confirmation: Confirmation, evidence: Mapping[str, Any]) -> str:
    text = f"expect for {evidence['measure']} {told_change(confirmation.plain_change)} against the plain cosine"
    if confirmation.weighted_change is not None:
        text += f", and {told_change(confirmation.weighted_change)} where rare items count more"
    return text


def _why(
    found: Measured,
    subject: int,
    leaning: bool,
    confirmation: Confirmation,
    evidence: Mapping[str, Any],
    units: str,
    others: str,
) -> str:
    """Why nothing was chosen."""
    several = plural(str(evidence["unit"]), 2)
    smallest = f"The smallest gain that these {units} would show in 4 of 5 cases is {_size(confirmation.detectable)}."
    if subject == 0 or found.gain[subject] <= 0:
        return f"no candidate that may be chosen gains, all measures taken together ({others} in the table). {smallest}"
    name, effect = found.scored.candidates[subject].name, _effect(confirmation, evidence)
    if found.gains.low[subject] > 0 and not found.safe[subject]:
        return (
            f"{name} surely gains, and it is not ruled out that it loses more than allowed on a measure: {effect}. The "
            f"table shows what there is to trade among {others} (max_loss=, aim=)."
        )
    needed, more = confirmation.units_needed, ""
    if needed is not None and needed > int(evidence["n_units"]):
        more = f" About {needed:,} {several} would be needed to show the gain as measured here."
    if leaning:
        return (
            f"no gain is proven among {others}. The evidence leans towards {name}: {effect}. For all measures together "
            f"that is {told_change(confirmation.gain)}, a range that allows for {others} and holds no change too.{more}"
        )
    return f"no gain is proven among {others}; nearest to it is {name}: {effect}. {smallest}{more}"


def _size(gain: Change) -> str:
    return f"×{gain.value:.3f}" if gain.scale == "ratio" else f"{gain.value:+.3f}"
