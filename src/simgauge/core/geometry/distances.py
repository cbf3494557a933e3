"""Concentration of distances: is the nearest row nearer than any row?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simgauge.core.tables.arrays import to_host
from simgauge.core.tables.kinds import Table, Vector
from simgauge.core.tables.moments import row_blocks
from simgauge.core.tables.tables import take_rows, unit_rows
from simgauge.errors import InputError, ParameterError

DUPLICATE_DISTANCE = 1e-6
"""A nearest row at this distance or less, relative to the mean distance, is a copy up to float32 rounding."""


@dataclass(frozen=True)
class DistanceConcentration:
    """Distances between random rows, and how they compare with those to the nearest row."""

    mean: float
    deviation: float
    relative_deviation: float
    """Standard deviation over mean; goes to 0 as distances concentrate."""
    relative_contrast: float | None
    """Mean distance of random rows over mean distance to the nearest; goes to 1 as distances concentrate. None when
    no nearest distances were given or all of them are copies."""


def random_pair_distances(table: Table, n_pairs: int, rng: np.random.Generator) -> Vector:
    """Cosine distances, ``1 − cos`` (1 for a zero row), of `n_pairs` pairs of different rows drawn at random, shape
    (n_pairs,).

    Gauge
    -----
    Unchanged by orthogonal G; changes under a general G.

    Raises
    ------
    InputError
        Fewer than two rows.

    Examples
    --------
    >>> random_pair_distances(np.array([[1.0, 0.0], [0.0, 2.0]]), 3, np.random.default_rng(0))
    array([1., 1., 1.])
    """
    if len(table) < 2:
        raise InputError("a table of one row has no pairs of rows: pass two rows or more.")
    if n_pairs < 1:
        raise ParameterError(f"n_pairs={n_pairs}: expected 1 pair or more.")
    first = rng.integers(len(table), size=n_pairs)
    second = (first + rng.integers(1, len(table), size=n_pairs)) % len(table)
    distances = np.empty(n_pairs)
    for pairs in row_blocks(n_pairs, table.shape[1]):
        a, b = (to_host(take_rows(table, rows[pairs])).astype(np.float64) for rows in (first, second))
        distance = 1.0 - np.einsum("ij,ij->i", unit_rows(a), unit_rows(b))
        rounding = table.shape[1] * np.finfo(np.float64).eps  # of the sum of products: parallel rows are at 0
        distances[pairs] = np.where(distance > rounding, distance, 0.0)
    return distances


def distance_concentration(pair_distances: Vector, nearest_distances: Vector | None = None) -> DistanceConcentration:
    """Standard deviation over mean of random distances, and their mean over that of the nearest ones.

    Parameters
    ----------
    pair_distances : ndarray, shape (n_pairs,)
        From `random_pair_distances`.
    nearest_distances : ndarray, shape (n_queries,), optional
        Distance of rows to their nearest other row, in the same metric. Copies (`DUPLICATE_DISTANCE`) are left out:
        they say nothing about concentration and would send the contrast to infinity.

    Gauge
    -----
    Unchanged by orthogonal G and a common scale; changes under a general G.

    References
    ----------
    Beyer et al. (1999), When is nearest neighbor meaningful?, theorem 1 (relative deviation);
    He, Kumar, Chang (2012), arXiv 1206.6411, eq. 3 (relative contrast).

    Examples
    --------
    >>> result = distance_concentration(np.array([1.0, 3.0]), np.array([0.5, 0.5, 0.0]))
    >>> result.relative_deviation, result.relative_contrast
    (0.5, 4.0)
    """
    mean, deviation = float(pair_distances.mean()), float(pair_distances.std())
    contrast = None
    if nearest_distances is not None and mean > 0:
        distinct = nearest_distances[nearest_distances > DUPLICATE_DISTANCE * mean]
        contrast = mean / float(distinct.mean()) if len(distinct) else None
    return DistanceConcentration(mean, deviation, deviation / mean if mean > 0 else 0.0, contrast)
