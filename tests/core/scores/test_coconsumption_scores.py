"""Co-consumption per user, against `pair_recall` and against loops over users."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from simgauge.core.scores.coconsumption_scores import coconsumption_scores
from simgauge.core.scores.pair_recall import holdout_split, pair_recall
from simgauge.errors import ParameterError


@pytest.fixture
def problem(rng):
    X = sparse.csr_array((rng.random((25, 30)) < 0.4).astype(float))
    used, later = (sparse.csr_array(part) for part in holdout_split(X, 0.4, rng))
    lists = np.array([rng.permutation(np.delete(np.arange(30), i))[:6] for i in range(30)])
    lists[3, 4:] = -1
    return used, later, lists, rng.uniform(0.05, 1.0, (30, 2))


def slow(metric, used, later, lists, weights, plain):
    scores, perfect = [], []
    k = lists.shape[1]
    for user in range(used.shape[0]):
        held = later[[user]].indices.tolist()
        collected = []
        for item in used[[user]].indices.tolist():
            ranked = lists[item].tolist()
            discount = [1 / np.log2(r + 2) if metric == "ndcg" else 1.0 for r in range(k)]
            collected.append(sum(weights[j] * d for j, d in zip(ranked, discount, strict=True) if j in held))
        best = sorted((weights[j] for j in held), reverse=True)
        if metric == "recall":
            perfect.append(sum(best))
        elif metric == "precision":
            perfect.append(k if plain else sum(best[:k]))
        else:
            perfect.append(sum(w * d for w, d in zip(best, discount, strict=False)))
        scores.append(np.mean(collected))
    return np.array(scores) / (np.array(perfect) if plain else np.mean(perfect))


@pytest.mark.parametrize("metric", ["recall", "precision", "ndcg"])
def test_equal_to_loops(problem, metric):
    used, later, lists, weights = problem
    found = coconsumption_scores(lists, used, later, weights, metric)
    np.testing.assert_allclose(found.plain, slow(metric, used, later, lists, np.ones(30), True), rtol=1e-12)
    for column, kind in enumerate(weights.T):
        np.testing.assert_allclose(found.weighted[:, column], slow(metric, used, later, lists, kind, False), rtol=1e-12)


def test_recall_is_that_of_pair_recall(problem):
    used, later, lists, weights = problem
    found = coconsumption_scores(lists, used, later, weights)
    per_user = pair_recall(lists, used, later)
    np.testing.assert_allclose(found.plain, per_user.per_user, rtol=1e-12)
    hits, pairs = (part / np.diff(used.indptr) for part in pair_recall(lists, used, later, weights[:, 1]))
    np.testing.assert_allclose(found.weighted[:, 1].mean(), hits.sum() / pairs.sum(), rtol=1e-12)
    assert not np.allclose(found.plain, found.weighted[:, 1]), "control: weights matter"


def test_weighted_by_popularity_every_item_counts_the_same(rng):
    """A list of the popular items for everybody: high plain recall, and weighted the share of items it holds."""
    popularity = np.array([0.9] * 4 + [0.05] * 36)
    X = sparse.csr_array((rng.random((4000, 40)) < popularity).astype(float))
    used, later = (sparse.csr_array(part) for part in holdout_split(X, 0.5, rng))
    keep = (np.diff(used.indptr) > 0) & (np.diff(later.indptr) > 0)
    used, later = used[np.flatnonzero(keep)], later[np.flatnonzero(keep)]
    lists = np.tile(np.arange(4), (40, 1))
    weights = 1 / np.maximum(np.bincount(later.indices, minlength=40), 1)[:, None]
    found = coconsumption_scores(lists, used, later, weights)
    assert found.plain.mean() > 0.6
    assert found.weighted.mean() == pytest.approx(4 / 40, rel=1e-9)


def test_unknown_metric(problem):
    used, later, lists, weights = problem
    with pytest.raises(ParameterError, match="metric='map'"):
        coconsumption_scores(lists, used, later, weights, "map")
