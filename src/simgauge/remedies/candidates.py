"""The grid a selection starts from: what fits the data at hand, "leave it alone" first."""

from __future__ import annotations

from collections.abc import Iterator

from simgauge.core.gauges.canonical import Center
from simgauge.embedding import Embedding
from simgauge.interactions import Interactions
from simgauge.remedies.all_but_the_top import AllButTheTop
from simgauge.remedies.baselines import Baseline, EaseWeights, RawColumns
from simgauge.remedies.canonical import CanonicalGauge
from simgauge.remedies.centering import Centering
from simgauge.remedies.chain import Chain
from simgauge.remedies.csls import CSLS
from simgauge.remedies.leave_alone import LeaveAlone
from simgauge.remedies.local_scaling import LocalScaling
from simgauge.remedies.norm_discounting import NormDiscounting
from simgauge.remedies.refit_family import RefitFamily
from simgauge.remedies.remedy import Remedy
from simgauge.remedies.standardizing import Standardizing
from simgauge.remedies.whitening import PopularityWhitening, Whitening

POWERS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
CENTERS: tuple[Center, ...] = ("none", "users", "both")
NORM_POWERS = (0.25, 0.5)
POWERS_WITH_NORMS = (0.5, 0.75, 1.0, 1.25)
"""Norm powers are tried where norms have been seen to help; the full product would triple the count."""

MAX_EASE_ITEMS = 10_000
"""EASE inverts a dense matrix of the items, in a minute at this size; it can be asked for up to three times as many."""

MAX_NEIGHBOR_ITEMS = 100_000
"""Beyond this many items, neighbour-level remedies are left out: they search for the neighbours of every item first."""


def default_candidates(embedding: Embedding, interactions: Interactions | None = None) -> list[Remedy]:
    """A moderate grid of remedies that can be fitted with what is given, `LeaveAlone` first.

    Parameters
    ----------
    embedding : Embedding
        Two tables: canonical gauges, 20 of α and centring (α = 0 has no use for centred users) and 24 with norms.
        One table: the gauge α = 0 and partial whitenings in their place.
    interactions : Interactions, optional
        With them: popularity-weighted remedies and refits, from seven decompositions.

    Returns
    -------
    list of Remedy
        Not fitted. 56 for two tables, 85 with interactions; 18 and 47 for one table; 5 (one table: 4) fewer above
        `MAX_NEIGHBOR_ITEMS` items.

    Numerics
    --------
    The canonical forms (one per kind of centring) are computed once and shared, and so is the decomposition of each
    weighting; what is left per candidate is one product of the items with a k x k matrix.

    Examples
    --------
    >>> import numpy as np
    >>> embedding = Embedding(np.eye(4), users=np.eye(4) + 1)
    >>> candidates = default_candidates(embedding)
    >>> candidates[0].name, len(candidates)
    ('leave alone(cosine)', 56)
    """
    candidates: list[Remedy] = [LeaveAlone(), LeaveAlone(metric="dot")]
    candidates += _canonical(embedding)
    candidates += _geometric(embedding)
    if embedding.n_items <= MAX_NEIGHBOR_ITEMS:
        candidates += _of_the_search(embedding)
    if interactions is not None:
        candidates += _by_popularity()
        candidates += _refits()
    return candidates


def single_candidates(
    embedding: Embedding, interactions: Interactions | None = None, *, vectors_only: bool = True
) -> list[Remedy]:
    """What a search compares beside its families: candidates without numbers to search over.

    Parameters
    ----------
    embedding : Embedding
    interactions : Interactions, optional
    vectors_only : bool
        Without remedies that change the search for neighbours.
    """
    candidates: list[Remedy] = [LeaveAlone(metric="dot"), *_geometric(embedding)]
    if not vectors_only and embedding.n_items <= MAX_NEIGHBOR_ITEMS:
        candidates += _of_the_search(embedding)
    if interactions is not None:
        candidates += _by_popularity()
    return candidates


def _by_popularity() -> Iterator[Remedy]:
    for exponent in (0.5, 1.0):
        yield PopularityWhitening(exponent)
    for strength in (-0.5, -0.25, 0.25, 0.5):
        yield NormDiscounting(strength)


def default_references(interactions: Interactions) -> list[Baseline]:
    """What the interactions say without an embedding: cosine of raw columns and EASE weights, each plain and weighted.

    EASE is left out above `MAX_EASE_ITEMS` items, since it inverts a dense matrix of them.

    Examples
    --------
    >>> for reference in default_references(Interactions([[1.0, 1.0], [1.0, 0.0]])):
    ...     print(reference.name)
    raw columns (cosine)
    raw columns(user_exponent=0.25, norm_power=0.4)
    EASE weights
    EASE weights(strength=10)
    EASE weights(item_exponent=0.5, user_exponent=0.25, strength=10)
    """
    references: list[Baseline] = [RawColumns(), RawColumns(user_exponent=0.25, norm_power=0.4)]
    if interactions.n_items <= MAX_EASE_ITEMS:
        references += [EaseWeights(), EaseWeights(strength=10.0)]
        references += [EaseWeights(item_exponent=0.5, user_exponent=0.25, strength=10.0)]
    return references


def _canonical(embedding: Embedding) -> Iterator[Remedy]:
    if embedding.users is None:
        yield CanonicalGauge(power=0.0)
        for norm_power in NORM_POWERS:
            yield CanonicalGauge(power=0.0, norm_power=norm_power)
        return
    for power in POWERS:
        for center in CENTERS:
            if power == 0 and center == "users":
                continue  # V is then the same up to rotation, whether users are centred or not
            yield CanonicalGauge(power, center)
            if power in POWERS_WITH_NORMS:
                for norm_power in NORM_POWERS:
                    yield CanonicalGauge(power, center, norm_power)


def _geometric(embedding: Embedding) -> Iterator[Remedy]:
    yield Centering()
    width = embedding.n_components
    if width > 1:
        yield Standardizing()
        if embedding.users is None:
            yield Whitening()  # for two tables it is the canonical gauge α = 0 with both sides centred
        yield Whitening(shrinkage=0.1)
        yield AllButTheTop()
        if width > 3:
            yield AllButTheTop(n_remove=3)
    if embedding.users is None and width > 1:
        for strength in (0.25, 0.5, 0.75):
            yield Whitening(strength=strength)


def _of_the_search(embedding: Embedding) -> Iterator[Remedy]:
    yield CSLS()
    yield LocalScaling("nicdm")
    yield LocalScaling("exponential")
    if embedding.users is None:
        yield Chain([Centering(), CSLS()])
    else:
        yield Chain([CanonicalGauge(1.0, "users"), CSLS()])
        yield Chain([CanonicalGauge(1.0, "users"), LocalScaling("nicdm")])


def _refits() -> Iterator[Remedy]:
    for item_exponent in (0.25, 0.5):
        weighting = {"item_exponent": item_exponent, "user_exponent": 0.5, "norm_power": 0.25}
        yield from RefitFamily("propensity", weighting, powers=(1.0, 1.5))
    yield from RefitFamily("none", powers=(0.5, 1.0))
    for scaling in (0.0, 0.5):
        yield from RefitFamily("eigenrec", {"scaling": scaling}, powers=(0.5, 1.0, 1.5))
    yield from RefitFamily("standardize", powers=(0.5, 1.0, 1.5))
    # for weights of 0 and 1, inverse propensity in items alone is column scaling: only users are added here
    yield from RefitFamily("propensity", {"item_exponent": 0.0, "user_exponent": 0.5}, powers=(0.5, 1.0))
    yield from RefitFamily("propensity", {"item_exponent": 0.5, "user_exponent": 0.5}, powers=(0.5, 1.0, 1.5))
    yield from RefitFamily("damping", powers=(0.5, 1.0, 1.5))
