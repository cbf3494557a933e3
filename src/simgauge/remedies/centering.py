"""Centring: the mean item removed."""

from __future__ import annotations

import numpy as np

from simgauge.core.gauges.canonical import GaugeMap
from simgauge.core.tables.principal_axes import weighted_mean
from simgauge.embedding import Embedding
from simgauge.interactions import Interactions
from simgauge.remedies.affine import AffineRemedy
from simgauge.remedies.remedy import RANKINGS_KEPT


class Centering(AffineRemedy):
    """Items minus the mean item; users as they are.

    Gauge
    -----
    *Not* invariant: the mean moves with the gauge, so the operation is the same in every gauge, but the cosines taken
    afterwards are still those of the incoming one. Each user's scores change by one constant: rankings are kept.

    References
    ----------
    Step 1 of arXiv 1702.01417, alone.

    Examples
    --------
    >>> Centering().fit_transform(Embedding([[1.0, 2.0], [3.0, 2.5]])).items
    array([[-1.  , -0.25],
           [ 1.  ,  0.25]])
    """

    @property
    def name(self) -> str:
        """It has no parameters."""
        return "centering"

    def _map_of(self, embedding: Embedding, interactions: Interactions | None) -> tuple[GaugeMap, str]:  # noqa: ARG002
        identity = np.eye(embedding.n_components)
        mean = weighted_mean(embedding.items, np.ones(embedding.n_items))
        return GaugeMap(identity, identity, mean), RANKINGS_KEPT
