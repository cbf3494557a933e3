"""Which items have other neighbours in another model, and for which of them only the gauge is another."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simgauge.core.gauges.canonical import canonical_core, power_map, whitening_map
from simgauge.core.neighbors.overlap import neighbor_overlap
from simgauge.core.neighbors.topk import top_k
from simgauge.core.tables.arrays import to_host
from simgauge.core.tables.kinds import Matrix, Vector
from simgauge.core.tables.scale import in_range
from simgauge.core.tables.tables import row_norms, take_rows
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.labels import positions_of

Indices = NDArray[np.int64]


class Movers(NamedTuple):
    """Lists of some shared items in two models: as shipped, and in one gauge that both models determine."""

    rows: Indices
    """Rows of the first table whose lists were compared."""
    shipped: Vector
    """Share of common neighbours, by the cosines as shipped."""
    canonical: Vector
    """The same in the canonical gauge of each."""
    gauge: str
    """Which gauge that is, in words."""
    lists: tuple[Indices, Indices]
    """Neighbours in that gauge in the first and the second model, as rows of the first table, (n, k)."""
    n_shared: int
    """Shared items with a direction in both."""

    def moved(self, most: int) -> Indices:
        """Positions of the items that moved most: the smallest overlap in the canonical gauge first."""
        order = np.lexsort((self.shipped, self.canonical))
        return order[self.canonical[order] < 1][:most]

    def only_gauge(self, most: int) -> Indices:
        """Positions of the items whose lists differ as shipped and agree in the canonical gauge."""
        order = np.argsort(self.shipped - self.canonical, kind="stable")
        return order[self.shipped[order] < self.canonical[order]][:most]


def movers(first: Embedding, second: Embedding, k: int, sample: int, rng: np.random.Generator) -> Movers | None:
    """Compare lists of shared items; None where fewer than two have a direction in both models.

    The gauge is "projected back, users centred" where both models have users, otherwise whitening, which a single table
    determines. Neither depends on the gauge that a table came in, so what differs there is no matter of gauge.
    """
    found = positions_of(first.item_ids, second.item_ids)
    rows = np.flatnonzero(found >= 0)
    if len(rows) < 2:
        return None
    tables = [_host(first, rows), _host(second, found[rows])]
    moved, gauge = _in_gauges(first, second, tables)
    alive = np.all([row_norms(table) > 0 for table in (*tables, *moved)], axis=0)
    rows, tables, moved = rows[alive], [t[alive] for t in tables], [t[alive] for t in moved]
    if len(rows) < 2:
        return None
    k = min(k, len(rows) - 1)
    asked = np.sort(rng.choice(len(rows), min(sample, len(rows)), replace=False))
    shipped = neighbor_overlap(*(top_k(table, k, rows=asked)[0] for table in tables)).per_row
    lists = [top_k(table, k, rows=asked)[0] for table in moved]
    canonical = neighbor_overlap(*lists).per_row
    return Movers(rows[asked], shipped, canonical, gauge, (rows[lists[0]], rows[lists[1]]), len(rows))


def _host(embedding: Embedding, rows: Indices) -> Matrix:
    return np.asarray(to_host(take_rows(in_range(embedding.items)[0], rows)), dtype=np.float64)


def _in_gauges(first: Embedding, second: Embedding, tables: list[Matrix]) -> tuple[list[Matrix], str]:
    """The shared items in the canonical gauge of each model."""
    pairs = list(zip((first, second), tables, strict=True))
    if first.users is not None and second.users is not None:
        try:
            cores = [canonical_core(in_range(m.users)[0], in_range(m.items)[0], "users") for m, _ in pairs]
        except InputError:  # predictions that are all alike
            cores = []
        if cores:
            moved = [power_map(core, 1.0).apply_items(table) for core, (_, table) in zip(cores, pairs, strict=True)]
            return moved, "projected back, users centred"
    return [whitening_map(table).apply_items(table) for table in tables], "whitened"
