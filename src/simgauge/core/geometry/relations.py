"""What turns one table into another: identity, scale, rotation, row lengths, a shift, any linear map, another
precision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.linalg

from simgauge.core.geometry.precision import Precision, precision_of
from simgauge.core.geometry.row_maps import (
    PairFactor,
    RowMap,
    column_maps,
    direction_maps,
    linear_maps,
    numerical_directions,
    pair_factor,
    remaining_eps,
    similarity_maps,
)
from simgauge.core.geometry.row_pairs import RowPairs
from simgauge.core.tables.algebra import rank_tolerance
from simgauge.core.tables.equal_rows import row_hashes
from simgauge.core.tables.kinds import Matrix, Vector
from simgauge.core.tables.tables import row_norms, unit_rows

SAMPLE_ROWS = 8_192
"""Rows that maps are fitted to; every map is then tested on all rows."""

LARGEST_NOISE = 0.25
"""Share of a table's size beyond which rounding hides too much: such a table is not said to be related to another."""

ROWS_PER_FREE_ROW = 4
"""A map tested against coarse rounding must be fitted to this multiple of the rows that any two tables could match."""

AS_IT_IS = Precision("as it is")
"""No rounding beyond that of the dtype."""

FLOAT64 = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class Relation:
    """The simplest map that was found between two tables."""

    parts: tuple[str, ...]
    """What it does: of "rotation", "scale", "row lengths", "shift", "linear gauge", "linear map", "truncation",
    "quantisation", "permutation". Empty for equal tables; ("different",) where nothing holds, and ("undetermined",)
    where too few rows are shared to tell a linear map from chance."""
    map: RowMap | None
    """None for a permutation and where nothing holds."""
    exact: bool
    """Whether the tables are equal entry by entry (after the permutation, where it is one)."""
    left_over: float
    """Share of the variation of the table with fewer directions that the best affine map of the other leaves, on the
    rows that it was fitted to."""
    chance: float
    """What it leaves of unrelated rows, on average: 1 − directions / (rows − 1)."""
    precisions: tuple[str, str]
    """How finely each table is stored."""

    @property
    def name(self) -> str:
        """The parts in one phrase."""
        return " + ".join(self.parts) or "identical"


class _Test(NamedTuple):
    """How rounding is bounded."""

    eps: tuple[float, float]
    """Of the dtypes of both tables."""
    coarse: tuple[Precision, Precision] | None
    """Precisions that are allowed for on top."""
    unit: float
    """Power of two that both tables are divided by, so that no square overflows."""
    sizes: tuple[float, float]
    """Frobenius norms of the tables' fitted rows: what a map was fitted to is known to a rounding error of them, no
    better."""
    n_fitted: int
    """Rows that maps are fitted to."""


def relation(pairs: RowPairs, rng: np.random.Generator) -> Relation:
    """Name what turns one table into another.

    Maps are fitted to at most 8,192 pairs of rows (or 4 (k + l) if that is more) and tested on all rows, from the
    simplest on:

    ==============  ===========================================================================================
    identical       B = A
    scale           B = c A
    rotation        B = A R, all inner products kept; the widths may differ
    shift           B = A + 1 dᵀ; also with rotation and scale
    row lengths     B = diag(w) A with w > 0: every cosine is kept; also with a rotation
    linear gauge    B = A G on the directions that A has, with as many directions; also with a shift
    truncation      B = c A R with fewer directions and orthonormal columns of R (the first columns, say)
    permutation     the same rows in another order
    quantisation    one of the maps above up to the rounding of another precision: short floats or a grid of steps
    ==============  ===========================================================================================

    Parameters
    ----------
    pairs : RowPairs
        Three rows or more: any two pairs of points are related by a rotation, a scale and a shift.
    rng : Generator
        Of the sample.

    Gauge
    -----
    Maps that keep all cosines come first, so what is named is the least that cosine sees of the difference.

    Numerics
    --------
    A row passes if its error is at most ``4 √k ε`` times the size of both rows (ε of each table's dtype), where an
    entry of A counts with the length of its row of the map; for coarser precisions half a step of every entry is added.
    A linear map needs more rows than directions, four times as many against a coarse precision: with fewer any two
    tables would pass. O(n (k + l)²) for the fits, O(n k l) for each map that the fitted rows do not rule out.

    Examples
    --------
    >>> from simgauge.core.geometry.row_pairs import PickedRows
    >>> table, rows = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40)
    >>> for other in (table, 2 * table[:, ::-1], table + 1, table * [1, 2, 3], table[:, :2], table[::-1].copy()):
    ...     print(relation(RowPairs(PickedRows(table, rows), PickedRows(other, rows)), np.random.default_rng(0)).name)
    identical
    rotation + scale
    shift
    linear gauge
    truncation
    permutation
    """
    sample = pairs.sample(max(SAMPLE_ROWS, 4 * sum(pairs.widths)), rng)
    unit = _power_of_two(max(float(np.abs(part).max()) for part in sample))
    first, second = (part / unit for part in sample)
    eps = float(np.finfo(pairs.first.dtype).eps), float(np.finfo(pairs.second.dtype).eps)
    precisions = precision_of(first), precision_of(second)
    names = precisions[0].name, precisions[1].name
    factor = pair_factor(first, second)
    left_over, chance = unexplained(factor, eps)
    test = _Test(eps, None, unit, (float(np.linalg.norm(first)), float(np.linalg.norm(second))), len(first))
    found = _first_that_holds(pairs, first, second, factor, test)
    rounded = pairs.first.dtype != pairs.second.dtype
    if found is None and _same_rows(pairs):
        return Relation(("permutation",), None, True, left_over, chance, names)
    if found is None:  # one table may be the rounded one, or both; codes and counts are exact as they are
        rounded = names[0] != names[1]
        levels = ((AS_IT_IS, precisions[1]), (precisions[0], AS_IT_IS), precisions)
        tried = (_first_that_holds(pairs, first, second, factor, test._replace(coarse=level)) for level in levels)
        found = next((candidate for candidate in tried if candidate is not None), None)
    if found is None:
        name = "undetermined" if chance <= 0 else "different"
        return Relation((name,), None, False, left_over, chance, names)
    equal = not found.parts and all(np.array_equal(a, b) for a, b in pairs.blocks())
    parts = (*found.parts, *(("quantisation",) if rounded and not equal else ()))
    return Relation(parts, found, equal, left_over, chance, names)


def unexplained(factor: PairFactor, eps: tuple[float, float]) -> tuple[float, float]:
    """What the best affine map leaves of the table with fewer directions, and what it leaves of unrelated rows on
    average.

    Both are shares of the variation, in [0, 1]. Rows around their mean span n − 1 directions, and r directions that
    know nothing of them hold a share r / (n − 1) of their variation.
    """
    tables = factor.centred()
    remaining = remaining_eps(factor, tables, eps)
    ranks = [numerical_directions(table, own) for table, own in zip(tables, remaining, strict=True)]
    wide, narrow = (tables[1], tables[0]) if ranks[0] < ranks[1] else tables
    total = float(np.vdot(narrow, narrow))
    chance = max(1.0 - max(ranks) / (factor.n_rows - 1), 0.0)
    if not (total > 0 and max(ranks)):
        return 0.0, chance
    basis = scipy.linalg.svd(wide, full_matrices=False)[0][:, : max(ranks)]
    rest = narrow - basis @ (basis.T @ narrow)
    return float(np.vdot(rest, rest)) / total, chance


def _first_that_holds(pairs: RowPairs, first: Matrix, second: Matrix, factor: PairFactor, test: _Test) -> RowMap | None:
    for candidate in _candidates(first, second, factor, test.eps):
        needed = ROWS_PER_FREE_ROW * candidate.free if test.coarse else candidate.free
        if not test.coarse and "rotation" in candidate.parts:
            needed = 0  # inner products of all pairs of rows agree to the last digits: no chance, however few the rows
        if len(first) <= needed or not candidate.matrix.any() or _excess(candidate, first, second, test) > 1:
            continue
        blocks = ((a.astype(np.float64) / test.unit, b.astype(np.float64) / test.unit) for a, b in pairs.blocks())
        if all(_excess(candidate, a, b, test) <= 1 for a, b in blocks):
            return candidate
    return None


def _candidates(first: Matrix, second: Matrix, factor: PairFactor, eps: tuple[float, float]) -> Iterator[RowMap]:
    similar = list(similarity_maps(factor))
    yield from (candidate for candidate in similar if "shift" not in candidate.parts)
    yield from direction_maps(first, second)
    yield from (candidate for candidate in similar if "shift" in candidate.parts)
    yield from column_maps(factor, eps)
    yield from linear_maps(factor, eps)


def _excess(candidate: RowMap, first: Matrix, second: Matrix, test: _Test) -> float:
    """Largest error of a row over what rounding explains; infinite where rounding would explain too much of the
    table."""
    a, b = (second, first) if candidate.flipped else (first, second)
    eps_a, eps_b = (test.eps[1], test.eps[0]) if candidate.flipped else test.eps
    noise_a, noise_b = np.zeros_like(a), np.zeros_like(b)
    if test.coarse:
        precise_a, precise_b = reversed(test.coarse) if candidate.flipped else test.coarse
        noise_a, noise_b = precise_a.noise(a), precise_b.noise(b)
    size_a, size_b = reversed(test.sizes) if candidate.flipped else test.sizes
    if candidate.unit:
        lengths = [np.where(size > 0, size, 1.0)[:, None] for size in (row_norms(a), row_norms(b))]
        a, b, noise_a, noise_b = unit_rows(a), unit_rows(b), noise_a / lengths[0], noise_b / lengths[1]
        size_a = size_b = float(np.sqrt(test.n_fitted))
    width = max(a.shape[1], b.shape[1])
    spread = np.einsum("ij,ij->i", candidate.matrix, candidate.matrix)  # what an error of one entry of a becomes
    allowed = (
        rank_tolerance(width, eps_a) * np.sqrt(a**2 @ spread)
        + rank_tolerance(width, eps_b) * np.linalg.norm(b, axis=1)
        + rank_tolerance(width, FLOAT64) * (size_a * np.linalg.norm(candidate.matrix, 2) + size_b)
        + np.sqrt(noise_a**2 @ spread)
        + np.linalg.norm(noise_b, axis=1)
    )
    size = b - b.mean(axis=0) if "shift" in candidate.parts else b
    if _root_mean_square(allowed) > LARGEST_NOISE * _root_mean_square(np.linalg.norm(size, axis=1)):
        return np.inf
    error = np.linalg.norm(a @ candidate.matrix + candidate.offset - b, axis=1)
    return float(np.divide(error, allowed, out=np.where(error > 0, np.inf, 0.0), where=allowed > 0).max())


def _same_rows(pairs: RowPairs) -> bool:
    """Whether both tables hold the same rows, copies counted, rounded to the coarser of their dtypes."""
    if pairs.widths[0] != pairs.widths[1]:
        return False
    coarse = min(pairs.first.dtype, pairs.second.dtype, key=lambda dtype: dtype.itemsize)
    hashes = [[row_hashes(part.astype(coarse)) for part in pair] for pair in pairs.blocks()]
    orders = []
    for side in range(2):
        found = np.concatenate([pair[side] for pair in hashes])
        orders.append((np.argsort(found, kind="stable"), np.sort(found)))
    if not np.array_equal(orders[0][1], orders[1][1]):
        return False
    matched = RowPairs(pairs.first.picked(orders[0][0]), pairs.second.picked(orders[1][0]))
    return all(np.array_equal(a.astype(coarse), b.astype(coarse)) for a, b in matched.blocks())


def _power_of_two(size: float) -> float:
    return float(2.0 ** np.frexp(size)[1]) if size > 0 else 1.0


def _root_mean_square(values: Vector) -> float:
    return float(np.sqrt(np.mean(values**2)))
