"""Does a sample of the other side (queries, users, contexts) live where the table lives?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simgauge.core.neighbors.neighbor_lists import Indices
from simgauge.core.tables.kinds import Vector
from simgauge.errors import InputError, ParameterError


@dataclass(frozen=True, eq=False)
class QueryFit:
    """Nearness of queries to a table, measured by how near its own rows come to each other."""

    out_share: float
    """Share of queries whose best similarity is below the cut-off."""
    cutoff: float
    """The `quantile` of the best similarities of the table's own rows."""
    positions: Indices
    """Queries below the cut-off, the farthest first."""
    median_query: float
    median_row: float


def query_fit(best_of_queries: Vector, best_of_rows: Vector, quantile: float = 0.01) -> QueryFit:
    """Share of queries that are farther from the table than nearly all of its own rows are from each other.

    Parameters
    ----------
    best_of_queries : ndarray, shape (n_queries,)
        Similarity of every query to its best row.
    best_of_rows : ndarray, shape (n_rows,) or a sample
        Similarity of rows to their best *other* row, in the same metric.
    quantile : float, in (0, 1)
        Share of the table's own rows that lie below the cut-off; queries like the rows would show the same share.

    Gauge
    -----
    Changes under a general G, and the two sides move differently (queries by G⁻ᵀ): cosines between the sides of a
    dot-product model are as arbitrary as those within. Unchanged when both are moved by one orthogonal G.

    Examples
    --------
    >>> fit = query_fit(np.array([0.9, 0.1]), np.array([0.5, 0.8, 0.9]))
    >>> fit.out_share, fit.positions
    (0.5, array([1]))
    """
    if not 0 < quantile < 1:
        raise ParameterError(f"quantile={quantile}: expected a number between 0 and 1.")
    if best_of_queries.ndim != 1 or best_of_rows.ndim != 1 or not (len(best_of_queries) and len(best_of_rows)):
        raise InputError("expected one best similarity per query and per row, at least one of each.")
    cutoff = float(np.quantile(best_of_rows, quantile))
    out = np.flatnonzero(best_of_queries < cutoff)
    return QueryFit(
        len(out) / len(best_of_queries),
        cutoff,
        out[np.argsort(best_of_queries[out], kind="stable")],
        float(np.median(best_of_queries)),
        float(np.median(best_of_rows)),
    )
