"""What evidence of observed pairs of items has in common: an item that was asked with, and one that followed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from simgauge.core.scores.observed_pairs import PairGain, mean_by_unit, pair_gains, pooled_by_unit
from simgauge.core.scores.splits import sample_for_each_user
from simgauge.core.tables.kinds import Vector
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.evidence.matching import check_depth, check_sample
from simgauge.evidence.popularity import check_exponent, weighings
from simgauge.evidence.protocol import Scale, UnitScores
from simgauge.labels import arrow_labels, as_label_array, positions_of, rows_of
from simgauge.parameters import check_choice
from simgauge.wording import counted

Codes = NDArray[np.int64]


class Coded(NamedTuple):
    """Labels as numbers."""

    ids: NDArray[Any]
    """Distinct, ascending."""
    codes: Codes
    """Place of every label among them."""


def coded(labels: Any, name: str) -> Coded:
    """Distinct labels and the number of each; integers stay integers, all else is text."""
    array = as_label_array(labels, name)
    if array.dtype.kind in "iu":
        ids, codes = np.unique(array, return_inverse=True)
        return Coded(ids, codes.astype(np.int64))
    encoded = arrow_labels(array).dictionary_encode()
    words = np.array(encoded.dictionary.to_pylist(), dtype=object)
    order = np.argsort(words)
    place = np.empty(len(words), dtype=np.int64)
    place[order] = np.arange(len(words))
    return Coded(words[order], place[encoded.indices.to_numpy()])


def coded_together(first: Any, second: Any, names: tuple[str, str]) -> tuple[NDArray[Any], Codes, Codes]:
    """Two lists of labels of the same items, numbered alike."""
    parts = [as_label_array(values, name) for values, name in zip((first, second), names, strict=True)]
    if {part.dtype.kind for part in parts} & {"O"}:
        parts = [part.astype(str).astype(object) for part in parts]
    both = coded(np.concatenate(parts), names[0])
    return both.ids, both.codes[: len(parts[0])], both.codes[len(parts[0]) :]


def same_lengths(**columns: Any) -> None:
    """Raise unless all columns that were given have as many entries."""
    sizes = {name: len(values) for name, values in columns.items() if values is not None}
    if len(set(sizes.values())) > 1:
        raise InputError(f"{', '.join(f'{size} {name}' for name, size in sizes.items())}: pass as many of each.")


def as_numbers(values: Any, name: str, n: int) -> Vector:
    """Finite numbers of 0 or more, as many as asked."""
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.shape != (n,):
        raise InputError(f"{name}: expected {n} numbers, received shape {numbers.shape}.")
    bad = ~(np.isfinite(numbers) & (numbers >= 0))
    if bad.any():
        first = int(bad.argmax())
        raise InputError(
            f"{name}: {numbers[first]} in row {first + 1} ({counted(int(bad.sum()), 'such row')}): expected finite "
            "numbers of 0 or more."
        )
    return numbers


class ObservedPairs:
    """Pairs of items in their own numbering; the part that the kinds of evidence share.

    Subclasses are frozen dataclasses with the fields metric, k, popularity, popularity_exponent and max_queries, and
    with `pairs` and `notes`, which they set when they are made.
    """

    metric: PairGain
    k: int
    popularity: Mapping[Any, float] | None
    popularity_exponent: float
    max_queries: int | None

    @property
    def measure(self) -> str:
        """Such as "recall@20"."""
        return f"{self.metric}@{self.k}"

    @property
    def scale(self) -> Scale:
        """Candidates are compared by ratio."""
        return "ratio"

    def _check(self) -> None:
        check_choice(self.metric, "metric", get_args(PairGain))
        object.__setattr__(self, "k", check_depth(self.k))
        object.__setattr__(self, "max_queries", check_sample(self.max_queries))
        object.__setattr__(self, "popularity_exponent", check_exponent(self.popularity_exponent))


class Pairs(NamedTuple):
    """Observed pairs, items and units numbered from 0."""

    ids: NDArray[Any]
    """Of the items."""
    asked: Codes
    wanted: Codes
    weights: Vector
    """Positive."""
    units: Codes
    counts: Vector
    """(n_items,): popularity of each."""

    def take(self, keep: NDArray[Any]) -> Pairs:
        """Some of the pairs."""
        return self._replace(
            asked=self.asked[keep], wanted=self.wanted[keep], weights=self.weights[keep], units=self.units[keep]
        )


def bind_pairs(evidence: Any, pairs: Pairs, embedding: Embedding, seed: int, *, pooled: bool = False) -> ObservedScorer:
    """Match pairs with the rows of an embedding; pairs with an item that it lacks are left out and counted.

    Parameters
    ----------
    pooled : bool
        Whether every weight counts the same in the plain form; every unit does otherwise.
    """
    rows = rows_of(pairs.ids, embedding.item_ids, "items")
    notes = []
    known = (rows[pairs.asked] >= 0) & (rows[pairs.wanted] >= 0)
    if not known.all():
        lost = int((~known).sum())
        notes.append(f"{lost} of {counted(len(known), 'pair')} have an item that the embedding lacks")
    if not known.any():
        raise InputError("no pair of the evidence has both its items in the embedding.")
    popularity = _popularity(evidence, pairs)
    kept, sampled = _sampled(pairs.take(known), evidence.max_queries, seed)
    notes += sampled
    queries, asked = np.unique(rows[kept.asked], return_inverse=True)
    names, units = np.unique(kept.units, return_inverse=True)
    place = (queries, asked.astype(np.int64), rows[kept.wanted], units.astype(np.int64))
    return ObservedScorer(evidence, place, kept.weights, popularity[kept.wanted], len(names), pooled, notes)


def _popularity(evidence: Any, pairs: Pairs) -> Vector:
    """Popularity of each item of the evidence; items that are never wanted count as 1."""
    counts = pairs.counts
    if evidence.popularity is not None:
        known = as_label_array(list(evidence.popularity), "popularity")
        values = np.array(list(evidence.popularity.values()), dtype=np.float64)
        if not np.isfinite(values).all() or (values <= 0).any():
            raise InputError("popularity: expected positive finite numbers.")
        rows = positions_of(pairs.ids, known)
        counts = np.where(rows >= 0, values[rows], values.min())
    return np.where(counts > 0, counts, 1.0)


def _sampled(pairs: Pairs, most: int | None, seed: int) -> tuple[Pairs, list[str]]:
    """All pairs, or those of a sample of the items that are asked with, drawn for each unit."""
    n_all = len(np.unique(pairs.asked))
    if most is None or n_all <= most:
        return pairs, []
    shape = (int(pairs.units.max()) + 1, len(pairs.ids))
    ones = np.ones(len(pairs.asked))
    matrix = sparse.csr_array((ones, (pairs.units, pairs.asked)), shape=shape)
    matrix.sum_duplicates()
    kept = sample_for_each_user(matrix, most, np.random.default_rng(seed)).tocoo()
    keys = pairs.units * np.int64(shape[1]) + pairs.asked
    chosen = np.isin(keys, kept.row.astype(np.int64) * shape[1] + kept.col)
    note = f"neighbours of {most} of {n_all} items were searched (max_queries), drawn for each unit"
    return pairs.take(chosen), [note]


class ObservedScorer:
    """Observed pairs in rows of one embedding."""

    def __init__(
        self,
        evidence: Any,
        place: tuple[Codes, Codes, Codes, Codes],
        weights: Vector,
        popularity: Vector,
        n_units: int,
        pooled: bool,
        notes: list[str],
    ) -> None:
        self.evidence, self.weights = evidence, weights
        self.exponents, self.rarity = weighings(popularity, evidence.popularity_exponent)
        self.queries, self.asked, self.wanted, self.units = place
        self.n_units, self.pooled, self.notes = n_units, pooled, notes

    def gains(self, candidate: Any, embedding: Embedding) -> tuple[Vector, NDArray[Any]]:
        """Gain of every pair, and the lists it was found in."""
        k = min(self.evidence.k, embedding.n_items - 1)
        lists = np.asarray(candidate.neighbors(embedding, k, rows=self.queries)[0])
        return pair_gains(lists, self.asked, self.wanted, self.evidence.metric), lists

    def scores(self, candidate: Any, embedding: Embedding) -> UnitScores:
        """Plain and popularity-weighted scores of every unit."""
        gains, lists = self.gains(candidate, embedding)
        plain = (pooled_by_unit if self.pooled else mean_by_unit)(gains, self.weights, self.units, self.n_units)
        rare = [] if self.rarity is None else [self.weights * kind for kind in self.rarity.T]
        weighted = [pooled_by_unit(gains, weights, self.units, self.n_units) for weights in rare]
        return UnitScores(plain, weighted[0], weighted[1:], lists)
