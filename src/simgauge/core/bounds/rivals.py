"""The rows that can push neighbours out of their lists: found by ever longer exact lists, until the rest is too far."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simgauge.core.bounds.directions import Directions, directions, triples_of
from simgauge.core.bounds.swap_roots import RESOLUTION, Triples, least_thresholds, swap_thresholds
from simgauge.core.neighbors.streamed_topk import streamed_top_k
from simgauge.core.tables.arrays import beside, namespace
from simgauge.core.tables.kinds import Table

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

ENTRIES_PER_BLOCK = 1 << 18
"""Rows x neighbours x components worked on at once: 2 MiB, so that the steps of a block find it in the cache."""

SPARE, SPARE_EACH, GROWTH = 8, 96, 3
"""Rows looked at beyond k + 1 at first, for lists and for single neighbours (the nearest of a list give way to farther rows
than the last one does), and how much longer the lists grow where these do not suffice."""

SLACK = 1e-9
"""Relative room for rounding in the comparison of a bound with a threshold."""


class Certified(NamedTuple):
    """Thresholds of lists (n, 1) or of neighbours (n, k)."""

    thresholds: Floats
    """κ°."""
    neighbors: Indices
    """The neighbour that ties first."""
    rivals: Indices
    """The row that ties with it; −1 where no row can."""


def certify(table: Table, size: int, rows: Indices, given: Indices | None, *, per_neighbor: bool) -> Certified:
    """Exact thresholds of the lists of `rows`, which are the `given` ones (n, >= size) or the nearest `size` rows.

    κ° is at least tan(φ_z/2)/tan(φ_y/2). So once a threshold κ is found, only rows z with tan(φ_z/2) <= κ tan(φ_y/2) can
    lower it. Exact lists grow until their last row lies beyond that, by more than the rounding of its score: what is not
    listed is then provably too far, however many rows nearly tie.
    """
    columns = size if per_neighbor else 1
    result = Certified(np.empty((len(rows), columns)), *np.empty((2, len(rows), columns), dtype=np.intp))
    most = len(table) - 1
    length = min(most, size + 1 + (SPARE_EACH if per_neighbor else SPARE) + (0 if given is None else size))
    pending = np.arange(len(rows))
    while pending.size:
        found, scores = streamed_top_k(table, rows[pending], length)
        step = max(1, ENTRIES_PER_BLOCK // ((length + size) * int(table.shape[1])))
        done = np.ones(pending.size, dtype=bool)
        for start in range(0, pending.size, step):
            block = slice(start, start + step)
            places = pending[block]
            members = None if given is None else given[places, :size]
            part, reach = _certify_block(table, size, rows[places], members, found[block], per_neighbor)
            for target, values in zip(result, part, strict=True):
                target[places] = values
            done[block] = _complete(scores[block, -1], reach, table)
        pending = pending[~done] if length < most else pending[:0]
        length = min(most, GROWTH * length)
    return result


def _complete(last: NDArray[np.floating], reach: Floats, table: Table) -> NDArray[np.bool_]:
    """Whether all rows up to the tangent `reach` score above `last`, rounding included; with reach 0 nothing is nearer."""
    margin = 4 * np.finfo(last.dtype).eps + 4 * int(table.shape[1]) * np.finfo(np.float64).eps
    with np.errstate(over="ignore", invalid="ignore"):
        square = np.minimum(np.square(reach), 1e300)
    return np.asarray((last + margin < (1 - square) / (1 + square)) | (reach == 0))


def _certify_block(
    table: Table, size: int, rows: Indices, members: Indices | None, found: Indices, per_neighbor: bool
) -> tuple[Certified, Floats]:
    """Thresholds among the rows at hand, and the tangent up to which other rows could lower them."""
    index = found if members is None else np.concatenate([members, found], axis=1)
    around = directions(table, rows, index)
    if members is None:  # scores of float32 tables leave near ties unordered
        order = np.argsort(around.tangents, axis=1, kind="stable")
        index = np.take_along_axis(index, order, axis=1)
        around = _reordered(around, order)
        outside = np.ones((len(rows), index.shape[1] - size), dtype=bool)
    else:
        outside = ~(found[:, :, None] == members[:, None, :]).any(axis=2)
    if not outside.any():  # the list holds every other row
        shape = (len(rows), size if per_neighbor else 1)
        nobody = np.full(shape, -1)
        return Certified(np.full(shape, np.inf), index[:, : shape[1]], nobody), np.full(len(rows), np.inf)
    triples = triples_of(around, size)
    part = _smallest(triples, outside, index, size, per_neighbor)
    part.thresholds[~around.defined.any(axis=1)] = (
        1.0  # the cosines of a zero row are all 0: nothing sets its list apart
    )
    inner = around.tangents[:, :size]
    with np.errstate(invalid="ignore"):
        reach = part.thresholds * (inner if per_neighbor else inner.max(axis=1, keepdims=True))
    # 0 times inf: a neighbour in the direction of the row gives way to another such row only
    return part, np.where(np.isnan(reach), RESOLUTION, reach).max(axis=1)


def _reordered(around: Directions, order: Indices) -> Directions:
    places = beside(order[:, :, None], around.sides, dtype=namespace(around.sides).int64)
    sides = namespace(around.sides).take_along_axis(around.sides, places, axis=1)
    tangents = np.take_along_axis(around.tangents, order, axis=1)
    return Directions(tangents, sides, np.take_along_axis(around.defined, order, axis=1))


def _smallest(triples: Triples, outside: NDArray[np.bool_], index: Indices, size: int, per_neighbor: bool) -> Certified:
    """The smallest threshold of every list or neighbour; roots are sought only where the cheap bound leaves room."""
    n, _, width = triples.near.shape
    bound = np.where(outside[:, None, :], least_thresholds(triples), np.inf)
    shape = (n, size, width) if per_neighbor else (n, 1, size * width)
    bound, fields = bound.reshape(shape), Triples(*(field.reshape(shape) for field in triples))
    exact, first = np.full(shape, np.inf), np.zeros(shape, dtype=bool)
    np.put_along_axis(first, bound.argmin(axis=2)[:, :, None], True, axis=2)
    first &= np.isfinite(bound)
    exact[first] = swap_thresholds(fields.take(first))[0]
    others = (bound <= exact.min(axis=2, keepdims=True) * (1 + SLACK)) & np.isfinite(bound) & ~first
    exact[others] = swap_thresholds(fields.take(others))[0]
    place = exact.argmin(axis=2)
    thresholds = np.take_along_axis(exact, place[:, :, None], axis=2)[:, :, 0]
    inner = np.broadcast_to(np.arange(size), place.shape) if per_neighbor else place // width
    neighbors = np.take_along_axis(index, inner, axis=1)
    rivals = np.take_along_axis(index, size + place % width, axis=1)
    return Certified(thresholds, neighbors, np.where(np.isinf(thresholds), -1, rivals))
