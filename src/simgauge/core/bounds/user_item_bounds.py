"""How far the cosine of a user and an item can move while their dot product stays: bounds in closed form, and
metrics."""

from __future__ import annotations

import numpy as np

from simgauge.core.tables.arrays import beside, namespace
from simgauge.core.tables.kinds import Array
from simgauge.core.tables.tensor_precision import row_lengths, row_sums

ROUNDING = 8 * float(np.finfo(np.float64).eps)
"""Length below which a difference of unit vectors is rounding."""


def user_item_bounds(users: Array, items: Array, kappa: float, _tiny: float = 0.0) -> tuple[Array, Array, Array, Array]:
    """Lowest and highest p·q / √(p M⁻¹ p · q M q) of unit rows over all metrics with cond(M) <= κ, and the axes of
    both.

    For an acute angle φ, tan(45° + φ'/2) runs over [1/√κ, √κ] · tan(45° + φ/2), clipped at φ' = 0:

        low  = 2√κ cos φ / ((κ + 1) + (κ − 1) sin φ)
        high = 2√κ cos φ / ((κ + 1) − (κ − 1) sin φ),  or 1 once κ >= (1 + sin φ)/(1 − sin φ).

    An obtuse angle follows from q -> −q, so the sign never changes, and orthogonal vectors stay orthogonal: the dot
    product is the same in every gauge. The bounds are attained by M = I + (κ' − 1) e eᵀ, with e in the plane of p and q
    at 45° from their bisector, on the side of p for the high bound (M turns q towards p) and on the side of q for the
    low one, κ' <= κ. In two dimensions that is the maximum over all axes; from more dimensions it was attacked and not
    proved.

    Returns
    -------
    low, high : (n,)
    low_axes, high_axes : (n, n_components)
        √((κ' − 1)/(κ − 1)) e, so that M = I + (κ − 1) e eᵀ; zero where κ is 1 or inf, and for orthogonal vectors.
    """
    xp = namespace(users)
    dot = row_sums(users * items)
    sign = xp.where(dot < 0, -1.0, 1.0)
    towards = items * sign[:, None]
    apart, along = row_lengths(users - towards), row_lengths(users + towards)
    cosine, sine = xp.abs(dot), apart * along / 2
    if users.shape[1] == 1:  # a single component has no metric but its scale
        return dot, dot, 0 * users, 0 * users
    if np.isinf(kappa):
        one = xp.ones_like(dot)
        low, high, reached = 0 * one, xp.where(cosine > 0, one, 0 * one), one
    else:
        root = 2 * np.sqrt(kappa) * cosine
        reached = xp.minimum(xp.full_like(sine, kappa), (1 + sine) / xp.clip(1 - sine, 1e-300))
        low = root / ((kappa + 1) + (kappa - 1) * sine)
        high = xp.where(reached < kappa, 1.0, root / ((kappa + 1) - (kappa - 1) * sine))
        high = xp.where(cosine > 0, high, 0.0)
    low, high = sign * low, sign * high
    low, high = xp.minimum(low, high), xp.maximum(low, high)
    return low, high, *_axes(users, towards, sign, cosine, reached, kappa)


def _axes(users: Array, items: Array, sign: Array, cosine: Array, reached: Array, kappa: float) -> tuple[Array, Array]:
    """Axes of the low and the high bound; for obtuse angles the two change places."""
    xp = namespace(users)
    if kappa == 1 or np.isinf(kappa):
        return 0 * users, 0 * users
    bisector = users + items
    bisector = bisector / row_lengths(bisector)[:, None]
    across = users - items
    parallel = row_lengths(across) <= ROUNDING  # then every direction across will do
    across = xp.where(parallel[:, None], _orthogonal(users), across)
    across = across - bisector * row_sums(across * bisector)[:, None]
    across = across / row_lengths(across)[:, None]
    closing = xp.sqrt((reached - 1) / (kappa - 1) / 2)[:, None] * (bisector + across)
    opening = (bisector - across) / np.sqrt(2)
    alive = (cosine > 0)[:, None]
    closing, opening = xp.where(alive, closing, 0 * closing), xp.where(alive, opening, 0 * opening)
    obtuse = (sign < 0)[:, None]
    return xp.where(obtuse, closing, opening), xp.where(obtuse, opening, closing)


def _orthogonal(rows: Array) -> Array:
    """A unit vector orthogonal to each unit row: the axis in which the row is smallest, less its part along the row."""
    xp = namespace(rows)
    place = xp.argmin(xp.abs(rows), axis=1)
    axes = beside(np.eye(rows.shape[1]), rows)[place]
    axes = axes - rows * row_sums(rows * axes)[:, None]
    return axes / row_lengths(axes)[:, None]
