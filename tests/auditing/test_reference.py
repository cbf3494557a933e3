"""The shipped reference table: facts only, enough tables of enough kinds, and at most a tenth of them fail."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from simgauge import Embedding, audit
from simgauge.auditing.checks import ALL
from simgauge.auditing.objectives import OBJECTIVES
from simgauge.auditing.reference import KIND_OF_OBJECTIVE, NAMES, standing, tables
from simgauge.auditing.thresholds import load_thresholds
from simgauge.findings import SEVERITY


def test_it_holds_facts_only_about_thirty_tables_and_five_of_five_kinds():
    for row in tables():
        assert set(row) == {"kind", "corpus", "n_items", "n_users", "n_components", "values"}
        assert all(isinstance(value, (int, float)) and np.isfinite(value) for value in row["values"].values())
    distinct = {(row["kind"], row["corpus"]) for row in tables()}  # a corpus counts once, whatever the rank
    assert len(distinct) == len(tables()) >= 30
    kinds = Counter(kind for kind, _ in distinct)
    assert sum(count >= 5 for count in kinds.values()) >= 5
    assert set(NAMES) <= set(kinds)
    assert set(KIND_OF_OBJECTIVE) <= set(OBJECTIVES)


def test_at_most_a_tenth_fails_under_the_shipped_thresholds():
    limits = load_thresholds()
    failing = 0
    for row in tables():
        verdicts = [limits[name].judge(value) for name, value in row["values"].items() if name in limits]
        failing += max(map(SEVERITY.__getitem__, verdicts)) == SEVERITY["fail"]
    assert 0 < failing <= 0.1 * len(tables())


def test_every_judged_value_of_a_new_audit_is_in_it(rng):
    known = {name for row in tables() for name in row["values"]}
    result = audit(Embedding(rng.standard_normal((80, 6)), rng.standard_normal((60, 6))), "als", k=5)
    missing = {f.id for f in result.findings if f.value is not None and f.group == "geometry"} - known
    assert missing == set(), "run bench/reference.py audit SCRATCH --write"
    assert len(ALL) > len(known) / 2


def test_where_a_value_stands():
    values = sorted(row["values"]["hubness"] for row in tables() if row["kind"] == "als")
    found = standing("hubness", values[3], "als")
    assert (found.kind, found.n_tables, found.n_lower) == ("ALS factors", len(values), 3)
    assert standing("hubness", 1e9, "unknown").n_lower == len(tables())
    assert standing("hubness", -1e9, "als").n_lower == 0
    assert str(found) == f"higher than in 3 of {len(values)} reference tables (ALS factors)"
    assert standing("hubness", None, "als") is None
    assert standing("no_such_finding", 1.0, "als") is None
    assert standing("zero_rows", 0.0, "als") is None  # none of the others has any, and neither has this one
    assert standing("zero_rows", 0.5, "als").n_lower == len(values)


def test_findings_say_where_they_stand(rng):
    result = audit(Embedding(rng.standard_normal((300, 8))), "als")
    assert result["hubness"].standing.kind == "ALS factors"
    assert "reference tables (ALS factors)" in result.to_text()
    written = result.to_dict()["findings"]
    row = next(row for row in written if row["id"] == "hubness")
    assert row["standing"]["text"] == str(result["hubness"].standing)
    assert row["standing"]["n_tables"] == pytest.approx(7, abs=2)
