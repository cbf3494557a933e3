"""Rows that are far from everything, and groups of rows that the neighbour graph does not connect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from simgauge.core.neighbors.neighbor_lists import Indices, as_neighbor_lists
from simgauge.core.tables.kinds import Vector
from simgauge.errors import ParameterError

NORMAL_MAD = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""


@dataclass(frozen=True, eq=False)
class Outliers:
    """Rows whose mean similarity to their neighbours is unusually low."""

    z: Vector
    """(n_queries,): robust z-score, ``(median − value) / (1.4826 · MAD)``; high is far out. Infinite where MAD is 0."""
    positions: Indices
    """Queries with z above the cut-off, the farthest first."""
    cutoff_similarity: float
    """Mean similarity below which a row counts as an outlier."""

    @property
    def share(self) -> float:
        """Share of the queries that are outliers."""
        return len(self.positions) / len(self.z)


@dataclass(frozen=True, eq=False)
class Islands:
    """Connected components of the neighbour graph."""

    labels: Indices
    """(n_rows,): component of every row, numbered by falling size."""
    sizes: Indices
    """(n_components,): non-increasing."""
    min_size: int
    """A component below this size is an island."""

    @property
    def island_share(self) -> float:
        """Share of the rows that live on islands; the largest component is the mainland, whatever its size."""
        others = self.sizes[1:]
        return float(others[others < self.min_size].sum() / len(self.labels))

    @property
    def largest_share(self) -> float:
        """Share of the rows in the largest component."""
        return float(self.sizes[0] / len(self.labels))


def outliers(scores: NDArray[np.floating[Any]], cutoff: float = 3.5) -> Outliers:
    """Rows whose mean similarity to their k neighbours lies far below that of the others.

    Parameters
    ----------
    scores : ndarray, shape (n_queries, k)
        Similarities to the neighbours (cosines), for all rows or a sample.
    cutoff : float, > 0
        In robust standard deviations. For normal values 3.5 is passed by 1 row in 4,300.

    Gauge
    -----
    Changes under a general G, not under an orthogonal one.

    References
    ----------
    Iglewicz, Hoaglin (1993), How to detect and handle outliers, section 3.3 (modified z-score, cut-off 3.5).

    Examples
    --------
    >>> outliers(np.array([[0.9], [0.8], [0.7], [0.8], [0.1]])).positions
    array([4])
    """
    if scores.ndim != 2 or scores.size == 0 or not cutoff > 0:
        raise ParameterError(f"scores of shape {scores.shape}, cutoff={cutoff}: expected (n_queries, k) and above 0.")
    closeness = np.asarray(scores.mean(axis=1, dtype=np.float64))
    median = float(np.median(closeness))
    deviation = median - closeness
    scale = NORMAL_MAD * float(np.median(np.abs(deviation)))
    # With scale 0 more than half of the rows agree to the last bit: any other row stands out.
    z = deviation / scale if scale > 0 else np.where(deviation == 0, 0.0, np.copysign(np.inf, deviation))
    positions = np.flatnonzero(z > cutoff)
    return Outliers(z, positions[np.argsort(closeness[positions], kind="stable")], median - cutoff * scale)


def islands(indices: Any, n_rows: int) -> Islands:
    """Connected components of the neighbour graph; those that are too small to be a part of the corpus are islands.

    Parameters
    ----------
    indices : array-like of int, shape (n_rows, k)
        Neighbours of *every* row: the graph of a sample has other components.

    Notes
    -----
    Two rows are joined when either lists the other. A component below ``max(k + 2, ceil(n_rows / 200))`` rows is an
    island: every row and its k neighbours make k + 1 rows already, and half a percent of the rows is enough for a
    topic.

    Gauge
    -----
    Changes under a general G, not under an orthogonal one.

    Raises
    ------
    ParameterError
        Lists of a sample of the rows.

    Examples
    --------
    >>> islands([[1], [0], [3], [2]], n_rows=4).sizes
    array([2, 2])
    """
    lists = as_neighbor_lists(indices, n_rows)
    if len(lists) != n_rows:
        raise ParameterError(
            f"{len(lists)} lists for {n_rows} rows: components need the neighbours of every row. "
            "For a sample, search the sample alone and pass those lists with its own number of rows."
        )
    k = lists.shape[1]
    least = max(k + 2, -(-n_rows // 200))
    source, target = np.repeat(np.arange(n_rows), k), lists.ravel()
    graph = coo_array((np.ones(n_rows * k, dtype=np.int8), (source, target)), shape=(n_rows, n_rows)).tocsr()
    count, labels = connected_components(graph, directed=False)
    sizes = np.bincount(labels, minlength=count)
    order = np.argsort(-sizes, kind="stable")
    rank = np.empty(count, dtype=np.int64)
    rank[order] = np.arange(count)
    return Islands(rank[labels], sizes[order], least)
