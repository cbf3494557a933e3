"""Local scaling: distances in units of the distances around both ends."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simgauge.core.neighbors.local_scaling import Method, check_method, local_scale, scaled_scores, scaled_tables
from simgauge.core.tables.kinds import FloatTable
from simgauge.remedies.neighbor_remedy import NeighborRemedy


class LocalScaling(NeighborRemedy):
    """Neighbours by distance divided by the local scales of both ends; distances are those between unit vectors.

    Parameters
    ----------
    method : {"nicdm", "exponential"}
        "nicdm": ``d / √(μ(x) μ(y))``, μ the mean distance to the k nearest items. "exponential":
        ``1 − exp(−d² / (σ(x) σ(y)))``, σ the distance to the k-th. Scores are the negative of the first and 1 minus the
        second, so that higher is closer.
    k : int
        Size of the surroundings.

    Attributes
    ----------
    local_ : ndarray, shape (n_items,)
        μ or σ of every item.

    Gauge
    -----
    *Not* invariant: distances are taken in the incoming gauge. Tables do not move, predictions are kept.

    Numerics
    --------
    In float64. Scales below √(8 ε) of the dtype of the items, as exact duplicates have them, count as that.

    References
    ----------
    Zelnik-Manor & Perona (2004); Jégou et al. (2007); Schnitzer et al. (2012), JMLR 13. Definitions of kiez and
    scikit-hubness, which count an item among its own k + 1 neighbours; that changes "nicdm" by a constant factor.

    Examples
    --------
    >>> from simgauge.embedding import Embedding
    >>> embedding = Embedding([[1.0, 0.0], [1.0, 0.2], [1.0, 0.5], [0.0, 1.0]])
    >>> LocalScaling(k=2).fit(embedding).neighbors(embedding, 1)[0].ravel()
    array([1, 0, 1, 2])
    """

    def __init__(self, method: Method = "nicdm", k: int = 10) -> None:
        self.method = method
        self.k = k

    @property
    def name(self) -> str:
        """Says method and size."""
        return f"local scaling({self.method}, k={self.k})"

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_method(self.method)

    def _measure(self, cosines: NDArray[np.floating], table: FloatTable) -> NDArray[np.float64]:
        return local_scale(cosines, self.method, float(np.sqrt(8 * np.finfo(table.dtype).eps)))

    def _tables(
        self, unit_items: FloatTable, unit_queries: FloatTable, local: NDArray[np.float64]
    ) -> tuple[FloatTable, FloatTable]:
        return scaled_tables(unit_items, unit_queries, local)

    def _scores(self, dots: NDArray[np.floating], around: NDArray[np.float64]) -> NDArray[np.floating]:
        return scaled_scores(dots, around, self.method)

    def _check_restored(self) -> None:
        super()._check_restored()
        if not (self.local_ > 0).all():
            raise ValueError("a local scale is not positive")
