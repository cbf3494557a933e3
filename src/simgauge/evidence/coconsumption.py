"""Evidence from behaviour: what a user takes later should be near what they used before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from simgauge.core.scores.coconsumption_scores import PairMetric
from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError
from simgauge.evidence.coconsumption_scorer import CoConsumptionScorer, affordable_queries
from simgauge.evidence.matching import check_depth, check_sample, check_weights
from simgauge.evidence.popularity import DEFAULT_EXPONENT, check_exponent
from simgauge.evidence.protocol import Scale
from simgauge.interactions import Interactions, require_interactions
from simgauge.labels import rows_of, same_labels
from simgauge.matching.ids import IdSource, source_of
from simgauge.parameters import Rng, as_generator


@dataclass(frozen=True, eq=False)
class CoConsumption:
    """Held-out co-consumption: for every item a user used and every item held out of them, is the second near the
    first?

    Parameters
    ----------
    used : Interactions
        What to ask with: training interactions, or what held-out users used first. Weights are ignored.
    held_out : Interactions
        What to look for, with the same user and item ids in the same order, none of it used for training. `hold_out`
        makes both.
    metric : {"recall", "precision", "ndcg"}
        See `simgauge.core.scores.coconsumption_scores`.
    k : int
        Length of the lists of similar items.
    popularity : array-like, shape (n_items,), optional
        Users per item, for the weighted form. Counted in `used` and `held_out` together when not given.
    popularity_exponent : float in (0, 2]
        In the weighted form a held-out item counts 1 / popularity to this power. At 1 every *item* counts the same, in
        the plain form (0) every *user*; ½ lies halfway, so that what is rarely taken counts more, and what hardly
        anybody takes does not decide. Scores at ½ and 1 are shown whichever is stated.
    max_queries : "auto", int or None
        Different items whose neighbours are searched: as many as a search of moderate cost allows ("auto"), a number,
        or all that occur in `used` (None). Of more items a sample is drawn, in proportion to how much they are asked
        with; every user keeps all pairs with a drawn item, and intervals allow for the draw. Search costs
        max_queries x n_items a candidate.

    Raises
    ------
    InputError
        Different ids, nothing held out, or pairs that are in both (use `hold_out`).

    Notes
    -----
    The unit is the user: one number each, resampled as a whole; where items to ask with are a sample, they are
    resampled too. Every item is ranked, none sampled as a negative.

    Examples
    --------
    >>> used, later = Interactions([[1.0, 0, 0], [0, 1, 0]]), Interactions([[0.0, 1, 1], [1, 0, 0]])
    >>> CoConsumption(used, later, k=1)
    CoConsumption(recall@1, 2 users, 3 held-out pairs)
    """

    used: Interactions
    held_out: Interactions
    metric: PairMetric = "recall"
    k: int = 20
    popularity: Any = None
    max_queries: int | Literal["auto"] | None = "auto"
    popularity_exponent: float = DEFAULT_EXPONENT

    def __post_init__(self) -> None:
        object.__setattr__(self, "popularity_exponent", check_exponent(self.popularity_exponent))
        object.__setattr__(self, "k", check_depth(self.k))
        if self.max_queries != "auto":
            object.__setattr__(self, "max_queries", check_sample(self.max_queries))
        if self.metric not in ("recall", "precision", "ndcg"):
            raise ParameterError(f"metric={self.metric!r}: expected 'recall', 'precision' or 'ndcg'.")
        for name in ("used", "held_out"):
            require_interactions(getattr(self, name), name)
        for side in ("user_ids", "item_ids"):
            if not same_labels(getattr(self.used, side), getattr(self.held_out, side)):
                raise InputError(
                    f"used and held_out have different {side}: bring them together with held_out.align(used.item_ids, "
                    "used.user_ids), or let hold_out() make both."
                )
        if self.used.matrix.multiply(self.held_out.matrix).nnz:
            both = int((self.used.matrix.astype(bool).multiply(self.held_out.matrix.astype(bool))).nnz)
            raise InputError(f"{both} pairs are in used and in held_out: a pair can only be one of them.")
        counts = self.used.item_counts + self.held_out.item_counts
        popularity = np.maximum(counts, 1) if self.popularity is None else self.popularity
        object.__setattr__(self, "popularity", check_weights(popularity, self.used.n_items, "popularity"))
        if len(self.users_with_both()) == 0:
            raise InputError("no user has both a used and a held-out item: users with one interaction tell nothing.")

    def __repr__(self) -> str:
        return f"CoConsumption({self.measure}, {len(self.users_with_both())} users, {self.held_out.nnz} held-out pairs)"

    @property
    def unit(self) -> str:
        """Users are resampled."""
        return "user"

    @property
    def measure(self) -> str:
        """Such as "recall@20"."""
        return f"{self.metric}@{self.k}"

    @property
    def scale(self) -> Scale:
        """Candidates are compared by ratio."""
        return "ratio"

    @property
    def events(self) -> Interactions:
        """What was used and what was held out, together: all that is known of who took what."""
        return self.used.with_matrix(sparse.csr_array(self.used.matrix + self.held_out.matrix))

    def sources(self) -> list[IdSource]:
        """Ids of the items that were used or held out."""
        occur = (self.used.item_counts + self.held_out.item_counts) > 0
        used = source_of(self.used, "the held-out interactions")
        return [used if used.numbered else used._replace(ids=self.used.item_ids[occur])]

    def without(self, interactions: Interactions) -> tuple[CoConsumption | None, int]:
        """The evidence less the held-out pairs that are in some interactions, and how many those were.

        Returns
        -------
        CoConsumption or None, int
            None when nothing is left.
        """
        known = interactions.align(self.used.item_ids, self.used.user_ids).matrix.astype(bool)
        held = self.held_out.matrix
        leaked = sparse.csr_array(held.astype(bool).multiply(known))
        if leaked.nnz == 0:
            return self, 0
        if leaked.nnz == held.nnz:
            return None, int(leaked.nnz)
        rest = sparse.csr_array(held - held.multiply(leaked))
        rest.eliminate_zeros()
        kept = self.held_out.with_matrix(rest)
        return replace(self, held_out=kept), int(leaked.nnz)

    def split(self, share: float = 0.5, rng: Rng = 0) -> tuple[CoConsumption, CoConsumption]:
        """Two parts with different users at random, `share` of them in the first: to select on one and to report on the
        other.

        Examples
        --------
        >>> used, later = Interactions(np.eye(4)), Interactions(np.roll(np.eye(4), 1, axis=1))
        >>> CoConsumption(used, later, k=1).split()
        (CoConsumption(recall@1, 2 users, 2 held-out pairs), CoConsumption(recall@1, 2 users, 2 held-out pairs))
        """
        users = as_generator(rng).permutation(self.users_with_both())
        cut = round(share * len(users))
        if not 0 < cut < len(users):
            raise ParameterError(f"share={share}: leaves a part of the {len(users)} users empty.")
        parts = []
        for rows in (users[:cut], users[cut:]):
            keep = sparse.dia_array(
                (np.isin(np.arange(self.used.n_users), rows)[None, :] * 1.0, [0]), (self.used.n_users,) * 2
            )
            parts.append(replace(self, held_out=self.held_out.with_matrix(keep.tocsr() @ self.held_out.matrix)))
        return parts[0], parts[1]

    def bind(self, embedding: Embedding, seed: int = 0) -> CoConsumptionScorer:
        """Match with an embedding; pairs of items that it lacks are left out."""
        rows = rows_of(self.used.item_ids, embedding.item_ids, "items")
        known = np.flatnonzero(rows >= 0)
        used, later = (_placed(side.matrix, known, rows, embedding.n_items) for side in (self.used, self.held_out))
        popularity = np.ones(embedding.n_items)
        popularity[rows[known]] = self.popularity[known]
        notes = []
        if len(known) < len(rows):
            notes.append(f"{len(rows) - len(known)} items of the evidence are not in the embedding")
        has_later = np.diff(later.indptr) > 0
        asked = sparse.csr_array(sparse.diags_array(has_later.astype(np.float64)).tocsr() @ used)
        asked.eliminate_zeros()
        users = np.flatnonzero(np.diff(asked.indptr) > 0)
        if len(users) == 0:
            raise InputError("no user of the evidence has a used and a held-out item that the embedding knows.")
        limit = affordable_queries(embedding) if self.max_queries == "auto" else self.max_queries
        stated = (self.metric, self.k, self.popularity_exponent)
        return CoConsumptionScorer(*stated, asked[users], later[users], popularity, limit, seed, notes)

    def users_with_both(self) -> NDArray[np.int64]:
        """Rows of the users who have a used and a held-out item: the units."""
        return np.flatnonzero((self.used.user_counts > 0) & (self.held_out.user_counts > 0))


def _placed(
    matrix: sparse.csr_array, known: NDArray[np.int64], rows: NDArray[np.int64], n_items: int
) -> sparse.csr_array:
    """0/1 with the columns where the embedding has these items."""
    part = sparse.coo_array(matrix[:, known])
    data = (np.ones(part.nnz), (part.row, rows[known][part.col]))
    return sparse.csr_array(data, shape=(matrix.shape[0], n_items))
