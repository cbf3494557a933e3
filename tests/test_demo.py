"""The demo on shipped data: its gauges are one model, its figures are those that the README states."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simgauge.core.closed_form.catalogue import CATALOGUE
from simgauge.demo import demo, write_demo

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def result():
    return demo(k=3)


def test_every_gauge_predicts_the_same_and_recalls_something_else(result):
    assert result.comparison.prediction_difference < 1e-12
    recalls = [row["recall"] for row in result.recall["gauges"]]
    assert len(recalls) == len(CATALOGUE)
    assert len(set(recalls)) == len(recalls)


def test_the_readme_states_the_figures_of_the_demo(result):
    paragraph = re.search(r"The demo asks which names.*?\n\n", README, flags=re.S).group()
    recall = {row["gauge"].split(",")[0]: f"{row['recall']:.3f}".lstrip("0") for row in result.recall["gauges"]}
    for gauge in ("whitened", "as trained", "projected back"):
        assert f"{recall[gauge]} ({gauge}" in paragraph
    best = next(row for row in result.recall["gauges"] if row["best"])
    assert f"The best\nof the {len(CATALOGUE)} gauges".replace("6", "six") in paragraph
    assert f"{best['recall']:.3f}".lstrip("0") in paragraph
    assert best["gauge"].startswith("truncated-data")
    sizes = result.sizes
    assert f"{sizes['n_files']:,} files, {sizes['n_names']:,} names" in paragraph


def test_both_files_are_written(result, tmp_path):
    report, numbers = write_demo(result, tmp_path / "demo")
    assert report.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert numbers.is_file()
