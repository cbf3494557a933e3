"""The page of a comparison: one model in two gauges is called so, another model is not."""

from __future__ import annotations

import json
from importlib import resources

import jsonschema
import numpy as np
import pytest

from problems import two_tables
from simgauge import Embedding, compare, gauge_transform, random_gauge
from simgauge.auditing.comparison_page import comparison_page
from simgauge.report.html import render


def told(first, second):
    result = compare(first, second, k=5)
    summary = comparison_page(result, first, second, title="<b>", command="simgauge compare")
    schema = json.loads(resources.files("simgauge").joinpath("schemas/page.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(json.loads(json.dumps(summary)), schema)
    return summary, render(summary)


@pytest.fixture
def model(rng):
    P, Q = two_tables(rng, 120, 80, 6)
    names = ["<img src=x onerror=alert(1)>", *(f"film {n}" for n in range(79))]
    return Embedding(Q, P, item_ids=[f"i{n}" for n in range(80)], item_names=names,
                     user_ids=[f"secret-{n}" for n in range(120)])  # fmt: skip


def test_one_model_in_two_gauges(model):
    summary, text = told(model, gauge_transform(model, random_gauge(6, 30.0, rng=1)))
    assert summary["headline"] == "One model in two gauges: the predictions are the same, the cosines are not."
    assert "the difference is gauge alone" in text
    assert summary["comparison"]["movers"] == []
    assert len(summary["comparison"]["only_gauge"]) == 10
    assert summary["comparison"]["overlaps"][1]["value"] == 1.0
    assert "secret-" not in text
    assert "<img" not in text
    assert "<script" not in text


def test_another_model_has_movers_with_their_lists(model, rng):
    other = Embedding(rng.standard_normal((80, 6)), model.users, item_ids=model.item_ids, user_ids=model.user_ids)
    summary, text = told(model, other)
    assert summary["headline"] == "These are two different models."
    assert len(summary["comparison"]["movers"]) == 10
    assert len(summary["comparison"]["lists"]) == 3
    assert "is no matter of gauge" in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda items: items, "The two tables of items are equal."),
        (lambda items: items * 2.0, "One table of items is the other up to this: scale."),
        (lambda items: items @ np.linalg.qr(np.arange(36.0).reshape(6, 6) ** 2 % 7 + np.eye(6))[0], "rotation"),
    ],
    ids=["equal", "scale", "rotation"],
)
def test_where_cosines_are_kept_no_gauge_is_blamed(model, change, said):
    summary, _ = told(model, Embedding(change(model.items), item_ids=model.item_ids))
    assert said in summary["headline"]
    assert summary["number"]["value"] == "100 %"
