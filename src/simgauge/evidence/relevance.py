"""Evidence from relevance judgements: which items answer which queries (qrels)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from simgauge.core.neighbors.topk import top_k
from simgauge.core.scores.ranking import (
    RankingMetric,
    check_ranking_metric,
    ideal_gains,
    listed_gains,
    ranking_scores,
)
from simgauge.core.tables.kinds import Vector
from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError
from simgauge.evidence.matching import check_depth, check_weights, moved_by_map
from simgauge.evidence.popularity import DEFAULT_EXPONENT, check_exponent, weighings
from simgauge.evidence.protocol import Scale, UnitScores
from simgauge.labels import as_label_array, distinct_labels, rows_of
from simgauge.matching.ids import QUERIES, IdSource


@dataclass(frozen=True, eq=False)
class Relevance:
    """Relevance of items to queries.

    Parameters
    ----------
    queries, items : sequence of int or str, length n_judgements
        Ids of the query and of the judged item.
    relevance : sequence of float, length n_judgements, optional
        Grades >= 0; 1 each when not given. Items without a judgement are not relevant.
    side : {"users", "items"}
        Where the query vectors are: the second table of the embedding (encoded queries, users), or its items.
    metric : {"ndcg", "recall", "precision", "mrr"}
    k : int
    popularity : mapping, optional
        Item id -> positive number; with it there is a weighted form, in which an item found counts 1 / popularity to
        the power of `popularity_exponent`.
    popularity_exponent : float in (0, 2]
        As for `CoConsumption`.

    Raises
    ------
    InputError
        Unequal lengths, negative or missing grades, no relevant item.

    Notes
    -----
    The unit is the query. All items are ranked; equal scores in the order of the rows. Dot products of users and items
    do not depend on the gauge, so with ``side="users"`` and the dot metric every canonical gauge scores the same.

    Examples
    --------
    >>> Relevance(["q1", "q1", "q2"], ["d1", "d2", "d1"], [2, 0, 1])
    Relevance(ndcg@10, 2 queries, 2 relevant)
    """

    queries: Any
    items: Any
    relevance: Any = None
    side: Literal["users", "items"] = "users"
    metric: RankingMetric = "ndcg"
    k: int = 10
    popularity: Mapping[Any, float] | None = None
    popularity_exponent: float = DEFAULT_EXPONENT

    def __post_init__(self) -> None:
        check_ranking_metric(self.metric)
        object.__setattr__(self, "popularity_exponent", check_exponent(self.popularity_exponent))
        object.__setattr__(self, "k", check_depth(self.k))
        if self.side not in ("users", "items"):
            raise ParameterError(f"side={self.side!r}: expected 'users' or 'items', the table that holds the queries.")
        queries, items = as_label_array(self.queries, "queries"), as_label_array(self.items, "items")
        grades = np.ones(len(queries)) if self.relevance is None else np.asarray(self.relevance, dtype=np.float64)
        if not len(queries) == len(items) == grades.size:
            raise InputError(f"{len(queries)} query ids, {len(items)} item ids, {grades.size} grades: pass as many.")
        if not np.isfinite(grades).all() or (grades < 0).any():
            raise InputError("relevance: expected finite grades >= 0.")
        if not (grades > 0).any():
            raise InputError("relevance: no judged item is relevant to its query.")
        for name, value in (("queries", queries), ("items", items), ("relevance", grades)):
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        relevant = self.relevance > 0
        return (
            f"Relevance({self.measure}, {len(set(self.queries[relevant].tolist()))} queries, {relevant.sum()} relevant)"
        )

    @property
    def unit(self) -> str:
        """Queries are resampled."""
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
        """Ids of the judged items and of the queries."""
        name = "the relevance judgements"
        return [
            IdSource(name, distinct_labels(self.items)),
            IdSource(name, distinct_labels(self.queries), self.side),
        ]

    def bind(self, embedding: Embedding, seed: int = 0) -> RelevanceScorer:  # noqa: ARG002 (nothing is drawn)
        """Match with an embedding; judgements of queries or items that it lacks are left out."""
        if self.side == "users" and embedding.users is None:
            raise InputError(
                f"the queries are said to be in the second table, and the embedding has items only. {QUERIES} If the "
                "queries are items, say side='items'."
            )
        known = embedding.user_ids if self.side == "users" else embedding.item_ids
        asked, found = rows_of(self.queries, known, "queries"), rows_of(self.items, embedding.item_ids, "items")
        use = (asked >= 0) & (found >= 0) & (self.relevance > 0)
        use &= (asked != found) if self.side == "items" else True
        if not use.any():
            raise InputError("no relevant pair has both its query and its item in the embedding.")
        rows, position = np.unique(asked[use], return_inverse=True)
        matrix = sparse.csr_array((self.relevance[use], (position, found[use])), shape=(len(rows), embedding.n_items))
        lost = int(((self.relevance > 0) & ~use).sum())
        notes = [f"{lost} relevant pairs have a query or item that the embedding lacks"] if lost else []
        popularity = None
        if self.popularity is not None:
            listed = [self.popularity.get(label, 1.0) for label in embedding.item_ids.tolist()]
            popularity = check_weights(listed, embedding.n_items, "popularity")
        return RelevanceScorer(self, rows, matrix, popularity, notes)


class RelevanceScorer:
    """Relevance in rows of one embedding."""

    def __init__(
        self,
        evidence: Relevance,
        rows: NDArray[np.int64],
        matrix: sparse.csr_array,
        popularity: Vector | None,
        notes: list[str],
    ) -> None:
        self.evidence, self.rows, self.matrix, self.notes = evidence, rows, matrix, notes
        counts = None if evidence.metric == "mrr" else popularity
        self.exponents, self.weights = weighings(counts, evidence.popularity_exponent)
        self.n_units = len(rows)
        self.k = min(evidence.k, matrix.shape[1] - (evidence.side == "items"))

    def scores(self, candidate: Any, embedding: Embedding) -> UnitScores:
        """Plain and, with popularity, weighted scores of every query."""
        lists = np.asarray(self._lists(candidate, embedding))
        gains = listed_gains(lists, self.matrix)
        plain = ranking_scores(self.evidence.metric, gains, ideal_gains(self.matrix, self.k))
        if self.weights is None:
            return UnitScores(plain, lists=lists)
        weighted = []
        for kind in self.weights.T:
            listed = np.where(lists >= 0, kind[np.maximum(lists, 0)], 0.0)
            ideal = ideal_gains(self.matrix, self.k, kind)
            weighted.append(ranking_scores(self.evidence.metric, gains, ideal, listed))
        return UnitScores(plain, weighted[0], weighted[1:], lists)

    def _lists(self, candidate: Any, embedding: Embedding) -> Any:
        if self.evidence.side == "items":
            return candidate.neighbors(embedding, self.k, rows=self.rows)[0]
        moved = moved_by_map(candidate, embedding)
        if moved.users is None:
            raise InputError(f"{candidate.name} has no second table after its transform, so queries cannot be asked.")
        return top_k(moved.items, self.k, candidate.metric, queries=moved.users[self.rows])[0]
