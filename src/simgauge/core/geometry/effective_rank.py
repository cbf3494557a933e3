"""How many directions a table uses: numbers that summarise its singular values or variances.

All of them are functions of the spectrum: an orthogonal G and a common scale leave them alone, a general invertible G
can move each of them over its whole range (whitening makes every one of them perfect), so none is a property of the
model's predictions.
"""

from __future__ import annotations

import numpy as np

from simgauge.core.tables.kinds import Vector
from simgauge.errors import ParameterError

RANKME_EPSILON = 1e-7
"""Added to every probability by RankMe (Garrido et al. 2023, eq. 2), suitable for float32."""


def effective_rank(singular_values: Vector) -> float:
    """``exp(H(p))`` with ``p = σ / Σσ``: how many equally strong directions have the same entropy, in [1, k].

    Parameters
    ----------
    singular_values : ndarray, shape (r,)
        σ >= 0 of the table (or of the centred table). All zero gives 0.

    Gauge
    -----
    Unchanged by orthogonal G and a common scale; changes under a general G.

    References
    ----------
    Roy, Vetterli (2007), The effective rank, EUSIPCO, definition 1.

    Examples
    --------
    >>> effective_rank(np.array([2.0, 2.0, 0.0]))
    2.0
    """
    total = singular_values.sum()
    if total == 0:
        return 0.0
    p = singular_values[singular_values > 0] / total
    return float(np.exp(-np.sum(p * np.log(p))))


def rankme(singular_values: Vector) -> float:
    """RankMe: ``exp(−Σ p log p)`` with ``p = σ / Σσ + 1e-7`` over all min(n, k) singular values of the raw table.

    Differs from `effective_rank` only by the epsilon: a direction with σ = 0 still adds about 1.6e-6 to the entropy.

    Gauge
    -----
    Unchanged by orthogonal G and a common scale; changes under a general G.

    References
    ----------
    Garrido, Balestriero, Najman, LeCun (2023), RankMe, arXiv 2210.02885, eqs. 1 and 2.

    Examples
    --------
    >>> round(rankme(np.array([2.0, 2.0, 0.0])), 4)
    2.0
    """
    total = singular_values.sum()
    if total == 0:
        return 0.0
    p = singular_values / total + RANKME_EPSILON
    return float(np.exp(-np.sum(p * np.log(p))))


def participation_ratio(variances: Vector) -> float:
    """``(Σλ)² / Σλ²`` of the variances along the principal directions, in [1, k]; 0 for a constant table.

    Gauge
    -----
    Unchanged by orthogonal G, a common scale and a common shift; changes under a general G.

    Examples
    --------
    >>> participation_ratio(np.array([3.0, 3.0, 0.0]))
    2.0
    """
    if not variances.any():
        return 0.0
    shares = variances / variances.max()
    return float(shares.sum() ** 2 / np.sum(shares**2))


def isoscore(variances: Vector, n_components: int) -> float:
    """IsoScore: 1 when the variance is the same in every direction, 0 when it lies in one.

    The paper rotates to the principal directions, scales the variances to norm √k, measures their distance to
    (1, …, 1) and rescales twice. Written out, all of it is ``(participation ratio − 1) / (k − 1)``.

    Parameters
    ----------
    variances : ndarray, shape (r,)
        Variances λ of the centred table along its principal directions (missing ones count as 0).
    n_components : int
        k, the number of columns.

    Returns
    -------
    float
        In [0, 1]; 0 for a constant table, 1 for a single column, where nothing can be uneven.

    Gauge
    -----
    Unchanged by orthogonal G, a common scale and a common shift; changes under a general G.

    References
    ----------
    Rudman, Gillman, Rayne, Eickhoff (2022), IsoScore, arXiv 2108.07344, algorithm 1. With
    ``t = Σλ / ‖λ‖`` its defect is ``δ² = (k − √k t) / (k − √k)``, hence ``ι = (t² − 1) / (k − 1)`` and ``t²`` is the
    participation ratio.

    Examples
    --------
    >>> isoscore(np.array([1.0, 1.0, 0.0]), n_components=3)
    0.5
    """
    if n_components < len(variances):
        raise ParameterError(f"n_components={n_components}: expected at least the {len(variances)} variances given.")
    if n_components == 1:
        return 1.0
    if not variances.any():
        return 0.0
    return (participation_ratio(variances) - 1) / (n_components - 1)
