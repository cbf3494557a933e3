"""Neighbours in every named gauge of a model: what is certain whatever α somebody chooses."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.auditing.later_changes import chosen_gauge
from simgauge.auditing.workspace import Workspace
from simgauge.core.bounds.named_gauges import GRIDS, along_gauges
from simgauge.core.gauges.canonical import Center
from simgauge.findings import Finding

NAMED_WORK = 3e7
"""Points of the grid of α times items times directions: 0.5 s of one core, 21 points for 20,000 items of 64
components."""

CENTRED: dict[Center, str] = {
    "none": "",
    "items": ", items centred",
    "users": ", users centred",
    "both": ", both sides centred",
}

Floats = NDArray[np.float64]


def certified_in_named_gauges(workspace: Workspace) -> Finding | None:
    """Share of neighbours that are in their list in every named gauge Z(α); None without users or where they don't
    count."""
    if workspace.objective.verdict == "identified" or not workspace.canonical:
        return None
    center = workspace.gauge_centers[0]
    if center not in workspace.canonical or workspace.embedding.n_items <= workspace.k + 1:
        return None
    proven, seen, looked = _along_gauges(workspace, center)
    value, low, _ = workspace.mean_interval(proven)
    most, _, high = workspace.mean_interval(seen)
    chosen = chosen_gauge(workspace.embedding.provenance) is not None
    return Finding(
        id="certified_in_named_gauges",
        title="Neighbours in every named gauge",
        value=value,
        interval=(low, high),
        summary=f"{value:.0%} of the {workspace.k} nearest neighbours are proven to be in the list in all gauges "
        f"Z(α), α from 0 "
        f"(whitened) to 1 (projected back){CENTRED[center]}; at most {most:.0%} are, as far as {looked['points']} "
        f"values of α tell",
        # a table is not blamed for a grid that was too coarse to prove more: what is seen must fall short as well
        verdict="info" if chosen else workspace.thresholds["certified_in_named_gauges"].judge(most),
        cause="all of these gauges have the same dot products of users and items"
        + (", up to one constant for each user," if center in ("items", "both") else "")
        + " and weigh the latent directions by s^α; a neighbour that is in the list for every α does not depend on "
        "that choice",
        action="choose α on held-out evidence (simgauge fix) where lists matter; neighbours in every gauge need no "
        "choice",
        verify="certified_along_gauges(items, users, k) tells which neighbours they are; its docstring has the proof",
        gauge_dependent=False,
        group="gauge",
        details={"k": workspace.k, "proven": value, "seen": most, "center": center, "n_rows": len(proven), **looked},
    )


def _along_gauges(workspace: Workspace, center: Center) -> tuple[Floats, Floats, dict[str, Any]]:
    """Shares proven and seen per row, and which gauges were used; large tables are searched in the three main gauges
    only."""
    core = workspace.canonical[center]
    afford = NAMED_WORK / (workspace.embedding.n_items * core.rank)
    s = core.singular_values
    looked: dict[str, Any] = {"condition_number": float((s[0] / s[-1]) ** 2), "rank": core.rank}
    if afford < GRIDS[0]:
        lists = [workspace.gauge_lists(power, center) for power in (0.0, 0.5, 1.0)]
        everywhere = np.ones(lists[0].shape, dtype=bool)
        for other in lists[1:]:
            everywhere &= (lists[0][:, :, None] == other[:, None, :]).any(axis=2)
        return np.zeros(len(everywhere)), everywhere.mean(axis=1), {**looked, "points": len(lists), "refinements": []}
    points = max(grid for grid in GRIDS if grid <= afford)
    rows = workspace.gauge_rows[:: 2 if points == GRIDS[0] else 1]
    found = along_gauges(core, workspace.items, workspace.k, rows, center, points)
    looked |= {"points": found.points, "refinements": [step._asdict() for step in found.refinements]}
    return found.proven.mean(axis=1), found.seen.mean(axis=1), looked
