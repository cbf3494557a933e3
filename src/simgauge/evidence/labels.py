"""Evidence from labels: items that share a label should be neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from simgauge.core.scores.listed_items import with_listed
from simgauge.core.scores.ranking import Ideal, RankingMetric, check_ranking_metric, ideal_gains
from simgauge.core.tables.kinds import Vector
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.evidence.matching import check_depth, check_sample, sample_rows
from simgauge.evidence.popularity import DEFAULT_EXPONENT, check_exponent, weighings
from simgauge.evidence.protocol import Scale, UnitScores
from simgauge.labels import as_label_array, rows_of
from simgauge.matching.ids import IdSource

ENTRIES_PER_BLOCK = 4_000_000
"""Relevances of queries to items held in one step."""


@dataclass(frozen=True, eq=False)
class Labels:
    """One or many labels per item.

    Parameters
    ----------
    labels : mapping
        Item id -> label, or -> a list or set of labels. Items without labels are never asked with and, when listed,
        count as not relevant, because that is what a user of the list would see.
    metric : {"ndcg", "precision", "recall", "mrr"}
        Relevance of an item to another is the Jaccard share of common labels (1 or 0 with one label each); all but
        "ndcg" only ask whether it is positive.
    k : int
    popularity : mapping, optional
        Item id -> positive number; with it there is a weighted form, in which an item found counts 1 / popularity to
        the power of `popularity_exponent`.
    max_queries : int or None
        Random sample of the labelled items to ask with.
    popularity_exponent : float in (0, 2]
        As for `CoConsumption`.

    Raises
    ------
    InputError
        No labels, or a single one for all items.

    Notes
    -----
    The unit is the item, in both of its parts: how well it is asked with, and what the lists of others would be without
    it. Queries that list the same items are not independent, so that resampling queries alone would claim too much.
    Items whose labels no other item has cannot be asked with. Equal scores are ranked in the order of the rows.

    Examples
    --------
    >>> Labels({"cat": "animal", "dog": ["animal", "pet"], "car": "thing"}, k=2)
    Labels(ndcg@2, 3 items, 3 labels)
    """

    labels: Mapping[Any, Any]
    metric: RankingMetric = "ndcg"
    k: int = 10
    popularity: Mapping[Any, float] | None = None
    max_queries: int | None = 4000
    popularity_exponent: float = DEFAULT_EXPONENT

    def __post_init__(self) -> None:
        check_ranking_metric(self.metric)
        object.__setattr__(self, "popularity_exponent", check_exponent(self.popularity_exponent))
        object.__setattr__(self, "k", check_depth(self.k))
        object.__setattr__(self, "max_queries", check_sample(self.max_queries))
        cleaned = {item: _as_set(given) for item, given in dict(self.labels).items()}
        cleaned = {item: names for item, names in cleaned.items() if names}
        if not cleaned:
            raise InputError("labels: no item has a label.")
        if len(set(cleaned.values())) < 2:
            raise InputError(f"labels: all {len(cleaned)} items have the same label: a single class tells nothing.")
        object.__setattr__(self, "labels", cleaned)

    def __repr__(self) -> str:
        return (
            f"Labels({self.measure}, {len(self.labels)} items, {len(frozenset().union(*self.labels.values()))} labels)"
        )

    @property
    def unit(self) -> str:
        """Query items are resampled."""
        return "query"

    @property
    def measure(self) -> str:
        """Such as "ndcg@10"."""
        return f"{self.metric}@{self.k}"

    @property
    def scale(self) -> Scale:
        """Candidates are compared by ratio."""
        return "ratio"

    def sources(self) -> list[IdSource]:
        """Ids of the labelled items."""
        return [IdSource("the labels", as_label_array(list(self.labels), "labels"))]

    def bind(self, embedding: Embedding, seed: int = 0) -> LabelScorer:
        """Match with an embedding."""
        ids = list(self.labels)
        rows = rows_of(as_label_array(ids, "labels"), embedding.item_ids, "labelled items")
        missing = int((rows < 0).sum())
        notes = [f"{missing} labelled items are not in the embedding"] if missing else []
        indicator = _indicator([self.labels[label] for label in ids], rows, embedding.n_items)
        unlabelled = embedding.n_items - int((np.diff(indicator.indptr) > 0).sum())
        if unlabelled:
            notes.append(f"{unlabelled} items have no label and count as not relevant")
        carriers = np.asarray(indicator.sum(axis=0)).ravel()
        shared = np.flatnonzero((indicator @ (carriers > 1).astype(np.float64)) > 0)
        if len(shared) == 0:
            raise InputError("no two items of the embedding share a label.")
        popularity = None if self.popularity is None else _counts(self.popularity, embedding)
        return LabelScorer(self, indicator, sample_rows(shared, self.max_queries, seed), popularity, notes)


class LabelScorer:
    """Labels in rows of one embedding."""

    def __init__(
        self,
        evidence: Labels,
        indicator: sparse.csr_array,
        queries: NDArray[np.int64],
        popularity: Vector | None,
        notes: list[str],
    ) -> None:
        self.evidence, self.indicator, self.queries, self.notes = evidence, indicator, queries, notes
        counts = None if evidence.metric == "mrr" else popularity
        self.exponents, self.weights = weighings(counts, evidence.popularity_exponent)
        self.sizes = np.diff(indicator.indptr).astype(np.float64)
        self.n_units = len(queries)
        self.k = min(evidence.k, indicator.shape[0] - 1)
        self.ideal = self._ideal(None)
        self.weighted_ideals = [] if self.weights is None else [self._ideal(kind) for kind in self.weights.T]

    def scores(self, candidate: Any, embedding: Embedding) -> UnitScores:
        """Plain and, with popularity, weighted scores of every query item, each with what it adds to other lists."""
        longer = min(self.k + 1, embedding.n_items - 1)
        lists = np.asarray(candidate.neighbors(embedding, longer, rows=self.queries)[0])
        asked, found = np.repeat(self.queries, lists.shape[1]), np.maximum(lists, 0).ravel()
        common = np.asarray(self.indicator[asked].multiply(self.indicator[found]).sum(axis=1)).ravel()
        jaccard = common / np.maximum(self.sizes[asked] + self.sizes[found] - common, 1)
        gains = np.where(lists >= 0, jaccard.reshape(lists.shape), 0.0)
        if longer == self.k:  # all other items are listed: none comes after them
            lists = np.pad(lists, ((0, 0), (0, 1)), constant_values=-1)
            gains = np.pad(gains, ((0, 0), (0, 1)))
        owner = self._owner(lists)
        plain = with_listed(self.evidence.metric, gains, owner, self.ideal)
        if self.weights is None:
            return UnitScores(plain, lists=lists[:, : self.k])
        weighted = []
        for kind, ideal in zip(self.weights.T, self.weighted_ideals, strict=True):
            listed = np.where(lists >= 0, kind[np.maximum(lists, 0)], 0.0)
            weighted.append(with_listed(self.evidence.metric, gains, owner, ideal, listed))
        return UnitScores(plain, weighted[0], weighted[1:], lists[:, : self.k])

    def _owner(self, lists: NDArray[np.int64]) -> NDArray[np.int64]:
        """The unit of every listed item: its own where it is asked with, otherwise any."""
        unit = np.arange(self.indicator.shape[0]) % self.n_units
        unit[self.queries] = np.arange(self.n_units)
        return np.asarray(np.where(lists >= 0, unit[np.maximum(lists, 0)], -1))

    def _ideal(self, weights: Vector | None) -> Ideal:
        step = max(1, ENTRIES_PER_BLOCK // self.indicator.shape[0])
        parts = []
        for start in range(0, self.n_units, step):
            rows = self.queries[start : start + step]
            common = sparse.coo_array(self.indicator[rows] @ self.indicator.T)
            other = common.col != rows[common.row]
            row, column, value = common.row[other], common.col[other], common.data[other]
            jaccard = value / (self.sizes[rows[row]] + self.sizes[column] - value)
            relevance = sparse.csr_array((jaccard, (row, column)), shape=common.shape)
            parts.append(ideal_gains(relevance, self.k, weights))
        return Ideal(np.concatenate([part.best for part in parts]), np.concatenate([part.total for part in parts]))


def _as_set(given: Any) -> frozenset[str]:
    if given is None or given != given:
        return frozenset()
    many = given if isinstance(given, (list, tuple, set, frozenset, np.ndarray)) else [given]
    return frozenset(str(label) for label in many if label is not None)


def _indicator(sets: list[frozenset[str]], rows: NDArray[np.int64], n_items: int) -> sparse.csr_array:
    columns = {name: column for column, name in enumerate(sorted(frozenset().union(*sets)))}
    pairs = [(row, columns[name]) for row, names in zip(rows.tolist(), sets, strict=True) if row >= 0 for name in names]
    at = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return sparse.csr_array((np.ones(len(at)), (at[:, 0], at[:, 1])), shape=(n_items, len(columns)))


def _counts(popularity: Mapping[Any, float], embedding: Embedding) -> Vector:
    """Popularity of the rows; items of unknown popularity count as the least popular known one."""
    rows = rows_of(as_label_array(list(popularity), "popularity"), embedding.item_ids, "items with a popularity")
    values = np.array(list(popularity.values()), dtype=np.float64)
    if not np.isfinite(values).all() or (values <= 0).any():
        raise InputError("popularity: expected positive finite numbers.")
    counts = np.full(embedding.n_items, values.min())
    counts[rows[rows >= 0]] = values[rows >= 0]
    return counts
