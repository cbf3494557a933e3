"""What the gauges of the grid do to a sample of all lists: kept neighbours, their popularity, hubs, certificates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.core.bounds.certificates import neighbor_certificate
from simgauge.core.neighbors.overlap import neighbor_overlap
from simgauge.report.explorer.searched import Searched

Indices = NDArray[np.int64]
Floats = NDArray[np.float64]

SURVEYED, FEWEST_SURVEYED, SURVEY_PRODUCTS = 200, 32, 3e10
"""Items whose lists are made in every gauge of the grid; fewer in large tables, by products of numbers."""
LISTED = 2_000
"""Items whose lists as shipped are counted for the histogram of hubs."""
CERTIFIED_FLOPS, MOST_CERTIFIED = 2e9, 2_000
"""Room for exact certificates, as products of an item with a coordinate, and the most lists that have them."""
DOTS = 600
"""Dots of a scatter plot."""
HUBS = 3


def n_surveyed(searched: Searched) -> int:
    """Items whose lists are worth their time in every gauge of the grid."""
    each = searched.common.size * sum(1 for _ in searched.forms.points())
    return min(SURVEYED, max(FEWEST_SURVEYED, int(SURVEY_PRODUCTS / each)))


def grid_survey(searched: Searched, places: Indices, k: int, popularity: Floats | None) -> list[dict[str, Any]]:
    """For every point of the grid: the share of the neighbours as shipped that stay, and how popular neighbours are.

    Popularity is the mean of log10(1 + count) over all places of the lists.
    """
    shipped = searched.lists(None, places, k)[0]
    rows = []
    for point in searched.forms.points():
        found = searched.lists(point, places, k)[0]
        kept = float(neighbor_overlap(shipped, found).per_row.mean())
        rows.append({**point._asdict(), "kept": kept, "popularity": mean_popularity(found, popularity)})
    return rows


def mean_popularity(lists: Indices, popularity: Floats | None) -> float | None:
    """Mean log10(1 + interactions) of the members of some lists."""
    return None if popularity is None else float(np.log10(1.0 + popularity[lists]).mean())


def occurrence(searched: Searched, places: Indices, k: int, names: Sequence[str]) -> dict[str, Any]:
    """In how many lists as shipped items are: a histogram with the most listed ones by name."""
    lists = searched.lists(None, places, k)[0]
    counts = np.bincount(lists.ravel(), minlength=len(searched.rows))
    edges = _edges(int(counts.max(initial=0)))
    bars = np.histogram(counts, bins=[*edges, np.inf])[0]
    hubs = np.argsort(-counts, kind="stable")[:HUBS]
    return {
        "n_lists": len(places),
        "k": k,
        "n_items": len(searched.rows),
        "bars": [
            {"from": low, "to": high - 1, "items": int(count)}
            for low, high, count in zip(edges, [*edges[1:], int(counts.max(initial=0)) + 1], bars, strict=True)
        ],
        "hubs": [{"name": names[hub], "lists": int(counts[hub])} for hub in hubs if counts[hub] > 0],
    }


def norm_scatter(searched: Searched, popularity: Floats | None, rng: np.random.Generator) -> dict[str, Any] | None:
    """Length as shipped against popularity, of a sample of items; None where popularity is not known."""
    if popularity is None or not (popularity > 0).any():
        return None
    seen = np.flatnonzero(popularity > 0)
    drawn = np.sort(rng.choice(seen, min(DOTS, len(seen)), replace=False))
    lengths = np.linalg.norm(searched.items[drawn].astype(np.float64), axis=1)
    return {"popularity": popularity[drawn].tolist(), "norm": [float(f"{value:.4g}") for value in lengths]}


def certificates(searched: Searched, places: Indices, k: int) -> tuple[Floats, Indices] | None:
    """For each neighbour as shipped, up to which condition number it stays in the list, and who takes its place.

    None where there is no item outside a list, or none is asked for.
    """
    if k >= len(searched.rows) - 1 or not len(places):
        return None
    listed = searched.lists(None, places, k)[0]
    found = neighbor_certificate(searched.items, k, neighbors=listed, rows=places, per_neighbor=True, return_pairs=True)
    return found.thresholds, np.asarray(found.rivals, dtype=np.int64)


def affordable(searched: Searched) -> int:
    """Lists whose certificates are worth their time."""
    n, width = searched.items.shape
    return min(MOST_CERTIFIED, int(CERTIFIED_FLOPS / (n * width)))


def _edges(most: int) -> list[int]:
    """Lower ends of the bars: single counts first, then doubling."""
    edges = [0, 1]
    while edges[-1] * 2 <= most:
        edges.append(edges[-1] * 2)
    return edges
