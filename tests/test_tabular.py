"""Results as tables: Arrow for any library, short texts, HTML with every name escaped."""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import simgauge
from simgauge import Embedding
from simgauge.neighbors import compare_neighbors, standard_gauges
from simgauge.remedies import CanonicalGauge

EVIL = '<img src=x onerror="alert(1)">'


@pytest.fixture
def model(rng):
    names = [EVIL, *(f"item {row}" for row in range(1, 40))]
    return Embedding(rng.standard_normal((40, 4)), users=rng.standard_normal((60, 4)), item_names=names)


@pytest.fixture
def results(model):
    other = simgauge.gauge_transform(model, simgauge.random_gauge(4, 5.0))
    evidence = simgauge.evidence.PairJudgements(np.arange(20), np.arange(20, 40), np.linspace(0, 1, 20))
    return {
        "audit": simgauge.audit(model, k=5),
        "comparison": simgauge.compare(model, other, k=5),
        "neighbors": compare_neighbors(standard_gauges(model), [0, 3], 5),
        "selection": simgauge.fix(model, evidence, [CanonicalGauge(0.0)]),
        "embedding": model,
    }


def test_every_result_is_an_arrow_table(results):
    for name, result in results.items():
        table = pa.table(result)
        assert table.num_rows > 0, f"{name}"
        assert table.equals(result.to_arrow()), f"{name}"
        assert pl.DataFrame(result).shape == table.shape, f"{name}"
        assert list(result.to_frame().columns) == table.column_names, f"{name}"


def test_tables_hold_the_results_numbers(results):
    audit = results["audit"]
    row = audit.to_frame().set_index("id").loc["hubness"]
    assert row["value"] == audit["hubness"].value
    assert row["verdict"] == audit["hubness"].verdict
    lists = results["neighbors"]
    frame = lists.to_frame()
    first = frame[(frame["item"] == lists.items[1]) & (frame["gauge"] == "as shipped")].sort_values("rank")
    assert first["name"].tolist() == list(lists.of(lists.items[1])[0].names)
    chosen = results["selection"].to_frame()
    assert chosen["name"].tolist() == [row.name for row in results["selection"].table]
    vectors = np.stack(results["embedding"].to_frame()["vector"].to_numpy())
    np.testing.assert_array_equal(vectors, results["embedding"].items)


def test_texts_are_short_and_html_is_escaped(results, tmp_path):
    for name, result in results.items():
        assert len(repr(result)) < 400, f"{name}"
        html = result._repr_html_()
        page = result.save_html(tmp_path / f"{name}.html").read_text(encoding="utf-8")
        for text in (html, page):
            assert "<img" not in text, f"{name}"
    assert "&lt;img" in results["neighbors"]._repr_html_()  # control: the name is there
    assert "http" not in (tmp_path / "neighbors.html").read_text(encoding="utf-8")


def test_long_tables_say_how_many_rows_are_not_shown(rng):
    lists = compare_neighbors(standard_gauges(Embedding(rng.standard_normal((60, 4)))), list(range(30)), 10)
    assert "500 more rows" in lists._repr_html_()


def test_to_frame_without_pandas_names_the_pip_line(results, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(simgauge.MissingDependencyError, match="pip install pandas"):
        results["neighbors"].to_frame()
