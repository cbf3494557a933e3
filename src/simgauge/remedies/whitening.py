"""Whitening of the items, plain and weighted by popularity."""

from __future__ import annotations

import warnings

import numpy as np

from simgauge.core.gauges.canonical import GaugeMap
from simgauge.core.gauges.whitening import whitening_from_axes
from simgauge.core.matrices.reweighting import check_exponent
from simgauge.core.tables.principal_axes import PrincipalAxes, principal_axes
from simgauge.embedding import Embedding
from simgauge.errors import RankWarning
from simgauge.interactions import Interactions
from simgauge.parameters import check_integer
from simgauge.remedies.affine import AffineRemedy
from simgauge.remedies.remedy import CHANGED, KEPT, RANKINGS_KEPT


class Whitening(AffineRemedy):
    """Items with mean 0 and the identity as covariance: ``(x − μ) U Λ^(−τ/2)``.

    Parameters
    ----------
    n_components : int, optional
        Keep the strongest directions of the items only; all when not given.
    shrinkage : float in [0, 1]
        ρ: variances are replaced by ``(1 − ρ) Λ + ρ mean(Λ)``.
    strength : float in [0, 1]
        τ: 1 whitens, below it relaxes, 0 only centres and rotates.
    center : bool
        Subtract the mean item first. Without, second moments take the place of the covariance.

    Gauge
    -----
    Invariant, up to rotation, with all components, shrinkage 0 and strength 1; otherwise the result depends on the
    gauge of the incoming items. Dot products with the users are kept without centring and with all components, up to
    one constant per user with centring. What it costs: directions that hold nothing but noise weigh as much as any.

    Warns
    -----
    RankWarning
        The covariance is singular: directions without spread are left out (nothing is lost by it).

    References
    ----------
    Su et al. (2021), arXiv 2103.15316.

    Examples
    --------
    >>> embedding = Embedding([[1.0, 0.0], [3.0, 0.0], [2.0, 0.3], [2.0, -0.3]])
    >>> white = Whitening().fit_transform(embedding).items
    >>> np.cov(white.T, bias=True).round(6) + 0.0
    array([[1., 0.],
           [0., 1.]])
    """

    def __init__(
        self, n_components: int | None = None, shrinkage: float = 0.0, strength: float = 1.0, center: bool = True
    ) -> None:
        self.n_components = n_components
        self.shrinkage = shrinkage
        self.strength = strength
        self.center = center

    @property
    def name(self) -> str:
        """Parameters that are not left at their defaults."""
        return _name("whitening", self)

    @property
    def keeps_predictions(self) -> bool | None:
        """False with centring; else None, because `n_components` may or may not cut."""
        return False if self.center else None

    def _map_of(self, embedding: Embedding, interactions: Interactions | None) -> tuple[GaugeMap, str]:  # noqa: ARG002
        return _whitened(self, principal_axes(embedding.items, center=self.center), every_item_counts=True)


class PopularityWhitening(AffineRemedy):
    """Whitening with means and covariances in which an item counts as ``popularity^exponent``.

    Parameters
    ----------
    exponent : float, -2 to 2
        1: as often as it was used, so that what is whitened is the stream of uses; 0: plain whitening.
    n_components, shrinkage, strength, center
        As for `Whitening`.

    Gauge
    -----
    As for `Whitening`: the weights come from outside the embedding and do not depend on its gauge.

    References
    ----------
    Whitening by word frequency is Yokoi et al. (2024), Zipfian whitening, arXiv 2411.00680; here the frequency is the
    number of users of an item.

    Examples
    --------
    >>> embedding = Embedding([[1.0, 0.0], [3.0, 0.0], [2.0, 0.3], [2.0, -0.3]])
    >>> used = Interactions([[1.0, 1.0, 1.0, 0.0], [0.0, 1.0, 1.0, 1.0]])
    >>> white = PopularityWhitening().fit_transform(embedding, used).items
    >>> (used.item_counts @ white).round(6) + 0.0
    array([0., 0.])
    """

    def __init__(
        self,
        exponent: float = 1.0,
        n_components: int | None = None,
        shrinkage: float = 0.0,
        strength: float = 1.0,
        center: bool = True,
    ) -> None:
        self.exponent = exponent
        self.n_components = n_components
        self.shrinkage = shrinkage
        self.strength = strength
        self.center = center

    @property
    def name(self) -> str:
        """Parameters that are not left at their defaults."""
        return _name("popularity whitening", self)

    @property
    def needs_interactions(self) -> bool:
        """For the popularity."""
        return True

    @property
    def keeps_predictions(self) -> bool | None:
        """False with centring; else None."""
        return False if self.center else None

    def _check_parameters(self) -> None:
        check_exponent(self.exponent, "exponent")

    def _map_of(self, embedding: Embedding, interactions: Interactions | None) -> tuple[GaugeMap, str]:
        assert interactions is not None  # checked by fit
        counts = interactions.item_counts.astype(np.float64)
        used = counts > 0
        weights = np.where(used, np.where(used, counts, 1.0) ** self.exponent, 0.0)
        axes = principal_axes(embedding.items, weights, center=self.center)
        return _whitened(self, axes, every_item_counts=bool(used.all()))


def _whitened(
    remedy: Whitening | PopularityWhitening, axes: PrincipalAxes, every_item_counts: bool
) -> tuple[GaugeMap, str]:
    width = len(axes.mean)
    if remedy.shrinkage == 0 and remedy.strength > 0 and axes.rank < width:
        warnings.warn(
            f"{remedy.name}: the items spread over {axes.rank} of {width} directions; the others are left out. Pass a "
            "shrinkage above 0 to keep them.",
            RankWarning,
            stacklevel=5,
        )
    if remedy.n_components is not None:
        check_integer(remedy.n_components, "n_components", 1, width, hint="None keeps every direction.")
    fitted = whitening_from_axes(axes, remedy.n_components, remedy.shrinkage, remedy.strength)
    complete = fitted.item_matrix.shape[1] == width
    if not complete and not (every_item_counts and fitted.item_matrix.shape[1] >= axes.rank):
        return fitted, CHANGED
    return fitted, RANKINGS_KEPT if remedy.center else KEPT


def _name(kind: str, remedy: AffineRemedy) -> str:
    defaults = {"n_components": None, "shrinkage": 0.0, "strength": 1.0, "center": True, "exponent": None}
    given = [f"{key}={value}" for key, value in remedy.get_params().items() if value != defaults[key]]
    return f"{kind}({', '.join(given)})" if given else kind
