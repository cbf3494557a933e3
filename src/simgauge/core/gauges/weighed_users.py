"""Users weighed by the size of their predictions: how much those count who are predicted much of everything."""

from __future__ import annotations

from typing import Any

import numpy as np

from simgauge.core.gauges.canonical import CanonicalCore, Center, canonical_core, center_of, centered_sides
from simgauge.core.tables.algebra import column_means, triangular_factor
from simgauge.core.tables.arrays import beside, doubled, namespace, to_host
from simgauge.core.tables.kinds import Array, Matrix, Table
from simgauge.core.tables.tables import apply_rows
from simgauge.errors import ParameterError


def weighed_core(users: Table, items: Table, center: Center = "none", user_norm_power: float = 1.0) -> CanonicalCore:
    """Canonical form of the predictions with every user's row scaled to norm^γ.

    With predictions ``Y = P Qᵀ`` (of the centred tables) it is the core of ``diag(‖y_u‖^(γ−1)) Y``: at α = 1 the cosine
    of its columns. γ = 1 is `canonical_core`; at γ = 0 every user counts the same, however long their vector.

    Parameters
    ----------
    users, items : ndarray, tensor or RowParts, shape (n_users, k), (n_items, k)
        P and Q.
    center : {"none", "items", "users", "both"}
    user_norm_power : float in [0, 1]
        γ.

    Gauge
    -----
    As for `canonical_core`: norms of predictions do not depend on the gauge. The map of the items is still linear, so
    that users of *another* scale exist which keep every dot product: `power_map` of this core gives them.

    Raises
    ------
    ParameterError
        `user_norm_power` outside [0, 1].
    """
    check_user_norm_power(user_norm_power)
    if user_norm_power == 1:
        return canonical_core(users, items, center)
    sides = centered_sides(center)
    k = items.shape[1]
    user_mean = column_means(users) if "users" in sides else np.zeros(k)
    item_mean = column_means(items) if "items" in sides else np.zeros(k)
    factor = triangular_factor(items, item_mean).T
    typical = float(np.linalg.norm(triangular_factor(users, user_mean) @ factor)) / np.sqrt(max(1, users.shape[0]))
    weighed = apply_rows(users, _weighed, k, user_mean, factor / typical if typical > 0 else factor, user_norm_power)
    return canonical_core(weighed, items, center_of(sides - {"users"}))


def check_user_norm_power(value: float) -> None:
    """Raise ParameterError unless `value` is a number from 0 to 1."""
    if not 0 <= value <= 1:
        raise ParameterError(f"user_norm_power={value}: expected a number from 0 (all users alike) to 1 (as they are).")


def _weighed(block: Array, _: int, mean: Matrix, factor: Matrix, power: float) -> Array:
    """Rows scaled by the size of their predictions, relative to the typical one, to the power γ − 1."""
    wide = doubled(block)
    wide = wide - beside(mean, wide)
    sizes = np.linalg.norm(to_host(wide @ beside(factor, wide)), axis=1)
    scale = np.power(sizes, power - 1.0, out=np.zeros_like(sizes), where=sizes > 0)
    result: Any = wide * beside(scale[:, None], wide)
    return namespace(block).astype(result, block.dtype)
