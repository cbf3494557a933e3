"""Two audits, finding by finding: each rule has a case, and beside it the case that it must not catch."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

from simgauge.auditing.baseline import compare_with_baseline, read_baseline
from simgauge.auditing.run import audit
from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError

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


@pytest.mark.parametrize(
    ("then", "now", "outcome"),
    [
        ((3.0, "ok", [2.5, 3.5]), (5.0, "warn", [4.5, 5.5]), "worse"),
        ((3.0, "ok", [2.5, 4.6]), (5.0, "warn", [4.5, 5.5]), "inconclusive"),
        ((5.0, "warn", [4.5, 5.5]), (3.0, "ok", [2.5, 3.5]), "better"),
        ((5.0, "warn", [4.5, 5.5]), (3.0, "ok", [2.5, 4.6]), "inconclusive"),
        ((3.0, "ok"), (5.0, "warn"), "worse"),
        ((5.0, "warn", [4.9, 5.1]), (8.0, "warn", [7.9, 8.1]), "worse"),
        ((5.0, "warn", [4.9, 5.1]), (5.3, "warn", [5.2, 5.4]), "same"),
        ((5.0, "warn", [4.0, 6.5]), (8.0, "warn", [6.0, 9.9]), "same"),
        ((8.0, "warn", [7.9, 8.1]), (5.0, "warn", [4.9, 5.1]), "better"),
        ((1.0, "ok", [0.9, 1.1]), (3.0, "ok", [2.9, 3.1]), "moved"),
        ((3.0, "info", [2.9, 3.1]), (1.0, "info", [0.9, 1.1]), "moved"),
        ((1.0, "ok", [0.5, 2.5]), (3.0, "ok", [2.4, 3.6]), "same"),
        ((1.0, "ok"), (1.2, "ok"), "same"),
        ((0.001, "ok"), (0.009, "ok"), "same"),
        ((None, "info"), (1.0, "info"), "same"),
        ((None, "info"), (None, "warn"), "worse"),
        ((None, "info"), (None, "ok"), "same"),
    ],
)
def test_the_outcome_of_a_finding(then, now, outcome):
    found = compare_with_baseline(plain(*now), plain(*then))
    assert found.outcome == found.changes[0].outcome == outcome, str(found.changes[0].reason)


def test_the_bad_side_is_that_of_the_limits():
    """The same rise is worse for a value that must be small, and better for one that must be large."""
    then, now = (0.02, "warn", [0.01, 0.03]), (0.06, "warn", [0.05, 0.07])
    assert compare_with_baseline(plain(*now), plain(*then)).outcome == "worse"
    other = {"name": "effective_rank"}
    assert compare_with_baseline(plain(*now, **other), plain(*then, **other)).outcome == "better"


@pytest.mark.parametrize("name", ["objective", "biases", "penalty", "k", "sample", "seed", "version"])
def test_other_parameters_decide_nothing_and_are_named(name):
    then, now = plain(3.0, "ok"), plain(5.0, "warn")
    then["parameters"] = {**then["parameters"], name: 2}
    found = compare_with_baseline(now, then)
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
    found = compare_with_baseline(now, then)
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
