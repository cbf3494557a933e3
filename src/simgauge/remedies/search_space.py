"""Where a search for candidates starts and which steps it can take: ladders of numbers, one family a kind of remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

from simgauge.embedding import Embedding
from simgauge.interactions import Interactions
from simgauge.remedies.canonical import CanonicalGauge
from simgauge.remedies.refit import Refit
from simgauge.remedies.remedy import Remedy
from simgauge.remedies.whitening import Whitening

MAX_REFIT_NUMBERS = 1 << 25
"""Entries of the item vectors of a refit (256 MiB in float64): ranks above that of the embedding stay below it."""


class Place(NamedTuple):
    """One candidate of a family: a position on each of its ladders."""

    family: Family
    steps: tuple[int, ...]

    def remedy(self) -> Remedy:
        """The candidate, not fitted."""
        ladders = self.family.ladders
        return self.family.make(**{name: ladders[name][step] for name, step in zip(ladders, self.steps, strict=True)})


@dataclass(frozen=True, eq=False)
class Family:
    """Remedies of one kind that differ in a few parameters.

    Examples
    --------
    >>> family = Family("gauges", CanonicalGauge, {"power": (0.0, 0.5, 1.0)}, {"power": (0.5,)})
    >>> [place.remedy().name for start in family.start() for place in family.near(start)]
    ['canonical(power=0, center=none)', 'canonical(power=1, center=none)']
    """

    name: str
    make: Callable[..., Remedy]
    ladders: Mapping[str, tuple[Any, ...]]
    """Parameter -> values; neighbours on a ladder are close to each other."""
    coarse: Mapping[str, tuple[Any, ...]]
    """Parameter -> values that a search starts with; the first of the ladder where a parameter is not named."""
    unordered: frozenset[str] = frozenset()
    """Parameters whose values have no order: every other value is one step away."""

    def start(self) -> Iterator[Place]:
        """The coarse grid."""
        starts = [[ladder.index(value) for value in self.coarse.get(name, ladder[:1])] for name, ladder in self._each()]
        for steps in product(*starts):
            yield Place(self, steps)

    def near(self, place: Place) -> Iterator[Place]:
        """Places that differ in one parameter, by one step of its ladder."""
        for position, (name, ladder) in enumerate(self._each()):
            here = place.steps[position]
            there = range(len(ladder)) if name in self.unordered else (here - 1, here + 1)
            for step in there:
                if step != here and 0 <= step < len(ladder):
                    yield Place(self, (*place.steps[:position], step, *place.steps[position + 1 :]))

    def _each(self) -> list[tuple[str, tuple[Any, ...]]]:
        return list(self.ladders.items())


def search_families(embedding: Embedding, interactions: Interactions | None = None) -> list[Family]:
    """The families that fit what is given.

    Parameters
    ----------
    embedding : Embedding
        Two tables: canonical gauges by power, centring and norm power. One table: whitenings by strength and shrinkage,
        and the whitened gauge with norms.
    interactions : Interactions, optional
        With them: refits on interactions weighted by inverse propensity in items and users, and by damping; by
        rank, power and norm power.

    Examples
    --------
    >>> import numpy as np
    >>> [family.name for family in search_families(Embedding(np.eye(4), users=np.eye(4) + 1))]
    ['canonical']
    """
    families = _gauges(embedding) if embedding.users is not None else _whitenings(embedding)
    return families if interactions is None else [*families, *_refits(embedding, interactions)]


def _gauges(embedding: Embedding) -> list[Family]:  # noqa: ARG001
    ladders = {
        "power": (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0),
        "center": ("none", "users", "items", "both"),
        "norm_power": NORM_POWERS,
        "user_norm_power": (1.0, 0.5, 0.0),
    }
    coarse = {"power": (0.25, 0.75, 1.25), "center": ("none", "users", "items"), "norm_power": (None, 0.5)}
    return [Family("canonical", CanonicalGauge, ladders, coarse, frozenset({"center"}))]


def _whitenings(embedding: Embedding) -> list[Family]:
    families = [
        Family(
            "whitened gauge",
            CanonicalGauge,
            {"power": (0.0,), "center": ("none", "items"), "norm_power": NORM_POWERS},
            {"center": ("none", "items"), "norm_power": (None, 0.25)},
        )
    ]
    if embedding.n_components > 1:
        ladders = {"strength": (0.125, 0.25, 0.375, 0.5, 0.75, 1.0), "shrinkage": (0.0, 0.05, 0.1, 0.2)}
        coarse = {"strength": (0.25, 0.5, 1.0), "shrinkage": (0.0, 0.1)}
        families.append(Family("whitening", Whitening, ladders, coarse))
    return families


NORM_POWERS = (None, 0.1, 0.25, 0.5, 0.75, 1.0)
"""From the cosine to the dot product."""


def _refits(embedding: Embedding, interactions: Interactions) -> list[Family]:
    ranks = refit_ranks(embedding, interactions)
    shared = {"n_components": ranks, "power": (0.5, 1.0, 1.5, 2.0), "norm_power": NORM_POWERS}
    coarse = {
        "n_components": tuple({ranks[0]: None, rank_of(embedding, interactions): None}),
        "power": (1.0, 1.5),
        "norm_power": (None, 0.25, 1.0),
    }
    return [
        Family(
            "propensity",
            _by_propensity,
            {"item_exponent": (0.0, 0.25, 0.5, 0.75), "user_exponent": (0.0, 0.25, 0.5, 0.75), **shared},
            {"item_exponent": (0.25, 0.5), "user_exponent": (0.5,), **coarse},
        ),
        Family(
            "damping",
            _by_damping,
            {"exponent": (0.5, 0.75, 1.0), **shared},
            {"exponent": (0.75,), **coarse},
        ),
    ]


def rank_of(embedding: Embedding, interactions: Interactions) -> int:
    """The rank of the embedding, or the largest that the interactions have."""
    return min(embedding.n_components, interactions.n_users, interactions.n_items)


def refit_ranks(embedding: Embedding, interactions: Interactions) -> tuple[int, ...]:
    """Ranks to refit with, largest first: a quarter, half, once, twice and 4 times that of the embedding, and 256.

    Examples
    --------
    >>> import numpy as np
    >>> refit_ranks(Embedding(np.ones((300, 64))), Interactions(np.ones((400, 300))))
    (256, 128, 64, 32, 16)
    """
    own = rank_of(embedding, interactions)
    largest = min(interactions.n_users, interactions.n_items, max(own, 256), MAX_REFIT_NUMBERS // interactions.n_items)
    wanted = {
        max(2, own // 4),
        max(2, own // 2),
        own,
        *(rank for rank in (2 * own, 4 * own, 256) if own < rank <= largest),
    }
    return tuple(sorted((rank for rank in wanted if rank <= max(own, largest)), reverse=True))


def _by_propensity(**parameters: Any) -> Remedy:
    return Refit("propensity", **parameters)


def _by_damping(**parameters: Any) -> Remedy:
    return Refit("damping", **parameters)
