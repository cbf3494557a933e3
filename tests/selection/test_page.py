"""The page of a fix: the choice with its interval, why others were kept out, lists before and after, the way back."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources

import jsonschema
import numpy as np
import pytest

from selection_problems import fresh, planted_model
from simgauge import Embedding
from simgauge.remedies import CanonicalGauge
from simgauge.report.html import render
from simgauge.selection.fix import fix
from simgauge.selection.page import fix_page
from simgauge.selection.record import Change


@cache
def improved():
    model, split = planted_model()
    selection = fix(model, split.evidence, fresh(), interactions=split.training)
    return selection, model, selection.transform(model)


def page(selection, before, after, **more):
    summary = fix_page(selection, before, after, title="Fix of <b>", out="fixed", **more)
    schema = json.loads(resources.files("simgauge").joinpath("schemas/page.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(json.loads(json.dumps(summary)), schema)
    return summary, render(summary)


def test_an_improvement_is_told_with_its_size_and_the_way_back():
    selection, before, after = improved()
    assert selection.decision == "improved", "control: there is something to tell"
    summary, text = page(selection, before, after, shown=["7"])
    gain = selection.confirmation.plain_change
    assert summary["number"]["number"] == gain.value
    assert f"×{gain.value:.2f}" in text
    assert f"×{gain.low:.2f} to ×{gain.high:.2f}" in text
    rows = {row["label"]: row for row in summary["selection"]["rows"]}
    assert rows[selection.best_name]["kind"] == "chosen"
    assert [row["kind"] for row in rows.values()].count("baseline") == 1
    assert "simgauge apply fixed NEW_ITEMS" in text
    assert "stay where they are" in text
    assert "&lt;b&gt;" in text


def test_lists_before_and_after_are_those_of_the_vectors():
    selection, before, after = improved()
    summary, _ = page(selection, before, after, shown=["7"])
    (entry,) = summary["selection"]["lists"]
    for column, embedding in zip(entry["gauges"], (before, after), strict=True):
        unit = embedding.items / np.linalg.norm(embedding.items, axis=1, keepdims=True)
        order = np.argsort(-(unit @ unit[7]), kind="stable")
        assert [row["name"] for row in column["neighbors"]] == [str(item) for item in order if item != 7][:10]
    old, new = ({row["name"] for row in column["neighbors"]} for column in entry["gauges"])
    marked = {row["name"] for row in entry["gauges"][1]["neighbors"] if not row["in_first_list"]}
    assert marked == new - old != set()


def test_the_slider_opens_with_the_chosen_gauge():
    selection, before, after = improved()
    assert isinstance(selection.best, CanonicalGauge)
    last = page(selection, before, after)[0]["explorer"]["presets"][-1]
    assert last["name"] == f"chosen: {selection.best_name}"
    assert (last["power"], last["center"]) == (selection.best.power, selection.best.center)


def test_left_alone_and_a_default_are_told_as_that(rng):
    model = Embedding(rng.standard_normal((40, 4)))
    default = fix(model)
    summary, text = page(default, model, default.transform(model))
    assert summary["headline"].startswith("A default and not a finding")
    assert summary["number"] is None
    assert summary["selection"]["lists"] == summary["selection"]["apply"] == []
    assert "written as they came" in text
    assert "Apply it" not in text
    planted, split = planted_model()
    worse = fix(planted, split.evidence, [CanonicalGauge(0.0)], interactions=split.training)
    assert worse.decision == "left alone", "control: whitening a whitened model changes nothing"
    summary, text = page(worse, planted, worse.transform(planted))
    assert summary["headline"].startswith("Leave these vectors alone")
    assert "was not chosen" in summary["number"]["meaning"]


def test_written_over_the_vectors_themselves_the_page_says_so():
    assert "written over the ones" in page(*improved(), replaced=True)[1]


@pytest.mark.parametrize(
    ("plain", "weighted", "said"),
    [
        (Change(0.9, 0.85, 0.95, "ratio"), None, "loses too much of the plain measure (×0.90)"),
        (Change(1.1, 1.0, 1.2, "ratio"), Change(1.0, 0.9, 1.1, "ratio"), "may lose too much of the weighted measure"),
        (Change(-0.1, -0.2, 0.0, "difference"), None, "loses too much of the plain measure (-0.100)"),
    ],
)
def test_a_guarded_candidate_is_grey_and_has_its_reason(plain, weighted, said):
    from simgauge.selection.page import _note

    row = {"chosen": False, "baseline": False, "guarded": True, "plain_change": plain.to_dict(),
           "weighted_change": None if weighted is None else weighted.to_dict()}  # fmt: skip
    assert said in _note(row, {"settings": {"max_loss": 0.02}})
    assert _note({**row, "guarded": False}, {"settings": {}}) == ""


def test_one_item_has_a_page_without_lists():
    one = Embedding([[1.0, 2.0]])
    found = fix(one)
    summary, text = page(found, one, found.transform(one))
    assert summary["explorer"] is None
    assert summary["selection"]["lists"] == []
    assert "<script" not in text


def test_no_user_is_named():
    model, split = planted_model()
    ids = [f"secret-{number}" for number in range(model.n_users)]
    named = Embedding(model.items, model.users, user_ids=ids)
    selection = fix(named, None)
    _, text = page(selection, named, selection.transform(named))
    assert "secret-" not in text
    assert split is not None
