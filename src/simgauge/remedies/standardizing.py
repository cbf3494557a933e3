"""Standardising: every column of the items with mean 0 and variance 1."""

from __future__ import annotations

import numpy as np

from simgauge.core.gauges.canonical import GaugeMap
from simgauge.core.tables.principal_axes import weighted_mean
from simgauge.core.tables.tables import rows_per_block
from simgauge.embedding import Embedding
from simgauge.interactions import Interactions
from simgauge.remedies.affine import AffineRemedy
from simgauge.remedies.remedy import RANKINGS_KEPT


class Standardizing(AffineRemedy):
    """Items with columns of mean 0 and variance 1; users scaled the other way round.

    A diagonal change of gauge after centring. Columns without spread become zero.

    Gauge
    -----
    *Not* invariant: variances of columns depend on the axes, and a rotation, which changes no cosine, changes the
    result (`Whitening` is what does not). Each user's scores change by one constant: rankings are kept.

    Examples
    --------
    >>> Standardizing().fit_transform(Embedding([[1.0, 2.0, 5.0], [3.0, 2.5, 5.0]])).items
    array([[-1., -1.,  0.],
           [ 1.,  1.,  0.]])
    """

    @property
    def name(self) -> str:
        """It has no parameters."""
        return "standardizing"

    def _map_of(self, embedding: Embedding, interactions: Interactions | None) -> tuple[GaugeMap, str]:  # noqa: ARG002
        items = embedding.items
        mean = weighted_mean(items, np.ones(len(items)))
        square = np.zeros(items.shape[1])
        step = rows_per_block(items)
        for start in range(0, len(items), step):
            square += np.square(items[start : start + step] - mean).sum(axis=0)
        deviation = np.sqrt(square / len(items))
        spread = deviation > 4 * float(np.finfo(items.dtype).eps) * np.abs(mean)
        scale = np.where(spread, deviation, 1.0)
        # a column without spread is rounding noise after centring: zero, and nothing of it in any score
        return GaugeMap(np.diag(spread / scale), np.diag(spread * scale), mean), RANKINGS_KEPT
