"""Lists of nearest neighbours that are exact to the last tie.

Candidates come from a float32 search (`candidate_search`) that takes a few more than k. They are scored again in
float64, pair by pair, so that equal pairs get equal scores wherever they stand. A row whose k-th score does not clear
what a float32 search may have missed is searched again without that doubt (`Search.resolve`).

Tables may be tensors: products and sums are taken on their device, the lists are put in order on the host.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.core.neighbors.candidate_search import largest_products
from simgauge.core.tables.arrays import doubled, namespace, numpy_dtype, on_host, to_host
from simgauge.core.tables.equal_rows import first_equal
from simgauge.core.tables.kinds import Array, Lists
from simgauge.core.tables.tables import row_norms, take_rows, unit_rows
from simgauge.core.tables.tensor_precision import ieee_products, row_sums

SPARE = 6
"""Candidates beyond k: enough that a row with a few near-ties at the end of its list needs no second search."""

WORK_BYTES = 32 << 20
"""Memory of one step of scoring again."""

RESOLVED, RESOLVED_BYTES = 64, 256 << 20
"""Rows searched a second time at once, and the memory of their scores, which holds for one row at least."""


@dataclass(frozen=True, eq=False)
class SearchTable:
    """One table in two forms: float32 rows of norm at most 1 to search with, and what exact scores are made of."""

    fast: Array
    exact: Array
    weight: NDArray[np.float64]
    """exact * weight are the rows whose dot products are the scores."""
    norms: NDArray[np.float64]
    """Of the rows of `fast`; zero only for rows that score 0 with everything."""
    scale: float
    """Of the true scores relative to those of `fast`."""

    @staticmethod
    def of(table: Array, metric: str) -> SearchTable:
        """Prepare a table for one metric."""
        xp, norms, dtype = namespace(table), row_norms(table), numpy_dtype(table)
        if metric == "cosine":
            units = unit_rows(table)
            weight = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
            ones = (norms > 0).astype(np.float64)
            if dtype == np.float64:  # 1 / norm may overflow there, so the rows are scaled one by one
                return SearchTable(xp.astype(units, xp.float32), units, np.ones(len(table)), ones, 1.0)
            return SearchTable(units, table, weight, ones, 1.0)
        peak = float(norms.max()) or 1.0
        fits = dtype == np.float32 and 1e-6 < peak < 1e6
        fast = table if fits else xp.astype(table / peak, xp.float32)
        scale = 1.0 if fits else peak
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
        """Dtype of the scores that are returned."""
        return np.promote_types(numpy_dtype(self.table.exact), numpy_dtype(self.asked.exact))

    @cached_property
    def copies(self) -> Copies:
        """Identical rows of the table; found when the first list needs it."""
        return Copies.of(self.table.exact, self.k + 1)

    @cached_property
    def distinct(self) -> Array:
        """One row of every group of copies, to search with."""
        first = self.copies.first
        whole = len(first) == len(self.table.fast) and bool((first == np.arange(len(first))).all())
        return self.table.fast if whole else take_rows(self.table.fast, first)

    def lists(self, rows: NDArray[np.int64]) -> Lists:
        """Exact lists of some queries."""
        with ieee_products(self.table.fast):
            return self._lists(rows)

    def _lists(self, rows: NDArray[np.int64]) -> Lists:
        fetched = min(self.k + self.own + SPARE, len(self.table.fast))
        found, indices = largest_products(take_rows(self.asked.fast, rows), self.table.fast, fetched)
        scores = self.pair_scores(rows, indices)
        if self.own:
            scores[indices == rows[:, None]] = -np.inf
        indices, scores = _first(indices, scores, self.k)
        if fetched < len(self.table.fast):
            bound = self._rounded((found[:, -1].astype(np.float64) + self.doubt(rows)) * self._scale)
            unsure = np.flatnonzero(scores[:, -1] <= bound)
            step = max(1, min(RESOLVED, RESOLVED_BYTES // (4 * len(self.table.fast))))
            for start in range(0, len(unsure), step):
                part = unsure[start : start + step]
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
        fast = take_rows(self.asked.fast, rows) @ self.distinct.T
        # one step down in float32, in which a tensor is compared with a number
        least = np.nextafter((reached / self._scale - 2 * self.doubt(rows)).astype(np.float32), np.float32(-np.inf))
        for place, row in enumerate(rows):
            if self.asked.norms[row] == 0:
                lowest = np.arange(self.k + self.own)
                indices[place] = lowest[lowest != row][: self.k] if self.own else lowest
            else:
                near = to_host(namespace(fast).nonzero(fast[place] >= least[place])[0])
                indices[place], scores[place] = self._best_of_groups(row, near)
        return indices, scores

    def _best_of_groups(self, row: int, groups: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        group_scores = self.pair_scores(np.array([row]), self.copies.first[groups][None])[0]
        indices, counts = self.copies.members_of(groups)
        scores = np.repeat(group_scores, counts)
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
        width = self.table.exact.shape[1]
        across = max(1, min(indices.shape[1], WORK_BYTES // (8 * width)))
        step = max(1, WORK_BYTES // (8 * across * width))
        for start in range(0, len(rows), step):
            row = rows[start : start + step]
            left = doubled(take_rows(self.asked.exact, row))
            for first in range(0, indices.shape[1], across):
                index = indices[start : start + step, first : first + across]
                right = doubled(take_rows(self.table.exact, index.reshape(-1)))
                part = _dot_products(left, right.reshape((*index.shape, width)))
                weight = self.asked.weight[row][:, None] * self.table.weight[index]
                scores[start : start + step, first : first + across] = part * weight
        return self._rounded(scores)


def _dot_products(left: Array, right: Array) -> NDArray[np.float64]:
    """Of (q, d) and (q, k, d), shape (q, k), on the host; equal rows give equal sums wherever they stand."""
    return np.einsum("qd,qkd->qk", left, right) if on_host(left) else to_host(row_sums(left[:, None, :] * right))


def _first(indices: NDArray[np.int64], scores: NDArray[np.float64], k: int) -> tuple[NDArray[np.int64], Any]:
    order = np.lexsort((indices, -scores), axis=-1)[:, :k]
    return np.take_along_axis(indices, order, axis=1), np.take_along_axis(scores, order, axis=1)


@dataclass(frozen=True, eq=False)
class Copies:
    """Groups of identical rows: ties in bulk, which need to be scored only once."""

    first: NDArray[np.int64]
    """Lowest row of each group, ascending."""
    starts: NDArray[np.int64]
    """Where each group begins in `rows`."""
    counts: NDArray[np.int64]
    """Rows of each group, no more than a list can need."""
    rows: NDArray[np.int64]
    """All rows, group by group, ascending within one."""

    @staticmethod
    def of(table: Array, most: int) -> Copies:
        """Group the rows of a table; `most` members of each are used."""
        labels = first_equal(table)
        order = np.argsort(labels, kind="stable")
        first, starts, counts = np.unique(labels[order], return_index=True, return_counts=True)
        return Copies(first, starts, np.minimum(counts, most), order)

    def members_of(self, groups: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The lowest rows of some groups, one group after the other, and how many there are of each."""
        counts = self.counts[groups]
        ends = np.cumsum(counts)
        within = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - counts, counts)
        return self.rows[np.repeat(self.starts[groups], counts) + within], counts
