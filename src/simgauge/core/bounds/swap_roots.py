"""Condition number at which two neighbours of a row tie, from their angles alone: roots of a quartic, many at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RESOLUTION = 4 * float(np.finfo(np.float64).eps)
"""Half-angle tangents below this are rounding, and so are differences of angles: the directions count as equal."""

OPPOSITE = 1e150
"""Half-angle tangent that stands for inf: its square is finite, its cosine −1."""

NEWTON_STEPS = 60
"""Steps at most; from an end of the interval 4 to 8 are usual, and a step that moves nothing ends the search."""

SETTLED = 4 * float(np.finfo(np.float64).eps)
"""Relative step below which a root of the quartic is as good as float64 holds it."""


class Triples(NamedTuple):
    """Angles of triples (x, y, z); all fields have the same shape.

    With φ_y and φ_z the angles of y and z to x, and γ the cosine between the parts of y and z that are orthogonal to x.
    Distances of γ from ±1 are given on their own, so that near coplanar triples lose nothing.
    """

    near: Floats
    """tan(φ_y/2), of the neighbour y."""
    far: Floats
    """tan(φ_z/2), of the other row z."""
    apart: Floats
    """1 − γ, from 0 (same side) to 2."""
    along: Floats
    """1 + γ, from 0 (opposite sides) to 2. Both NaN where y or z is a zero vector, which keeps cosine 0."""

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Triples:
        """Some of the triples."""
        return Triples(*(field[chosen] for field in self))


def swap_thresholds(triples: Triples) -> tuple[Floats, Floats]:
    """κ° of every triple (fields of one dimension), and the ratio r at which it is attained.

    cos_M(x, y) = cos_M(x, z) holds exactly when, for r = |y|_M/|z|_M, the vector w = y − rz is M-orthogonal to x and to
    v = y + rz. M then turns w onto the normal of span(x, v), and turning by ψ takes a condition number of at least
    (1 + sin ψ)/(1 − sin ψ) (Kantorovich), which a rank-one change of the identity attains. Over r, with unit vectors,
    a = cos φ_y, b = cos φ_z, c = y·z, Y = sin² φ_y, Z = sin² φ_z and C = c − ab,

        cos²ψ = h(r) = 4 r² (YZ − C²) / [(Y + 2rC + r²Z) (1 − 2cr + r²)]

    and κ° = (1 + √(1 − h*))/(1 − √(1 − h*)) at its maximum h*. Both factors of r/h fall towards r = 1 and r = √(Y/Z),
    so every stationary point lies between the two. They are the roots there of

        p(r) = Z r⁴ + b(bC − aZ) r³ − a(aC − bY) r − Y,

    which has no square term: p is concave up to one point and convex beyond. Newton's method from both ends of the
    interval therefore runs monotonically to the first and the last root, and these are the only local maxima of h.

    Returns
    -------
    thresholds, ratios : ndarray
        κ° >= 1, inf where no metric can make z as near as y. 1 where z is as near already. The ratio is NaN where κ° is
        1 or inf.
    """
    near, far = triples.near, triples.far
    thresholds, ratios = np.full(near.shape, np.inf), np.full(near.shape, np.nan)
    tied = _tied(near, far)
    thresholds[tied] = 1.0
    # a cosine of 0 that stays is reached by the other angle alone (`cosine_bounds`), at the square of the ratio
    fixed = ~tied & np.isnan(triples.apart)
    thresholds[fixed] = _squared_ratio(triples.take(fixed))
    # the direction of x itself and its opposite keep their cosines under every metric
    open_ = np.flatnonzero(~tied & ~fixed & (near > 0) & np.isfinite(far))
    if open_.size:
        some = triples.take(open_)
        best, where = np.full(open_.size, np.inf), np.full(open_.size, np.nan)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            for number, ratio in enumerate(_stationary(some)):
                found = _at_ratio(some, ratio, of_sines=number == 0)
                better = found < best
                best[better], where[better] = found[better], ratio[better]
        thresholds[open_], ratios[open_] = np.maximum(best, 1.0), where
    return thresholds, ratios


def least_thresholds(triples: Triples) -> Floats:
    """Lower bounds of κ° for triples with near < far, from h <= (YZ − C²)/[(√(YZ) + C)(1 − c)] for every r; no
    roots."""
    _, _, sin_a, sin_b = _angles(triples)
    g = sin_a * sin_b
    near, far = np.minimum(triples.near, OPPOSITE), np.minimum(triples.far, OPPOSITE)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # 1 − c = 1 − cos(φ_z − φ_y) + (1 − γ) sin φ_y sin φ_z, a sum of terms that are not negative
        squared = ((far - near) / (1 + far * near)) ** 2
        lift = 2 * squared / (1 + squared)
        across = lift + g * triples.apart
        bound = (1 + np.sqrt(lift / across)) ** 2 / (g * triples.apart / across)
    bound = np.where(np.isnan(triples.apart), _squared_ratio(triples), bound)
    return np.where(_tied(triples.near, triples.far) | np.isnan(bound), 1.0, bound)


def _tied(near: Floats, far: Floats) -> NDArray[np.bool_]:
    """Whether z is as near as y: the angles differ by rounding at most, or z is nearer."""
    with np.errstate(invalid="ignore", over="ignore"):
        return ~(far > near) | (np.isfinite(far) & (far - near <= RESOLUTION * (1 + far * near)))


def _squared_ratio(triples: Triples) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.square(triples.far / triples.near)


def _angles(triples: Triples) -> tuple[Floats, Floats, Floats, Floats]:
    """a, b and the sines, from the tangents of the half angles."""
    near, far = np.minimum(triples.near, OPPOSITE), np.minimum(triples.far, OPPOSITE)
    y, z = 1 + near * near, 1 + far * far
    return (1 - near * near) / y, (1 - far * far) / z, 2 * near / y, 2 * far / z


def _stationary(triples: Triples) -> list[Floats]:
    """Ratios r among which h has its maximum: that of the sines, 1, and the roots next to these ends of the
    interval."""
    a, b, sin_a, sin_b = _angles(triples)
    Y, Z = sin_a * sin_a, sin_b * sin_b
    C = sin_a * sin_b * (triples.along - triples.apart) / 2
    quartic = (Z, b * (b * C - a * Z), -a * (a * C - b * Y), -Y)
    one, other = np.ones_like(Y), sin_a / sin_b
    low, high = np.minimum(one, other), np.maximum(one, other)
    return [other, one, _newton(quartic, low, low, high), _newton(quartic, high, low, high)]


def _newton(quartic: tuple[Floats, ...], start: Floats, low: Floats, high: Floats) -> Floats:
    """Newton's method on all quartics at once, kept within the intervals; those that have settled are left alone."""
    root = start.copy()
    active = np.arange(root.size)
    for _ in range(NEWTON_STEPS):
        q4, q3, q1, q0 = (coefficient[active] for coefficient in quartic)
        r = root[active]
        value = ((q4 * r + q3) * r * r + q1) * r + q0
        slope = (4 * q4 * r + 3 * q3) * r * r + q1
        moved = np.clip(r - value / slope, low[active], high[active])
        moved = np.where(np.isfinite(moved), moved, r)
        root[active] = moved
        active = active[np.abs(moved - r) > SETTLED * r]
        if not active.size:
            break
    return root


def _at_ratio(triples: Triples, r: Floats, *, of_sines: bool) -> Floats:
    """The condition number for one r: (1 + sin ψ)²/cos²ψ, sine and cosine both from sums without cancellation.

    At the ratio of the sines, √(Y/Z), w is orthogonal to v and only x is left to be turned away from: cos²ψ = 2rg(1 −
    γ)/|w|² with g = √(YZ). For coplanar triples with x between y and z, h is 0/0 there and this is its limit.
    """
    a, b, sin_a, sin_b = _angles(triples)
    g = sin_a * sin_b
    gap = np.zeros_like(r) if of_sines else sin_a - r * sin_b
    across = (a - r * b) ** 2 + gap * gap + 2 * r * g * triples.apart  # |w|²
    if of_sines:
        cosine2, slant = 2 * r * g * triples.apart, gap
    else:
        along = gap * gap + 2 * r * g * triples.along  # |v|² beside x
        cosine2 = 4 * r * r * g * g * triples.apart * triples.along / along
        slant = gap * gap * (sin_a + r * sin_b) ** 2 / along
    sine = np.sqrt(((a - r * b) ** 2 + slant) / across)
    found: Floats = (1 + sine) ** 2 / (cosine2 / across)
    return np.where(np.isnan(found), np.inf, found)
