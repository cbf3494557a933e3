"""How far a value moves from one training to the next, as measured: shipped facts only, made by bench/gate.py."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy.special import ndtri

from simgauge.auditing.reference import KIND_OF_OBJECTIVE

FALSE_ALARMS = 0.05
"""Share of gates that may call a training worse that is only another draw, over all values of an audit together."""

NAMES: Mapping[str, str] = MappingProxyType(
    {"als": "ALS", "bpr": "BPR", "lmf": "logistic factorization", "svd": "an SVD", "words": "word2vec",
     "texts": "one text encoder on other texts", "": "any measured kind"}
)  # fmt: skip


@dataclass(frozen=True)
class Spread:
    """Standard deviation of a value over trainings, ``hypot(absolute, relative · value)``: an upper envelope of what
    was measured."""

    absolute: float
    relative: float
    of_share: float = 0.0
    """Of a group of n items beyond that, in units of ``√(v(1 − v)/n)``: 1 is a share of independent rows."""

    def at(self, value: float, n_items: int | None = None) -> float:
        """The standard deviation at a value, of a group where its size is given.

        Examples
        --------
        >>> Spread(3.0, 0.04).at(100.0)
        5.0
        """
        whole = float(np.hypot(self.absolute, self.relative * abs(value)))
        if n_items is None:
            return whole
        share = min(max(abs(value), 1 / n_items), 1.0)
        return float(np.hypot(whole, self.of_share * np.sqrt(max(share * (1 - share), 1 / n_items) / n_items)))


@dataclass(frozen=True)
class Noise:
    """What trainings of one kind of model do to the values of an audit."""

    kind: str
    """In words."""
    spreads: Mapping[str, Spread]
    """By finding; findings that were never measured are missing."""

    def allowed(
        self, finding_id: str, then: float, now: float, *, n_compared: int, n_items: int | None = None
    ) -> float | None:
        """How far two values may be apart without being more than noise; None where that was never measured.

        Two draws differ by √2 standard deviations, at the size of the two values; the number of deviations is such that
        `n_compared` values together pass `FALSE_ALARMS` of the times (Bonferroni, one side).
        """
        spread = self.spreads.get(finding_id)
        if spread is None:
            return None
        size = float(np.sqrt(abs(then) * abs(now)))
        return float(-ndtri(FALSE_ALARMS / max(n_compared, 1)) * np.sqrt(2) * spread.at(size, n_items))


def noise_of(objective: str) -> Noise:
    """The noise of the kind of model that an objective makes; the largest of all kinds where it is not known.

    Parameters
    ----------
    objective : str
        Canonical name of what the vectors were trained with.

    Examples
    --------
    >>> noise_of("als").kind, noise_of("unknown").kind
    ('ALS', 'any measured kind')
    """
    kinds = _kinds()
    kind = KIND_OF_OBJECTIVE.get(objective, "")
    if kind in kinds:
        return Noise(NAMES[kind], kinds[kind])
    return Noise(NAMES[""], largest(kinds.values()))


def largest(tables: Any) -> Mapping[str, Spread]:
    """For every finding the largest of each part, over several kinds."""
    found: dict[str, Spread] = {}
    for spreads in tables:
        for name, spread in spreads.items():
            other = found.get(name, Spread(0.0, 0.0))
            parts = zip((other.absolute, other.relative, other.of_share),
                        (spread.absolute, spread.relative, spread.of_share), strict=True)  # fmt: skip
            found[name] = Spread(*(max(pair) for pair in parts))
    return MappingProxyType(found)


@cache
def _kinds() -> Mapping[str, Mapping[str, Spread]]:
    text = resources.files("simgauge.auditing").joinpath("noise.json").read_text(encoding="utf-8")
    return MappingProxyType(
        {
            kind: MappingProxyType({name: Spread(*parts) for name, parts in spreads.items()})
            for kind, spreads in json.loads(text).items()
        }
    )
