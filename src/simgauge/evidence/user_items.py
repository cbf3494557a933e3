"""Evidence for users: are the items that were held out of a user at the top of the user's own list?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from simgauge.core.scores.coconsumption_scores import PairMetric
from simgauge.core.scores.ranking import ideal_gains, listed_gains, ranking_scores
from simgauge.core.scores.unseen import unseen_top_k
from simgauge.core.tables.arrays import to_host
from simgauge.core.tables.kinds import Vector
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.evidence.coconsumption import CoConsumption
from simgauge.evidence.coconsumption_scorer import affordable_queries
from simgauge.evidence.matching import moved_by_map, sample_rows
from simgauge.evidence.popularity import DEFAULT_EXPONENT, check_exponent, weighings
from simgauge.evidence.protocol import Scale, UnitScores
from simgauge.interactions import Interactions
from simgauge.labels import positions_of
from simgauge.matching.ids import QUERIES, IdSource, source_of
from simgauge.wording import counted


@dataclass(frozen=True, eq=False)
class UserItems:
    """Held-out items of users in the lists that the users' own vectors make: recommendation, not similarity.

    A user's list holds the k items of highest score among those that they have not used; the score is the dot product
    with the user's vector, or the cosine, as the candidate's metric says. The measure is the mean over users of the
    share of their held-out items that the list holds (or precision, or nDCG).

    Parameters
    ----------
    held_out : CoConsumption
        What was used and what was held out, with metric, k, popularity and limit of queries (here: of users), as
        `hold_out` and `held_out_evidence` make it.
    popularity_exponent : float in (0, 2]
        β of the weighted form: held-out items weigh popularity^−β, over all users together.

    Notes
    -----
    The unit is the user. Dot products of users and items depend on no gauge, so canonical gauges change nothing by dot;
    by cosine they do.

    Examples
    --------
    >>> used, later = Interactions([[1.0, 0, 0], [0, 1, 0]]), Interactions([[0.0, 1, 1], [1, 0, 0]])
    >>> UserItems(CoConsumption(used, later, k=1))
    UserItems(recall@1 for users, 2 users, 3 held-out pairs)
    """

    held_out: CoConsumption
    popularity_exponent: float = DEFAULT_EXPONENT

    def __post_init__(self) -> None:
        if not isinstance(self.held_out, CoConsumption):
            raise InputError(
                f"held_out is of type {type(self.held_out).__name__}: expected CoConsumption (hold_out and "
                "held_out_evidence make it)."
            )
        object.__setattr__(self, "popularity_exponent", check_exponent(self.popularity_exponent))

    def __repr__(self) -> str:
        rest = repr(self.held_out).split(", ", 1)[1]
        return f"UserItems({self.measure}, {rest}"

    @property
    def unit(self) -> str:
        """Users are resampled."""
        return "user"

    @property
    def metric(self) -> PairMetric:
        """Of the lists."""
        return self.held_out.metric

    @property
    def k(self) -> int:
        """Length of the lists."""
        return self.held_out.k

    @property
    def measure(self) -> str:
        """Such as "recall@20 for users"."""
        return f"{self.held_out.measure} for users"

    @property
    def scale(self) -> Scale:
        """Candidates are compared by ratio."""
        return "ratio"

    @property
    def events(self) -> Interactions:
        """What was used and what was held out."""
        return self.held_out.events

    def sources(self) -> list[IdSource]:
        """Ids of the items and of the users."""
        used = self.held_out.used
        return [*self.held_out.sources(), source_of(used, "the held-out interactions", "users")]

    def without(self, interactions: Interactions) -> tuple[UserItems | None, int]:
        """As `CoConsumption.without`."""
        kept, leaked = self.held_out.without(interactions)
        return (None if kept is None else replace(self, held_out=kept)), leaked

    def bind(self, embedding: Embedding, seed: int = 0) -> UserItemScorer:
        """Match with an embedding; users and items that it lacks are left out."""
        if embedding.users is None:
            raise InputError(f"the users are asked, and the embedding has items only. {QUERIES}")
        used, later = self.held_out.used, self.held_out.held_out
        users = positions_of(used.user_ids, np.asarray(embedding.user_ids))
        items = positions_of(used.item_ids, embedding.item_ids)
        known = np.flatnonzero(items >= 0)
        seen, wanted = (_placed(side.matrix, known, items, embedding.n_items) for side in (used, later))
        asked = np.flatnonzero((users >= 0) & (np.diff(wanted.indptr) > 0))
        if len(asked) == 0:
            raise InputError("no user of the evidence has a vector and a held-out item that the embedding knows.")
        notes = []
        lost = int((later.user_counts[users < 0] > 0).sum())
        if lost:
            notes.append(f"{counted(lost, 'user')} with held-out items have no vector in the embedding")
        if len(known) < len(items):
            notes.append(f"{len(items) - len(known)} items of the evidence are not in the embedding")
        limit = self.held_out.max_queries
        chosen = sample_rows(asked, affordable_queries(embedding) if limit == "auto" else limit, seed)
        if len(chosen) < len(asked):
            notes.append(f"{len(chosen)} of {len(asked)} users were asked, drawn at random")
        popularity = np.ones(embedding.n_items)
        popularity[items[known]] = np.asarray(self.held_out.popularity)[known]
        return UserItemScorer(self, users[chosen], seen[chosen], wanted[chosen], popularity, notes)


class UserItemScorer:
    """Users' held-out items in rows of one embedding."""

    def __init__(
        self,
        evidence: UserItems,
        users: NDArray[np.int64],
        seen: sparse.csr_array,
        wanted: sparse.csr_array,
        popularity: Vector,
        notes: list[str],
    ) -> None:
        self.evidence, self.users, self.seen, self.wanted = evidence, users, seen, wanted
        self.exponents, self.rarity = weighings(popularity, evidence.popularity_exponent)
        self.notes, self.n_units = notes, len(users)

    def scores(self, candidate: Any, embedding: Embedding) -> UnitScores:
        """Plain and popularity-weighted scores of every user."""
        moved = moved_by_map(candidate, embedding)
        if moved.users is None:
            raise InputError(f"{candidate.name} has no second table after its transform, so users cannot be asked.")
        k, metric = min(self.evidence.k, embedding.n_items), self.evidence.metric
        users = np.asarray(to_host(moved.users))[self.users]
        lists = unseen_top_k(users, to_host(moved.items), self.seen, k, candidate.metric)
        gains = listed_gains(lists, self.wanted)
        plain = ranking_scores(metric, gains, ideal_gains(self.wanted, k))
        discount = 1.0 / np.log2(np.arange(2, k + 2)) if metric == "ndcg" else np.ones(k)
        weighted = []
        for kind in () if self.rarity is None else self.rarity.T:
            rare = ideal_gains(self.wanted, k, kind)
            best = rare.total if metric == "recall" else rare.best @ discount
            listed = np.where(lists >= 0, kind[np.maximum(lists, 0)], 0.0)
            weighted.append((gains * listed) @ discount / best.mean())
        return UnitScores(plain, weighted[0], weighted[1:], lists)


def _placed(
    matrix: sparse.csr_array, known: NDArray[np.int64], rows: NDArray[np.int64], n_items: int
) -> sparse.csr_array:
    """0/1 with the columns where the embedding has these items."""
    part = sparse.coo_array(matrix[:, known])
    return sparse.csr_array((np.ones(part.nnz), (part.row, rows[known][part.col])), shape=(matrix.shape[0], n_items))
