"""Exact statements: the widest range of every cosine, and the neighbours that no metric of a given size can remove."""

from __future__ import annotations

from typing import Any

import numpy as np

from simgauge.auditing.workspace import Workspace
from simgauge.core.bounds.certificates import certified_share, neighbor_certificate
from simgauge.core.bounds.cosine_bounds import Group, cosine_bounds
from simgauge.core.inference.intervals import Interval
from simgauge.core.neighbors.neighbor_lists import Indices
from simgauge.core.tables.kinds import FloatTable, Vector
from simgauge.core.tables.tables import take_rows
from simgauge.findings import Finding

CONDITION_NUMBERS = (2.0, 4.0, 10.0)
JUDGED_CONDITION_NUMBER = 2.0
PAIRS = 2_000


def cosine_range(workspace: Workspace) -> Finding | None:
    """How far the cosine of an item and its neighbours can move at most; None with a single component."""
    if workspace.embedding.n_components == 1:
        return None
    pairs = _neighbor_pairs(workspace)
    positions_of_rows = np.searchsorted(workspace.rows, pairs[:, 0])
    rows: list[dict[str, Any]] = []
    asked, positions = np.unique(pairs, return_inverse=True)
    vectors, pairs = take_rows(workspace.items, asked), positions.reshape(pairs.shape)
    groups: list[tuple[Group, FloatTable]] = [("linear", vectors)]
    if workspace.gauge_centers[0] in workspace.canonical:
        groups.append(("diagonal", workspace.gauge_map(0.5).apply_items(vectors)))
    for group, table in groups:
        for kappa in CONDITION_NUMBERS:
            low, high = cosine_bounds(table, pairs, kappa, group)
            rows.append({
                "group": group, "condition_number": kappa, "width": float(np.median(high - low)),
                "low": float(np.median(low)), "high": float(np.median(high)),
                "widths": high - low,
            })  # fmt: skip
    judged = next(row for row in rows if row["condition_number"] == JUDGED_CONDITION_NUMBER)
    value, least, most = _median_by_rows(workspace, judged["widths"], positions_of_rows)
    for row in rows:
        del row["widths"]
    return Finding(
        id="cosine_range",
        title="Exact range of a cosine",
        value=value,
        interval=(least, most) if np.isfinite(most) and least < most else None,
        summary=f"the cosine of an item and one of its neighbours can be anything in a range of width {value:.2f} "
        f"(median: "
        f"{judged['low']:.2f} to {judged['high']:.2f}) under metrics with condition number "
        f"{JUDGED_CONDITION_NUMBER:g}, "
        "and nothing beyond it",
        verdict="info",
        cause="tan(φ/2) of an angle is multiplied by at most √κ and divided by at most √κ (generalised Wielandt "
        "inequality)",
        action="a threshold on the cosine means nothing finer than this range",
        verify="attaining_gauge(vectors, pair, κ) returns the gauge under which a cosine becomes its bound",
        gauge_dependent=True,
        group="gauge",
        details={"n_pairs": len(pairs), "by_condition_number": rows, "diagonal_basis": "balanced canonical gauge"},
    )


def _median_by_rows(workspace: Workspace, widths: Vector, row_of_pair: Indices) -> Interval:
    """Median over pairs; its interval leaves out rows rather than pairs, because the pairs of a row are alike."""

    def median(rows: Indices) -> float:
        chosen = np.zeros(len(workspace.rows), dtype=bool)
        chosen[rows] = True
        return float(np.median(widths[chosen[row_of_pair]]))

    return workspace.jackknife(median, len(workspace.rows), int(np.count_nonzero(workspace.item_norms)))


def certified_neighbors(workspace: Workspace) -> Finding | None:
    """Share of neighbours that no metric up to a condition number can push out of their list."""
    if workspace.embedding.n_components == 1 or workspace.embedding.n_items <= workspace.k + 1:
        return None
    found = neighbor_certificate(
        workspace.items,
        workspace.k,
        neighbors=workspace.probe_lists[workspace.gauge_positions],
        rows=workspace.gauge_rows,
        per_neighbor=True,
    )
    whole = found.min(axis=1)
    rows = [
        {
            "condition_number": kappa,
            "neighbors": certified_share(found, kappa),
            "nearest": certified_share(found[:, 0], kappa),
            "lists": certified_share(whole, kappa),
        }
        for kappa in (1.1, 1.5, *CONDITION_NUMBERS)
    ]
    judged = next(row for row in rows if row["condition_number"] == JUDGED_CONDITION_NUMBER)
    per_row = (found > JUDGED_CONDITION_NUMBER).mean(axis=1)
    value, low, high = workspace.mean_interval(per_row)
    scale = _named_scale(workspace)
    return Finding(
        id="certified_neighbors",
        title="Neighbours that are certain",
        value=value,
        interval=(low, high),
        summary=f"{value:.0%} of neighbours, {judged['nearest']:.0%} of nearest ones and {judged['lists']:.0%} of "
        f"whole lists "
        f"stay under every metric with condition number up to {JUDGED_CONDITION_NUMBER:g}{_scale_text(scale)}",
        verdict="info",
        cause="each neighbour has an exact threshold κ°: no metric of a smaller condition number makes an item "
        "outside the list "
        "as near as it is. This is a worst case over all metrics, and typical ones change less",
        action="none is needed; neighbor_certificate gives κ° for each neighbour of a list, where single lists matter",
        verify="tying_gauge returns the gauge that makes a neighbour and the first item to pass it equally near, at "
        "exactly κ°",
        gauge_dependent=True,
        group="gauge",
        details={"by_condition_number": rows, "named_gauges": scale, "k": workspace.k},
    )


def _named_scale(workspace: Workspace) -> dict[str, float] | None:
    """Condition numbers of the metrics between named gauges: how far reasonable choices already are apart."""
    if "none" not in workspace.canonical:
        return None
    s = workspace.canonical["none"].singular_values
    ratio = float(s[0] / s[-1])
    return {"whitened_to_balanced": ratio, "whitened_to_projected": ratio**2}


def _scale_text(scale: dict[str, float] | None) -> str:
    if scale is None:
        return ""
    return (
        f"; for scale, the metrics of this model's own named gauges differ by {scale['whitened_to_balanced']:.3g} "
        f"(whitened to balanced) and {scale['whitened_to_projected']:.3g} (whitened to projected)"
    )


def _neighbor_pairs(workspace: Workspace) -> np.ndarray[Any, np.dtype[np.int64]]:
    lists = workspace.shipped_lists
    rng = np.random.default_rng(workspace.seed + 2)
    position = rng.integers(len(lists), size=PAIRS)
    return np.stack([workspace.rows[position], lists[position, rng.integers(lists.shape[1], size=PAIRS)]], axis=1)
