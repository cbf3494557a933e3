"""Single swaps: the condition number at which one neighbour gives way to another row, and the gauge that ties the
two."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simgauge.core.bounds.attaining_gauge import attaining_gauge
from simgauge.core.bounds.directions import Directions, directions, triples_of
from simgauge.core.bounds.swap_roots import Triples, swap_thresholds
from simgauge.core.tables.arrays import doubled, to_host
from simgauge.core.tables.tables import as_table, take_rows, unit_rows
from simgauge.errors import InputError

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

ENTRIES_PER_BLOCK = 1 << 18
"""Triples x components worked on at once."""

ROUNDING = 512 * float(np.finfo(np.float64).eps)
"""Length below which a sum of parts of unit vectors is rounding."""


def swap_threshold(vectors: Any, triples: ArrayLike) -> Floats:
    """Smallest condition number of a metric under which row z comes as near to row x as row y is.

    Parameters
    ----------
    vectors : array-like, torch tensor or RowParts, shape (n_rows, n_components)
    triples : array-like of int, shape (n_triples, 3)
        Row indices (x, y, z): the centre, its neighbour, and the row that may take its place.

    Returns
    -------
    ndarray, shape (n_triples,), float64
        κ° >= 1: no metric M with cond(M) < κ° gives cos_M(x, z) >= cos_M(x, y), and one with cond(M) = κ° makes them
        equal (`tying_gauge` returns it). 1 where z is as near already, inf where no metric can do it.

    Gauge
    -----
    Relative to the gauge of these vectors: κ = 1 is the cosine as it is here. Invariant to rotations and row lengths.

    Numerics
    --------
    Float64, from differences of unit vectors; the formula and its roots are in `swap_roots.swap_thresholds`. A zero
    vector keeps cosine 0 under every metric.

    Raises
    ------
    InputError
        Bad vectors, or triples that are not integers, not of shape (n_triples, 3) or out of range.

    Examples
    --------
    >>> items = np.array([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, 0.0, 2.0]])
    >>> swap_threshold(items, [[0, 1, 2]]).round(4)
    array([1.8575])
    """
    table = as_table(vectors)
    index = as_triples(triples, len(table))
    result = np.empty(len(index))
    step = max(1, ENTRIES_PER_BLOCK // int(table.shape[1]))
    for start in range(0, len(index), step):
        part = index[start : start + step]
        around = directions(partial(take_rows, table), part[:, 0], part[:, 1:])
        result[start : start + step] = _thresholds(around)[0]
    return result


def tying_gauge(vectors: Any, triple: ArrayLike) -> Floats:
    """A gauge G of the smallest condition number under which two rows are equally near to a third.

    Apply `users @ inv(G).T` to the other table and all predictions stay the same.

    Parameters
    ----------
    vectors
        As in `swap_threshold`.
    triple : array-like of int, shape (3,)
        Row indices (x, y, z). Which of y and z is nearer does not matter.

    Returns
    -------
    ndarray, shape (n_components, n_components), float64
        Symmetric positive definite; rows y and z of ``vectors @ G`` have the same cosine with row x. The metric
        M = G Gᵀ = I + (κ° − 1) e eᵀ has the condition number κ° of `swap_threshold`.

    Raises
    ------
    InputError
        As in `swap_threshold`, or no metric makes the two equally near.

    Examples
    --------
    >>> items = np.array([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, 0.0, 2.0]])
    >>> G = tying_gauge(items, [0, 1, 2])
    >>> moved = items @ G
    >>> (moved[1:] @ moved[0] / np.linalg.norm(moved[1:], axis=1) / np.linalg.norm(moved[0])).round(6)
    array([0.554834, 0.554834])
    >>> float(np.linalg.cond(G @ G.T).round(4))
    1.8575
    """
    table = as_table(vectors)
    index = as_triples(np.asarray(triple)[None], len(table))
    around = directions(partial(take_rows, table), index[:, 0], index[:, 1:])
    if around.tangents[0, 0] > around.tangents[0, 1]:
        index = index[:, [0, 2, 1]]
        around = directions(partial(take_rows, table), index[:, 0], index[:, 1:])
    (threshold,), (ratio,) = _thresholds(around)
    x, y, z = (int(row) for row in index[0])
    if np.isinf(threshold):
        raise InputError(f"triple {x}, {y}, {z}: no metric makes rows {y} and {z} equally near to row {x}.")
    if threshold == 1:
        return np.eye(table.shape[1])
    if not around.defined.all():  # one of them is zero and keeps cosine 0: the other has to become orthogonal
        return attaining_gauge(table, [x, y] if around.defined[0, 0] else [x, z], threshold, _outwards(around))
    turned, onto = _turn(to_host(unit_rows(doubled(take_rows(table, index[0]))))[0], around, ratio)
    axis = _stretched_axis(turned, onto)
    gauge: Floats = np.eye(len(axis)) + (np.sqrt(threshold) - 1.0) * np.outer(axis, axis)
    return gauge


def _thresholds(around: Directions) -> tuple[Floats, Floats]:
    fields = triples_of(around, 1)
    thresholds, ratios = swap_thresholds(Triples(*(field[:, 0, 0] for field in fields)))
    thresholds[~around.defined.any(axis=1) & (around.tangents == 1).all(axis=1)] = 1.0
    return thresholds, ratios


def _outwards(around: Directions) -> Literal["low", "high"]:
    """An acute neighbour has to move away to 90°, an obtuse rival has to come near."""
    return "low" if around.defined[0, 0] else "high"


def _turn(centre: Floats, around: Directions, ratio: float) -> tuple[Floats, Floats]:
    """w = y − rz, and its part n orthogonal to x and to v = y + rz: M turns the one onto the other."""
    tangents, sides = around.tangents[0], to_host(around.sides)[0]
    sines, cosines = 2 * tangents / (1 + tangents**2), (1 - tangents**2) / (1 + tangents**2)
    y, z = sines[0] * sides[0], sines[1] * sides[1]
    w, v = y - ratio * z, y + ratio * z
    # x between y and z in one plane: v is zero but for rounding, and w is its own normal
    coplanar = v @ v <= ROUNDING**2
    normal = w if coplanar else w - (w @ v) / (v @ v) * v
    return (cosines[0] - ratio * cosines[1]) * centre + w, normal


def _stretched_axis(turned: Floats, onto: Floats) -> Floats:
    """Unit e for which I + (κ − 1) e eᵀ turns one direction onto the other, at 45° from their bisector towards
    `onto`."""
    w, n = turned / np.linalg.norm(turned), onto / np.linalg.norm(onto)
    bisector, across = w + n, n - w
    width = np.linalg.norm(across)
    axis: Floats = bisector / np.linalg.norm(bisector) + (across / width if width > 0 else 0.0)
    return axis / np.linalg.norm(axis)


def as_triples(triples: ArrayLike, n_rows: int) -> Indices:
    """Check triples of row indices."""
    index = np.asarray(triples)
    if index.ndim != 2 or index.shape[1] != 3 or index.dtype.kind not in "iu":
        raise InputError(
            f"triples: expected row indices (x, y, z) of shape (n_triples, 3), integers; received shape {index.shape}, "
            f"dtype {index.dtype}."
        )
    if index.size and (index.min() < 0 or index.max() >= n_rows):
        raise InputError(f"triples: row indices must lie in 0..{n_rows - 1}; received {index.min()}..{index.max()}.")
    return index.astype(np.intp, copy=False)
