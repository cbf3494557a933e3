"""Two audits, finding by finding: each rule has a case, and beside it the case that it must not catch."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

from simgauge.auditing.baseline import compare_with_baseline, read_baseline
from simgauge.auditing.noise import Noise, Spread
from simgauge.auditing.run import audit
from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError

QUIET = Noise("no model", {})
"""Nothing was measured: values count from a tenth."""

LIMITS = {
    "hubness": {"warn": 4.0, "fail": 10.0, "direction": "above"},
    "effective_rank": {"warn": 0.1, "fail": 0.03, "direction": "below"},
    "canonical_overlap": {"warn": None, "fail": None, "direction": "below"},
}


def plain(value, verdict, interval=None, name="hubness"):
    """An audit of one finding, with what a comparison reads."""
    names = ("objective", "biases", "penalty", "k", "sample", "seed", "version")
    finding = {"id": name, "title": name.title(), "value": value, "verdict": verdict, "interval": interval}
    return {"schema_version": 1, "parameters": {**dict.fromkeys(names, 1), "thresholds": LIMITS}, "findings": [finding]}


@pytest.mark.parametrize("name", ["objective", "biases", "penalty", "k", "sample", "seed", "version"])
def test_other_parameters_decide_nothing_and_are_named(name):
    then, now = plain(3.0, "ok"), plain(5.0, "warn")
    then["parameters"] = {**then["parameters"], name: 2}
    found = compare_with_baseline(now, then)
    assert compare_with_baseline(plain(5.0, "warn"), plain(3.0, "ok"), noise=QUIET).outcome == "worse", "control"
    assert found.outcome == "inconclusive"
    assert f"{name} (2 then, 1 now)" in found.changes[0].reason


def test_other_limits_and_missing_findings_decide_nothing():
    then, now = plain(3.0, "ok"), plain(5.0, "warn")
    now["parameters"] = {**now["parameters"], "thresholds": {**LIMITS, "hubness": {**LIMITS["hubness"], "warn": 4.5}}}
    assert "--thresholds" in compare_with_baseline(now, then).changes[0].reason
    found = compare_with_baseline(plain(5.0, "warn"), plain(0.5, "ok", name="effective_rank"))
    assert [(change.id, change.outcome) for change in found.changes] == [
        ("hubness", "inconclusive"),
        ("effective_rank", "inconclusive"),
    ]
    assert ["baseline" in found.changes[0].reason, "new audit" in found.changes[1].reason] == [True, True]


def test_the_worst_outcome_stands_for_all_and_comes_first():
    then, now = plain(0.5, "ok", name="effective_rank"), plain(0.5, "ok", name="effective_rank")
    then["findings"] += plain(3.0, "ok")["findings"]
    now["findings"] += plain(5.0, "warn")["findings"]
    found = compare_with_baseline(now, then, noise=QUIET)
    assert [change.outcome for change in found.changes] == ["worse", "same"]
    assert found.outcome == "worse"
    assert "1 worse, 1 same" in found.summary


def test_an_audit_of_real_vectors_against_itself_and_against_spoilt_ones(rng, tmp_path):
    table = rng.normal(size=(80, 6))
    path = tmp_path / "audit.json"
    path.write_text(audit(table, k=5).to_json())
    assert compare_with_baseline(audit(table, k=5), path).outcome == "same"
    assert compare_with_baseline(audit(table, k=5), tmp_path).outcome == "same", "a directory holds audit.json"
    spoilt = compare_with_baseline(audit(table + 20.0, k=5), path)
    assert spoilt.outcome == "worse"
    assert {change.id for change in spoilt.changes if change.outcome == "worse"} >= {"random_cosine"}
    assert "| worse |" in spoilt.to_markdown()
    assert spoilt.to_arrow().num_rows == len(spoilt.changes)
    assert compare_with_baseline(audit(table, k=6), path).outcome == "inconclusive"


def test_another_table_is_seen_by_its_columns_and_its_growth_is_named(rng):
    """Control: with the same columns more items are compared, and the same table has no sizes to name."""
    table = rng.normal(size=(50, 8))
    before = audit(table, k=5).to_dict()
    wider = compare_with_baseline(audit(rng.normal(size=(30, 9)), k=5), before)
    assert wider.outcome == "inconclusive"
    assert {change.outcome for change in wider.changes} == {"inconclusive"}, "no value of other columns is the same"
    assert "columns (8 then, 9 now)" in wider.differences
    assert "columns (8 then, 9 now)" in wider.changes[0].reason
    assert "Another table: columns (8 then, 9 now). Sizes differ: items (50 then, 30 now)" in wider.summary
    grown = compare_with_baseline(audit(np.vstack([table, rng.normal(size=(6, 8))]), k=5), before)
    assert (grown.differences, grown.sizes) == ((), ("items (50 then, 56 now)",))
    assert "inconclusive" not in {change.outcome for change in grown.changes}
    assert grown.to_dict()["sizes"] == ["items (50 then, 56 now)"]
    same = compare_with_baseline(audit(table, k=5), before)
    assert (same.outcome, same.sizes) == ("same", ())
    assert "Sizes" not in same.summary


def test_another_table_of_the_same_size_is_not_called_the_same(rng):
    """Its verdicts may be alike, so the values are what tells; they are shown, and no reason to stop."""
    model = Embedding(rng.normal(size=(80, 6)), users=rng.normal(size=(90, 6)))
    skewed = Embedding(model.items * 10.0 ** -np.arange(6), users=model.users)
    found = compare_with_baseline(audit(skewed, k=5), audit(model, k=5).to_dict())
    moved = {change.id: change for change in found.changes if change.outcome == "moved"}
    assert moved, str(found.summary)
    assert "became" in next(iter(moved.values())).reason
    assert "| moved |" in found.to_markdown()


def test_files_that_are_no_baseline(tmp_path):
    good = json.loads(audit(np.eye(5) + 1.0, k=2).to_json())
    path = tmp_path / "audit.json"
    for spoil, words in [
        (lambda found: found.update(schema_version=0), "schema version 0"),
        (lambda found: found.pop("schema_version"), "is no audit"),
        (lambda found: found["findings"][0].pop("verdict"), "damaged audit"),
        (lambda found: found["findings"][0].update(verdict="fine"), "damaged audit"),
        (lambda found: found["findings"][0].update(value=1.0, interval=[1]), "damaged audit"),
        (lambda found: found.pop("parameters"), "damaged audit"),
        (lambda found: found.update(embedding="vectors"), "damaged audit"),
        (lambda found: found.update(groups=[{"name": "tail"}]), "damaged audit"),
    ]:
        spoilt = copy.deepcopy(good)
        spoil(spoilt)
        path.write_text(json.dumps(spoilt))
        with pytest.raises(InputError, match=words):
            read_baseline(path)
    path.write_text("{")
    with pytest.raises(InputError, match="no JSON"):
        read_baseline(path)
    with pytest.raises(InputError, match="cannot read"):
        read_baseline(tmp_path / "none.json")
    with pytest.raises(ParameterError, match="min_move"):
        compare_with_baseline(good, good, min_move=2.0)


def grouped(value, verdict, name="tail", n_items=400, grouping="popularity"):
    """An audit of one finding that stays, and of one group."""
    measure = {"id": "hubness", "value": value, "interval": None, "verdict": verdict}
    described = {"id": "places", "value": value, "interval": None, "verdict": "info"}
    told = plain(1.0, "ok")
    group = {"grouping": grouping, "name": name, "n_items": n_items, "n_rows": n_items}
    told["groups"] = [{**group, "measures": [measure, described]}]
    return told


def test_a_group_that_is_worse_is_found_where_the_whole_is_the_same():
    """Control: the group as it was, another group, and a group that the noise of its size explains."""
    found = compare_with_baseline(grouped(5.0, "warn"), grouped(3.0, "ok"), noise=QUIET)
    assert found.outcome == "worse"
    worse = found.changes[0]
    assert (worse.id, worse.group, worse.name) == ("hubness", "popularity: tail", "Hubness (popularity: tail)")
    assert [change.group for change in found.changes] == ["popularity: tail", None], "what has no limits is left out"
    assert "| worse | Hubness (popularity: tail) |" in found.to_markdown()
    assert found.to_dict()["changes"][0]["group"] == "popularity: tail"
    assert found.to_arrow().column("group").to_pylist() == ["popularity: tail", None]
    assert compare_with_baseline(grouped(3.0, "ok"), grouped(3.0, "ok"), noise=QUIET).outcome == "same"
    assert compare_with_baseline(grouped(5.0, "warn", "head"), grouped(3.0, "ok"), noise=QUIET).outcome == "same"
    other = compare_with_baseline(grouped(5.0, "warn", grouping="by"), grouped(3.0, "ok"), noise=QUIET)
    assert len(other.changes) == 1


def test_small_groups_may_move_further_than_large_ones():
    known = Noise("a kind", {"hubness": Spread(0.0, 0.0, 1.0)})
    outcomes = {}
    for n_items in (40, 50_000):
        then, now = grouped(0.3, "ok", n_items=n_items), grouped(0.5, "warn", n_items=n_items)
        outcomes[n_items] = compare_with_baseline(now, then, noise=known).outcome
    assert outcomes == {40: "same", 50_000: "worse"}


def test_groups_of_audits_that_differ_are_not_compared():
    then, now = grouped(3.0, "ok"), grouped(5.0, "warn")
    then["parameters"] = {**then["parameters"], "k": 7}
    assert [change.group for change in compare_with_baseline(now, then).changes] == [None]


def test_the_noise_of_the_objective_is_taken():
    """The same values of two kinds of models: hubness of ALS moves further from seed to seed than that of BPR."""
    then, now = plain(3.9, "ok"), plain(4.6, "warn")
    outcomes = {}
    for objective in ("als", "bpr"):
        for side in (then, now):
            side["parameters"] = {**side["parameters"], "objective": objective}
        outcomes[objective] = compare_with_baseline(now, then).outcome
    assert outcomes == {"als": "same", "bpr": "worse"}


def test_many_values_together_need_a_larger_move():
    """Control: the same move alone counts. Bonferroni over a hundred values against one."""
    known = Noise("a kind", {"hubness": Spread(0.3, 0.0)})
    then, now = plain(3.5, "ok"), plain(4.5, "warn")
    assert compare_with_baseline(now, then, noise=known).outcome == "worse"
    for side, value in ((then, 1.0), (now, 1.0)):
        group = [{"id": "hubness", "value": value, "interval": None, "verdict": "ok"}]
        side["groups"] = [
            {"grouping": "by", "name": str(number), "n_items": 9, "n_rows": 9, "measures": group}
            for number in range(99)
        ]
    assert compare_with_baseline(now, then, noise=known).outcome == "same"
