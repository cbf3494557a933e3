"""The demo on shipped data: its gauges are one model, its figures are those that the README states."""

from __future__ import annotations

import pytest

from simgauge.core.closed_form.catalogue import CATALOGUE
from simgauge.demo import demo, write_demo


@pytest.fixture(scope="module")
def result():
    return demo(k=3)


def test_every_gauge_predicts_the_same_and_recalls_something_else(result):
    assert result.comparison.prediction_difference < 1e-12
    recalls = [row["recall"] for row in result.recall["gauges"]]
    assert len(recalls) == len(CATALOGUE)
    assert len(set(recalls)) == len(recalls)


def test_held_out_data_support_another_gauge_than_the_one_as_trained(result):
    rows = {row["gauge"].split(",")[0]: row for row in result.recall["gauges"]}
    trained, projected, best = (rows[name] for name in ("as trained", "projected back", "truncated-data"))
    assert best["best"]
    assert trained["interval"][1] < projected["interval"][0]
    assert projected["recall"] < best["recall"]
    assert result.sizes["n_files"] == 4_419
    assert result.sizes["n_names"] == 1_396


def test_the_gauges_shown_differ_and_the_best_is_among_them(result):
    """Two gauges with nearly the same lists side by side show nothing."""
    best = next(row["gauge"] for row in result.recall["gauges"] if row["best"])
    gauges = [entry.gauge for entry in result.comparison.of("json")]
    assert best in gauges
    for item in ("json", "datetime.datetime"):
        first, *others = (set(entry.names) for entry in demo(items=[item]).comparison.of(item))
        assert min(len(first & other) for other in others) <= 6, f"{item}"


def test_both_files_are_written(result, tmp_path):
    report, numbers = write_demo(result, tmp_path / "demo")
    page = report.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert page.count("truncated-data, Vσ") > 3, "the best gauge is in the lists, the figure and the slider"
    assert numbers.is_file()
