"""Gates for continuous integration: exit codes, and the files that they leave."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import jsonschema
import numpy as np
import pytest

from simgauge.report.html import NUMBERS_FILE


@pytest.fixture
def tables(rng, tmp_path):
    items = rng.normal(size=(60, 5))
    for name, table in {"good": items, "spoilt": items + 20.0, "other": rng.normal(size=(60, 5))}.items():
        np.save(tmp_path / f"{name}.npy", table)
    return tmp_path


def test_audit_against_a_baseline(run, tables):
    from importlib import resources

    last = tables / "last"
    assert run("audit", tables / "good.npy", "-k", 5, "--out", last)[0] == 0
    beside = ("--baseline", last / NUMBERS_FILE)
    assert run("audit", tables / "good.npy", "-k", 5, *beside)[0] == 0
    junit, markdown = tables / "junit.xml", tables / "audit.md"
    files = ("--junit", junit, "--markdown", markdown)
    code, output, _ = run("audit", tables / "spoilt.npy", "-k", 5, *beside, *files)
    assert code == 1
    assert "Beside the baseline: worse" in output
    assert ElementTree.parse(junit).getroot().get("failures") != "0"
    assert "| worse |" in markdown.read_text()
    np.save(tables / "narrow.npy", np.load(tables / "good.npy")[:, :-1])
    code, output, _ = run("audit", tables / "narrow.npy", "-k", 5, *beside)
    assert (code, "Another table: columns (" in output) == (3, True), "another table decides nothing"
    code, output, _ = run("audit", tables / "good.npy", "-k", 6, *beside, "--json")
    assert code == 3
    schema = json.loads(resources.files("simgauge").joinpath("schemas/audit.schema.json").read_text())
    jsonschema.validate(json.loads(output), schema)
    assert json.loads(output)["baseline"]["outcome"] == "inconclusive"
    assert run("audit", tables / "good.npy", "-k", 5, *beside, "--out", last)[0] == 0, "read before it is replaced"


def test_a_group_that_got_worse_stops_the_gate(run, tables, rng):
    """Half of one label becomes copies of each other. Control: the table as it was."""
    items = rng.normal(size=(300, 5))
    np.save(tables / "whole.npy", items)
    items[:20] = items[20:40]
    np.save(tables / "copies.npy", items)
    lines = [f"{row},{'poetry' if row < 40 else 'prose'}" for row in range(300)]
    (tables / "labels.csv").write_text("\n".join(["item,label", *lines]))
    last, by = tables / "groups", ("--by", tables / "labels.csv", "-k", 5, "--ids", "positions")
    assert run("audit", tables / "whole.npy", *by, "--out", last)[0] == 0
    beside = (*by, "--baseline", last / NUMBERS_FILE)
    assert run("audit", tables / "whole.npy", *beside)[0] == 0
    junit = tables / "groups.xml"
    code, output, _ = run("audit", tables / "copies.npy", *beside, "--junit", junit)
    assert code == 1
    assert "(label: poetry)" in output
    assert "(label: poetry)" in junit.read_text()


def test_a_baseline_of_another_schema_is_input(run, tables):
    (tables / "old.json").write_text('{"schema_version": 0, "findings": []}')
    code, _, errors = run("audit", tables / "good.npy", "--baseline", tables / "old.json")
    assert (code, "schema version 0" in errors) == (2, True)


def test_compare_fails_on_relations_and_on_few_common_neighbours(run, tables):
    same, other = (tables / "good.npy", tables / "good.npy"), (tables / "good.npy", tables / "other.npy")
    assert run("compare", *same, "-k", 5, "--fail-on", "different, permutation", "--min-overlap", 0.9)[0] == 0
    assert run("compare", *other, "-k", 5)[0] == 0
    assert run("compare", *other, "-k", 5, "--fail-on", "different")[0] == 1
    code, output, errors = run("compare", *other, "-k", 5, "--min-overlap", 0.9, "--json")
    assert (code, "below 90.0%" in errors) == (1, True)
    assert json.loads(output)["relation"] == "different"
    assert run("compare", *other, "-k", 5, "--fail-on", "differnt")[0] == 2
    assert run("compare", *other, "-k", 5, "--min-overlap", 0.2, "--sample", 5)[0] in (1, 3)
