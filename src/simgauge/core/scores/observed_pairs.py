"""Scores of lists on observed pairs (an item that was asked with, an item that followed), summed up by unit."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simgauge.core.tables.kinds import Vector

Codes = NDArray[np.int64]

PairGain = Literal["recall", "ndcg", "mrr"]

PLACES_PER_BLOCK = 4_000_000
"""Places of lists that are compared in one step."""


def pair_gains(
    lists: NDArray[np.int64], asked: NDArray[np.int64], wanted: NDArray[np.int64], metric: PairGain
) -> Vector:
    """Gain of the one item that is wanted in the list of the item that was asked.

    Parameters
    ----------
    lists : ndarray, shape (n_queries, k)
        Rows of items, nearest first; -1 pads. No item twice in a list.
    asked : ndarray, shape (n_pairs,)
        Position of the list of each pair.
    wanted : ndarray, shape (n_pairs,)
        Row of the item that is looked for, 0 or more.
    metric : {"recall", "ndcg", "mrr"}
        With the wanted item at rank r = 1, 2, … k: 1; 1 / log₂(1 + r); 1 / r. 0 where it is not listed.

    Returns
    -------
    ndarray, shape (n_pairs,), in [0, 1]

    Examples
    --------
    >>> lists = np.array([[4, 5, 6]])
    >>> pair_gains(lists, np.array([0, 0]), np.array([6, 7]), "mrr").round(3)
    array([0.333, 0.   ])
    """
    ranks = np.arange(1, lists.shape[1] + 1)
    worth = {"recall": np.ones(len(ranks)), "ndcg": 1.0 / np.log2(1.0 + ranks), "mrr": 1.0 / ranks}[metric]
    gains = np.empty(len(asked))
    step = max(1, PLACES_PER_BLOCK // lists.shape[1])
    for start in range(0, len(asked), step):
        part = slice(start, start + step)
        gains[part] = (lists[asked[part]] == wanted[part, None]) @ worth
    return gains


def mean_by_unit(gains: Vector, weights: Vector, units: Codes, n_units: int) -> Vector:
    """Weighted mean gain of each unit, so that every unit counts the same: Σ w g / Σ w over its pairs.

    Examples
    --------
    >>> mean_by_unit(np.array([1.0, 0.0, 1.0]), np.array([1.0, 3.0, 2.0]), np.array([0, 0, 1]), 2)
    array([0.25, 1.  ])
    """
    collected = np.bincount(units, weights=weights * gains, minlength=n_units)
    return np.asarray(collected / np.bincount(units, weights=weights, minlength=n_units))


def pooled_by_unit(gains: Vector, weights: Vector, units: Codes, n_units: int) -> Vector:
    """Numbers per unit whose mean is Σ w g / Σ w over all pairs, so that every unit of weight counts the same.

    The part of a unit is its Σ w g over the *mean* Σ w of the units; single numbers may exceed 1.

    Examples
    --------
    >>> pooled_by_unit(np.array([1.0, 0.0, 1.0]), np.array([1.0, 3.0, 2.0]), np.array([0, 0, 1]), 2).mean()
    np.float64(0.5)
    """
    collected = np.bincount(units, weights=weights * gains, minlength=n_units)
    return np.asarray(collected * n_units / weights.sum())
