"""Co-consumption in rows of one embedding: scores of every user, from all used items or from a sample of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from simgauge.core.scores.coconsumption_scores import PairMetric, all_weights, collected_gains, perfect_gains
from simgauge.core.scores.query_sample import QuerySample, sample_queries
from simgauge.core.tables.kinds import Cube, Matrix, Vector
from simgauge.embedding import Embedding
from simgauge.evidence.popularity import weighings
from simgauge.evidence.protocol import UnitScores

SEARCH_BUDGET = 4_000_000_000
"""Products of numbers that searching for neighbours may take for each candidate: about two seconds on one core."""

LEAST_QUERIES = 500
"""Items that are asked with at least, where there are as many."""


def affordable_queries(embedding: Embedding) -> int:
    """How many items can be asked with at a search of moderate cost.

    Examples
    --------
    >>> affordable_queries(Embedding(np.ones((5_000, 4)))), affordable_queries(Embedding(np.ones((1_000, 2))))
    (200000, 2000000)
    """
    return max(LEAST_QUERIES, SEARCH_BUDGET // (embedding.n_items * embedding.n_components))


class CoConsumptionScorer:
    """Scores per user, on all items that a user used, or on those of a sample that all users share.

    Of a sample, every user keeps all of their pairs with a drawn item, and a pair counts 1 / (chance of its item), so
    that no user is left out and the mean over users is that over all pairs, up to the luck of the draw. That luck is
    common to all users: no resampling of users can see it, so what each drawn item contributes is told as well, for two
    halves of the users apart, whose product is free of the noise of the users.
    """

    def __init__(
        self,
        metric: PairMetric,
        k: int,
        popularity_exponent: float,
        used: sparse.csr_array,
        later: sparse.csr_array,
        popularity: Vector,
        limit: int | None,
        seed: int,
        notes: list[str],
    ) -> None:
        self.metric: PairMetric = metric
        self.k, self.later, self.notes = k, later, notes
        self.exponents, weights = weighings(popularity, popularity_exponent)
        self.weights: Matrix = all_weights(weights, later.shape[1])
        self.n_units = int(later.shape[0])
        n_used = np.diff(used.indptr)
        each = np.repeat(1.0 / n_used, n_used)
        shares = sparse.csr_array((each, used.indices, used.indptr), used.shape)
        mass = np.asarray(shares.sum(axis=0)).ravel()
        asked = np.flatnonzero(mass > 0)
        sample = sample_queries(mass[asked], len(asked) if limit is None else limit, np.random.default_rng(seed))
        if len(sample.items) < len(asked):
            share = float(mass[asked][sample.items].sum() / mass.sum())
            notes.append(
                f"neighbours of {len(sample.items)} of {len(asked)} used items were searched, which are {share:.0%} of "
                "what the users' means go over; the intervals allow for the draw"
            )
        self.queries = asked[sample.items]
        self._place(sparse.csr_array(shares[:, self.queries]), sample, seed)

    def _place(self, shares: sparse.csr_array, sample: QuerySample, seed: int) -> None:
        """Rows of queries: one a user with the items that were sure to be drawn, one for each pair with another."""
        chance = sample.chances
        shares.data /= chance[shares.indices]
        self.level = self.n_units / shares.sum()  # what is drawn sums to what there is
        users = np.repeat(np.arange(self.n_units), np.diff(shares.indptr))
        lucky = chance[shares.indices] < 1
        sure = sparse.coo_array((shares.data[~lucky], (users[~lucky], shares.indices[~lucky])), shares.shape)
        self.drawn_item = shares.indices[lucky].astype(np.int64)
        pairs = sparse.csr_array(
            (shares.data[lucky], self.drawn_item, np.arange(len(self.drawn_item) + 1)),
            shape=(len(self.drawn_item), shares.shape[1]),
        )
        self.used = sparse.vstack([sure, pairs], format="csr")
        self.user = np.concatenate([np.arange(self.n_units), users[lucky]])
        luck, self.drawn_item = np.unique(self.drawn_item, return_inverse=True)
        self.luck = np.sqrt(1 - chance[luck])
        half = np.random.default_rng(seed).permutation(self.n_units) % 2
        self.place = half[users[lucky]] * len(luck) + self.drawn_item
        self.weight = np.bincount(self.place, weights=pairs.data, minlength=2 * len(luck))

    def scores(self, candidate: Any, embedding: Embedding) -> UnitScores:
        """Plain and popularity-weighted scores of every user."""
        lists, _ = candidate.neighbors(embedding, min(self.k, embedding.n_items - 1), rows=self.queries)
        lists = np.asarray(lists)
        perfect = perfect_gains(self.later, self.weights, lists.shape[1], self.metric)
        gains = collected_gains(lists, self.used, self.later, self.user, self.weights, self.metric)
        parts = self.level * gains / perfect[self.user]
        found = parts[: self.n_units].copy()
        of_pairs, owners = parts[self.n_units :], self.user[self.n_units :]
        for measure in range(found.shape[1]):
            found[:, measure] += np.bincount(owners, weights=of_pairs[:, measure], minlength=self.n_units)
        plain, weighted, *others = found.T
        return UnitScores(plain, weighted, others, lists, self._luck(of_pairs, found.mean(axis=0)))

    def _luck(self, of_pairs: Matrix, means: Vector) -> Cube | None:
        """How far each drawn item moves the means from where another draw would have put them, in each half of the
        users."""
        n = len(self.luck)
        if n == 0:
            return None
        sums = np.stack([np.bincount(self.place, weights=part, minlength=2 * n) for part in of_pairs.T], axis=1)
        moved = (sums - self.level * self.weight[:, None] * means) / self.n_units
        return np.asarray(moved.reshape(2, n, -1) * self.luck[:, None])
