"""Next-item evidence against a slow walk, its units, its limits, and input that cannot be used."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest

from kinds_problems import IDS, model, nearest, score, walk
from simgauge import fix
from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError
from simgauge.evidence import NextItem
from simgauge.remedies import CanonicalGauge, LeaveAlone


@pytest.fixture
def events(rng):
    return walk(40, 7, rng)


def slow(sessions, items, times, embedding, k, exponent=0.5):
    """Hit rate of the next item, session by session, and the weighted form over all steps."""
    row = {label: number for number, label in enumerate(embedding.item_ids.tolist())}
    own, holds = defaultdict(list), defaultdict(set)
    for session, item, time in zip(sessions, items, times, strict=True):
        own[session].append((time, item))
        holds[item].add(session)
    plain, hit, total = {}, 0.0, 0.0
    for session, entries in own.items():
        ordered = [item for _, item in sorted(entries)]
        gains = []
        for before, after in pairwise(ordered):
            if before != after:
                gains.append(float(row[after] in nearest(embedding, row[before], k)))
                weight = len(holds[after]) ** -exponent
                hit, total = hit + weight * gains[-1], total + weight
        if gains:
            plain[session] = np.mean(gains)
    return [plain[session] for session in sorted(plain)], hit / total


@pytest.mark.parametrize("exponent", [0.25, 0.5, 1.0])
def test_scores_are_those_of_a_slow_walk(events, exponent):
    embedding = model(0.5)
    evidence = NextItem(*events, k=6, popularity_exponent=exponent, max_queries=None)
    found = score(evidence, embedding)
    plain, weighted = slow(*events, embedding, 6, exponent)
    np.testing.assert_allclose(found.plain, plain)
    assert found.weighted.mean() == pytest.approx(weighted)
    assert 0 < np.mean(plain) < 1


def test_control_the_previous_item_is_another_question(events):
    sessions, items, times = events
    embedding, steps = model(0.5), np.where(np.arange(len(items)) % 2, -1.0, 1.0)
    forward = score(NextItem(sessions, items, times, k=3), embedding).plain
    mixed = score(NextItem(sessions, items, times * steps, k=3), embedding).plain
    assert forward.mean() != mixed.mean()


def test_better_models_score_higher_and_chance_is_the_length_of_the_list(events):
    good, bad, chance = (score(NextItem(*events, k=9), model(noise)).plain.mean() for noise in (0.1, 1.0, 1e6))
    assert good > bad > chance
    assert chance == pytest.approx(9 / 59, abs=0.06)


def test_users_are_resampled_where_they_are_known(events):
    sessions, items, times = events
    users = sessions // 4
    evidence = NextItem(sessions, items, times, users=users, k=6, max_queries=None)
    assert (evidence.unit, evidence.bind(model(0.5)).n_units) == ("user", 10)
    assert NextItem(sessions, items, times, k=6).bind(model(0.5)).n_units == 40
    with pytest.raises(InputError, match="belongs to several users"):
        NextItem(sessions, items, times, users=np.arange(len(items)))


def test_only_later_steps_and_short_pauses_count(events):
    sessions, items, times = events
    everything = NextItem(sessions, items, times)
    later = NextItem(sessions, items, times, after=20e5)
    assert later.bind(model(0.5)).n_units < everything.bind(model(0.5)).n_units
    assert set(later.pairs.units.tolist()) == set(range(20, 40)), "session 20 begins at 20e5, its first step is later"
    assert not any("new to the model" in note for note in later.bind(model(0.5)).notes)
    assert any("--after" in note for note in everything.bind(model(0.5)).notes)
    with pytest.raises(InputError, match="within the limits of after and max_gap"):
        NextItem(sessions, items, times, max_gap=59.0)
    assert NextItem(sessions, items, times, max_gap=60.0).bind(model(0.5)).n_units == 40


def test_times_that_are_missing_are_left_out_and_counted(events):
    sessions, items, times = events
    some = times.copy()
    some[:9] = np.nan
    evidence = NextItem(sessions, items, some)
    assert evidence.bind(model(0.5)).notes[0] == "9 events without a time were left out"
    rest = NextItem(sessions[9:], items[9:], times[9:])
    assert evidence.pairs.weights.sum() == rest.pairs.weights.sum()
    with pytest.raises(InputError, match="every one is missing"):
        NextItem(sessions, items, times * np.nan)


def test_input_that_cannot_be_used():
    for sessions, items in ((["a", "b"], [1, 2]), (["a", "a"], [1, 1]), (["a"], [1])):
        with pytest.raises(InputError, match="no session holds an item that is followed by another: nothing to ask"):
            NextItem(sessions, items)
    with pytest.raises(InputError, match="2 sessions, 3 items: pass as many of each"):
        NextItem(["a", "a"], [1, 2, 3])
    with pytest.raises(InputError, match="one dimension"):
        NextItem([], [])
    with pytest.raises(InputError, match="compare times: pass times"):
        NextItem(["a", "a"], [1, 2], max_gap=5.0)
    for wrong in ({"metric": "precision"}, {"k": 0}, {"popularity_exponent": 0.0}, {"max_queries": 0}):
        with pytest.raises(ParameterError, match=next(iter(wrong))):
            NextItem(["a", "a"], [1, 2], **wrong)
    with pytest.raises(InputError, match="popularity: expected positive"):
        NextItem(["a", "a"], ["i1", "i2"], popularity={"i1": 0.0}).bind(model(0.5))


def test_unknown_items_are_left_out_with_the_count_and_foreign_ids_refused(events):
    sessions, items, times = events
    part = Embedding(model(0.5).items[:30], item_ids=IDS[:30])
    notes = NextItem(sessions, items, times).bind(part).notes
    assert "pairs have an item that the embedding lacks" in notes[0]
    strange = Embedding(np.eye(4), item_ids=list("abcd"))
    with pytest.raises(InputError, match="is in the embedding"):
        NextItem(sessions, items, times).bind(strange)
    with pytest.raises(InputError, match="no pair of the evidence has both"):
        NextItem(["a", "a", "b", "b"], ["i1", "x", "y", "i2"]).bind(model(0.5))


def test_evidence_of_another_model_is_refused(rng):
    sessions, items, times = walk(60, 7, rng)
    other = Embedding(rng.standard_normal((600, 6)), item_ids=[*IDS[:4], *(f"z{n}" for n in range(596))])
    with pytest.raises(InputError, match=r"4 of 59 ids of the sessions are in the embedding.*--trust-ids"):
        fix(other, NextItem(sessions, items, times, k=5))


def test_a_sample_of_queries_estimates_the_whole(events):
    embedding = model(0.5)
    whole = score(NextItem(*events, k=6, max_queries=None), embedding).plain.mean()
    means = []
    for seed in range(30):
        scorer = NextItem(*events, k=6, max_queries=12).bind(embedding, seed)
        means.append(scorer.scores(LeaveAlone().fit(embedding), embedding).plain.mean())
    assert np.mean(means) == pytest.approx(whole, abs=4 * np.std(means) / np.sqrt(30) + 0.02)
    assert any("neighbours of 12 of" in note for note in scorer.notes)


def test_a_gauge_that_hides_the_clusters_is_repaired(rng):
    """Vectors stretched by an unknown map: the users' table knows the right one."""
    sessions, items, times = walk(150, 8, rng)
    plain = model(0.3, users=200)
    stretch = np.diag([30.0, 20.0, 1.0, 1.0, 0.1, 0.05]) @ np.linalg.qr(rng.standard_normal((6, 6)))[0]
    hidden = plain.with_tables(plain.items @ stretch, plain.users @ np.linalg.inv(stretch).T)
    found = fix(hidden, NextItem(sessions, items, times, k=9), [CanonicalGauge(1.0)], n_resamples=300, trust_ids=True)
    assert (found.decision, found.evidence["kind"], found.evidence["unit"]) == ("improved", "NextItem", "session")
    assert fix(plain, NextItem(sessions, items, times, k=9), [CanonicalGauge(0.5)], n_resamples=300,
               trust_ids=True).decision == "left alone", "control: nothing to repair"  # fmt: skip
