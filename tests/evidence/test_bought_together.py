"""Pairs bought together against a slow sum, and input that cannot be used."""

from __future__ import annotations

import numpy as np
import pytest

from kinds_problems import CLUSTER, IDS, N_ITEMS, model, nearest, score
from simgauge import fix
from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError
from simgauge.evidence import BoughtTogether
from simgauge.remedies import CanonicalGauge, LeaveAlone


@pytest.fixture
def baskets(rng):
    left, right = rng.integers(0, N_ITEMS, (2, 600))
    keep = (left != right) & ((CLUSTER[left] == CLUSTER[right]) | (rng.random(600) < 0.2))
    return IDS[left[keep]], IDS[right[keep]], rng.integers(0, 5, keep.sum()).astype(float)


def slow(left, right, counts, embedding, k, exponent):
    """Share of the counts whose partner is listed, item by item; weighted over all of them."""
    row = {label: number for number, label in enumerate(embedding.item_ids.tolist())}
    table = np.zeros((N_ITEMS, N_ITEMS))
    for a, b, count in zip(left, right, counts, strict=True):
        table[row[a], row[b]] += count
        table[row[b], row[a]] += count
    np.fill_diagonal(table, 0.0)
    listed = np.zeros((N_ITEMS, N_ITEMS))
    for item in range(N_ITEMS):
        listed[item, nearest(embedding, item, k)] = 1.0
    total = table.sum(axis=1)
    weight = np.where(total > 0, np.maximum(total, 1e-300), 1.0) ** -exponent
    plain = ((table * listed).sum(axis=1) / np.maximum(total, 1e-300))[total > 0]
    return plain, float((table * listed * weight).sum() / (table * weight).sum())


@pytest.mark.parametrize("exponent", [0.25, 0.5, 1.0])
def test_scores_are_shares_of_the_counts(baskets, exponent):
    embedding = model(0.6)
    evidence = BoughtTogether(*baskets, k=6, popularity_exponent=exponent, max_queries=None)
    plain, weighted = slow(*baskets, embedding, 6, exponent)
    found = score(evidence, embedding)
    assert found.plain.mean() == pytest.approx(plain.mean())
    assert found.weighted.mean() == pytest.approx(weighted)
    unweighted = slow(baskets[0], baskets[1], np.sign(baskets[2]), embedding, 6, exponent)
    assert abs(unweighted[1] - weighted) > 1e-4, "control: counts matter"


def test_the_order_within_a_pair_and_repetition_mean_nothing(baskets):
    left, right, counts = baskets
    turned = np.arange(len(left)) % 2 == 0
    other = BoughtTogether(
        np.concatenate([np.where(turned, right, left), left]),
        np.concatenate([np.where(turned, left, right), right]),
        np.concatenate([counts, counts]),
        k=6,
    )
    one = BoughtTogether(left, right, counts, k=6)
    embedding = model(0.6)
    np.testing.assert_allclose(score(one, embedding).plain, score(other, embedding).plain, rtol=1e-12)
    assert repr(one).split(", ")[1:] == repr(other).split(", ")[1:]


def test_input_that_cannot_be_used():
    with pytest.raises(InputError, match=r"counts: -1.0 in row 2 \(1 such row\): expected finite numbers of 0 or more"):
        BoughtTogether(["a", "a"], ["b", "c"], [1.0, -1.0])
    with pytest.raises(InputError, match="counts: nan in row 1"):
        BoughtTogether(["a"], ["b"], [np.nan])
    for left, right, counts in ((["a"], ["a"], None), (["a"], ["b"], [0.0])):
        with pytest.raises(InputError, match="no pair holds two different items"):
            BoughtTogether(left, right, counts)
    with pytest.raises(InputError, match="1 left, 2 right: pass as many"):
        BoughtTogether(["a"], ["b", "c"])
    with pytest.raises(InputError, match="one dimension"):
        BoughtTogether([], [])
    with pytest.raises(ParameterError, match="metric='precision'"):
        BoughtTogether(["a"], ["b"], metric="precision")
    notes = BoughtTogether(["i1", "i1", "i2"], ["i1", "i2", "x"]).bind(model(0.5)).notes
    assert notes == [
        "2 of 4 pairs have an item that the embedding lacks",
        "1 pair of an item with itself were left out",
    ]


def test_numbers_and_text_of_one_id_are_one_item():
    mixed = BoughtTogether(np.array([1, 2]), ["2", "3"])
    assert mixed.pairs.ids.tolist() == ["1", "2", "3"]
    assert BoughtTogether([1, 2], [2, 3]).pairs.ids.tolist() == [1, 2, 3]


def test_a_gauge_that_hides_the_clusters_is_repaired_and_a_foreign_model_refused(baskets, rng):
    plain = model(0.3, users=200)
    stretch = np.diag([30.0, 20.0, 1.0, 1.0, 0.1, 0.05]) @ np.linalg.qr(rng.standard_normal((6, 6)))[0]
    hidden = plain.with_tables(plain.items @ stretch, plain.users @ np.linalg.inv(stretch).T)
    evidence = BoughtTogether(*baskets, k=9)
    found = fix(hidden, evidence, [CanonicalGauge(1.0)], n_resamples=300)
    assert (found.decision, found.evidence["unit"]) == ("improved", "pair")
    assert fix(plain, evidence, [CanonicalGauge(0.5)], n_resamples=300).decision == "left alone", "control"
    other = Embedding(rng.standard_normal((600, 6)), item_ids=[*IDS[:4], *(f"z{n}" for n in range(596))])
    with pytest.raises(InputError, match="--trust-ids"):
        fix(other, evidence)


def test_what_items_move_is_the_variance_of_dyadic_data(baskets):
    """Sum over pairs that share an item of the product of their parts, but for the pairs themselves."""
    embedding = model(0.6)
    evidence = BoughtTogether(*baskets, k=6, max_queries=None)
    scorer = evidence.bind(embedding)
    found = score(evidence, embedding)
    pairs, n = evidence.pairs, scorer.n_units
    ends = np.zeros((n, 2), dtype=int)
    ends[pairs.units] = np.sort(np.stack([pairs.asked, pairs.wanted], axis=1), axis=1)
    gains = scorer.observed.gains(LeaveAlone().fit(embedding), embedding)[0]
    parts = np.bincount(pairs.units, weights=scorer.weights[:, 0] * (gains - found.plain.mean()), minlength=n)
    shared = (ends[:, None, :, None] == ends[None, :, None, :]).any(axis=(2, 3)) & ~np.eye(n, dtype=bool)
    expected = parts @ shared @ parts
    whole = found.drawn[:, :, 0].sum(axis=0)
    assert (whole**2).sum() - 2 * (parts**2).sum() == pytest.approx(expected)
    halves = []
    for seed in range(300):
        drawn = evidence.bind(embedding, seed).scores(LeaveAlone().fit(embedding), embedding).drawn[:, :, 0]
        halves.append(4 * (drawn[0] @ drawn[1]))
    error = np.std(halves) / np.sqrt(300)
    assert np.mean(halves) == pytest.approx(expected, abs=4 * error + 0.01 * abs(expected))
