"""Held-out items of users against a slow sort; dot products that no gauge changes, cosines that it does."""

from __future__ import annotations

import numpy as np
import pytest

from kinds_problems import CLUSTER, IDS, N_CLUSTERS, N_ITEMS, model, score
from simgauge import fix
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.evidence import UserItems, hold_out
from simgauge.interactions import Interactions
from simgauge.remedies import CanonicalGauge, LeaveAlone

N_USERS = 90


@pytest.fixture
def split(rng):
    home = np.arange(N_USERS) % N_CLUSTERS
    chance = np.where(CLUSTER[None, :] == home[:, None], 0.7, 0.1) * np.linspace(0.4, 1.0, N_ITEMS)
    return hold_out(Interactions((rng.random((N_USERS, N_ITEMS)) < chance).astype(float), item_ids=IDS), k=5)


@pytest.mark.parametrize("kind", ["cosine", "dot"])
@pytest.mark.parametrize("metric", ["recall", "precision", "ndcg"])
def test_scores_are_those_of_a_full_sort(split, kind, metric):
    embedding = model(0.8, users=N_USERS)
    held = split.evidence.__class__(split.evidence.used, split.evidence.held_out, metric, 5, max_queries=None)
    found = score(UserItems(held), embedding, kind)
    table = embedding.items
    table = table / np.linalg.norm(table, axis=1, keepdims=True) if kind == "cosine" else table
    weight = np.asarray(held.popularity) ** -0.5
    discount = 1 / np.log2(np.arange(2, 7)) if metric == "ndcg" else np.ones(5)
    plain, hits, best = [], [], []
    for user in range(N_USERS):
        used, later = (set(side.matrix[[user]].indices.tolist()) for side in (held.used, held.held_out))
        if not later:
            continue
        order = np.argsort(-(table @ embedding.users[user]), kind="stable").tolist()
        listed = [item for item in order if item not in used][:5]
        gain = sum(d for d, item in zip(discount, listed, strict=False) if item in later)
        most = {"recall": len(later), "precision": 5, "ndcg": discount[: len(later)].sum()}[metric]
        plain.append(gain / most)
        hits.append(sum(d * weight[item] for d, item in zip(discount, listed, strict=False) if item in later))
        ranked = sorted((weight[item] for item in later), reverse=True)
        best.append(sum(ranked) if metric == "recall" else sum(d * w for d, w in zip(discount, ranked, strict=False)))
    np.testing.assert_allclose(found.plain, plain)
    assert found.weighted.mean() == pytest.approx(sum(hits) / sum(best))
    assert not np.allclose(score(UserItems(held), embedding, "dot" if kind == "cosine" else "cosine").plain, plain)


def test_dot_products_depend_on_no_gauge_and_cosines_do(split, rng):
    embedding = model(0.5, users=N_USERS)
    change = np.diag([8.0, 4.0, 1.0, 1.0, 0.2, 0.1])
    other = embedding.with_tables(embedding.items @ change, embedding.users @ np.linalg.inv(change))
    evidence = UserItems(split.evidence)
    np.testing.assert_allclose(score(evidence, embedding, "dot").plain, score(evidence, other, "dot").plain)
    assert (score(evidence, embedding).plain != score(evidence, other).plain).mean() > 0.1


def test_users_without_vectors_are_left_out_and_a_sample_is_told(split):
    embedding = model(0.5, users=N_USERS - 7)
    scorer = UserItems(split.evidence).bind(embedding)
    assert "7 users with held-out items have no vector in the embedding" in scorer.notes
    few = split.evidence.__class__(split.evidence.used, split.evidence.held_out, k=5, max_queries=20)
    scorer = UserItems(few).bind(model(0.5, users=N_USERS))
    assert scorer.n_units == 20
    assert f"20 of {UserItems(split.evidence).bind(model(0.5, users=N_USERS)).n_units} users were asked" in (
        " ".join(scorer.notes)
    )


def test_leaked_pairs_are_dropped(split):
    evidence = UserItems(split.evidence)
    assert evidence.without(split.training)[1] == 0
    assert evidence.without(split.evidence.events) == (None, split.evidence.held_out.nnz)


def test_input_that_cannot_be_used(split, rng):
    with pytest.raises(InputError, match="held_out is of type str: expected CoConsumption"):
        UserItems("later.csv")
    with pytest.raises(InputError, match=r"the embedding has items only\. Pass the vectors of the queries"):
        UserItems(split.evidence).bind(model(0.5))
    with pytest.raises(InputError, match="ask with queries of a second table, and the embedding has items only"):
        fix(model(0.5), UserItems(split.evidence))
    strangers = model(0.5, users=N_USERS)
    strangers = Embedding(strangers.items, strangers.users, IDS, [f"v{n}" for n in range(N_USERS)])
    with pytest.raises(InputError, match="no user of the evidence has a vector"):
        UserItems(split.evidence).bind(strangers)


def test_fix_asks_users_by_dot_and_by_cosine(split):
    """The length of an item's vector tells how popular it is: only the dot product uses it."""
    embedding = model(0.2, users=N_USERS)
    popular = embedding.with_tables(embedding.items * np.linspace(0.2, 1.0, N_ITEMS)[:, None] ** 2, embedding.users)
    asked = [LeaveAlone(), LeaveAlone("dot"), CanonicalGauge(0.5)]
    found = fix(popular, UserItems(split.evidence), asked, n_resamples=300, popularity_tradeoff=0.0)
    assert found.evidence["measure"] == "recall@5 for users"
    for row, kind in (("leave alone(cosine)", "cosine"), ("leave alone(dot)", "dot")):
        value = next(entry for entry in found.table if entry.name == row).plain.value
        assert value == pytest.approx(score(UserItems(split.evidence), popular, kind).plain.mean())
