"""Metrics of ranked lists against ranx and against loops."""

from __future__ import annotations

import os
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import ndcg_score

from simgauge.core.scores.ranking import ideal_gains, listed_gains, ranking_scores
from simgauge.errors import InputError, ParameterError

METRICS = ("recall", "precision", "ndcg", "mrr")


@pytest.fixture
def problem(rng):
    relevance = rng.integers(0, 4, (30, 40)) * (rng.random((30, 40)) < 0.2)
    relevance[:, 0] = np.maximum(relevance[:, 0], 1)  # every query has something to find
    scores = rng.random((30, 40))
    lists = np.argsort(-scores, axis=1)[:, :7]
    return sparse.csr_array(relevance.astype(float)), lists, scores


def slow(metric, relevance, lists, weights):
    dense, found = relevance.toarray(), []
    for query, ranked in enumerate(lists.tolist()):
        gains = [dense[query, item] for item in ranked]
        hits = [gain > 0 for gain in gains]
        if metric == "mrr":
            found.append(next((1 / rank for rank, hit in enumerate(hits, 1) if hit), 0.0))
        elif metric == "recall":
            total = sum(weights[item] for item in range(dense.shape[1]) if dense[query, item] > 0)
            found.append(sum(weights[item] for item, hit in zip(ranked, hits, strict=True) if hit) / total)
        elif metric == "precision":
            total = sum(weights[item] for item in ranked)
            found.append(sum(weights[item] for item, hit in zip(ranked, hits, strict=True) if hit) / total)
        else:
            worth = [gain * weights[item] for gain, item in zip(gains, ranked, strict=True)]
            best = sorted((dense[query] * weights).tolist(), reverse=True)[: len(ranked)]
            discounted = [sum(w / np.log2(rank + 1) for rank, w in enumerate(part, 1)) for part in (worth, best)]
            found.append(discounted[0] / discounted[1])
    return np.array(found)


@pytest.mark.parametrize("metric", METRICS)
def test_equal_to_loops(problem, metric, rng):
    relevance, lists, _ = problem
    gains = listed_gains(lists, relevance)
    plain = ranking_scores(metric, gains, ideal_gains(relevance, 7))
    np.testing.assert_allclose(plain, slow(metric, relevance, lists, np.ones(40)), rtol=1e-12)
    if metric != "mrr":
        weights = rng.uniform(0.1, 3.0, 40)
        weighted = ranking_scores(metric, gains, ideal_gains(relevance, 7, weights), weights[lists])
        np.testing.assert_allclose(weighted, slow(metric, relevance, lists, weights), rtol=1e-12)


def test_ndcg_is_that_of_scikit_learn(problem):
    relevance, lists, scores = problem
    ours = ranking_scores("ndcg", listed_gains(lists, relevance), ideal_gains(relevance, 7))
    assert ours.mean() == pytest.approx(ndcg_score(relevance.toarray(), scores, k=7), rel=1e-12)


@pytest.mark.skipif(
    "SIMGAUGE_TEST_SLOW" not in os.environ, reason="ranx compiles for minutes; set SIMGAUGE_TEST_SLOW=1"
)
def test_equal_to_ranx(problem):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ranx = pytest.importorskip("ranx", reason="the published implementation; pip install ranx")
    relevance, lists, scores = problem
    dense = relevance.toarray().astype(int)
    judged = {f"q{q}": {f"d{d}": int(dense[q, d]) for d in np.flatnonzero(dense[q])} for q in range(30)}
    ranked = {f"q{q}": {f"d{d}": float(scores[q, d]) for d in lists[q]} for q in range(30)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = ["recall@7", "precision@7", "ndcg@7", "mrr@7"]
        theirs = ranx.evaluate(ranx.Qrels(judged), ranx.Run(ranked), names)
    gains, ideal = listed_gains(lists, relevance), ideal_gains(relevance, 7)
    for metric, name in zip(METRICS, names, strict=True):
        assert ranking_scores(metric, gains, ideal).mean() == pytest.approx(theirs[name], rel=1e-12), f"{name}"


def test_the_order_of_a_list_matters_to_ndcg_and_not_to_recall(problem):
    relevance, lists, _ = problem
    ideal = ideal_gains(relevance, 7)
    a, b = (listed_gains(order, relevance) for order in (lists, lists[:, ::-1]))
    np.testing.assert_allclose(ranking_scores("recall", a, ideal), ranking_scores("recall", b, ideal))
    assert not np.allclose(ranking_scores("ndcg", a, ideal), ranking_scores("ndcg", b, ideal))


def test_a_perfect_list_scores_one_and_padding_nothing(problem):
    relevance, _, _ = problem
    best = np.argsort(-relevance.toarray(), axis=1, kind="stable")[:, :7]
    ideal = ideal_gains(relevance, 7)
    np.testing.assert_allclose(ranking_scores("ndcg", listed_gains(best, relevance), ideal), 1.0)
    nothing = listed_gains(np.full((30, 7), -1), relevance)
    assert not any(ranking_scores(metric, nothing, ideal).any() for metric in METRICS)


def test_bad_input():
    empty = ideal_gains(sparse.csr_array((2, 3)), 2)
    with pytest.raises(InputError, match="2 queries have no relevant item"):
        ranking_scores("ndcg", np.zeros((2, 2)), empty)
    some = ideal_gains(sparse.csr_array([[1.0, 0.0]]), 1)
    with pytest.raises(ParameterError, match="metric='map'"):
        ranking_scores("map", np.zeros((1, 1)), some)
    with pytest.raises(ParameterError, match="no popularity-weighted form"):
        ranking_scores("mrr", np.zeros((1, 1)), some, np.ones((1, 1)))
