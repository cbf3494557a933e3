"""Gauges of a dot-product model: the canonical form of its predictions, and the maps that lead to any gauge."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import scipy.linalg

from simgauge.core.tables.algebra import (
    affine_map,
    column_means,
    numerical_rank,
    rank_tolerance,
    table_eps,
    triangular_factor,
)
from simgauge.core.tables.arrays import beside, doubled, namespace, numpy_dtype
from simgauge.core.tables.kinds import Array, Matrix, Table
from simgauge.core.tables.tables import apply_rows, norms_of_block
from simgauge.errors import InputError, ParameterError
from simgauge.parameters import check_choice

Center = Literal["none", "items", "users", "both"]
"""Sides whose mean vector is subtracted, and, of a loss, sides that may shift unseen."""

_SIDES: dict[Center, frozenset[str]] = {
    "none": frozenset(),
    "items": frozenset({"items"}),
    "users": frozenset({"users"}),
    "both": frozenset({"items", "users"}),
}


@dataclass(frozen=True, eq=False)
class CanonicalCore:
    """The k x k heart of a pair of tables, from which every invariant follows.

    With ``P = Q_P R_P`` and ``Q = Q_Q R_Q`` (thin QR) and ``R_P R_Qᵀ = U_c diag(s) V_cᵀ``, the predictions are
    ``P Qᵀ = U diag(s) Vᵀ`` where ``V = Q · right_map`` and ``U = P · left_map``.
    """

    singular_values: Matrix
    """s (r,), non-increasing, positive: the singular values of the predicted matrix ``P Qᵀ``."""
    left_map: Matrix
    """(k, r): ``U = P @ left_map``."""
    right_map: Matrix
    """(k, r): ``V = Q @ right_map``."""
    right_inverse: Matrix
    """(k, r): ``Qᵀ V``; the users' side of every gauge is made of it."""
    user_mean: Matrix
    """(k,): subtracted from P before, zero unless users are centred."""
    item_mean: Matrix
    """(k,): subtracted from Q before, zero unless items are centred."""

    @property
    def rank(self) -> int:
        """Directions that the predictions have; at most the number of columns of the tables."""
        return len(self.singular_values)


@dataclass(frozen=True, eq=False)
class GaugeMap:
    """An affine change of gauge: ``items -> (items − item_mean) @ item_matrix``, ``users -> users @ user_matrix``."""

    item_matrix: Matrix
    """(k, r)."""
    user_matrix: Matrix
    """(k, r): chosen so that dot products are those of ``users @ (items − item_mean).T``."""
    item_mean: Matrix
    """(k,)."""

    def apply_items(self, items: Table) -> Any:
        """Item vectors in the new gauge, (n, r), in the dtype they came in and where they lie."""
        return affine_map(items, self.item_mean, self.item_matrix)

    def apply_users(self, users: Table) -> Any:
        """User vectors in the new gauge, (n, r), in the dtype they came in and where they lie."""
        return affine_map(users, np.zeros(users.shape[1]), self.user_matrix)


def canonical_core(users: Table, items: Table, center: Center = "none") -> CanonicalCore:
    """Canonical form of a pair of tables, without forming anything larger than the tables.

    Parameters
    ----------
    users : ndarray, tensor or RowParts, shape (n_users, k)
        P.
    items : ndarray, tensor or RowParts, shape (n_items, k)
        Q.
    center : {"none", "items", "users", "both"}
        Sides whose mean vector is subtracted first. Means transform with the gauge, so the result does not depend on it
        either; and with a side centred it does not depend on a shift of that side (one vector added to all its rows).

    Returns
    -------
    CanonicalCore
        float64.

    Gauge
    -----
    The same for ``P G + 1 dᵀ`` and ``Q G⁻ᵀ + 1 cᵀ``, where d = 0 unless users and c = 0 unless items are centred. s is
    unique; columns of U and V up to a common sign, which is not fixed here, and up to a rotation among equal
    singular values.

    Numerics
    --------
    Two passes over each table (Cholesky-QR twice), Householder QR where a table is ill-conditioned. Directions
    with ``s <= 4 √k ε s_1`` (ε of the coarser table) are rounding noise and are left out.

    Raises
    ------
    InputError
        The predictions are all zero (nothing to canonicalise).

    References
    ----------
    Fukaya et al. (2014), CholeskyQR2.
    """
    check_center(center)
    k = items.shape[1]
    centred = centered_sides(center)
    user_mean = column_means(users) if "users" in centred else np.zeros(k)
    item_mean = column_means(items) if "items" in centred else np.zeros(k)
    R_users = triangular_factor(users, user_mean)
    R_items = triangular_factor(items, item_mean)
    left, s, right_t = scipy.linalg.svd(R_users @ R_items.T, full_matrices=False)
    eps = max(table_eps(users), table_eps(items))
    rank = numerical_rank(s, eps)
    if rank == 0:
        after = " after centring" if centred else ""
        raise InputError(f"all predictions users @ items.T are zero{after}: there is no canonical form.")
    left, s, right = left[:, :rank], s[:rank], right_t[:rank].T
    return CanonicalCore(
        singular_values=s,
        left_map=_pinv(R_users, eps) @ left,
        right_map=_pinv(R_items, eps) @ right,
        right_inverse=R_items.T @ right,
        user_mean=user_mean,
        item_mean=item_mean,
    )


def power_map(core: CanonicalCore, power: float) -> GaugeMap:
    """The gauge ``Z(α) = V diag(s^α)`` as a map of the tables.

    The users' side is ``P Qᵀ V s^(−α)``, which equals ``U s^(1−α)`` without centring, and keeps every dot
    product of the *uncentred* users with the items: centring the users only selects another gauge. With centred items Q
    is ``Q − 1 meanᵀ`` here, and each user's dot products differ from those before by one constant.

    Parameters
    ----------
    core : CanonicalCore
        Of the tables the map will be applied to.
    power : float, finite
        α: 0 whitened, ½ balanced, 1 projected back to the data space, more weighs strong directions more.
    """
    if not np.isfinite(power):
        raise ParameterError(f"power={power}: expected a finite number, 0 (whitened) to 1 (projected back) or more.")
    scale = core.singular_values**power
    return GaugeMap(core.right_map * scale, core.right_inverse / scale, core.item_mean)


def whitening_map(items: Table, center: Center = "none") -> GaugeMap:
    """The gauge α = 0 from the items alone: ``Q (QᵀQ)^(−½)`` up to rotation, of the centred items where asked.

    Centring the users changes nothing here: it moves the spectrum of the predictions, which α = 0 does not look at.
    """
    k = items.shape[1]
    mean = column_means(items) if "items" in centered_sides(center) else np.zeros(k)
    R = triangular_factor(items, mean)
    eps = table_eps(items)
    _, s, right_t = scipy.linalg.svd(R, full_matrices=False)
    rank = numerical_rank(s, eps)
    if rank == 0:
        same = "the same" if mean.any() else "zero"
        raise InputError(f"all item vectors are {same}: there is nothing to whiten.")
    right = right_t[:rank].T
    return GaugeMap(right / s[:rank], right * s[:rank], mean)


def centered_sides(center: Center) -> frozenset[str]:
    """The sides that a kind of centring subtracts the mean of.

    Examples
    --------
    >>> sorted(centered_sides("both"))
    ['items', 'users']
    """
    return _SIDES[center]


def center_of(sides: Iterable[str]) -> Center:
    """The kind of centring for some sides, the inverse of `centered_sides`.

    Examples
    --------
    >>> center_of({"items"}), center_of([])
    ('items', 'none')
    """
    wanted = frozenset(sides)
    return next(center for center, own in _SIDES.items() if own == wanted)


def scale_norms(vectors: Table, norm_power: float) -> Any:
    """Rows scaled to norm^γ: γ = 0 unit rows, γ = 1 unchanged. Zero rows stay zero."""
    if not 0 <= norm_power <= 1:
        raise ParameterError(f"norm_power={norm_power}: expected a number from 0 (cosine) to 1 (dot).")
    return apply_rows(vectors, _scaled_block, vectors.shape[1], norm_power)


def _scaled_block(block: Array, _: int, norm_power: float) -> Array:
    norms = norms_of_block(block)
    scale = np.power(norms, norm_power - 1.0, out=np.zeros_like(norms), where=norms > 0)
    with np.errstate(over="ignore"):
        typed = scale.astype(numpy_dtype(block))
    if np.isfinite(typed).all():
        return block * beside(typed[:, None], block)
    wide = doubled(block)
    return namespace(block).astype(wide * beside(scale[:, None], wide), block.dtype)


def check_center(center: str) -> None:
    """Raise unless `center` is one of the known choices."""
    check_choice(center, "center", get_args(Center))


def _pinv(R: Matrix, eps: float) -> Matrix:
    return np.asarray(scipy.linalg.pinv(R, rtol=rank_tolerance(R.shape[1], eps)))
