"""Single columns that decide everything: rogue dimensions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simgauge.core.neighbors.neighbor_lists import Indices
from simgauge.core.tables.kinds import Vector
from simgauge.core.tables.moments import TableMoments


@dataclass(frozen=True, eq=False)
class AxisShares:
    """Contribution of each column to the variance and to the mean cosine of random pairs."""

    variance_share: Vector
    """(k,): sums to 1 (all 0 for a constant table)."""
    cosine_contribution: Vector
    """(k,): mean over pairs of rows of ``u_j v_j``; sums to the mean random cosine."""

    @property
    def top_variance_excess(self) -> float:
        """Largest share of the variance on a scale from 0 (all columns equal) to 1 (one column alone), whatever k."""
        k = len(self.variance_share)
        return max(float(self.variance_share.max() * k - 1) / (k - 1), 0.0) if k > 1 else 0.0

    @property
    def top_cosine_contribution(self) -> float:
        """Largest contribution of one column to the mean random cosine."""
        return float(self.cosine_contribution.max())

    def by_variance(self, count: int = 3) -> Indices:
        """Columns with the largest variance, first the largest."""
        return np.argsort(-self.variance_share, kind="stable")[:count]

    def by_cosine(self, count: int = 3) -> Indices:
        """Columns with the largest contribution to the mean random cosine, first the largest."""
        return np.argsort(-self.cosine_contribution, kind="stable")[:count]


def axis_shares(moments: TableMoments) -> AxisShares:
    """Share of every column in the variance of the rows and in the mean random cosine.

    Parameters
    ----------
    moments : TableMoments
        Of the rows as they are.

    Gauge
    -----
    Not even rotation-invariant: an orthogonal G mixes the columns and hides or makes a rogue dimension while every
    cosine stays. Unchanged by permutations and signs of the columns and by a common scale. So it describes the file,
    not the geometry; what survives a rotation is the spectrum.

    Numerics
    --------
    O(k) from the moments; contributions are exact over all pairs, ``((Σu_j)² − Σu_j²) / (m (m − 1))``.

    References
    ----------
    Timkey, van Schijndel (2021), All bark and no bite, arXiv 2109.04404, eqs. 2 and 3, there from sampled pairs.

    Examples
    --------
    >>> from simgauge.core.tables.moments import table_moments
    >>> shares = axis_shares(table_moments(np.array([[3.0, 1.0], [3.0, -1.0], [3.0, 0.0], [3.0, 0.0]])))
    >>> shares.variance_share, shares.by_cosine(1)
    (array([0., 1.]), array([0]))
    """
    spread = np.maximum(np.diag(moments.scatter), 0.0)
    total = spread.sum()
    noise = moments.n_rows * (4 * np.finfo(np.float64).eps * np.abs(moments.mean)) ** 2
    variance_share = np.zeros_like(spread) if total <= noise.sum() else spread / total
    count = moments.n_directions
    products = moments.direction_sum**2 - moments.direction_squares
    return AxisShares(variance_share, products / (count * (count - 1)) if count > 1 else np.zeros_like(products))
