from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from simgauge.errors import InputError
from simgauge.paper.cluster_agreement import cluster_agreement, norm_popularity


def by_loops(cosines, clusters, k):
    """The definitions, pair by pair."""
    n = len(clusters)
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    inside = [cosines[i, j] for i, j in pairs if clusters[i] == clusters[j]]
    between = [cosines[i, j] for i, j in pairs if clusters[i] != clusters[j]]
    auc = np.mean([(a > b) + 0.5 * (a == b) for a in inside for b in between])
    hits = []
    for i in range(n):
        nearest = sorted((j for j in range(n) if j != i), key=lambda j: (-cosines[i, j], j))[:k]
        hits += [clusters[j] == clusters[i] for j in nearest]
    return {"auc": auc, "precision": np.mean(hits), "inside": np.mean(inside), "between": np.mean(between)}


@given(st.integers(0, 10_000), st.integers(4, 12), st.integers(1, 5), st.booleans())
def test_equals_the_definitions_with_and_without_ties(seed, n, k, ties):
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((n, 3))
    cosines = vectors @ vectors.T
    cosines = np.round(cosines) if ties else cosines
    clusters = np.arange(n) % 3 % 2
    found = cluster_agreement(cosines, clusters, k)
    expected = by_loops(cosines, clusters, min(k, n - 1))
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_auc_is_that_of_scikit_learn(rng):
    cosines = rng.standard_normal((60, 60))
    cosines = np.round(cosines + cosines.T, 1)
    clusters = rng.integers(0, 4, 60)
    upper = np.triu_indices(60, 1)
    expected = roc_auc_score(clusters[upper[0]] == clusters[upper[1]], cosines[upper])
    assert cluster_agreement(cosines, clusters)["auc"] == pytest.approx(expected, abs=1e-12)


def test_known_answers_and_their_control(rng):
    clusters = np.repeat([0, 1, 2], 8)
    same = (clusters[:, None] == clusters).astype(float)
    perfect = cluster_agreement(same + 0.01 * rng.random((24, 24)), clusters, k=7)
    assert (perfect["auc"], perfect["precision"]) == (1.0, 1.0)
    assert cluster_agreement(-same, clusters)["auc"] == 0.0
    assert cluster_agreement(np.ones((24, 24)), clusters)["auc"] == 0.5


def test_few_items_never_list_themselves():
    cosines = np.eye(3)
    cosines[0, 1] = cosines[1, 0] = 0.5
    assert cluster_agreement(cosines, np.array([0, 0, 1]), k=10)["precision"] == pytest.approx(2 / 6)


@pytest.mark.parametrize(("clusters", "kind"), [([0, 0, 0], "in one cluster"), ([0, 1, 2], "a cluster of its own")])
def test_nothing_to_tell_apart_is_an_error(clusters, kind):
    with pytest.raises(InputError, match=kind):
        cluster_agreement(np.eye(3), np.array(clusters))


def test_norm_popularity_is_one_for_a_power_law_and_ignores_what_has_none():
    popularity = np.array([1, 5, 20, 100, 0, 7])
    norms = np.concatenate([popularity[:4] ** 0.7, [3.0, 0.0]])
    assert norm_popularity(norms, popularity) == pytest.approx(1.0)
    assert norm_popularity(1 / np.maximum(norms, 0.1), popularity) < 0
    assert norm_popularity(np.ones(6), popularity) == 0.0
    assert norm_popularity(np.zeros(6), popularity) == 0.0
