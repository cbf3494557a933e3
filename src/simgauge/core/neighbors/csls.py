"""CSLS, cross-domain similarity local scaling, as an exact search by dot product in one more dimension."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simgauge.core.tables.kinds import FloatTable


def csls_tables(
    unit_items: FloatTable, unit_queries: FloatTable, density: NDArray[np.floating]
) -> tuple[FloatTable, FloatTable]:
    """Tables whose dot product is ``cos(x, y) − r(y)/2``, which ranks the items y of a query x as CSLS does.

    ``CSLS(x, y) = 2 cos(x, y) − r(x) − r(y)``, and r(x) is one constant per query, so ``[y, −r(y)/2]`` searched with
    ``[x, 1]`` is exact: no candidate list, no approximation.

    Parameters
    ----------
    unit_items, unit_queries : ndarray, shape (n_items, k), (n_queries, k)
        Rows of norm one.
    density : ndarray, shape (n_items,)
        r(y): mean cosine of an item to its nearest neighbours.

    Returns
    -------
    items, queries : ndarray, shape (n_items, k + 1), (n_queries, k + 1)

    References
    ----------
    Conneau et al. (2018), arXiv 1710.04087, Eq. 6.

    Examples
    --------
    >>> items, queries = csls_tables(np.eye(2), np.eye(2), np.array([0.2, 0.6]))
    >>> queries @ items.T
    array([[ 0.9, -0.3],
           [-0.1,  0.7]])
    """
    kind = unit_items.dtype
    items = np.column_stack([unit_items, (-0.5 * density).astype(kind)])
    queries = np.column_stack([unit_queries, np.ones(len(unit_queries), dtype=unit_queries.dtype)])
    return items, queries


def csls_scores(dots: NDArray[np.floating], query_density: NDArray[np.floating]) -> NDArray[np.floating]:
    """``2 (cos − r(y)/2) − r(x)``: CSLS itself from the dot products of `csls_tables`, shape (n_queries, k)."""
    return np.asarray(2 * dots - query_density[:, None])
