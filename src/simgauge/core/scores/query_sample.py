"""A sample of items to ask with, of known chances, in which no user is lost and every item stands for others."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simgauge.core.tables.kinds import Vector

CERTAIN = 1 - 1e-12
"""A chance from here on is 1."""


class QuerySample(NamedTuple):
    """Items that were drawn as queries."""

    items: NDArray[np.int64]
    """Ascending."""
    chances: Vector
    """(n_drawn,): how likely each was to be drawn; 1 for those that were sure to be."""


def sample_queries(mass: Vector, size: int, rng: np.random.Generator) -> QuerySample:
    """Draw items with chances in proportion to how much of all scores is asked with them.

    Parameters
    ----------
    mass : ndarray, shape (n_items,)
        Positive: what an item counts in the mean over users, such as the sum over its users of 1 / number of items they
        used.
    size : int, >= 1
        Items to draw; all when there are no more.
    rng : Generator

    Returns
    -------
    QuerySample
        Items of large mass are drawn surely. A sum over all items is estimated without bias by the sum over the drawn
        ones of value / chance (Horvitz and Thompson).

    Notes
    -----
    The chances are exactly size · mass / Σ mass, cut at 1 and raised for the others until they sum to `size`; the draw
    is systematic over a random order, so that its size is exact too.

    References
    ----------
    Särndal, Swensson, Wretman (1992), Model assisted survey sampling, section 3.6.

    Examples
    --------
    >>> drawn = sample_queries(np.array([8.0, 1.0, 1.0, 1.0, 1.0]), 3, np.random.default_rng(0))
    >>> len(drawn.items), drawn.items[0], drawn.chances
    (3, np.int64(0), array([1. , 0.5, 0.5]))
    """
    if size >= len(mass):
        return QuerySample(np.arange(len(mass)), np.ones(len(mass)))
    chances, sure = np.zeros(len(mass)), np.zeros(len(mass), dtype=bool)
    while True:
        free = ~sure
        chances[free] = (size - sure.sum()) * mass[free] / mass[free].sum()
        chances[sure] = 1.0
        beyond = free & (chances >= CERTAIN)
        if not beyond.any():
            break
        sure |= beyond
    order = rng.permutation(np.flatnonzero(~sure))
    ends = np.cumsum(chances[order])
    count = size - int(sure.sum())
    if count:
        ends *= count / ends[-1]
        hits = np.minimum(np.searchsorted(ends, rng.random() + np.arange(count), side="right"), len(order) - 1)
        sure[order[hits]] = True
    items = np.flatnonzero(sure)
    return QuerySample(items, chances[items])
