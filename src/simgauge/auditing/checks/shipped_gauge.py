"""Whether the cosine as shipped belongs to any named gauge of the same predictions, or to none."""

from __future__ import annotations

import numpy as np

from simgauge.auditing.later_changes import chosen_gauge
from simgauge.auditing.workspace import Workspace
from simgauge.core.gauges.canonical import Center
from simgauge.core.neighbors.overlap import neighbor_overlap
from simgauge.findings import Finding, Verdict

POWERS = np.linspace(0, 1, 21)
"""α of the named gauges."""

SAME_LISTS, NEARLY_SAME_LISTS = 0.9, 0.8
"""Neighbours shared with the nearest named gauge from which the distance does no harm, or little."""


def shipped_gauge(workspace: Workspace) -> Finding | None:
    """Condition number of the metric between the vectors as shipped and the nearest of the named gauges.

    Trained tables are near one of them: that is where a penalty, small initial values or an SVD leave them. Lists
    cannot tell this as well: half of them survive a random gauge of condition number 10. None where there is one table
    only, and where training determined the cosine.
    """
    if not workspace.canonical or workspace.objective.verdict == "identified":
        return None
    value, power, center = _nearest(workspace)
    if power == 0 and not workspace.whitening_differs:
        return None
    kept = workspace.mean_interval(
        neighbor_overlap(workspace.probe_lists, workspace.gauge_lists(power, center)).per_row
    )
    named = f"α = {power:g}" + (f", {center} centred" if center != "none" else "")
    finite = bool(np.isfinite(value))
    return workspace.finding(
        "shipped_gauge",
        "Distance from the named gauges",
        value if finite else None,
        f"the metric of these vectors and that of the nearest named gauge ({named}) have condition number {value:.3g}; "
        f"{kept.value:.0%} of the {workspace.k} nearest neighbours are the same",
        cause=("" if workspace.ranks_by_dot_product else "if the two tables are scored by dot products: ")
        + "their scores select no scale along the latent directions, and the scale in this file is that of no named "
        "gauge; it "
        "came from initial values, an early stop, or a step after training",
        action="bring the vectors into a named gauge, which changes no user's ranking by dot product: "
        "simgauge.canonical_gauge(embedding, "
        f"alpha, center={workspace.gauge_centers[0]!r}), or let simgauge fix choose one by evidence",
        verify="repeat the audit on the result: the condition number must be 1",
        group="gauge",
        at_most=_gravest(workspace, kept.low),
        details={"power": power, "center": center, "overlap": kept.value, "overlap_interval": [kept.low, kept.high]},
    )


def _nearest(workspace: Workspace) -> tuple[float, float, Center]:
    """Least condition number over α and the centrings in use, and where it is reached.

    The map T to a gauge takes the shipped items to those of the gauge, so the two metrics differ by T Tᵀ.
    """
    tried: list[tuple[float, float, Center]] = []
    for center in workspace.canonical:
        for power in POWERS:
            scales = np.linalg.svd(workspace.gauge_map(float(power), center).item_matrix, compute_uv=False)
            ratio = float(scales[0] / scales[-1]) if scales[-1] > 0 else np.inf
            tried.append((ratio**2, float(power), center))
    return min(tried, key=lambda entry: entry[0])


def _gravest(workspace: Workspace, kept: float) -> Verdict:
    """What lists agree on does no harm; where training is not known, the loss may have used the cosine itself.

    A canonical gauge that simgauge wrote was chosen, whatever its α.
    """
    if chosen_gauge(workspace.embedding.provenance) is not None:
        return "info"
    if kept >= SAME_LISTS:
        return "ok"
    if kept >= NEARLY_SAME_LISTS or not workspace.ranks_by_dot_product:
        return "warn"
    return "fail"
