"""Identifiability: what the training objective determines of the cosine, per side, in plain words."""

from __future__ import annotations

from simgauge.findings import Finding, Verdict
from simgauge.workspace import Workspace

VERDICTS: dict[str, Verdict] = {"identified": "ok", "controlled by the regulariser": "info", "arbitrary": "warn"}


def identifiability(workspace: Workspace) -> Finding:
    """The verdict for items and users from the gauge group of the objective."""
    name, objective = workspace.objective_name, workspace.objective
    sides = {"items": objective.verdict}
    if workspace.embedding.users is not None:
        sides["users"] = objective.verdict
    stated = "not stated" if name == "unknown" else f"“{name}”"
    return Finding(
        id="identifiability",
        title="Is the cosine determined by training?",
        value=None,
        summary=f"{' and '.join(sides)}: {objective.verdict} (objective {stated}, gauge group {objective.gauge_group})",
        verdict=VERDICTS[objective.verdict],
        cause=f"{objective.reason} [{objective.source}]",
        action=_ACTIONS[objective.verdict],
        verify="train twice with other seeds or initial scales and compare the neighbours",
        gauge_dependent=False,
        group="identifiability",
        details={"objective": name, "gauge_group": objective.gauge_group, "sides": sides, "source": objective.source},
    )


_ACTIONS = {
    "arbitrary": "use a gauge-invariant similarity (canonical gauge) or train with a penalty on both factors or on cosine",
    "controlled by the regulariser": "know that λ and the kind of penalty chose this cosine; compare it with other gauges "
    "on held-out evidence",
    "identified": "nothing to do",
}
