"""CSLS: cosine less the mean cosine of each side to its neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simgauge.core.neighbors.csls import csls_scores, csls_tables
from simgauge.core.tables.kinds import FloatTable
from simgauge.remedies.neighbor_remedy import NeighborRemedy


class CSLS(NeighborRemedy):
    """Neighbours by ``2 cos(x, y) − r(x) − r(y)``, r the mean cosine to the k nearest items.

    Parameters
    ----------
    k : int
        Size of the surroundings.

    Attributes
    ----------
    local_ : ndarray, shape (n_items,)
        r of every item.

    Gauge
    -----
    *Not* invariant: cosines are taken in the incoming gauge. Tables do not move, so predictions are kept; what is
    changed are the neighbour lists, from which hubs go. What it costs: one search for the k neighbours of every item.

    References
    ----------
    Conneau et al. (2018), arXiv 1710.04087, Eq. 6.

    Examples
    --------
    >>> from simgauge.embedding import Embedding
    >>> embedding = Embedding([[1.0, 0.0], [1.0, 0.2], [1.0, 0.5], [0.0, 1.0]])
    >>> CSLS(k=2).fit(embedding).neighbors(embedding, 1)[0].ravel()
    array([1, 0, 1, 2])
    """

    def __init__(self, k: int = 10) -> None:
        self.k = k

    @property
    def name(self) -> str:
        """Says the size of the surroundings."""
        return f"CSLS(k={self.k})"

    def _measure(self, cosines: NDArray[np.floating], table: FloatTable) -> NDArray[np.float64]:  # noqa: ARG002
        return np.asarray(cosines.mean(axis=1, dtype=np.float64))

    def _tables(
        self, unit_items: FloatTable, unit_queries: FloatTable, local: NDArray[np.float64]
    ) -> tuple[FloatTable, FloatTable]:
        return csls_tables(unit_items, unit_queries, local)

    def _scores(self, dots: NDArray[np.floating], around: NDArray[np.float64]) -> NDArray[np.floating]:
        return csls_scores(dots, around)
