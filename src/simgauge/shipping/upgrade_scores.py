"""What queries find: in the old index, and against the lists of an index that was embedded anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.core.inference.intervals import Interval, mean_interval, share_interval
from simgauge.core.neighbors.overlap import neighbor_overlap
from simgauge.core.neighbors.topk import top_k
from simgauge.core.tables.kinds import FloatTable, Vector
from simgauge.shipping.upgraded import OLD_QUERIES, RE_EMBEDDED, UpgradeRow


@dataclass(frozen=True, eq=False)
class Asked:
    """Queries in both spaces, and the tables they are asked in."""

    index: FloatTable
    """(n_old, k0): all rows of the old index."""
    paired_old: FloatTable
    """(n, k0): rows of the documents that both encoders have."""
    paired_new: FloatTable
    """(n, k1): the same documents by the new encoder."""
    old: FloatTable
    """(q, k0): the queries by the old encoder."""
    new: FloatTable
    """(q, k1): the queries by the new encoder."""
    own_rows: NDArray[np.int64] | None
    """Rows of the index that the queries are themselves; None for queries that are no documents."""
    own_paired: NDArray[np.int64] | None
    """The same in the paired tables."""
    metric: str
    k: int

    def scores(self, mapped: Mapping[Any, FloatTable]) -> list[UpgradeRow]:
        """A row for every set of mapped queries, then for the old queries and for re-embedding."""
        old_lists = self._in_index(self.old)
        by_old = self._among_paired(self.old)
        by_new = self._lists(self.paired_new, self.new, self.own_paired)
        base = neighbor_overlap(by_old, by_new).per_row
        rows = []
        for way, queries in mapped.items():
            kept = neighbor_overlap(self._in_index(queries), old_lists).per_row
            rows.append(_row(way, kept, neighbor_overlap(self._among_paired(queries), by_new).per_row, base))
        everything, nothing = Interval(1.0, 1.0, 1.0), Interval(0.0, 0.0, 0.0)
        rows.append(UpgradeRow(OLD_QUERIES, everything, share_interval(base), nothing))
        rows.append(UpgradeRow(RE_EMBEDDED, share_interval(base), everything, mean_interval(1 - base)))
        return rows

    def itself_first(self, queries: FloatTable) -> float | None:
        """Share of queries that find their own row first, where they have one."""
        if self.own_rows is None:
            return None
        first = top_k(self.index, 1, self.metric, queries)[0][:, 0]
        return float(np.mean(first == self.own_rows))

    def _in_index(self, queries: FloatTable) -> NDArray[np.int64]:
        return self._lists(self.index, queries, self.own_rows)

    def _among_paired(self, queries: FloatTable) -> NDArray[np.int64]:
        return self._lists(self.paired_old, queries, self.own_paired)

    def _lists(self, table: FloatTable, queries: FloatTable, own: Any) -> NDArray[np.int64]:
        if own is None:
            return top_k(table, self.k, self.metric, queries)[0]
        return without(top_k(table, self.k + 1, self.metric, queries)[0], own)


def without(lists: NDArray[np.int64], own: NDArray[np.int64]) -> NDArray[np.int64]:
    """Lists one shorter: without the row's own place, or without the last where that is not among them.

    Examples
    --------
    >>> without(np.array([[4, 1, 2], [0, 3, 5]]), np.array([1, 9])).tolist()
    [[4, 2], [0, 3]]
    """
    out = lists == own[:, None]
    out[~out.any(axis=1), -1] = True
    kept: NDArray[np.int64] = lists[~out].reshape(len(lists), -1)
    return kept


def _row(way: str, old: Vector, new: Vector, base: Vector) -> UpgradeRow:
    return UpgradeRow(way, share_interval(old), share_interval(new), mean_interval(new - base))
