"""Co-consumption per user, against `pair_recall` and against loops over users."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from simgauge.core.coconsumption import holdout_split, pair_recall
from simgauge.core.coconsumption_scores import coconsumption_scores
from simgauge.errors import ParameterError


@pytest.fixture
def problem(rng):
    X = sparse.csr_array((rng.random((25, 30)) < 0.4).astype(float))
    used, later = (sparse.csr_array(part) for part in holdout_split(X, 0.4, rng))
    lists = np.array([rng.permutation(np.delete(np.arange(30), i))[:6] for i in range(30)])
    lists[3, 4:] = -1
    return used, later, lists, rng.uniform(0.05, 1.0, 30)


def slow(metric, used, later, lists, weights):
    scores = []
    for user in range(used.shape[0]):
        held = set(later[[user]].indices.tolist())
        top, bottom = 0.0, 0.0
        for item in used[[user]].indices.tolist():
            ranked = [j for j in lists[item].tolist() if j >= 0]
            discount = [1 / np.log2(r + 2) if metric == "ndcg" else 1.0 for r in range(lists.shape[1])]
            top += sum(weights[j] * d for j, d in zip(ranked, discount, strict=False) if j in held)
            if metric == "recall":
                bottom += sum(weights[j] for j in held)
            elif metric == "precision":
                bottom += sum(weights[j] for j in ranked)
            else:
                best = sorted((weights[j] for j in held), reverse=True)
                bottom += sum(w * d for w, d in zip(best, discount, strict=False))
        scores.append(top / bottom)
    return np.array(scores)


@pytest.mark.parametrize("metric", ["recall", "precision", "ndcg"])
def test_equal_to_loops(problem, metric):
    used, later, lists, weights = problem
    found = coconsumption_scores(lists, used, later, weights, metric)
    np.testing.assert_allclose(found.plain, slow(metric, used, later, lists, np.ones(30)), rtol=1e-12)
    np.testing.assert_allclose(found.weighted, slow(metric, used, later, lists, weights), rtol=1e-12)


def test_recall_is_that_of_pair_recall(problem):
    used, later, lists, weights = problem
    found = coconsumption_scores(lists, used, later, weights)
    np.testing.assert_allclose(found.plain, pair_recall(lists, used, later).per_user, rtol=1e-12)
    np.testing.assert_allclose(found.weighted, pair_recall(lists, used, later, weights).per_user, rtol=1e-12)
    assert not np.allclose(found.plain, found.weighted), "control: weights matter"


def test_unknown_metric(problem):
    used, later, lists, weights = problem
    with pytest.raises(ParameterError, match="metric='map'"):
        coconsumption_scores(lists, used, later, weights, "map")
