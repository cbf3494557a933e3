"""Similar users: co-consumption of the transposed matrices, by a slow count."""

from __future__ import annotations

import numpy as np
import pytest

from kinds_problems import CLUSTER, IDS, N_CLUSTERS, N_ITEMS, model, score
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.evidence import SimilarUsers, hold_out
from simgauge.interactions import Interactions

N_USERS = 50


@pytest.fixture
def split(rng):
    home = np.arange(N_USERS) % N_CLUSTERS
    chance = np.where(CLUSTER[None, :] == home[:, None], 0.7, 0.1)
    return hold_out(Interactions((rng.random((N_USERS, N_ITEMS)) < chance).astype(float), item_ids=IDS), k=5)


@pytest.mark.parametrize("metric", ["cosine", "dot"])
def test_scores_are_counts_of_pairs_of_users(split, metric):
    embedding = model(0.8, users=N_USERS)
    table = embedding.users
    table = table / np.linalg.norm(table, axis=1, keepdims=True) if metric == "cosine" else table
    lists = []
    for user in range(N_USERS):
        order = np.argsort(-(table @ table[user]), kind="stable").tolist()
        lists.append([other for other in order if other != user][:5])
    used, later = (side.matrix.toarray() > 0 for side in (split.evidence.used, split.evidence.held_out))
    expected = []
    for item in range(N_ITEMS):
        before, after = np.flatnonzero(used[:, item]), np.flatnonzero(later[:, item])
        if len(before) and len(after):
            expected.append(np.mean([[b in lists[a] for b in after] for a in before]))
    found = score(SimilarUsers(split.evidence), embedding, metric)
    np.testing.assert_allclose(found.plain, expected)
    assert found.weighted.mean() > 0
    assert found.lists is None, "lists of users say nothing of the catalogue of items"


def test_better_users_score_higher(split):
    evidence = SimilarUsers(split.evidence)
    good, bad = (score(evidence, model(noise, users=N_USERS)).plain.mean() for noise in (0.1, 3.0))
    assert good > 2 * bad
    assert (evidence.unit, evidence.measure) == ("item", "recall@5 of similar users")
    assert evidence.without(evidence.events) == (None, split.evidence.held_out.nnz)


def test_input_that_cannot_be_used(split):
    with pytest.raises(InputError, match="expected CoConsumption"):
        SimilarUsers(split.training)
    with pytest.raises(InputError, match="the embedding has items only"):
        SimilarUsers(split.evidence).bind(model(0.5))
    strange = Embedding(model(0.5).items, np.ones((4, N_CLUSTERS)), IDS, list("wxyz"))
    with pytest.raises(InputError, match="is in the embedding"):
        SimilarUsers(split.evidence).bind(strange)
