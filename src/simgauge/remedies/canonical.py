"""The canonical gauge of the model's own predictions: no retraining, nothing learned that the model did not say."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from simgauge.core.gauges.canonical import (
    CanonicalCore,
    Center,
    GaugeMap,
    center_of,
    centered_sides,
    check_center,
    power_map,
    scale_norms,
    whitening_map,
)
from simgauge.core.gauges.weighed_users import check_user_norm_power, weighed_core
from simgauge.core.tables.kinds import FloatTable
from simgauge.embedding import Embedding
from simgauge.errors import ParameterError
from simgauge.interactions import Interactions
from simgauge.remedies.affine import AffineRemedy
from simgauge.remedies.remedy import CHANGED, KEPT, RANKINGS_KEPT

_CORES: WeakKeyDictionary[Embedding, dict[tuple[Center, float], CanonicalCore]] = WeakKeyDictionary()
"""Canonical forms of embeddings that are still in use: every power and norm power shares them (k x k each)."""


class CanonicalGauge(AffineRemedy):
    """Items as ``Z(α) = V diag(s^α)``, where ``users @ items.T = U diag(s) Vᵀ``, and the users that belong to them.

    Parameters
    ----------
    power : float, -4 to 4
        α. 0 whitened, ½ balanced, 1 projected back to the data space, above 1: strong directions weigh more.
    center : {"none", "items", "users", "both"}
        Sides whose mean vector is subtracted. "users" turns the cosine at α = 1 into the correlation of predicted
        columns. "items" takes out what all items share, which a softmax or a ranking loss leaves open. "both" does
        both.
    norm_power : float in [0, 1], optional
        γ: rows scaled to norm^γ in this gauge, from cosine (0) to dot (1), and compared by dot product when γ > 0. Rows
        are left alone when not given, and compared by cosine.
    user_norm_power : float in [0, 1]
        How much more users count whose predictions are large, when the gauge is computed: norm of their predictions to
        this power. 1: as they are; 0: all users alike, so that active ones do not decide alone. No effect at α = 0.

    Gauge
    -----
    Invariant: the same items, up to rotation, whatever gauge the embedding came in, and whatever vector was added to
    all rows of a centred side. Dot products are kept for `center` "none" and, unless centring removes a direction, for
    "users"; up to one constant per user with centred items; not with a `norm_power` below 1.

    Raises
    ------
    InputError
        Items only, and power is not 0 or users are to be centred: pass a sample of the other side as users.

    References
    ----------
    arXiv 2403.05440, remedy 2 of section 3: it projects users (α = 0 here); α = 1 does the same for items.

    Examples
    --------
    >>> embedding = Embedding([[2.0, 0.0], [1.0, 1.0]], users=[[3.0, 0.0], [0.0, 1.0]])
    >>> remedy = CanonicalGauge(power=1.0).fit(embedding)
    >>> remedy.name, remedy.keeps_predictions_
    ('canonical(power=1, center=none)', True)
    >>> moved = remedy.transform(embedding)
    >>> (moved.users @ moved.items.T).round(6)
    array([[6., 3.],
           [0., 1.]])
    """

    def __init__(
        self,
        power: float = 1.0,
        center: Center = "none",
        norm_power: float | None = None,
        user_norm_power: float = 1.0,
    ) -> None:
        self.power = power
        self.center = center
        self.norm_power = norm_power
        self.user_norm_power = user_norm_power

    @property
    def name(self) -> str:
        """Parameters that are not left out."""
        gamma = "" if self.norm_power is None else f", norm_power={self.norm_power:g}"
        users = "" if self.user_norm_power == 1 else f", user_norm_power={self.user_norm_power:g}"
        return f"canonical(power={self.power:g}, center={self.center}{gamma}{users})"

    @property
    def needs_users(self) -> bool:
        """All but α = 0 without centred users: the gauges that items alone have."""
        return self.power != 0 or "users" in centered_sides(self.center)

    @property
    def keeps_predictions(self) -> bool | None:
        """True or False where the parameters decide it; None for centred users, where a direction may be lost."""
        if "items" in centered_sides(self.center) or self.norm_power not in (None, 1, 1.0):
            return False
        return True if self.center == "none" else None

    @property
    def metric(self) -> str:
        """Dot when rows carry norm^γ."""
        return "dot" if self.norm_power else "cosine"

    def _check_parameters(self) -> None:
        check_center(self.center)
        if not -4 <= self.power <= 4:
            raise ParameterError(f"power={self.power}: expected 0 (whitened) to 1 (projected back), or up to 4.")
        if self.norm_power is not None and not 0 <= self.norm_power <= 1:
            raise ParameterError(f"norm_power={self.norm_power}: expected None or a number from 0 (cosine) to 1 (dot).")
        check_user_norm_power(self.user_norm_power)

    def _map_of(self, embedding: Embedding, interactions: Interactions | None) -> tuple[GaugeMap, str]:  # noqa: ARG002
        if embedding.users is None:
            fitted, kept = whitening_map(embedding.items, self.center), True
        else:
            core = shared_core(embedding, self.center, self.user_norm_power)
            fitted = power_map(core, self.power)
            # centring the users can remove a direction that only the mean user had: a bias of the items, say
            uncentred = center_of(centered_sides(self.center) - {"users"})
            kept = core.rank == shared_core(embedding, uncentred).rank
        if self.norm_power not in (None, 1, 1.0) or not kept:
            return fitted, CHANGED
        return fitted, RANKINGS_KEPT if "items" in centered_sides(self.center) else KEPT

    def _gauge_of(self, embedding: Embedding) -> dict[str, Any]:  # noqa: ARG002
        """The provenance names it, so that nobody takes it for what training left."""
        about = {"power": float(self.power), "center": self.center, "norm_power": self.norm_power}
        if self.user_norm_power != 1:
            about["user_norm_power"] = float(self.user_norm_power)
        return {"gauge": {"name": "canonical", **about, "predictions_kept": self.keeps_predictions_}}

    def _move_items(self, table: FloatTable) -> FloatTable:
        items = super()._move_items(table)
        return items if self.norm_power is None else scale_norms(items, self.norm_power)


def shared_core(embedding: Embedding, center: Center = "none", user_norm_power: float = 1.0) -> CanonicalCore:
    """`weighed_core` of an embedding's two tables, computed once per embedding, kind of centring and weight of users.

    Kept as long as the embedding is; an Embedding is frozen, so it cannot go stale unless an array it was made from is
    written to.
    """
    cores, key = _CORES.setdefault(embedding, {}), (center, float(user_norm_power))
    if key not in cores:
        assert embedding.users is not None  # checked by fit
        cores[key] = weighed_core(embedding.users, embedding.items, center, user_norm_power)
    return cores[key]
