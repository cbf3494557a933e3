"""Scales of unit vectors by which popular items are brought nearer to everything, or moved away."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simgauge.errors import ParameterError


def popularity_discount(popularity: NDArray[np.int64], strength: float) -> NDArray[np.float64]:
    """``1 / α(ψ)`` per item, with ``α(ψ) = 1 + m (b − ψ)``, ψ log popularity scaled to [0, 1] and b its mean.

    Parameters
    ----------
    popularity : ndarray of int, shape (n_items,)
    strength : float, -0.9 to 0.9
        m. Above 0 popular items come nearer (the paper's case, frequent words underestimated), below 0 they recede.

    Returns
    -------
    ndarray, shape (n_items,)
        Positive. 1 at average log popularity, and for all where all are equally popular.

    References
    ----------
    Wannasuphoprasit, Zhou & Bollegala (2023), arXiv 2305.10610: norms in the cosine are discounted by word frequency,
    and stop words get a treatment of their own, which is left out here. That much stands in its abstract. The linear
    form in log frequency, with m and b for slope and offset, and its equation number are not confirmed in the text.

    Examples
    --------
    >>> popularity_discount(np.array([0, 1, 3]), 0.5).round(3)
    array([0.8  , 1.   , 1.333])
    """
    if not -0.9 <= strength <= 0.9:
        raise ParameterError(f"strength={strength}: expected a number from -0.9 to 0.9; 0 changes nothing.")
    psi = np.log1p(np.asarray(popularity, dtype=np.float64))
    psi = psi / psi.max() if psi.any() else psi
    return np.asarray(1 / (1 + strength * (psi.mean() - psi)))
