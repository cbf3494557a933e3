"""Evidence from clicks on lists of similar items, with the place at which each was shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simgauge.core.scores.observed_pairs import PairGain
from simgauge.core.tables.kinds import Vector
from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError
from simgauge.evidence.observed import (
    ObservedPairs,
    ObservedScorer,
    Pairs,
    bind_pairs,
    coded,
    coded_together,
    same_lengths,
)
from simgauge.evidence.popularity import DEFAULT_EXPONENT
from simgauge.matching.ids import IdSource
from simgauge.wording import counted


@dataclass(frozen=True, eq=False)
class Clicks(ObservedPairs):
    """Clicks beside an item, weighed by the inverse of the chance that their place was examined.

    An item at place p is examined with the chance θ_p, the *propensity* of the place, whatever it is; so a click far
    down says more than one at the top. With clicks c on item j_c beside item i_c at place p_c, the measure is
    Σ_c gain(j_c in the list of i_c) / θ_{p_c} over Σ_c 1 / θ_{p_c} (self-normalised inverse propensity scoring).

    Parameters
    ----------
    asked, clicked : sequence of int or str, length n_clicks
        The item beside which the list was shown, and the item of the list that was clicked.
    positions : sequence of int, length n_clicks
        Places in the list as shown, counted from 1.
    sessions : sequence of int or str, length n_clicks, optional
        Who clicked; sessions are resampled then, and the items that were asked with otherwise.
    propensity : float or mapping
        θ_p = p^−η with this η (0: clicks as they are; 1: the chance falls as 1 / place), or place -> θ, a number in
        (0, 1] for every place that occurs. It is an assumption: take it from an experiment with shuffled lists if you
        can, and see what another value gives.
    max_weight : float
        Weights 1 / θ are cut off here, so that few clicks do not decide everything; a cut brings back some of the bias,
        and how many weights were cut is told.
    metric, k, popularity, popularity_exponent, max_queries
        As in `NextItem`; popularity is the number of clicks when not given.

    Raises
    ------
    InputError
        Unequal lengths, places that are no whole numbers of 1 or more, places without a propensity, or no click on
        another item.
    ParameterError
        A propensity or a largest weight outside its range.

    Notes
    -----
    What was never shown was never clicked: clicks favour the list that was shown over lists of other items, and no
    propensity of places corrects that.

    References
    ----------
    Joachims, Swaminathan, Schnabel (2017), Unbiased learning-to-rank with biased feedback, WSDM, section 4.
    Swaminathan, Joachims (2015), The self-normalized estimator for counterfactual learning, NIPS 28.

    Examples
    --------
    >>> Clicks(["tea", "tea", "rum"], ["milk", "rum", "tea"], [1, 4, 2])
    Clicks(recall@20, 2 items, 3 clicks, propensity place^-1)
    """

    asked: Any
    clicked: Any
    positions: Any
    sessions: Any = None
    propensity: float | Mapping[int, float] = 1.0
    max_weight: float = 100.0
    metric: PairGain = "recall"
    k: int = 20
    popularity: Mapping[Any, float] | None = None
    popularity_exponent: float = DEFAULT_EXPONENT
    max_queries: int | None = 4000
    pairs: Pairs = field(init=False)
    notes: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self._check()
        same_lengths(asked=self.asked, clicked=self.clicked, positions=self.positions, sessions=self.sessions)
        if not self.max_weight >= 1:
            raise ParameterError(f"max_weight={self.max_weight}: expected a number of 1 or more.")
        ids, asked, clicked = coded_together(self.asked, self.clicked, ("asked", "clicked"))
        places = _places(self.positions)
        chance = _propensities(self.propensity, places)
        weights = np.minimum(1.0 / chance, self.max_weight)
        units = asked if self.sessions is None else coded(self.sessions, "sessions").codes
        use = asked != clicked
        if not use.any():
            raise InputError("every click is on the item beside which it was shown: nothing to ask with.")
        counts = np.bincount(clicked, minlength=len(ids)).astype(np.float64)
        object.__setattr__(self, "pairs", Pairs(ids, asked, clicked, weights, units, counts).take(use))
        n_self, n_cut = int((~use).sum()), int((1.0 / chance[use] > self.max_weight).sum())
        cut = f"{counted(n_cut, 'weight')} above {self.max_weight:g} were cut (max_weight)"
        alike = f"{counted(n_self, 'click')} on the item itself were left out"
        object.__setattr__(self, "notes", (*([cut] if n_cut else []), *([alike] if n_self else [])))

    def __repr__(self) -> str:
        pairs = self.pairs
        n_units = counted(len(np.unique(pairs.units)), self.unit)
        assumed = "as given" if isinstance(self.propensity, Mapping) else f"place^-{self.propensity:g}"
        return f"Clicks({self.measure}, {n_units}, {counted(len(pairs.asked), 'click')}, propensity {assumed})"

    @property
    def unit(self) -> str:
        """Sessions are resampled where they are known, the items that were asked with otherwise."""
        return "item" if self.sessions is None else "session"

    def sources(self) -> list[IdSource]:
        """Ids of the items."""
        return [IdSource("the clicks", self.pairs.ids)]

    def bind(self, embedding: Embedding, seed: int = 0) -> ObservedScorer:
        """Match with an embedding; clicks with an item that it lacks are left out."""
        scorer = bind_pairs(self, self.pairs, embedding, seed, pooled=True)
        total = float(scorer.weights.sum())
        effective = total**2 / float(scorer.weights @ scorer.weights)
        said = "the propensities are those given"
        if not isinstance(self.propensity, Mapping):
            said = f"place p is examined with the chance p^-{self.propensity:g}"
        scorer.notes.append(
            f"assumed: {said}; {counted(len(scorer.weights), 'click')} weigh as much as {effective:.0f} equal ones"
        )
        scorer.notes.extend(self.notes)
        return scorer


def _places(positions: Any) -> Vector:
    places = np.asarray(positions, dtype=np.float64)
    bad = ~(np.isfinite(places) & (places >= 1) & (places == np.floor(places)))
    if bad.any():
        first = int(bad.argmax())
        hint = " Places are counted from 1: add 1 where yours begin at 0." if (places[bad] == 0).any() else ""
        raise InputError(
            f"positions: {places[first]:g} in row {first + 1} ({counted(int(bad.sum()), 'such row')}): expected whole "
            f"numbers of 1 or more.{hint}"
        )
    return places


def _propensities(propensity: float | Mapping[int, float], places: Vector) -> Vector:
    if isinstance(propensity, Mapping):
        known = {float(place): float(chance) for place, chance in propensity.items()}
        missing = sorted(set(np.unique(places).tolist()) - set(known))
        if missing:
            raise InputError(f"propensity: none is given for place {missing[0]:g}, which occurs among the clicks.")
        chance = np.array([known[place] for place in places.tolist()])
        if not ((chance > 0) & (chance <= 1)).all():
            raise ParameterError("propensity: expected chances above 0 and up to 1.")
        return chance
    if not (np.isfinite(propensity) and propensity >= 0):
        raise ParameterError(f"propensity={propensity}: expected an exponent of 0 or more, or a mapping of places.")
    return np.asarray(places ** -float(propensity))
