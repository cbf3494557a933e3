"""Lists of nearest neighbours that are exact to the last tie.

Candidates come from a float32 search (`candidate_search`) that takes a few more than k. They are scored again in
float64, pair by pair, so that equal pairs get equal scores wherever they stand. A row whose k-th score does not clear
what a float32 search may have missed is searched again without that doubt (`Search.resolve`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.core.candidate_search import largest_products
from simgauge.core.tables import FloatTable, row_norms, unit_rows

SPARE = 6
"""Candidates beyond k: enough that a row with a few near-ties at the end of its list needs no second search."""

WORK_BYTES = 32 << 20
"""Memory of one step of scoring again."""

RESOLVED = 64
"""Rows searched a second time at once."""

Lists = tuple[NDArray[np.int64], FloatTable]


@dataclass(frozen=True, eq=False)
class SearchTable:
    """One table in two forms: float32 rows of norm at most 1 to search with, and what exact scores are made of."""

    fast: NDArray[np.float32]
    exact: FloatTable
    weight: NDArray[np.float64]
    """exact * weight are the rows whose dot products are the scores."""
    norms: NDArray[np.float64]
    """Of the rows of `fast`; zero only for rows that score 0 with everything."""
    scale: float
    """Of the true scores relative to those of `fast`."""

    @staticmethod
    def of(table: FloatTable, metric: str) -> SearchTable:
        """Prepare a table for one metric."""
        norms = row_norms(table)
        if metric == "cosine":
            units = unit_rows(table)
            weight = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
            ones = (norms > 0).astype(np.float64)
            if table.dtype == np.float64:  # 1 / norm may overflow there, so the rows are scaled one by one
                return SearchTable(units.astype(np.float32), units, np.ones(len(table)), ones, 1.0)
            return SearchTable(units, table, weight, ones, 1.0)
        peak = float(norms.max()) or 1.0
        fast = table if table.dtype == np.float32 and 1e-6 < peak < 1e6 else (table / peak).astype(np.float32)
        scale = 1.0 if fast is table else peak
        return SearchTable(fast, table, np.ones(len(table)), norms / scale, scale)


@dataclass(frozen=True, eq=False)
class Search:
    """Everything that the lists of any query rows are computed from."""

    table: SearchTable
    asked: SearchTable
    k: int
    metric: str
    own: bool

    @property
    def n_queries(self) -> int:
        """Rows that lists can be asked for."""
        return len(self.asked.fast)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the scores handed out."""
        return np.promote_types(self.table.exact.dtype, self.asked.exact.dtype)

    @cached_property
    def copies(self) -> Copies:
        """Identical rows of the table; found when the first list needs it."""
        return Copies.of(self.table.exact, self.k + 1)

    @cached_property
    def distinct(self) -> NDArray[np.float32]:
        """One row of every group of copies, to search with."""
        first = self.copies.first
        whole = len(first) == len(self.table.fast) and bool((first == np.arange(len(first))).all())
        return self.table.fast if whole else self.table.fast[first]

    def lists(self, rows: NDArray[np.int64]) -> Lists:
        """Exact lists of some queries."""
        fetched = min(self.k + self.own + SPARE, len(self.table.fast))
        found, indices = largest_products(np.ascontiguousarray(self.asked.fast[rows]), self.table.fast, fetched)
        scores = self.pair_scores(rows, indices)
        if self.own:
            scores[indices == rows[:, None]] = -np.inf
        indices, scores = _first(indices, scores, self.k)
        if fetched < len(self.table.fast):
            bound = self._rounded((found[:, -1].astype(np.float64) + self.doubt(rows)) * self._scale)
            unsure = np.flatnonzero(scores[:, -1] <= bound)
            for start in range(0, len(unsure), RESOLVED):
                part = unsure[start : start + RESOLVED]
                indices[part], scores[part] = self.resolve(rows[part], scores[part, -1])
        return indices, scores.astype(self.dtype)

    def resolve(
        self, rows: NDArray[np.int64], reached: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Lists of queries whose end is crossed by ties or near-ties: every row that may belong there is scored.

        `reached` is, per query, a score that k rows are known to have or exceed.
        """
        indices = np.empty((len(rows), self.k), dtype=np.int64)
        scores = np.zeros((len(rows), self.k))
        fast = self.asked.fast[rows] @ self.distinct.T
        least = reached / self._scale - 2 * self.doubt(rows)
        for place, row in enumerate(rows):
            if self.asked.norms[row] == 0:
                lowest = np.arange(self.k + self.own)
                indices[place] = lowest[lowest != row][: self.k] if self.own else lowest
            else:
                near = np.flatnonzero(fast[place] >= least[place])
                indices[place], scores[place] = self._best_of_groups(row, near)
        return indices, scores

    def _best_of_groups(self, row: int, groups: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        group_scores = self.pair_scores(np.array([row]), self.copies.first[groups][None])[0]
        members = [self.copies.members[group] for group in groups]
        indices, scores = np.concatenate(members), np.repeat(group_scores, [len(part) for part in members])
        others = indices != row if self.own else slice(None)
        best, best_scores = _first(indices[others][None], scores[others][None], self.k)
        return best[0], best_scores[0]

    @property
    def _scale(self) -> float:
        return self.table.scale * self.asked.scale

    def doubt(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Largest possible error of a float32 score, per query, in units of the fast scores."""
        eps = float(np.finfo(np.float32).eps)
        width = self.table.fast.shape[1]
        return np.asarray((width + 8) * eps * self.asked.norms[rows] * float(self.table.norms.max()))

    def _rounded(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.metric == "cosine":
            scores = np.clip(scores, -1.0, 1.0)
        with np.errstate(over="ignore"):
            return np.asarray(scores.astype(self.dtype), dtype=np.float64)

    def pair_scores(self, rows: NDArray[np.int64], indices: NDArray[np.int64]) -> NDArray[np.float64]:
        """Scores of pairs, (n, m), as they are returned: summed in float64, rounded to the dtype of the result."""
        scores = np.empty(indices.shape)
        step = max(1, WORK_BYTES // (8 * indices.shape[1] * self.table.exact.shape[1]))
        for start in range(0, len(rows), step):
            row, index = rows[start : start + step], indices[start : start + step]
            left = self.asked.exact[row].astype(np.float64)
            right = self.table.exact[index].astype(np.float64)
            part = np.einsum("qd,qkd->qk", left, right)
            scores[start : start + step] = part * (self.asked.weight[row][:, None] * self.table.weight[index])
        return self._rounded(scores)


def _first(indices: NDArray[np.int64], scores: NDArray[np.float64], k: int) -> tuple[NDArray[np.int64], Any]:
    order = np.lexsort((indices, -scores), axis=-1)[:, :k]
    return np.take_along_axis(indices, order, axis=1), np.take_along_axis(scores, order, axis=1)


@dataclass(frozen=True, eq=False)
class Copies:
    """Groups of identical rows: ties in bulk, which need to be scored only once."""

    first: NDArray[np.int64]
    members: list[NDArray[np.int64]]
    """Per group the lowest indices, no more than a list can need."""

    @staticmethod
    def of(table: FloatTable, most: int) -> Copies:
        """Group the rows of a table; `most` members of each are kept."""
        keys = np.ascontiguousarray(table).view(np.dtype((np.void, table.dtype.itemsize * table.shape[1]))).reshape(-1)
        _, first, group = np.unique(keys, return_index=True, return_inverse=True)
        by_first = np.argsort(first)  # groups in the order of the table
        rank = np.empty_like(by_first)
        rank[by_first] = np.arange(len(first))
        order = np.argsort(rank[group], kind="stable")
        ends = np.cumsum(np.bincount(rank[group]))[:-1]
        return Copies(first[by_first], [part[:most] for part in np.split(order, ends)])
