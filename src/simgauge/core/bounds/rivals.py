"""The rows that can push neighbours out of their lists: found by ever longer exact lists, until the rest is too far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simgauge.core.bounds.directions import Directions, directions, triples_of
from simgauge.core.bounds.swap_roots import OPPOSITE, RESOLUTION, Triples, least_thresholds, swap_thresholds
from simgauge.core.neighbors.streamed_topk import streamed_top_k
from simgauge.core.tables.arrays import beside, namespace, numpy_dtype
from simgauge.core.tables.kinds import Array, Lists, Table
from simgauge.core.tables.tables import take_rows

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

ENTRIES_PER_BLOCK = 1 << 18
"""Rows x neighbours x components worked on at once: 2 MiB, so that the steps of a block find it in the cache."""

SPARE, SPARE_CAPPED, SPARE_EACH, GROWTH = 8, 24, 96, 3
"""Rows compared beyond k + 1 at first: for lists, for single neighbours up to a cap, and for single neighbours (the
nearest of a list give way to farther rows than the last one does). And how much longer lists grow where these do not
suffice."""

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


def certify(
    table: Table,
    size: int,
    rows: Indices,
    given: Indices | None = None,
    *,
    per_neighbor: bool,
    moved: Moved | None = None,
    cap: float = np.inf,
    watched: Indices | None = None,
) -> Certified:
    """Exact thresholds of the lists of `rows`, which are the `given` ones (n, >= size) or the nearest `size` rows.

    κ° is at least tan(φ_z/2)/tan(φ_y/2). So once a threshold κ is found, only rows z with tan(φ_z/2) <= κ tan(φ_y/2)
    can lower it. Exact lists grow until their last row lies beyond that, by more than the rounding of its score: what
    is not listed is then provably too far, however many rows nearly tie.

    Parameters
    ----------
    moved : Moved, optional
        Lists and thresholds of the table in another gauge, computed from it block by block.
    cap : float
        Thresholds above it need not be exact: they are above it.
    watched : ndarray of int, shape (n, any), optional
        With per_neighbor, the rows whose thresholds are wanted; those of other members are not computed, and are inf.
    """
    source = _Source(table, moved)
    columns = size if per_neighbor else 1
    result = Certified(np.empty((len(rows), columns)), *np.empty((2, len(rows), columns), dtype=np.intp))
    most = len(table) - 1
    spare = SPARE if not per_neighbor else SPARE_EACH if np.isinf(cap) else SPARE_CAPPED
    length = min(most, size + 1 + spare + (0 if given is None else size))
    pending = np.arange(len(rows))
    while pending.size:
        found, scores = source.lists(rows[pending], length)
        step = max(1, ENTRIES_PER_BLOCK // ((length + size) * int(table.shape[1])))
        done = np.ones(pending.size, dtype=bool)
        for start in range(0, pending.size, step):
            block = slice(start, start + step)
            places = pending[block]
            members = None if given is None else given[places, :size]
            wanted = None if watched is None else watched[places]
            part, inner = _certify_block(source, size, rows[places], members, found[block], per_neighbor, wanted)
            for target, values in zip(result, part, strict=True):
                target[places] = values
            reach = _reach(np.minimum(part.thresholds, cap), inner, per_neighbor)
            done[block] = _complete(scores[block, -1], reach, source.rounding)
        pending = pending[~done] if length < most else pending[:0]
        length = min(most, GROWTH * length)
    return result


class Moved(NamedTuple):
    """A change of gauge of rows."""

    change: Callable[[Array], Array]
    """From a block of rows to the same rows in the other gauge: in float64 for thresholds."""
    rounding: float
    """Largest error of a cosine of changed rows in a search."""
    searched: Table | None = None
    """The same rows in float32, whose changed blocks are searched; the table itself when not given."""


class _Source(NamedTuple):
    """A table in the gauge in which it is certified."""

    table: Table
    moved: Moved | None

    def gather(self, rows: Indices) -> Array:
        """Vectors of some rows."""
        found = take_rows(self.table, rows)
        return found if self.moved is None else self.moved.change(found)

    def lists(self, rows: Indices, length: int) -> Lists:
        """Exact lists, and scores."""
        if self.moved is None:
            return streamed_top_k(self.table, rows, length)
        searched = self.table if self.moved.searched is None else self.moved.searched
        return streamed_top_k(searched, rows, length, transform=self.moved.change)

    @property
    def rounding(self) -> float:
        """Largest error of a score: of a sum in float64, of its dtype, and of the change of gauge."""
        rounding = 4 * int(self.table.shape[1]) * float(np.finfo(np.float64).eps)
        if self.moved is not None:
            return rounding + self.moved.rounding
        return rounding + 4 * float(np.finfo(numpy_dtype(self.table)).eps)


def _reach(thresholds: Floats, inner: Floats, per_neighbor: bool) -> Floats:
    """The tangent up to which other rows could lower a threshold."""
    with np.errstate(invalid="ignore"):
        reach = thresholds * (inner if per_neighbor else inner.max(axis=1, keepdims=True))
    # 0 times inf: a neighbour in the direction of the row gives way to another such row only
    reached: Floats = np.where(np.isnan(reach), RESOLUTION, reach).max(axis=1)
    return reached


def _complete(last: NDArray[np.floating[Any]], reach: Floats, rounding: float) -> NDArray[np.bool_]:
    """Whether all rows up to the tangent `reach` score above `last`, rounding included; with reach 0 nothing is
    nearer."""
    square = np.square(np.minimum(reach, OPPOSITE))
    return np.asarray((last + rounding < (1 - square) / (1 + square)) | (reach == 0))


def _certify_block(
    source: _Source,
    size: int,
    rows: Indices,
    members: Indices | None,
    found: Indices,
    per_neighbor: bool,
    wanted: Indices | None,
) -> tuple[Certified, Floats]:
    """Thresholds among the rows at hand, and the tangents of the members, 0 for those that are not wanted."""
    index = found if members is None else np.concatenate([members, found], axis=1)
    around = directions(source.gather, rows, index)
    if members is None:  # scores of float32 tables leave near ties unordered
        order = np.argsort(around.tangents, axis=1, kind="stable")
        index = np.take_along_axis(index, order, axis=1)
        around = _reordered(around, order)
        outside = np.ones((len(rows), index.shape[1] - size), dtype=bool)
    else:
        outside = ~(found[:, :, None] == members[:, None, :]).any(axis=2)
    if not outside.any():  # the list holds every other row
        shape = (len(rows), size if per_neighbor else 1)
        return Certified(np.full(shape, np.inf), index[:, : shape[1]], np.full(shape, -1)), around.tangents[:, :size]
    compared = np.broadcast_to(outside[:, None, :], (len(rows), size, outside.shape[1]))
    inner = around.tangents[:, :size]
    if wanted is not None:
        chosen = (index[:, :size, None] == wanted[:, None, :]).any(axis=2)
        compared, inner = compared & chosen[:, :, None], np.where(chosen, inner, 0.0)
    part = _smallest(triples_of(around, size), compared, index, size, per_neighbor)
    part.thresholds[~around.defined.any(axis=1)] = (
        1.0  # the cosines of a zero row are all 0: nothing sets its list apart
    )
    return part, inner


def _reordered(around: Directions, order: Indices) -> Directions:
    places = beside(order[:, :, None], around.sides, dtype=namespace(around.sides).int64)
    sides = namespace(around.sides).take_along_axis(around.sides, places, axis=1)
    tangents = np.take_along_axis(around.tangents, order, axis=1)
    return Directions(tangents, sides, np.take_along_axis(around.defined, order, axis=1))


def _smallest(
    triples: Triples, compared: NDArray[np.bool_], index: Indices, size: int, per_neighbor: bool
) -> Certified:
    """The smallest threshold of every list or neighbour; roots are sought only where the cheap bound leaves room."""
    n, _, width = triples.near.shape
    bound = np.where(compared, least_thresholds(triples), np.inf)
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
