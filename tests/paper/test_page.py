"""The page of a reproduction: its numbers are those of the table, and it is one file."""

from __future__ import annotations

import json
from importlib import resources

import jsonschema
import pytest

from simgauge.paper.page import FOUND_OR_LOST, reproduction_page
from simgauge.paper.reproduction import reproduce
from simgauge.report.html import render


@pytest.fixture(scope="module")
def result():
    small = {"n_users": 300, "n_items": 40, "n_clusters": 3, "n_components": 8, "n_seeds": 2}
    return reproduce(**small, l2_product=30, l2_factors=3)


def test_the_range_is_that_of_the_gauges_of_one_model(result):
    summary = reproduction_page(result, command="simgauge reproduce")
    same = [row.mean("auc") for row in result.rows if row.group == "Eq. 1"]
    assert summary["number"]["value"] == f"{min(same):.2f} to {max(same):.2f}"
    assert (summary["headline"] == FOUND_OR_LOST) == (max(same) - min(same) >= 0.1)
    schema = json.loads(resources.files("simgauge").joinpath("schemas/page.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(json.loads(json.dumps(summary)), schema)


def test_every_row_and_panel_is_on_the_page_and_nothing_is_fetched(result):
    text = render(reproduction_page(result))
    for row in result.rows:
        assert f"{row.mean('auc'):.3f}" in text
    assert text.count('<img src="data:image/png;base64,') == len(result.panels)
    assert "http" not in text.replace("http-equiv", "")
    assert "<script" not in text
