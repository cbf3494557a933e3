"""The outcome of a selection in a few sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simgauge.core.inference.tradeoff import Pick
from simgauge.selection.record import Confirmation
from simgauge.selection.scoring import Scored
from simgauge.wording import counted, plural


def summary_of(
    scored: Scored, best: Pick, improved: bool, loses: bool, confirmation: Confirmation, evidence: Mapping[str, Any]
) -> str:
    """What was chosen, what it gained on units that had no part in the choice, or what more would be needed."""
    number, unit = int(evidence["n_units"]), str(evidence["unit"])
    units = counted(number, unit)
    others = len(scored.candidates) - 1
    measure = str(evidence["measure"])
    weighted = confirmation.weighted_change
    part = f"{measure} {confirmation.plain_change}"
    part += "" if weighted is None else f", popularity-weighted {weighted}"
    if improved:
        name = scored.candidates[best.candidate].name
        folds = f"{round(confirmation.agreement * len(confirmation.picks))} of {len(confirmation.picks)}"
        return (
            f"Use {name}. Against leaving the embedding alone: {part} (cross-fitted over {units}, {others} candidates; "
            f"{folds} folds choose the same)."
        )
    return f"Leave it alone: {_why(scored, best, loses, confirmation, part, units, plural(unit, 2), others)}"


def _why(
    scored: Scored,
    best: Pick,
    loses: bool,
    confirmation: Confirmation,
    part: str,
    units: str,
    several: str,
    others: int,
) -> str:
    """Why nothing was chosen; `units` with their number, `several` without."""
    smallest = f"The smallest gain that these {units} would show in 4 of 5 cases is {_size(confirmation)}."
    if best.candidate == 0:
        return f"none of {others} candidates gains without losing on a measure that counts. {smallest}"
    name = scored.candidates[best.candidate].name
    if loses:
        return (
            f"the choice among {others} candidates (last {name}) loses more than allowed on a measure when scored on "
            f"{several} that had no part in it: {part}. The table shows what there is to trade (max_loss=)."
        )
    needed = confirmation.units_needed
    more = ""
    if needed is not None:
        more = f" About {needed:,} {several} would be needed to show the gain of {name} as measured here."
    return (
        f"the choice among {others} candidates (last {name}) is not significantly better, allowing for their "
        f"number: {part}. {smallest}{more}"
    )


def _size(confirmation: Confirmation) -> str:
    gain = confirmation.detectable
    return f"×{gain.value:.3f}" if gain.scale == "ratio" else f"{gain.value:+.3f}"
