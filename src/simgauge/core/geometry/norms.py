"""How unequal the norms of the rows are: what separates dot product from cosine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simgauge.core.tables.kinds import Vector

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
"""Levels that `NormSpread.quantiles` reports."""


@dataclass(frozen=True, eq=False)
class NormSpread:
    """Spread of the norms of the rows."""

    cv: float
    """Standard deviation over mean (n in the denominator), 0 when all norms are equal."""
    mean: float
    quantiles: Vector
    """At the levels `QUANTILES`, from minimum to maximum."""
    n_zero: int
    """Rows of norm zero: no direction, no cosine."""


def norm_spread(norms: Vector) -> NormSpread:
    """Coefficient of variation and quantiles of the row norms.

    Gauge
    -----
    Unchanged by orthogonal G (the coefficient also by a common scale); changes under a general G. Under the canonical
    gauges of one model the same rows have other norms: a norm means something only where the gauge is identified.

    Examples
    --------
    >>> spread = norm_spread(np.array([1.0, 3.0]))
    >>> spread.cv, float(spread.quantiles[3]), spread.n_zero
    (0.5, 2.0, 0)
    """
    mean = float(norms.mean())
    cv = float((norms / mean).std()) if mean > 0 else 0.0
    return NormSpread(cv, mean, np.quantile(norms, QUANTILES), int(np.count_nonzero(norms == 0)))
