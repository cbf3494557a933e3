"""Neighbours that stay in their lists in every named gauge Z(α), 0 <= α <= 1: a grid of α and a proof between its
points."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simgauge.core.bounds.certificates import as_list_size, as_rows
from simgauge.core.bounds.rivals import Moved, certify
from simgauge.core.gauges.canonical import CanonicalCore, Center, GaugeMap, canonical_core, power_map
from simgauge.core.tables.arrays import beside, doubled, on_host
from simgauge.core.tables.kinds import Array, Table
from simgauge.core.tables.tables import as_table
from simgauge.errors import ParameterError

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

FINEST = 320
"""Steps of the finest grid; coarser ones take every 16th, 8th, ... point of it."""

GRIDS = (21, 41, 81, 161, 321)
"""Points of the grids, from the first to the last refinement."""

IN_MEMORY = 96 << 20
"""Bytes of whitened items that are kept; larger tables are whitened again, block by block, for every point."""

GAP = 0.05
"""Difference of the shares seen and proven at which refining ends."""

SAFE = 1 - 1e-6
"""Shortens every proven stretch by more than the rounding of its ends, which are kept in float32."""

BEYOND = 1.1
"""Thresholds are computed up to the one whose stretch is this much longer than half a segment: two halves cover it."""


class Refinement(NamedTuple):
    """Shares of neighbours at one grid."""

    points: int
    proven: float
    seen: float


class CertifiedAlongGauges(NamedTuple):
    """Neighbours of some rows over all named gauges: proven ones and seen ones; see `certified_along_gauges`."""

    neighbors: NDArray[np.intp]
    """(n_lists, k): the lists at α = 0. A neighbour that is in the list at every α is among them."""
    seen: Flags
    """(n_lists, k): whether the neighbour is in the list at every α of the grid."""
    proven: Flags
    """(n_lists, k): whether it is in the list at every α in [0, 1], certainly."""
    refinements: tuple[Refinement, ...]
    """Shares from grid to grid; the last is the result."""
    condition_number: float
    """(s_1/s_r)²: the condition number of the metric between α = 0 and α = 1."""
    rank: int
    """r, the directions that the predictions have."""
    center: Center
    """Centring of the gauges."""

    @property
    def points(self) -> int:
        """Points of the finest grid used; where a stretch was proven already, its points were left out."""
        return self.refinements[-1].points


def certified_along_gauges(
    items: Any,
    users: Any,
    k: int,
    *,
    center: Center = "none",
    rows: ArrayLike | None = None,
    points: int = GRIDS[-1],
    gap: float = GAP,
) -> CertifiedAlongGauges:
    """Neighbours that are in the list of their row for every α in [0, 1] of the canonical gauges Z(α) = V diag(s^α).

    The metrics of Z(α) and Z(α') differ by diag(s^(2(α' − α))), whose condition number is (s_1/s_r)^(2|α' − α|). So a
    neighbour with the exact threshold κ° at α (`neighbor_certificate`) stays in the list for ::

        |α' − α| < log κ° / (2 log(s_1/s_r)),

    and a neighbour for which these stretches around the points of a grid cover [0, 1] is in the list at *every* α.
    Where they leave a hole, its middle is searched next. The share of neighbours in all named gauges lies between what
    is proven and what is seen.

    Parameters
    ----------
    items, users : array-like, tensor or RowParts, shapes (n_items, n_components) and (n_users, n_components)
    k : int
        Neighbours in a list, 1 <= k <= n_items − 1.
    center : {"none", "users", "both"}
        Centring of all gauges; another centring is another family, certified by another call.
    rows : array-like of int, optional
        Items whose lists are certified, such as a sample; all when not given.
    points : {21, 41, 81, 161, 321}
        Points of the finest grid.
    gap : float in [0, 1]
        Refining ends when the share seen exceeds the share proven by less than this.

    Returns
    -------
    CertifiedAlongGauges

    Gauge
    -----
    Invariant: Z(α) is the same in whatever gauge the tables came, up to a rotation.

    Numerics
    --------
    Vectors of every gauge are computed in float64 from the tables; directions below the numerical rank are left out.
    Each point costs one search of the rows that still have a hole there. Memory as `neighbor_certificate`, and
    n_lists x k x 321 numbers.

    Raises
    ------
    InputError
        Bad tables, or all predictions are zero.
    ParameterError
        k, rows, center, points or gap out of range.

    References
    ----------
    Steck, Ekanadham, Kallus (2024), arXiv:2403.05440, Eq. 3 and 4, for the freedom.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> groups = np.repeat(np.eye(4), 6, axis=0)
    >>> items = groups + 0.1 * rng.normal(size=(24, 4))
    >>> found = certified_along_gauges(items, rng.normal(size=(50, 4)) * [4.0, 3.0, 2.0, 1.0], 5)
    >>> found.refinements
    (Refinement(points=21, proven=1.0, seen=1.0),)
    """
    table, other = as_table(items, "items"), as_table(users, "users")
    size = as_list_size(k, len(table))
    return along_gauges(
        canonical_core(other, table, center), table, size, as_rows(rows, len(table)), center, points, gap
    )


def along_gauges(
    core: CanonicalCore,
    items: Table,
    size: int,
    rows: NDArray[np.intp],
    center: Center,
    points: int = GRIDS[-1],
    gap: float = GAP,
) -> CertifiedAlongGauges:
    """`certified_along_gauges` of a canonical form at hand."""
    if points not in GRIDS:
        raise ParameterError(f"points={points!r}: expected one of {', '.join(map(str, GRIDS))}.")
    if not 0 <= gap <= 1:
        raise ParameterError(f"gap={gap}: expected a share from 0 to 1.")
    s = core.singular_values
    walk = _Walk(core, items, size, rows, float(np.log(s[0] / s[-1])))
    refinements = []
    for grid in GRIDS[: GRIDS.index(points) + 1]:
        walk.refine(FINEST // (grid - 1))
        refinements.append(Refinement(grid, float(walk.proven.mean()), float(walk.seen.mean())))
        if refinements[-1].seen - refinements[-1].proven < gap:
            break
    return CertifiedAlongGauges(
        walk.neighbors, walk.seen, walk.proven, tuple(refinements), float((s[0] / s[-1]) ** 2), core.rank, center
    )


class _Walk:
    """Neighbours of some rows on ever finer grids of α, counted in steps of the finest grid."""

    def __init__(self, core: CanonicalCore, items: Table, size: int, rows: NDArray[np.intp], log_ratio: float) -> None:
        self.size, self.rows, self.log_ratio, self.singular_values = size, rows, log_ratio, core.singular_values
        self.whitening = power_map(core, 0.0)
        self.condition = float(np.linalg.cond(core.right_map))
        in_memory = on_host(items) and 8 * len(items) * core.rank <= IN_MEMORY
        self.items = self.whitening.apply_items(doubled(items)) if in_memory else items
        self.single = self.items.astype(np.float32) if in_memory else None
        self.neighbors = np.zeros((len(rows), size), dtype=np.intp)
        self.seen = np.ones((len(rows), size), dtype=bool)
        self.stretch = np.zeros((FINEST + 1, len(rows), size), dtype=np.float32)
        self.holes: dict[int, Flags] = {}  # first point of a segment -> (n_lists, k)
        self.step = 0

    @property
    def proven(self) -> Flags:
        """Seen everywhere and without a hole."""
        open_ = np.zeros_like(self.seen)
        for hole in self.holes.values():
            open_ |= hole
        return self.seen & ~open_

    def refine(self, step: int) -> None:
        """Refine the grid to this step: search the middle of every hole, or all points the first time."""
        if not self.step:
            segments = self._first_grid(step)
        else:
            segments = {}
            for start, hole in self.holes.items():
                if self._look(start + step, step, hole & self.seen):
                    segments |= {start: hole, start + step: hole}
        self.step, self.holes = step, {}
        for start, hole in segments.items():
            left = hole & self.seen & ~(self.stretch[start] + self.stretch[start + step] > step)
            if left.any():
                self.holes[start] = left

    def _first_grid(self, step: int) -> dict[int, Flags]:
        """All points, the two ends and the middle first: most neighbours that leave their lists are gone by then."""
        first = (0, FINEST, FINEST // 2)
        for point in (*first, *(point for point in range(0, FINEST, step) if point not in first)):
            self._look(point, step, self.seen.copy())
        return dict.fromkeys(range(0, FINEST, step), np.ones_like(self.seen))

    def _look(self, point: int, step: int, wanted: Flags) -> bool:
        """Lists at one α of the rows with wanted neighbours, and how far these are certain from there."""
        asked = np.flatnonzero(wanted.any(axis=1))
        if not asked.size:
            return False
        cap = float(np.exp(np.clip(BEYOND * self.log_ratio * step / FINEST, 1e-6, 600)))
        first = not self.step and point == 0
        watched = None if first else np.where(wanted[asked], self.neighbors[asked], -1)
        found = certify(self.items, self.size, self.rows[asked], per_neighbor=True, moved=self._gauge(point), cap=cap,
                        watched=watched)  # fmt: skip
        if first:
            self.neighbors[:] = found.neighbors
        same = self.neighbors[asked][:, :, None] == found.neighbors[:, None, :]
        self.seen[asked] &= same.any(axis=2)
        thresholds = np.where(same, np.minimum(found.thresholds, cap)[:, None, :], 1.0).max(axis=2)
        thresholds[~wanted[asked]] = 1.0
        if self.log_ratio > 0:
            self.stretch[point, asked] = np.minimum(
                SAFE * np.log(thresholds) / (2 * self.log_ratio) * FINEST, FINEST + 1
            )
        else:  # all gauges are one, and only ties are open
            self.stretch[point, asked] = np.where(thresholds > 1, FINEST + 1, 0)
        return True

    def _gauge(self, point: int) -> Moved:
        """From the whitened items, where they are in memory, or from the items as they came."""
        scale = self.singular_values ** (point / FINEST)
        if self.single is not None:  # every entry is rounded to float32 on its own, so no scale makes the errors larger
            return Moved(partial(_scaled, scale), 16 * float(np.finfo(np.float32).eps), self.single)
        whitening = self.whitening
        gauge = GaugeMap(whitening.item_matrix * scale, whitening.user_matrix / scale, whitening.item_mean)
        condition = self.condition * float(scale[0] / scale[-1])
        return Moved(partial(_moved, gauge), 4 * len(scale) * float(np.finfo(np.float64).eps) * condition)


def _scaled(scale: Floats, block: Array) -> Array:
    return block * beside(scale, block)


def _moved(gauge: GaugeMap, block: Array) -> Array:
    return gauge.apply_items(doubled(block))
