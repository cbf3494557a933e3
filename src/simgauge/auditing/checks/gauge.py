"""Gauge checks: what happens to neighbour lists, popularity and norms when the gauge changes and predictions don't."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.auditing.later_changes import chosen_gauge
from simgauge.auditing.workspace import Workspace
from simgauge.core.gauges.canonical import Center, center_of, centered_sides
from simgauge.core.inference.intervals import mean_interval
from simgauge.core.neighbors.overlap import neighbor_overlap
from simgauge.errors import InputError
from simgauge.findings import Finding, Verdict

POWERS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5)
"""α at which lists of the canonical family are compared."""

CONDITION_NUMBERS = (2.0, 4.0, 10.0, 100.0)
"""κ of the random metrics; 100 is a rescaling of the axes by up to 10."""

JUDGED_CONDITION_NUMBER = 10.0
DRAWS, FEWER_DRAWS = 5, 2
CHEAP_DRAW = 1e10
"""Multiplications to rotate the table once; above it, 2 random gauges of each size are drawn instead of 5."""


def canonical_overlap(workspace: Workspace) -> Finding | None:
    """How many neighbours the cosine as shipped shares with each canonical gauge; None where training saw the
    cosine."""
    if _has_no_gauges(workspace):
        return None
    shipped = workspace.probe_lists
    rows: list[dict[str, Any]] = []
    gauges = [entry for entry in named_gauges(workspace) if entry[1] > 0 or workspace.whitening_differs]
    if not gauges:
        return Finding(
            id="canonical_overlap",
            title="Neighbours across canonical gauges",
            value=None,
            summary="not compared: with no more items than directions in use, all whitened items are orthogonal or "
            "alike",
            verdict="info",
            gauge_dependent=True,
        )
    for name, power, center in gauges:
        shares = neighbor_overlap(shipped, workspace.gauge_lists(power, center)).per_row
        mean, low, high = workspace.mean_interval(shares)
        rows.append({"gauge": name, "power": power, "center": center, "overlap": mean, "interval": [low, high]})
    lowest = min(rows, key=lambda row: row["overlap"])
    value = float(lowest["overlap"])
    return Finding(
        id="canonical_overlap",
        title="Neighbours across canonical gauges",
        value=value,
        interval=(lowest["interval"][0], lowest["interval"][1]),
        summary=f"{value:.0%} of the {workspace.k} nearest neighbours are also there in the gauge “{lowest['gauge']}”",
        verdict=_capped(workspace, workspace.thresholds["canonical_overlap"].judge(value)),
        cause=_what_they_share(rows),
        action="compare them on held-out evidence (simgauge fix), or use the projected gauge, which is the cosine of "
        "predicted columns"
        if workspace.canonical
        else "pass the other table (users, queries, contexts) as users: then the gauges between these can be compared",
        verify="simgauge neighbors ITEM --compare shows the lists side by side",
        gauge_dependent=True,
        group="gauge",
        details={"k": workspace.k, "n_probe_rows": len(workspace.probe_rows), "gauges": rows, "interval_level": 0.95},
    )


def named_gauges(workspace: Workspace) -> list[tuple[str, float, Center]]:
    """Canonical gauges that the loss cannot tell apart: sides that may shift are centred in each of them."""
    plain, default = workspace.gauge_centers
    if plain not in workspace.canonical:
        only = center_of(centered_sides(plain) - {"users"})
        return [(f"whitened (α = 0){_CENTRED[only]}", 0.0, only)]
    powers = (("whitened (α = 0)", 0.0), ("balanced (α = ½)", 0.5), ("projected back (α = 1)", 1.0))
    gauges: list[tuple[str, float, Center]] = [(f"{name}{_CENTRED[plain]}", power, plain) for name, power in powers]
    if default != plain and default in workspace.canonical:
        gauges.append((f"projected back (α = 1){_CENTRED[default]}", 1.0, default))
    return gauges


_CENTRED: dict[Center, str] = {
    "none": "",
    "items": ", items centred",
    "users": ", users centred",
    "both": ", both sides centred",
}


def _what_they_share(rows: list[dict[str, Any]]) -> str:
    centred = any("items" in centered_sides(row["center"]) for row in rows)
    up_to = ", up to one constant for each user," if centred else ""
    return (
        f"each of these gauges has the same dot products of users and items{up_to} and so the same rankings; they "
        f"weigh the "
        "latent directions differently"
    )


def random_gauge_overlap(workspace: Workspace) -> Finding | None:
    """How many neighbours survive random changes of gauge of a given size; None where training saw the cosine."""
    if _has_no_gauges(workspace):
        return None
    shipped = workspace.probe_lists[workspace.gauge_positions]
    draws = _draws(workspace)
    rows: list[dict[str, Any]] = []
    if workspace.embedding.n_components > 1:
        lists = [workspace.random_metric_lists(CONDITION_NUMBERS, draw) for draw in range(draws)]
        for number, kappa in enumerate(CONDITION_NUMBERS):
            shares = np.concatenate([neighbor_overlap(shipped, drawn[number]).per_row for drawn in lists])
            low, high = np.quantile(shares, [0.05, 0.95])
            rows.append({
                "condition_number": kappa, "overlap": float(shares.mean()), "low": float(low), "high": float(high),
                "draws": [float(value) for value in shares.reshape(draws, -1).mean(axis=1)],
                "interval": _over_draws(workspace, shares.reshape(draws, -1)),
            })  # fmt: skip
    if not rows:
        return Finding("random_gauge_overlap", "Neighbours under random gauges", None,
                       "one component has no gauge but its scale", "ok", gauge_dependent=False)  # fmt: skip
    judged = next(row for row in rows if row["condition_number"] == JUDGED_CONDITION_NUMBER)
    value = judged["overlap"]
    shifted = "items" in centered_sides(workspace.gauge_centers[0])
    return Finding(
        id="random_gauge_overlap",
        title="Neighbours under random gauges",
        value=value,
        interval=(judged["interval"][0], judged["interval"][1]),
        summary=f"{value:.0%} of the neighbours stay under a random metric with condition number "
        f"{JUDGED_CONDITION_NUMBER:g}{' and a random shift of all items' if shifted else ''} (lists: "
        f"{judged['low']:.0%} to "
        f"{judged['high']:.0%})",
        verdict=_capped(workspace, workspace.thresholds["random_gauge_overlap"].judge(value)),
        cause="these metrics leave every dot product of users and items alone when the users move along"
        + (" (the shift moves each user's by one constant, which this loss cannot see)" if shifted else "")
        + ": the neighbours that are lost are not determined by those products",
        action="don't treat single neighbours as findings; a certificate says up to which κ a neighbour stays",
        verify="gauge_transform(embedding, random_gauge(k, √κ)) and compare the neighbours again",
        gauge_dependent=True,
        group="gauge",
        details={
            "k": workspace.k,
            "n_probe_rows": len(shipped),
            "by_condition_number": rows,
            "items_shifted": shifted,
            "low_and_high_are": "5 % and 95 % of single lists",
        },
    )


def _over_draws(workspace: Workspace, shares: NDArray[np.float64]) -> list[float]:
    """95 % interval of the mean over all gauges and items, from some of both: (draws, rows)."""
    value, low, high = workspace.mean_interval(shares.mean(axis=0))
    by_draw = mean_interval(shares.mean(axis=1))
    drawn = by_draw.high - by_draw.value
    return [
        max(value - float(np.hypot(value - low, drawn)), 0.0),
        min(value + float(np.hypot(high - value, drawn)), 1.0),
    ]


def neighbor_popularity(workspace: Workspace) -> Finding | None:
    """How popular the neighbours are along the canonical family; None without popularity, or with one gauge only."""
    if workspace.popularity is None or _has_no_gauges(workspace):
        return None
    log_popularity = np.log10(np.maximum(workspace.popularity, 1.0))
    powers = _powers(workspace)
    per_row = np.stack(
        [log_popularity[lists].mean(axis=1) for lists in (workspace.probe_lists, *map(workspace.gauge_lists, powers))]
    )
    shipped, *levels = (float(level) for level in per_row.mean(axis=1))
    curve = [{"power": power, "log10_popularity": level} for power, level in zip(powers, levels, strict=True)]
    everything = float(log_popularity.mean())
    levels.append(shipped)
    value, low, high = workspace.jackknife(
        lambda rows: float(np.ptp(per_row[:, rows].mean(axis=1))),
        per_row.shape[1],
        int(np.count_nonzero(workspace.item_norms)),
    )
    return Finding(
        id="neighbor_popularity",
        title="Popularity of neighbours along the gauge",
        value=value,
        interval=(max(low, 0.0), high) if np.isfinite(high) and low < high else None,
        summary=f"neighbours as shipped have {10**shipped:.0f} interactions (geometric mean); other gauges of the same "
        f"predictions range from {10 ** min(levels):.0f} to {10 ** max(levels):.0f}; the average item has "
        f"{10**everything:.0f}",
        verdict=_capped(workspace, workspace.thresholds["neighbor_popularity"].judge(value)),
        cause="strong directions carry popularity, so the gauge acts as a hidden popularity knob",
        action="choose the gauge on popularity-weighted held-out evidence rather than by default",
        verify="compare the popularity of neighbours before and after",
        gauge_dependent=True,
        group="gauge",
        details={"curve": curve, "shipped": shipped, "catalogue": everything},
    )


def _powers(workspace: Workspace) -> tuple[float, ...]:
    """α whose lists say something: whitened lists only where there are more items than directions."""
    powers = POWERS if workspace.canonical else (0.0,)
    return powers if workspace.whitening_differs else tuple(power for power in powers if power > 0)


def norm_popularity(workspace: Workspace) -> Finding | None:
    """How far "long vectors are popular items" depends on the gauge; None without popularity, or with one gauge
    only."""
    if workspace.popularity is None or _has_no_gauges(workspace):
        return None
    log_popularity = np.log10(np.maximum(workspace.popularity, 1.0))
    curve = [
        {"power": power, "correlation": _log_norm_correlation(workspace.gauge_norms(power), log_popularity)}
        for power in (POWERS if workspace.canonical else (0.0,))
    ]
    value = _log_norm_correlation(workspace.item_norms, log_popularity)
    others = [point["correlation"] for point in curve]
    return Finding(
        id="norm_popularity",
        title="Norm and popularity",
        value=value,
        summary=f"log norm and log popularity correlate at {value:.2f} as shipped, from {min(others):.2f} to "
        f"{max(others):.2f} in other gauges of the same predictions",
        verdict="info",
        cause="norms carry popularity for the dot product; how much of it sits in the norm is the gauge's choice",
        action="where popularity is wanted in similar items, use a norm power between cosine and dot",
        verify="simgauge fix lists norm powers with their held-out recall",
        gauge_dependent=True,
        group="gauge",
        details={"curve": curve},
    )


def _log_norm_correlation(norms: NDArray[np.float64], log_popularity: NDArray[np.float64]) -> float:
    alive = norms > 0
    log_norms, popularity = np.log(norms[alive]), log_popularity[alive]
    if len(log_norms) < 2 or np.ptp(popularity) == 0 or np.ptp(log_norms) <= 1e-9 * np.abs(log_norms).max():
        return 0.0
    return float(np.corrcoef(log_norms, popularity)[0, 1])


def _has_no_gauges(workspace: Workspace) -> bool:
    """Whether no other gauge is an alternative.

    Training saw cosines, or one encoder, and changes of gauge change those; or nothing is left of the items once what
    they share is taken out.
    """
    if workspace.objective.verdict == "identified":
        return True
    try:
        workspace.gauge_map(0.0)
    except InputError:
        return True
    return False


def _capped(workspace: Workspace, verdict: Verdict) -> Verdict:
    """Only what is known to be arbitrary can fail by the distance of other gauges; a gauge chosen on purpose is a
    fact."""
    if chosen_gauge(workspace.embedding.provenance) is not None:
        return "info"
    if verdict == "fail" and workspace.objective.verdict != "arbitrary":
        return "warn"
    return verdict


def _draws(workspace: Workspace) -> int:
    work = float(workspace.embedding.n_items) * workspace.embedding.n_components**2
    return DRAWS if work <= CHEAP_DRAW else FEWER_DRAWS
