"""Clicks: the inverse of the propensity recovers what clicks at all places would say, and clicks as they are do not."""

from __future__ import annotations

import numpy as np
import pytest

from kinds_problems import CLUSTER, IDS, N_CLUSTERS, N_ITEMS, model, nearest, score
from simgauge import fix
from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError
from simgauge.evidence import Clicks


def simulate(rng, n_pages: int, eta: float = 1.0):
    """Lists in which other clusters come first and own items last; a place is examined with the chance place^-eta, and
    an examined item of the page's cluster is clicked, another one rarely."""
    asked, clicked, places = [], [], []
    for _ in range(n_pages):
        page = int(rng.integers(0, N_ITEMS))
        foreign = rng.choice(np.flatnonzero(CLUSTER[page] != CLUSTER), 6, replace=False)
        own = rng.choice(np.flatnonzero((CLUSTER[page] == CLUSTER) & (np.arange(N_ITEMS) != page)), 4, replace=False)
        for place, item in enumerate([*foreign, *own], start=1):
            wanted = 0.5 if CLUSTER[item] == CLUSTER[page] else 0.15
            if rng.random() < place**-eta * wanted:
                asked.append(page), clicked.append(int(item)), places.append(place)
    return IDS[asked], IDS[clicked], np.array(places)


def test_the_inverse_of_the_propensity_recovers_what_is_wanted(rng):
    """Of examined items 4 x .5 of the own cluster and 6 x .15 of others are wanted: a model that lists the whole
    cluster finds 2 of 2.9."""
    own = model(0.01)
    clicks = simulate(rng, 6000)
    truth = 2.0 / 2.9
    k = N_ITEMS // N_CLUSTERS - 1
    weighed = score(Clicks(*clicks, propensity=1.0, k=k), own).plain.mean()
    naive = score(Clicks(*clicks, propensity=0.0, k=k), own).plain.mean()
    assert weighed == pytest.approx(truth, abs=0.03)
    assert naive < truth - 0.2, "control: clicks as they are favour what was shown first"
    wrong = score(Clicks(*clicks, propensity=2.0, k=k), own).plain.mean()
    assert wrong > truth + 0.05, "control: a wrong propensity is no better"


def test_scores_are_weighed_sums(rng):
    asked, clicked, places = simulate(rng, 300)
    sessions = rng.integers(0, 50, len(asked))
    embedding = model(0.6)
    found = score(Clicks(asked, clicked, places, sessions, propensity={p: 1 / (p + 1) for p in range(1, 11)}, k=6,
                         popularity_exponent=1.0), embedding)  # fmt: skip
    row = {label: number for number, label in enumerate(IDS.tolist())}
    gain = np.array([row[b] in nearest(embedding, row[a], 6) for a, b in zip(asked, clicked, strict=True)], float)
    weight = places + 1.0
    rare = np.array([weight[n] / (clicked == clicked[n]).sum() for n in range(len(clicked))])
    assert found.plain.mean() == pytest.approx(np.average(gain, weights=weight))
    assert found.weighted.mean() == pytest.approx(np.average(gain, weights=rare))
    assert len(found.plain) == len(np.unique(sessions))
    parts = [(weight * gain)[sessions == s].sum() for s in np.unique(sessions)]
    np.testing.assert_allclose(found.plain, np.array(parts) * len(parts) / weight.sum())


def test_what_is_assumed_and_what_was_cut_is_told():
    clicks = (["i1", "i1", "i2", "i3"], ["i2", "i3", "i3", "i3"], [1, 200, 4, 1])
    scorer = Clicks(*clicks, max_weight=10).bind(model(0.5))
    assert scorer.notes == [
        "assumed: place p is examined with the chance p^-1; 3 clicks weigh as much as 2 equal ones",
        "1 weight above 10 were cut (max_weight)",
        "1 click on the item itself were left out",
    ]
    assert scorer.weights.tolist() == [1.0, 10.0, 4.0]
    assert Clicks(*clicks, max_weight=1000).bind(model(0.5)).weights.tolist() == [1.0, 200.0, 4.0]
    given = Clicks(*clicks, propensity={1: 1.0, 4: 0.5, 200: 0.1}).bind(model(0.5))
    assert given.weights.tolist() == pytest.approx([1.0, 10.0, 2.0])
    assert "the propensities are those given" in given.notes[0]


def test_input_that_cannot_be_used():
    with pytest.raises(InputError, match=r"0 in row 1 .*counted from 1: add 1 where yours begin at 0"):
        Clicks(["a"], ["b"], [0])
    for places in ([1.5], [-1], [np.nan]):
        with pytest.raises(InputError, match="expected whole numbers of 1 or more"):
            Clicks(["a"], ["b"], places)
    with pytest.raises(InputError, match="every click is on the item beside which it was shown"):
        Clicks(["a"], ["a"], [1])
    with pytest.raises(InputError, match="none is given for place 3"):
        Clicks(["a", "a"], ["b", "c"], [1, 3], propensity={1: 1.0})
    with pytest.raises(ParameterError, match="chances above 0 and up to 1"):
        Clicks(["a"], ["b"], [1], propensity={1: 0.0})
    for wrong in ({"propensity": -1.0}, {"propensity": np.nan}, {"max_weight": 0.5}, {"metric": "precision"}):
        with pytest.raises(ParameterError, match=next(iter(wrong))):
            Clicks(["a"], ["b"], [1], **wrong)
    with pytest.raises(InputError, match="1 asked, 1 clicked, 2 positions: pass as many"):
        Clicks(["a"], ["b"], [1, 2])
    with pytest.raises(InputError, match="one dimension"):
        Clicks([], [], [])


def test_a_foreign_model_is_refused(rng):
    other = Embedding(rng.standard_normal((600, 6)), item_ids=[*IDS[:4], *(f"z{n}" for n in range(596))])
    with pytest.raises(InputError, match="--trust-ids"):
        fix(other, Clicks(*simulate(rng, 300)))
