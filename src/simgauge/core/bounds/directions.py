"""Where other rows lie around a row: the angle to it, and the direction in which they leave it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simgauge.core.bounds.swap_roots import RESOLUTION, Triples
from simgauge.core.tables.arrays import beside, doubled, namespace, to_host
from simgauge.core.tables.kinds import Array
from simgauge.core.tables.tables import unit_rows
from simgauge.core.tables.tensor_precision import row_lengths

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Gather = Callable[[Indices], Array]

COPLANAR = 1e-3
"""Distance of a cosine from ±1 below which it is computed again from the difference of the vectors: the subtraction
would lose three digits."""

PAIRS_PER_STEP = 1 << 14
"""Pairs of directions subtracted from each other at once."""


class Directions(NamedTuple):
    """Rows around centres; the vectors stay next to the table, angles are on the host."""

    tangents: Floats
    """tan(φ/2) of the angle to the centre, (n, m); 1 where either is a zero vector."""
    sides: Array
    """Unit vectors orthogonal to the centre, (n, m, n_components); zero where there is no direction."""
    defined: NDArray[np.bool_]
    """Whether both vectors differ from zero, (n, m)."""


def directions(gather: Gather, centres: Indices, index: Indices) -> Directions:
    """Angles and directions of `index`, (n, m), around `centres`, (n,), from differences of unit vectors in float64.

    `gather` returns the vectors of some rows.

    With u the centre, v the row and d = v − u, the part of v that is orthogonal to u is d + u|d|²/2, and
    tan(φ/2) = |d|/√(4 − |d|²). For obtuse angles −u takes the place of u. Nothing cancels, down to angles of 1e-15.

    Examples
    --------
    >>> table = np.array([[1.0, 0.0], [1.0, 1.0]])
    >>> found = directions(lambda rows: table[rows], np.array([0]), np.array([[1]]))
    >>> found.tangents.round(6), found.sides.round(6) + 0.0
    (array([[0.414214]]), array([[[0., 1.]]]))
    """
    centre = unit_rows(doubled(gather(centres)))
    flat = unit_rows(doubled(gather(index.reshape(-1))))
    xp, shape = namespace(flat), (*index.shape, flat.shape[1])
    other = xp.reshape(flat, shape)
    sign = xp.where(xp.linalg.vecdot(centre[:, None, :], other) < 0, -1.0, 1.0)[..., None]
    turned = sign * centre[:, None, :]
    apart = other - turned
    chord = row_lengths(apart)
    sides = apart + turned * (chord * chord / 2)[..., None]
    length = row_lengths(sides)
    sides = sides / xp.where(length > 0, length, xp.ones_like(length))[..., None]
    defined = to_host(xp.any(centre != 0, axis=1)[:, None] & xp.any(other != 0, axis=2))
    tangents = _tangents(to_host(chord), to_host(sign[..., 0]) < 0, defined)
    return Directions(tangents, sides, defined)


def _tangents(chord: Floats, obtuse: NDArray[np.bool_], defined: NDArray[np.bool_]) -> Floats:
    with np.errstate(divide="ignore"):
        tangents = chord / np.sqrt(np.maximum(4 - chord * chord, 1.0))  # the chord of an acute angle is at most √2
        tangents[tangents <= RESOLUTION] = 0.0
        tangents = np.where(obtuse, 1 / tangents, tangents)
    return np.where(defined, tangents, 1.0)


def triples_of(found: Directions, size: int) -> Triples:
    """Every pair of one of the first `size` rows and one of the rest, around each centre: fields (n, size, m −
    size)."""
    inner, outer = found.sides[:, :size], found.sides[:, size:]
    cosines = to_host(namespace(outer).matmul(inner, _transposed(outer)))
    near = np.broadcast_to(found.tangents[:, :size, None], cosines.shape)
    far = np.broadcast_to(found.tangents[:, None, size:], cosines.shape)
    apart, along = 1 - cosines, 1 + cosines
    for target, sign in ((apart, 1.0), (along, -1.0)):
        _refine(target, inner, outer, sign)
        target[target <= _rounding(near, far)] = 0.0
    known = found.defined[:, :size, None] & found.defined[:, None, size:]
    apart, along = np.where(known, apart, np.nan), np.where(known, along, np.nan)
    return Triples(near, far, apart, along)


def _rounding(near: Floats, far: Floats) -> Floats:
    """Distance of γ from ±1 that rounding alone gives: the directions are known to eps/sin φ."""
    with np.errstate(divide="ignore", invalid="ignore"):
        noise = RESOLUTION * ((1 + near * near) / near + (1 + far * far) / far) / 2
    return noise * noise / 2


def _transposed(outer: Array) -> Array:
    return namespace(outer).permute_dims(outer, (0, 2, 1))


def _refine(target: Floats, inner: Array, outer: Array, sign: float) -> None:
    """Small 1 − γ (sign 1) or 1 + γ (sign −1) as half the squared length of the difference (or sum) of unit vectors."""
    rows, first, second = np.nonzero(target < COPLANAR)
    for start in range(0, len(rows), PAIRS_PER_STEP):
        part = slice(start, start + PAIRS_PER_STEP)
        places = [beside(where[part], inner, dtype=namespace(inner).int64) for where in (rows, first, second)]
        gap = row_lengths(inner[places[0], places[1]] - sign * outer[places[0], places[2]])
        target[rows[part], first[part], second[part]] = to_host(gap * gap / 2)
