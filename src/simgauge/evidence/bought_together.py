"""Evidence from pairs of items that belong together: bought in one basket, watched in one evening."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse

from simgauge.core.scores.observed_pairs import PairGain, pooled_by_unit
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.evidence.observed import (
    ObservedPairs,
    ObservedScorer,
    Pairs,
    as_numbers,
    bind_pairs,
    coded_together,
    same_lengths,
)
from simgauge.evidence.popularity import DEFAULT_EXPONENT
from simgauge.evidence.protocol import UnitScores
from simgauge.matching.ids import IdSource
from simgauge.wording import counted


@dataclass(frozen=True, eq=False)
class BoughtTogether(ObservedPairs):
    """Pairs of items with how often they were bought together.

    For an item i with partners j and counts c_ij: Σ_j c_ij gain_ij / Σ_j c_ij, the share of its purchases together
    whose partner its list holds. The measure is the mean over items.

    Parameters
    ----------
    left, right : sequence of int or str, length n_pairs
        Item ids. The order within a pair means nothing: (a, b) and (b, a) are one pair, and repeated pairs are added
        up. Pairs of an item with itself are left out.
    counts : sequence of float, length n_pairs, optional
        How often, 0 or more; 1 each when not given. Pairs of 0 are left out.
    metric : {"recall", "ndcg", "mrr"}
        See `simgauge.core.scores.observed_pairs.pair_gains`.
    k : int
    popularity : mapping, optional
        Item id -> positive number. The sum of an item's counts, when not given.
    popularity_exponent : float in (0, 2]
        β of the weighted form Σ w_j c_ij gain_ij / Σ w_j c_ij over all items and partners, w_j = popularity_j^−β.
    max_queries : int or None
        Different items whose neighbours are searched.

    Raises
    ------
    InputError
        Unequal lengths, negative or missing counts, or no pair of two different items.

    Notes
    -----
    The unit is the pair, which is asked from both of its ends. Pairs of one item are no independent evidence, so what
    each item moves the measure by is resampled as well: intervals have the variance of dyadic data, the sum over items
    of the squared sum of their pairs, less what is counted twice. ``bench/evidence_nulls.py`` has what happens without.

    References
    ----------
    Aronow, Samii, Assenova (2015), Cluster-robust variance estimation for dyadic data, Political Analysis 23.

    Examples
    --------
    >>> BoughtTogether(["tea", "tea", "milk"], ["milk", "rum", "tea"], [3, 1, 2])
    BoughtTogether(recall@20, 3 items, 2 pairs)
    """

    left: Any
    right: Any
    counts: Any = None
    metric: PairGain = "recall"
    k: int = 20
    popularity: Mapping[Any, float] | None = None
    popularity_exponent: float = DEFAULT_EXPONENT
    max_queries: int | None = 4000
    pairs: Pairs = field(init=False)
    notes: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self._check()
        same_lengths(left=self.left, right=self.right, counts=self.counts)
        ids, left, right = coded_together(self.left, self.right, ("left", "right"))
        counts = np.ones(len(left)) if self.counts is None else as_numbers(self.counts, "counts", len(left))
        use = (left != right) & (counts > 0)
        if not use.any():
            raise InputError("no pair holds two different items with a count above 0: nothing to ask with.")
        both = (np.concatenate([left[use], right[use]]), np.concatenate([right[use], left[use]]))
        table = sparse.csr_array((np.tile(counts[use], 2), both), shape=(len(ids), len(ids)))
        table.sum_duplicates()
        asked = np.repeat(np.arange(len(ids)), np.diff(table.indptr))
        wanted = table.indices.astype(np.int64)
        pairs = np.unique(np.minimum(asked, wanted) * len(ids) + np.maximum(asked, wanted), return_inverse=True)[1]
        total = np.asarray(table.sum(axis=1)).ravel()
        n_self = int((left == right).sum())
        notes = (f"{counted(n_self, 'pair')} of an item with itself were left out",) if n_self else ()
        object.__setattr__(self, "pairs", Pairs(ids, asked, wanted, table.data, pairs, total))
        object.__setattr__(self, "notes", notes)

    def __repr__(self) -> str:
        pairs = self.pairs
        n_items = len(np.unique(pairs.asked))
        return f"BoughtTogether({self.measure}, {counted(n_items, 'item')}, {counted(len(pairs.asked) // 2, 'pair')})"

    @property
    def unit(self) -> str:
        """Pairs are resampled, and the items that they share."""
        return "pair"

    def sources(self) -> list[IdSource]:
        """Ids of the items."""
        return [IdSource("the pairs bought together", self.pairs.ids[np.unique(self.pairs.asked)])]

    def bind(self, embedding: Embedding, seed: int = 0) -> TogetherScorer:
        """Match with an embedding; pairs with an item that it lacks are left out."""
        scorer = bind_pairs(self, self.pairs, embedding, seed)
        scorer.notes.extend(self.notes)
        return TogetherScorer(scorer, seed)


class TogetherScorer:
    """Pairs bought together in rows of one embedding."""

    def __init__(self, observed: ObservedScorer, seed: int) -> None:
        self.observed, self.notes = observed, observed.notes
        self.n_units, self.exponents = observed.n_units, observed.exponents
        counts, asked = observed.weights, observed.asked
        share = counts / np.bincount(asked, weights=counts)[asked]
        rarity = np.ones((len(counts), 0)) if observed.rarity is None else observed.rarity
        weights = np.column_stack([share, counts[:, None] * rarity])
        self.weights = weights / weights.sum(axis=0)
        half = np.random.default_rng(seed).permutation(self.n_units) % 2
        ends = np.stack([observed.queries[asked], observed.wanted])
        self.items, nodes = np.unique(ends, return_inverse=True)
        self.place = half[observed.units] * len(self.items) + nodes.reshape(2, -1)

    def scores(self, candidate: Any, embedding: Embedding) -> UnitScores:
        """Plain and popularity-weighted scores of every pair, and what each item moves them by."""
        gains, lists = self.observed.gains(candidate, embedding)
        units = self.observed.units
        found = [pooled_by_unit(gains, weights, units, self.n_units) for weights in self.weights.T]
        size = 2 * len(self.items)
        moved = []
        for weights, scores in zip(self.weights.T, found, strict=True):
            parts = weights * (gains - scores.mean())
            moved.append(sum(np.bincount(place, weights=parts, minlength=size) for place in self.place))
        drawn = np.stack(moved, axis=1).reshape(2, len(self.items), -1)
        return UnitScores(found[0], found[1], found[2:], lists, drawn)
