"""All-but-the-top: the mean and the strongest directions removed."""

from __future__ import annotations

import numpy as np

from simgauge.core.gauges.canonical import GaugeMap
from simgauge.core.gauges.whitening import removal_of_top
from simgauge.core.tables.principal_axes import principal_axes
from simgauge.embedding import Embedding
from simgauge.errors import ParameterError
from simgauge.interactions import Interactions
from simgauge.remedies.affine import AffineRemedy
from simgauge.remedies.remedy import CHANGED, RANKINGS_KEPT


class AllButTheTop(AffineRemedy):
    """Items without their mean and without their D strongest directions.

    Parameters
    ----------
    n_remove : int, optional
        D, from 0 to n_components − 1. The paper's d/100, rounded, at least 1, when not given.

    Gauge
    -----
    *Not* invariant: which direction is the strongest depends on the gauge the items came in. After `CanonicalGauge` it
    is (compose the two). Users lose the same directions; dot products change by what was removed, which is the cost.

    References
    ----------
    Mu & Viswanath (2018), arXiv 1702.01417, algorithm 1; D about d/100.

    Examples
    --------
    >>> embedding = Embedding([[1.0, 0.0], [3.0, 0.0], [2.0, 0.3], [2.0, -0.3]])
    >>> AllButTheTop().fit_transform(embedding).items[2:].round(6) + 0.0
    array([[ 0. ,  0.3],
           [ 0. , -0.3]])
    """

    def __init__(self, n_remove: int | None = None) -> None:
        self.n_remove = n_remove

    @property
    def name(self) -> str:
        """Says how many directions, where that was given."""
        return f"all-but-the-top({'d/100' if self.n_remove is None else self.n_remove})"

    def _map_of(self, embedding: Embedding, interactions: Interactions | None) -> tuple[GaugeMap, str]:  # noqa: ARG002
        width = embedding.n_components
        if self.n_remove is None and width == 1:
            raise ParameterError("all-but-the-top needs vectors of 2 components or more: nothing would be left of 1.")
        n_remove = max(1, int(np.floor(width / 100 + 0.5))) if self.n_remove is None else self.n_remove
        fitted = removal_of_top(principal_axes(embedding.items), n_remove)
        return fitted, CHANGED if n_remove else RANKINGS_KEPT
