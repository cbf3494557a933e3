"""The items that a page's lists are about: all with a direction, or a sample of a very large table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.core.gauges.canonical import scale_norms
from simgauge.core.neighbors.topk import top_k
from simgauge.core.tables.arrays import to_host
from simgauge.core.tables.kinds import FloatTable, Matrix, Table
from simgauge.core.tables.tables import sample_nonzero_rows, take_rows
from simgauge.report.explorer.forms import Forms, Point, common_coordinates

Indices = NDArray[np.int64]

SEARCHED_BYTES, SEARCHED_ITEMS = 128 << 20, 250_000
"""Memory of the common coordinates, and items: larger tables are sampled, and the page says so."""


@dataclass(frozen=True, eq=False)
class Searched:
    """Items among which neighbours are sought, in common coordinates."""

    rows: Indices
    """Rows of the embedding, rising; places below are positions in it."""
    common: Matrix
    """(n, r)"""
    items: FloatTable
    """The same as shipped."""
    forms: Forms
    n_directed: int
    """Items with a direction in the whole table; more than rows where these are a sample."""

    def lists(self, point: Point | None, places: Indices, k: int) -> tuple[Indices, Any]:
        """Places and scores of the k nearest by the similarity of a point of the grid, or as shipped (None)."""
        if point is None:
            return top_k(self.items, k, "cosine", rows=places)
        vectors = self.forms.vectors(self.common, point)
        if point.norm_power == 0:
            return top_k(vectors, k, "cosine", rows=places)
        return top_k(scale_norms(vectors, point.norm_power), k, "dot", rows=places)


def search_among(items: Table, forms: Forms, always: Indices, rng: np.random.Generator) -> Searched:
    """Every item with a direction in all gauges of the page; where they are too many, a sample that holds `always`."""
    most = min(SEARCHED_ITEMS, max(1_000, SEARCHED_BYTES // (8 * forms.to_common.shape[1])))
    alive = sample_nonzero_rows(items, int(items.shape[0]), rng)
    rows = alive
    if len(alive) > most:
        rows = np.union1d(rng.choice(alive, most, replace=False), np.intersect1d(always, alive))
    shipped = np.asarray(to_host(take_rows(items, rows)))
    common = common_coordinates(forms, shipped)
    directed = np.ones(len(rows), dtype=bool)
    for center in forms.by_center:
        lengths = np.linalg.norm(forms.vectors(common, Point(center, 0.0, 0.0)), axis=1)
        directed &= lengths > 1e-9 * lengths.max(initial=0.0)
    return Searched(rows[directed], common[directed], shipped[directed], forms, len(alive) - int((~directed).sum()))
