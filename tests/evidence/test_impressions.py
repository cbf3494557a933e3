"""What was taken against what was left: areas within users by a slow count, and what cannot be compared."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from kinds_problems import CLUSTER, IDS, N_CLUSTERS, N_ITEMS, model, score
from simgauge import fix
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.evidence import Impressions
from simgauge.interactions import Interactions
from simgauge.remedies import CSLS, CanonicalGauge, LeaveAlone


@pytest.fixture
def problem(rng):
    """Users of one cluster each; of ten shown items they mostly take those of their cluster."""
    n = 40
    home = np.arange(n) % N_CLUSTERS
    used = (rng.random((n, N_ITEMS)) < 0.4) & (CLUSTER[None, :] == home[:, None])
    used[np.arange(n), home] = True
    users = np.repeat(np.arange(n), 10)
    items = np.concatenate([rng.choice(np.flatnonzero(~used[user]), 10, replace=False) for user in range(n)])
    taken = rng.random(10 * n) < np.where(CLUSTER[items] == home[users], 0.9, 0.2)
    return Interactions(sparse.csr_array(used.astype(float)), item_ids=IDS), users, IDS[items], taken


@pytest.mark.parametrize("metric", ["cosine", "dot"])
def test_areas_are_counts_of_pairs(problem, metric):
    used, users, items, taken = problem
    embedding = model(0.6)
    row = {label: number for number, label in enumerate(IDS.tolist())}
    table = embedding.items
    table = table / np.linalg.norm(table, axis=1, keepdims=True) if metric == "cosine" else table
    expected = []
    for user in np.unique(users):
        own = used.matrix[[user]].indices
        scores = {item: np.mean([table[row[item]] @ table[other] for other in own]) for item in items[users == user]}
        positive = [scores[item] for item in items[(users == user) & taken]]
        negative = [scores[item] for item in items[(users == user) & ~taken]]
        if positive and negative:
            expected.append(np.mean([(p > n) + 0.5 * (p == n) for p in positive for n in negative]))
    found = score(Impressions(used, users, items, taken), embedding, metric)
    np.testing.assert_allclose(found.plain, expected)
    assert found.weighted is None
    assert found.lists is None


def test_better_models_score_higher_and_chance_is_one_half(problem):
    used, users, items, taken = problem
    evidence = Impressions(used, users, items, taken)
    good, bad = (score(evidence, model(noise)).plain.mean() for noise in (0.1, 1.0))
    random = np.mean([score(evidence, model(1e6, seed)).plain.mean() for seed in range(20)])
    assert good > bad > 0.5
    assert random == pytest.approx(0.5, abs=0.03)
    assert score(Impressions(used, users, items, ~taken), model(0.1)).plain.mean() < 0.4, "control: turned round"


def test_shown_several_times_is_taken_once_and_what_was_used_is_left_out():
    used = Interactions([[1.0, 0, 0, 0]], user_ids=["u"], item_ids=["i0", "i1", "i2", "i3"])
    evidence = Impressions(used, ["u"] * 5 + ["v"], ["i1", "i1", "i2", "i0", "i2", "i3"], [0, 2, 0, 1, 0, 1])
    assert repr(evidence) == "Impressions(auc within users, 1 user, 1 taken, 1 left)"
    assert evidence.notes == (
        "1 user used nothing before and were left out",
        "1 shown item that the user had used before were left out",
    )


def test_input_that_cannot_be_used(problem):
    used, users, items, taken = problem
    for same in (np.ones(len(items)), np.zeros(len(items))):
        with pytest.raises(InputError, match="both are needed"):
            Impressions(used, users, items, same)
    with pytest.raises(InputError, match=r"taken: -1\.0 in row 1"):
        Impressions(used, users, items, np.where(np.arange(len(items)) == 0, -1.0, taken))
    with pytest.raises(InputError, match="no user of the interactions took one"):
        Impressions(used, ["nobody"] * len(items), items, taken)
    with pytest.raises(InputError, match="pass as many"):
        Impressions(used, users[:-1], items, taken)
    with pytest.raises(InputError, match="used is of type str: expected Interactions"):
        Impressions("train.csv", users, items, taken)
    with pytest.raises(InputError, match="one dimension"):
        Impressions(used, [], [], [])
    evidence = Impressions(used, users, items, taken)
    part = Embedding(model(0.5).items[:30], item_ids=IDS[:30])
    assert any("are not in the embedding" in note for note in evidence.bind(part).notes)
    embedding = model(0.5)
    with pytest.raises(InputError, match="moves no vectors"):
        evidence.bind(embedding).scores(CSLS().fit(embedding), embedding)
    assert evidence.bind(embedding).scores(LeaveAlone().fit(embedding), embedding).plain.size


def test_a_gauge_that_hides_the_clusters_is_repaired_and_a_foreign_model_refused(problem, rng):
    evidence = Impressions(*problem)
    plain = model(0.3, users=200)
    stretch = np.diag([30.0, 20.0, 1.0, 1.0, 0.1, 0.05]) @ np.linalg.qr(rng.standard_normal((6, 6)))[0]
    hidden = plain.with_tables(plain.items @ stretch, plain.users @ np.linalg.inv(stretch).T)
    found = fix(hidden, evidence, [CanonicalGauge(1.0)], n_resamples=300, trust_ids=True)
    assert (found.decision, found.table[0].plain_change.scale) == ("improved", "difference")
    assert fix(plain, evidence, [CanonicalGauge(0.5)], n_resamples=300, trust_ids=True).decision == "left alone"
    other = Embedding(rng.standard_normal((600, 6)), item_ids=[*IDS[:4], *(f"z{n}" for n in range(596))])
    with pytest.raises(InputError, match="--trust-ids"):
        fix(other, evidence)
