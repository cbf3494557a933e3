"""Evidence for similar users: are those who take an item later near to those who took it before?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from simgauge.core.neighbors.topk import top_k
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.evidence.coconsumption import CoConsumption
from simgauge.evidence.coconsumption_scorer import CoConsumptionScorer
from simgauge.evidence.matching import moved_by_map
from simgauge.evidence.popularity import DEFAULT_EXPONENT, check_exponent
from simgauge.evidence.protocol import Scale, UnitScores
from simgauge.interactions import Interactions
from simgauge.matching.ids import QUERIES, IdSource, source_of


@dataclass(frozen=True, eq=False)
class SimilarUsers:
    """Held-out co-consumption with users and items exchanged.

    For every item, every user who used it and every user of whom it was held out: is the second in the list of the k
    users who are nearest to the first? An item's score is the mean over its pairs, the measure the mean over items.

    Parameters
    ----------
    held_out : CoConsumption
        What was used and what was held out, with metric, k and limit of queries (here: of users).
    popularity_exponent : float in (0, 2]
        In the weighted form a user of whom something was held out counts 1 / (their items) to this power, so that users
        of many items do not decide alone.

    Notes
    -----
    The unit is the item.

    Examples
    --------
    >>> used, later = Interactions([[1.0, 0, 0], [0, 1, 0]]), Interactions([[0.0, 1, 1], [1, 0, 0]])
    >>> SimilarUsers(CoConsumption(used, later, k=1))
    SimilarUsers(recall@1 of similar users, 3 held-out pairs)
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
        return f"SimilarUsers({self.measure}, {self.held_out.held_out.nnz} held-out pairs)"

    @property
    def unit(self) -> str:
        """Items are resampled."""
        return "item"

    @property
    def measure(self) -> str:
        """Such as "recall@20 of similar users"."""
        return f"{self.held_out.measure} of similar users"

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
        return [*self.held_out.sources(), source_of(self.held_out.used, "the held-out interactions", "users")]

    def without(self, interactions: Interactions) -> tuple[SimilarUsers | None, int]:
        """As `CoConsumption.without`."""
        kept, leaked = self.held_out.without(interactions)
        return (None if kept is None else replace(self, held_out=kept)), leaked

    def bind(self, embedding: Embedding, seed: int = 0) -> SimilarUserScorer:
        """Match with an embedding; users that it lacks are left out."""
        if embedding.users is None:
            raise InputError(f"the users are asked, and the embedding has items only. {QUERIES}")
        turned = CoConsumption(
            _turned(self.held_out.used),
            _turned(self.held_out.held_out),
            self.held_out.metric,
            self.held_out.k,
            max_queries=self.held_out.max_queries,
            popularity_exponent=self.popularity_exponent,
        )
        return SimilarUserScorer(turned.bind(Embedding(embedding.users, item_ids=embedding.user_ids), seed))


class SimilarUserScorer:
    """Co-consumption among the users of one embedding."""

    def __init__(self, turned: CoConsumptionScorer) -> None:
        self.turned, self.n_units, self.exponents = turned, turned.n_units, turned.exponents
        self.notes = [note.replace("items", "users") for note in turned.notes]

    def scores(self, candidate: Any, embedding: Embedding) -> UnitScores:
        """Plain and weighted scores of every item."""
        moved = moved_by_map(candidate, embedding)
        if moved.users is None:
            raise InputError(f"{candidate.name} has no second table after its transform, so users cannot be asked.")
        found = self.turned.scores(_AmongUsers(moved.users, candidate.metric), Embedding(moved.users))
        return found._replace(lists=None)  # they hold users, and what lists show is told of items


class _AmongUsers:
    """Lists of users in the place of lists of items."""

    def __init__(self, users: Any, metric: str) -> None:
        self.users, self.metric = users, metric

    def neighbors(self, embedding: Embedding, k: int, rows: Any = None) -> tuple[Any, Any]:  # noqa: ARG002
        return top_k(self.users, k, self.metric, rows=rows)


def _turned(interactions: Interactions) -> Interactions:
    """Users as items and items as users."""
    matrix = sparse.csr_array(interactions.matrix.T.astype(np.float64))
    return Interactions(matrix, interactions.item_ids, interactions.user_ids)
