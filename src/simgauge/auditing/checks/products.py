"""Cosine beside the dot product: how far the lists differ, and items that are not nearest to themselves."""

from __future__ import annotations

import numpy as np

from simgauge.auditing.workspace import Workspace
from simgauge.core.neighbors.overlap import neighbor_overlap
from simgauge.findings import Finding


def cosine_against_dot(workspace: Workspace) -> Finding:
    """How much the choice between cosine and dot product matters for the lists."""
    per_row = neighbor_overlap(workspace.probe_lists, workspace.dot_lists[0]).per_row
    value, low, high = workspace.mean_interval(per_row)
    return workspace.finding(
        "metric_overlap",
        "Cosine against dot product",
        value,
        f"{value:.0%} of the neighbours by cosine are neighbours by dot product too",
        interval=(low, high),
        cause="norms differ: the dot product prefers long vectors",
        action="store the metric with the vectors, and choose it, or a norm power between the two, by evidence",
        verify="simgauge fix compares cosine, dot and norm powers",
    )


def self_dominated(workspace: Workspace) -> Finding:
    """Items that another item beats, by inner product, even when they themselves are the query."""
    own = workspace.item_norms[workspace.probe_rows] ** 2
    best, products = workspace.dot_lists
    rounding = workspace.embedding.n_components * float(np.finfo(np.float32).eps)
    beaten = products[:, 0].astype(np.float64) > own * (1 + rounding)
    value, low, high = workspace.mean_interval(beaten.astype(float))
    pairs = [
        f"{workspace.name(row)} < {workspace.name(winner)}"
        for row, winner in zip(workspace.probe_rows[beaten][:5], best[beaten][:5, 0], strict=True)
    ]
    return workspace.finding(
        "self_dominated",
        "Items that are not their own nearest",
        value,
        f"{value:.1%} of the items are beaten by another item, by inner product, when they themselves are the query",
        interval=(low, high),
        cause="longer vectors in about the same direction win by inner product; graph indexes (HNSW) built on inner "
        "product "
        "lose the items that they never reach",
        action="for similar items store unit rows, so that inner product is cosine; for scores of users use a flat or "
        "IVF "
        "index rather than a graph",
        verify="search every item by its own vector and count how often it comes first",
        details={"named": pairs},
    )
