"""Identifiability: what training determined of the cosine, by its objective and by what the vectors can show."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simgauge.auditing.later_changes import chosen_gauge
from simgauge.auditing.objectives import Identifiability
from simgauge.auditing.workspace import Workspace
from simgauge.core.gauges.sphere_spanning import SphereSpanning, sphere_spanning
from simgauge.core.tables.kinds import Table
from simgauge.core.tables.tables import row_norms, take_rows
from simgauge.findings import Finding, Verdict

VERDICTS: dict[Identifiability, Verdict] = {
    "identified": "ok",
    "chosen": "ok",
    "controlled by the regulariser": "info",
    "unknown": "info",
    "arbitrary": "warn",
}

UNIT_NORM = 1e-3
"""Largest relative deviation of a norm from their mean for vectors said to live on a sphere."""

ENCODERS = ("softmax", "contrastive", "clip")
"""Objectives that are as often trained on normalised outputs as on dot products."""


class _Reading(NamedTuple):
    """What follows for both sides, and what to do."""

    verdict: Identifiability
    summary: str
    reason: str
    action: str


_ACTIONS: dict[Identifiability, str] = {
    "arbitrary": "use a gauge-invariant similarity (canonical gauge), or train with a penalty on both factors or on "
    "cosine",
    "controlled by the regulariser": "know that λ and the kind of penalty chose this cosine; compare it with other "
    "gauges "
    "on held-out evidence",
    "unknown": "say how the vectors were trained: --objective, and --biases and --penalty where they differ from its "
    "usual "
    "form",
    "identified": "nothing to do",
    "chosen": "nothing to do; simgauge fix says whether held-out evidence supports this gauge",
}


def identifiability(workspace: Workspace) -> Finding:
    """The verdict for items and users from the gauge group of the objective, and for cosines from the vectors too."""
    name, objective = workspace.objective_name, workspace.objective
    sides = ["items"] if workspace.embedding.users is None else ["items", "users"]
    found = _reading(workspace)
    stated = "objective not stated" if name == "unknown" else f"objective “{name}”"
    return Finding(
        id="identifiability",
        title="Is the cosine determined by training?",
        value=None,
        summary=f"{'; '.join(f'{side}: {found.summary}' for side in sides)} ({stated}, gauge group "
        f"{objective.gauge_group})",
        verdict=VERDICTS[found.verdict],
        cause=f"{found.reason}. [{objective.source}]",
        action=found.action,
        verify="train twice with other seeds or initial scales and compare the neighbours",
        gauge_dependent=False,
        group="identifiability",
        details={
            "objective": name,
            "stated": workspace.objective_stated,
            "biases": objective.biases,
            "penalty": objective.penalty,
            "gauge_group": objective.gauge_group,
            "shifts": objective.shifts,
            "sides": dict.fromkeys(sides, found.verdict),
            "source": objective.source,
        },
    )


def _reading(workspace: Workspace) -> _Reading:
    """Neither side can be identified without the other: one metric M moves the items, its inverse the users."""
    objective = workspace.objective
    chosen = chosen_gauge(workspace.embedding.provenance)
    if chosen is not None:
        if chosen.is_invariant_under(objective.shifts):
            return _Reading(
                "chosen",
                f"chosen on purpose ({chosen})",
                f"these vectors are in {chosen} of the model's own predictions, which is the same whatever gauge "
                f"training "
                "ended in",
                _ACTIONS["chosen"],
            )
        reason = f"{chosen} does not centre what the loss leaves free to shift: {objective.reason}"
        return _Reading("arbitrary", "arbitrary", reason, f"use the canonical gauge with center={objective.center!r}")
    if objective.sees == "cosines":
        return _on_the_sphere(workspace)
    if workspace.objective_name in ENCODERS and objective.verdict == "arbitrary" and _all_unit(workspace):
        return _Reading(
            "unknown",
            "unknown",
            "all rows have norm one, and the file does not tell when they were normalised: while training, cosine is "
            "what "
            f"was trained and only rotations are free; afterwards, {objective.reason}",
            "pass --objective unit-sphere or normalised-afterwards, whichever it was",
        )
    return _Reading(objective.verdict, objective.verdict, objective.reason, _ACTIONS[objective.verdict])


def _on_the_sphere(workspace: Workspace) -> _Reading:
    """Training saw cosines: one side whose b bᵀ span Sym(k) fixes the metric of both; rows that do not, show
    nothing."""
    tables = _tables(workspace)
    if workspace.objective_name == "unit-sphere":
        for side, table in tables.items():
            norms = _some_norms(table)
            if np.abs(norms / norms.mean() - 1).max() > UNIT_NORM:
                return _Reading(
                    "unknown",
                    "unknown",
                    f"the vectors are said to have been kept at norm one while training, but the norms of the {side} "
                    f"run from "
                    f"{norms.min():.3g} to {norms.max():.3g}: either they were changed afterwards, or the loss "
                    f"normalised "
                    "them and the lengths were never seen",
                    "audit the vectors as they were trained; if the loss normalised them, pass --objective cosine",
                )
    spans = {side: sphere_spanning(table) for side, table in tables.items()}
    said = workspace.objective.reason
    for side, found in spans.items():
        if found.spans:
            return _Reading(
                "identified", "identified", f"{said}; the {side} do, they span all {found.needed} directions needed"
                + (", and what fixes one side fixes the other" if len(spans) > 1 else ""), _ACTIONS["identified"],
            )  # fmt: skip
    if any(found.spans is None for found in spans.values()):
        rows = ", ".join(f"{len(tables[side]):,} {side}" for side in spans)
        reason = f"{said}; there are rows enough ({rows}), the span itself is too large to compute"
        return _Reading("identified", "identified", reason, _ACTIONS["identified"])
    return _not_shown(said, {side: len(table) for side, table in tables.items()}, spans)


def _not_shown(said: str, n_rows: dict[str, int], spans: dict[str, SphereSpanning]) -> _Reading:
    """A sample of what was trained cannot contradict training."""
    needed = next(iter(spans.values())).needed
    rows = " and ".join(f"{count:,} {side}" for side, count in n_rows.items())
    if max(n_rows.values()) < needed:
        why = f"{rows} cannot show it ({needed:,} rows of one side are needed)"
        action = (
            f"pass more rows of what was trained, {needed:,} or more of one side; if these are all, other gauges remain"
        )
    else:
        ranks = " and ".join(
            f"those of the {side} {'fewer' if found.rank is None else f'{found.rank:,}'}"
            for side, found in spans.items()
        )
        why = f"{rows} do not show it: of {needed:,} directions needed, {ranks} are spanned"
        action = (
            "pass more rows of what was trained, or other ones; if these are all, other gauges than rotations remain"
        )
    return _Reading(
        "unknown", f"trained on cosine; whether that determines it is not known: {why}", f"{said}; {why}", action
    )


def _tables(workspace: Workspace) -> dict[str, Table]:
    users = workspace.embedding.users
    return {"items": workspace.items} if users is None else {"items": workspace.items, "users": users}


def _all_unit(workspace: Workspace) -> bool:
    return all(np.abs(_some_norms(table) - 1).max() <= UNIT_NORM for table in _tables(workspace).values())


def _some_norms(table: Table) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    norms = row_norms(take_rows(table, np.arange(min(len(table), 10_000))))
    alive: np.ndarray[tuple[int], np.dtype[np.float64]] = norms[norms > 0].astype(np.float64)
    return alive if len(alive) else np.ones(1)
