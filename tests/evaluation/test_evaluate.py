"""evaluate: numbers of the evidence itself, models side by side, several seeds, and nothing chosen."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from kinds_problems import CLUSTER, IDS, N_ITEMS, model, score, walk
from simgauge import Embedding, evaluate
from simgauge.core.scores.shown import shown_items
from simgauge.errors import InputError, ParameterError
from simgauge.evidence import CoConsumption, Labels, NextItem, PairJudgements, SimilarUsers, UserItems, hold_out
from simgauge.interactions import Interactions

pytestmark = pytest.mark.filterwarnings("ignore::simgauge.matching.AlignmentWarning")


@pytest.fixture
def sessions(rng):
    return NextItem(*walk(60, 6, rng), k=6)


@pytest.fixture
def split(rng):
    home = np.arange(80) % 6
    chance = np.where(CLUSTER[None, :] == home[:, None], 0.7, 0.08)
    return hold_out(Interactions((rng.random((80, N_ITEMS)) < chance).astype(float), item_ids=IDS), k=5)


def test_values_are_those_of_the_evidence_with_students_intervals(sessions):
    embedding = model(0.5)
    found = evaluate(embedding, sessions)
    assert [(row.model, row.metric) for row in found.rows] == [("model", "cosine"), ("model", "dot")]
    for row in found.rows:
        direct = score(sessions, embedding, row.metric)
        expected = stats.t.interval(0.95, len(direct.plain) - 1, direct.plain.mean(), stats.sem(direct.plain))
        assert row.plain == pytest.approx((direct.plain.mean(), *expected))
        assert row.weighted[0.5].value == pytest.approx(direct.weighted.mean())
        shown = shown_items(np.asarray(direct.lists), N_ITEMS)
        assert row.shown[:2] == shown[:2]
        assert row.shown.novelty > 0
    assert found.rows[0].change is None
    assert found.rows[1].change.value == pytest.approx(found.rows[1].plain.value / found.rows[0].plain.value)


def test_models_side_by_side_are_told_apart_and_noise_is_not(sessions):
    found = evaluate({"a": model(0.3), "b": model(2.0), "c": model(0.3, seed=5)}, sessions, metrics="cosine")
    verdicts = {row.model: row.change.verdict for row in found.rows[1:]}
    assert verdicts["b"] == "worse"
    assert found.rows[2].change.low < found.rows[2].change.value < found.rows[2].change.high


def test_changes_of_one_table_hold_together():
    """Models that differ by noise only: how often is any of eight called better or worse?"""
    rng = np.random.default_rng(2)
    left, right = rng.integers(0, N_ITEMS, (2, 900))
    called = 0
    for trial in range(60):
        truth = rng.standard_normal(900)
        evidence = PairJudgements(IDS[left], IDS[right], truth)
        models = {f"m{n}": model(1e6, 100 * trial + n) for n in range(9)}
        found = evaluate(models, evidence, metrics="cosine")
        called += any(row.change.verdict != "same" for row in found.rows[1:])
    assert called <= 9, "5 % of 60 expected; 9 or fewer in 99.7 of 100 such tests"


def test_several_seeds_are_averaged_and_widen_the_interval(sessions):
    seeds = [model(1.0, seed) for seed in range(4)]
    found = evaluate({"a": seeds, "b": model(1.0, 9)}, sessions, metrics="cosine")
    values = [score(sessions, one).plain.mean() for one in seeds]
    first = found.rows[0]
    assert first.n_seeds == 4
    assert first.seed_values == pytest.approx(values)
    assert first.plain.value == pytest.approx(np.mean(values))
    widths = [evaluate(one, sessions, metrics="cosine").rows[0].plain for one in seeds]
    assert first.plain.high - first.plain.low > np.mean([width.high - width.low for width in widths]) / 2
    assert found.models == {"a": 4, "b": 1}


def test_several_kinds_of_evidence_and_both_sides(split, sessions):
    embedding = model(0.5, users=80)
    kinds = [split.evidence, UserItems(split.evidence), SimilarUsers(split.evidence), sessions]
    found = evaluate(embedding, kinds, interactions=split.training)
    assert found.measures == ("recall@5", "recall@5 for users", "recall@5 of similar users", "recall@6")
    assert len(found.rows) == 8
    assert {row.unit for row in found.rows} == {"user", "item", "session"}
    assert found.of("recall@5 of similar users")[0].shown is None
    used = split.training.item_counts / (split.training.user_counts > 0).sum()
    lists = score(split.evidence, embedding).lists
    assert found.rows[0].shown.novelty == pytest.approx(shown_items(lists, N_ITEMS, np.maximum(used, 1 / 80)).novelty)


def test_models_of_other_catalogues_meet_on_common_items(sessions, rng):
    whole = model(0.5)
    order = rng.permutation(N_ITEMS)[:45]
    part = Embedding(whole.items[order], item_ids=IDS[order])
    found = evaluate({"whole": whole, "part": part}, sessions, metrics="cosine")
    assert "compared on the 45 items that all models have" in found.notes
    assert found.rows[0].plain == pytest.approx(found.rows[1].plain), "the same vectors on the same items"
    alone = evaluate(whole, sessions, metrics="cosine").rows[0].plain
    assert alone.value < found.rows[0].plain.value, "control: fewer items are an easier task"
    with pytest.raises(InputError, match="have no item in common"):
        evaluate({"a": whole, "b": Embedding(np.eye(3), item_ids=list("xyz"))}, sessions)
    with pytest.raises(InputError, match="have 45 and 60 items, and not all have ids"):
        evaluate({"a": whole, "b": Embedding(whole.items[:45])}, sessions)


def test_labels_and_judgements_have_no_novelty_or_lists():
    embedding = model(0.5)
    labels = Labels({label: str(CLUSTER[n]) for n, label in enumerate(IDS)}, k=5)
    pairs = PairJudgements(IDS[:30], IDS[30:], np.arange(30) % 7)
    found = evaluate(embedding, [labels, pairs], metrics="cosine")
    assert found.rows[0].shown.novelty is None
    assert found.rows[0].shown.coverage > 0.3
    assert found.rows[1].shown is None
    assert found.rows[0].weighted == {}


def test_the_result_is_json_and_a_table(sessions):
    found = evaluate({"a": model(0.5), "b": model(0.6)}, [sessions])
    text = json.dumps(found.to_dict(), allow_nan=False)
    assert json.loads(text)["rows"][1]["change"]["verdict"] in ("better", "worse", "same")
    table = found.to_arrow()
    assert table.num_rows == 4
    assert {"plain_low", "weighted_0.5", "change_high", "coverage", "gini", "novelty"} <= set(table.column_names)
    assert "Evaluation(2 models, recall@6, 4 rows)" in repr(found)


def test_input_that_cannot_be_used(sessions):
    for wrong, text in (
        ({"metrics": "euclid"}, "metrics='euclid'"),
        ({"metrics": []}, r"metrics=\[\]"),
        ({"confidence": 1.0}, "confidence=1.0"),
    ):
        with pytest.raises(ParameterError, match=text):
            evaluate(model(0.5), sessions, **wrong)
    with pytest.raises(ParameterError, match="pass at least one kind"):
        evaluate(model(0.5), [])
    with pytest.raises(ParameterError, match="no name without a model"):
        evaluate({"a": []}, sessions)
    with pytest.raises(InputError, match="evidence is of type str"):
        evaluate(model(0.5), "ratings.csv")
    with pytest.raises(InputError, match="interactions is of type str"):
        evaluate(model(0.5), sessions, interactions="train.csv")
    strange = Embedding(np.eye(6), item_ids=[f"z{n}" for n in range(6)])
    with pytest.raises(InputError, match="is in the embedding"):
        evaluate(strange, sessions)
    with pytest.raises(InputError, match="the evidence holds 1 session"):
        evaluate(model(0.5), NextItem(["a", "a"], ["i1", "i2"]))


def test_a_sample_of_queries_widens_the_interval(split):
    """Queries drawn for all users alike: the spread of the draws is in the interval."""
    embedding = model(0.8)
    held = split.evidence
    few = CoConsumption(held.used, held.held_out, k=5, max_queries=15)
    found = [evaluate(embedding, few, metrics="cosine", rng=seed).rows[0].plain for seed in range(25)]
    whole = evaluate(embedding, CoConsumption(held.used, held.held_out, k=5, max_queries=None), metrics="cosine")
    truth = whole.rows[0].plain
    width = np.mean([one.high - one.low for one in found])
    assert width > 1.1 * (truth.high - truth.low)
    assert sum(one.low <= truth.value <= one.high for one in found) >= 23


def test_words_that_recur_in_many_pairs_widen_the_interval(rng):
    """A few items in all pairs: pairs are no independent evidence."""
    left, right = np.repeat(np.arange(6), 40), 6 + rng.integers(0, 54, 240)
    truth = rng.standard_normal(6)[left] + 0.2 * rng.standard_normal(240)
    few = evaluate(
        {"a": model(1.0), "b": model(1.0, 3)}, PairJudgements(IDS[left], IDS[right], truth), metrics="cosine"
    )
    alone = score(PairJudgements(IDS[left], IDS[right], truth), model(1.0)).plain
    expected = stats.t.interval(0.95, 239, alone.mean(), stats.sem(alone))
    assert few.rows[0].plain.high - few.rows[0].plain.low > 1.1 * (expected[1] - expected[0])
    assert few.rows[1].change.low < few.rows[1].change.value < few.rows[1].change.high
