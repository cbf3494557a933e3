"""Scores of items as queries and as listed: the metric as their mean, its standard error by leaving items out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from simgauge.core.scores.listed_items import with_listed
from simgauge.core.scores.ranking import ideal_gains, listed_gains, ranking_scores

METRICS = ("recall", "precision", "ndcg", "mrr")


def problem(rng, n=24, k=4):
    table, label = rng.standard_normal((n, 3)), rng.integers(0, 3, n)
    closeness = table @ table.T
    np.fill_diagonal(closeness, -np.inf)
    order = np.argsort(-closeness, axis=1)[:, :-1]
    relevance = sparse.csr_array((label[:, None] == label[None, :]) * 1.0 - np.eye(n))
    return order, relevance, k


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("weighted", [False, True])
def test_equal_to_leaving_out_one_item_at_a_time(rng, metric, weighted):
    order, relevance, k = problem(rng)
    n = len(order)
    kinds = rng.uniform(0.2, 1.0, n) if weighted and metric != "mrr" else None
    ideal = ideal_gains(relevance, k, kinds)

    def score(lists):
        listed = None if kinds is None else kinds[lists]
        return ranking_scores(metric, listed_gains(lists, relevance), ideal, listed)

    lists = order[:, : k + 1]
    found = with_listed(metric, listed_gains(lists, relevance), lists, ideal, None if kinds is None else kinds[lists])
    whole = score(order[:, :k])
    added = np.zeros(n)
    for item in range(n):
        without = np.array([[j for j in row if j != item][:k] for row in order])
        others = np.delete(np.arange(n), item)
        added[item] = (whole - score(without))[others].sum()
    np.testing.assert_allclose(found, whole + added - added.mean(), rtol=1e-12, atol=1e-12)
    assert found.mean() == pytest.approx(whole.mean())


def test_padding_is_no_item():
    gains, owner = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]), np.array([[1, -1, -1], [0, -1, -1]])
    ideal = ideal_gains(sparse.csr_array([[0.0, 1.0], [1.0, 0.0]]), 2)
    assert with_listed("recall", gains, owner, ideal).tolist() == [1.0, 1.0]
