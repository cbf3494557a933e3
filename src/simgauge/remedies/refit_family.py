"""All refits of one weighting, in an order that decomposes the interactions once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from simgauge.remedies.refit import Refit


@dataclass(frozen=True)
class RefitFamily:
    """A grid of `Refit` candidates: penalties x λ x ranks x powers, on one weighting.

    Ranks come largest first, so that fitting the candidates one after the other decomposes the interactions once.

    Examples
    --------
    >>> family = RefitFamily("propensity", {"item_exponent": 0.5}, n_components=(8, 16), powers=(0.5, 1.0))
    >>> [remedy.n_components for remedy in family]
    [16, 16, 8, 8]
    """

    weighting: str = "none"
    """As for `Refit`."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Parameters of the weighting (``item_exponent``, ``exponent``, ``scaling``, …) and others all members share."""
    penalties: tuple[str, ...] = ("product",)
    """Of "product", "factors", "weights", "dropout"; "dropout" has a decomposition of its own unless standardised."""
    l2s: tuple[float | None, ...] = (None,)
    """λ; not used by "dropout"."""
    rates: tuple[float | None, ...] = (None,)
    """q, of "dropout"."""
    n_components: tuple[int | None, ...] = (None,)
    """Ranks."""
    powers: tuple[float | None, ...] = (1.0,)
    """α of the gauge."""

    def __iter__(self) -> Iterator[Refit]:
        ranks = sorted(self.n_components, key=lambda rank: (rank is not None, -(rank or 0)))
        for rank, penalty, power in product(ranks, self.penalties, self.powers):
            name, values = ("rate", self.rates) if penalty == "dropout" else ("l2", self.l2s)
            for value in values:
                yield Refit(self.weighting, penalty, n_components=rank, power=power, **{**self.parameters, name: value})

    def __len__(self) -> int:
        return sum(1 for _ in self)
