"""Negatives: items drawn in proportion to a power of their popularity."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simgauge.errors import ParameterError


class ItemDraws:
    """Items drawn with probability ∝ count^β, with replacement.

    Parameters
    ----------
    counts : ndarray (n_items,)
        Interactions of each item; items without any are drawn as those with one.
    exponent : float in [0, 1]
        β: 0 draws uniformly, 1 by popularity, 3/4 is word2vec's.
    rng : numpy.random.Generator

    Examples
    --------
    >>> draws = ItemDraws(np.array([1, 16]), 0.75, np.random.default_rng(0))
    >>> draws.probabilities.round(3).tolist()
    [0.111, 0.889]
    """

    def __init__(self, counts: NDArray[np.int64], exponent: float, rng: np.random.Generator) -> None:
        if not 0 <= exponent <= 1:
            raise ParameterError(f"negative_exponent={exponent}: expected a number from 0 (uniform) to 1 (popularity).")
        weights = np.maximum(counts, 1).astype(np.float64) ** exponent
        self.probabilities = weights / weights.sum()
        self._cumulative = np.cumsum(self.probabilities)
        self.rng = rng

    def draw(self, size: int) -> NDArray[np.int64]:
        """`size` items."""
        found = np.searchsorted(self._cumulative, self.rng.random(size), side="right")
        return np.minimum(found, len(self._cumulative) - 1)
