"""A sample of queries loses no user, is right on average, and its luck is in the intervals."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.core.inference.tradeoff import changes
from simgauge.embedding import Embedding
from simgauge.evidence import CoConsumption, hold_out
from simgauge.evidence.coconsumption_scorer import LEAST_QUERIES, SEARCH_BUDGET, affordable_queries
from simgauge.interactions import Interactions
from simgauge.selection.confirming import measure
from simgauge.selection.scoring import Scored

N_ITEMS, K = 120, 6


class Lists:
    """A candidate that is its lists."""

    metric = "cosine"

    def __init__(self, name, lists):
        self.name, self.lists = name, lists

    def neighbors(self, embedding, k, rows=None):  # noqa: ARG002 (the lists are known)
        return self.lists[rows][:, :k], None


def population(rng, n_users=6000):
    """Users with tastes, popular items, and two candidates, each with good lists for one half of the items."""
    group, taste = np.arange(N_ITEMS) % 6, rng.integers(0, 6, n_users)
    popularity = 0.5 * (1 + np.arange(N_ITEMS)[rng.permutation(N_ITEMS)]) ** -0.7
    chance = np.where(taste[:, None] == group[None, :], 3.0, 0.6) * popularity
    seen = Interactions((rng.random((n_users, N_ITEMS)) < chance).astype(float))
    evidence = hold_out(seen, share=0.3, k=K, max_queries=None).evidence
    near = (group[:, None] == group[None, :]) + 0.0
    np.fill_diagonal(near, -9)
    good = rng.random((N_ITEMS, 1)) < 0.5
    candidates = []
    for name, noise in (("c0", np.where(good, 0.3, 2.0)), ("c1", np.where(good, 2.0, 0.3))):
        order = np.argsort(-(near + noise * rng.standard_normal((N_ITEMS, N_ITEMS)) - 9 * np.eye(N_ITEMS)), axis=1)
        candidates.append(Lists(name, order[:, :K]))
    return evidence, candidates


def of_users(evidence, rows, **more):
    used, later = (Interactions(part.matrix[rows]) for part in (evidence.used, evidence.held_out))
    return CoConsumption(used, later, k=K, popularity=evidence.popularity, **more)


def scored_by(evidence, candidates, table, seed=0):
    scorer = evidence.bind(table, seed)
    found = [scorer.scores(candidate, table) for candidate in candidates]
    units = np.stack([np.stack([one.plain, one.weighted], axis=1) for one in found], axis=2)
    drawn = None if found[0].drawn is None else np.stack([one.drawn[..., :2] for one in found], axis=3)
    return Scored(tuple(candidates), units, (), scorer.exponents[:2], drawn), scorer


@pytest.fixture(scope="module")
def problem():
    evidence, candidates = population(np.random.default_rng(0))
    table = Embedding(np.ones((N_ITEMS, 2)), item_ids="positions")
    return evidence, candidates, table


def test_no_user_is_lost_and_the_mean_is_that_of_all_queries_on_average(problem):
    evidence, candidates, table = problem
    few = of_users(evidence, np.arange(400), max_queries=30)
    whole, scorer = scored_by(of_users(evidence, np.arange(400), max_queries=None), candidates, table)
    assert whole.drawn is None
    means = []
    for seed in range(200):
        part, sampled = scored_by(few, candidates, table, seed)
        assert len(sampled.queries) == 30
        assert sampled.n_units == scorer.n_units
        means.append(part.units.mean(axis=0))
    error = np.std(means, axis=0) / np.sqrt(200)
    np.testing.assert_allclose(np.mean(means, axis=0), whole.units.mean(axis=0), atol=5 * error.max())
    assert "30 of" in sampled.notes[-1]


def test_a_sample_of_all_items_but_one_is_nearly_all_of_it(problem):
    evidence, candidates, table = problem
    some = of_users(evidence, np.arange(300), max_queries=None)
    whole, scorer = scored_by(some, candidates, table)
    part, _ = scored_by(of_users(evidence, np.arange(300), max_queries=len(scorer.queries) - 1), candidates, table)
    np.testing.assert_allclose(part.units.mean(axis=0), whole.units.mean(axis=0), rtol=0.05)


def test_standard_errors_are_those_of_all_users_and_all_queries(problem):
    """Users and queries drawn again and again: the spread of the gain is what one draw says of itself."""
    evidence, candidates, table = problem
    everything, _ = scored_by(of_users(evidence, np.arange(evidence.used.n_users), max_queries=None), candidates, table)
    truth = changes(everything.units.mean(axis=0), "ratio")[:, 1].mean()
    gains, errors, blind, held = [], [], [], []
    for seed in range(120):
        rng = np.random.default_rng(seed)
        users = rng.choice(evidence.used.n_users, 1500, replace=False)
        found, _ = scored_by(of_users(evidence, users, max_queries=30), candidates, table, seed)
        how = (np.array([0.5, 0.5]), "ratio", rng, 0.95, 300, 0.02)
        told = measure(found, *how)
        gains.append(told.gain[1])
        errors.append(told.error[1])
        blind.append(measure(found._replace(drawn=None), *how).error[1])
        held.append(told.gains.low[1] <= truth <= told.gains.high[1])
    spread = np.std(gains)
    assert spread == pytest.approx(np.sqrt(np.mean(np.square(errors))), rel=0.2), "to 7 % by the number of repeats"
    assert np.mean(gains) == pytest.approx(truth, abs=4 * spread / np.sqrt(120))
    assert np.mean(held) >= 0.88, "106 of 120 intervals at 95 % hold the truth in 998 of 1000 such tests"
    assert spread > 1.3 * np.mean(blind), "control: users alone are resampled, who all share the draw"


def test_what_is_affordable_falls_with_the_size_of_the_table():
    assert affordable_queries(Embedding(np.ones((400, 10)))) == SEARCH_BUDGET // 4000
    wide = Embedding(np.broadcast_to(np.float32(1.0), (20_000_000, 1)))
    assert affordable_queries(wide) == LEAST_QUERIES
