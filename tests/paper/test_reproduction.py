from __future__ import annotations

import json
import re
import sys
from dataclasses import replace

import numpy as np
import pytest

from simgauge.core.tables.tables import unit_rows
from simgauge.datasets.clusters import simulate_clusters
from simgauge.errors import InputError, ParameterError
from simgauge.paper.cluster_agreement import cluster_agreement
from simgauge.paper.record import Panel, Reproduction, table_rows
from simgauge.paper.reproduction import reproduce, write_reproduction
from simgauge.plot.heatmaps import LEGEND, TITLES

SMALL = {"n_users": 800, "n_items": 60, "n_clusters": 3, "n_components": 12, "l2_product": 100.0, "l2_factors": 10.0}
ROUNDING = 1e-13
"""Products of 12 terms below 1 in float64, relative to the largest entry, with condition numbers of 1e2."""


@pytest.fixture(scope="module")
def result() -> Reproduction:
    return reproduce(**SMALL, n_seeds=2, rng=1)


@pytest.fixture(scope="module")
def factors():
    """Singular values and vectors of the first data set by a dense SVD: nothing shared with the code under test."""
    data = simulate_clusters(800, 60, 3, rng=1)
    X = data.matrix.toarray().astype(float)
    _, sigma, right = np.linalg.svd(X, full_matrices=False)
    return data, X, sigma[:12], right[:12].T


def closed_forms(sigma, V):
    s = sigma**2 / (sigma**2 + 100.0)
    return {
        "whitened": V,
        "minimum-norm": V * s**0.5,
        "encoder-whitened": V * s,
        "balanced": V * (sigma * s) ** 0.5,
        "projected": V * (sigma * s),
        "truncated-data": V * sigma,
        "anti-correlated": V * s**0.5 / sigma,
        "Eq. 2 model": V * np.sqrt(np.clip(sigma - 10.0, 0, None)),
        "weights model": V * np.sqrt(np.clip(1 - 100.0 / sigma**2, 0, None)),
    }


def test_every_panel_is_the_closed_form_of_the_paper(result, factors):
    data, X, sigma, V = factors
    order = data.display_order()
    panels = {panel.title: panel for panel in result.panels}
    for name, vectors in closed_forms(sigma, V).items():
        unit = unit_rows(vectors[order])
        assert panels[name].cosines == pytest.approx(unit @ unit.T, abs=1e-8), f"{name}"
    assert panels["Pearson"].cosines == pytest.approx(np.corrcoef(X.T)[np.ix_(order, order)], abs=1e-10)
    unit = unit_rows(X.T[order])
    assert panels["raw data"].cosines == pytest.approx(unit @ unit.T, abs=1e-10)
    truth = data.clusters[order]
    assert np.array_equal(panels["true clusters"].cosines, truth[:, None] == truth)
    assert [panel.title for panel in result.panels] == ["true clusters", *closed_forms(sigma, V), "raw data", "Pearson"]


def test_projected_back_is_the_cosine_of_predicted_columns(result, factors):
    data, X, sigma, V = factors
    predicted = X @ (V * (sigma**2 / (sigma**2 + 100.0))) @ V.T
    unit = unit_rows(np.ascontiguousarray(predicted.T[data.display_order()]))
    panel = next(panel for panel in result.panels if panel.title == "projected")
    assert panel.cosines == pytest.approx(unit @ unit.T, abs=1e-10)


def test_gauges_of_eq_1_share_their_predictions_and_not_their_cosines(result):
    rows = [row for row in result.rows if row.group == "Eq. 1"]
    assert len(rows) == 10
    assert max(max(row.values["prediction_difference"]) for row in rows) < ROUNDING
    assert np.ptp([row.mean("auc") for row in rows]) > 0.2
    assert all("prediction_difference" not in row.values for row in result.rows if row.group != "Eq. 1")


def test_remedies_before_learning_are_models_of_the_changed_matrix(result, factors):
    """Dense: change X, decompose it, scale; λ in proportion to the squared norm."""
    data, X, _, _ = factors
    popularity = (X != 0).sum(axis=0)
    rows = X.sum(axis=1, keepdims=True)
    smoothed = X.sum(axis=0) ** 0.75 / (X.sum(axis=0) ** 0.75).sum()
    changed = {
        "standardised": (X - X.mean(axis=0)) / X.std(axis=0),
        "inverse propensity": X / np.sqrt(popularity),
        "negative sampling": np.log(np.maximum(X / (rows * smoothed), 1.0)),
    }
    values = {row.name: row.values for row in result.rows}
    for name, Y in changed.items():
        _, sigma, right = np.linalg.svd(Y, full_matrices=False)
        sigma, V = sigma[:12], right[:12].T
        l2 = 100.0 * (Y**2).sum() / (X**2).sum()
        s = sigma**2 / (sigma**2 + l2)
        for gauge, vectors in (("minimum-norm", V * np.sqrt(s)), ("projected", V * sigma * s)):
            unit = unit_rows(vectors)
            expected = cluster_agreement(unit @ unit.T, data.clusters)["auc"]
            assert values[f"{name}, {gauge}"]["auc"][0] == pytest.approx(expected, abs=1e-6), f"{name}"
    aucs = {values[name]["auc"][0] for name in values if ", " in name and "full rank" not in name}
    assert len(aucs) == 6  # control: six different models


def test_at_full_rank_whitened_items_are_similar_to_themselves_only(result):
    rows = {row.name: row for row in result.rows if row.group == "k = p"}
    assert set(rows) == {
        f"full rank, {gauge}" for gauge in ("whitened", "minimum-norm", "encoder-whitened", "projected")
    }
    for metric in ("inside", "between"):
        assert rows["full rank, whitened"].mean(metric) == pytest.approx(0.0, abs=1e-12)
        assert abs(rows["full rank, projected"].mean(metric)) > 0.01  # control


def test_more_items_than_users_have_no_model_of_full_rank():
    found = reproduce(**{**SMALL, "n_users": 50}, n_seeds=1)
    assert not any(row.group == "k = p" for row in found.rows)


def test_eq_2_is_another_model(factors):
    """Control: what the rows of Eq. 1 share, Eq. 2 and weight decay do not have."""
    _, _, sigma, V = factors
    eq_1 = (V * (sigma**2 / (sigma**2 + 100.0))) @ V.T
    eq_2 = (V * np.clip(1 - 10.0 / sigma, 0, None)) @ V.T
    decay = (V * np.clip(1 - 100.0 / sigma**2, 0, None)) @ V.T
    for other in (eq_2, decay):
        assert np.abs(other - eq_1).max() / np.abs(eq_1).max() > 1e-2


def test_the_order_of_the_paper_holds_on_planted_clusters(result):
    auc = {row.name: row.mean("auc") for row in result.rows}
    assert auc["anti-correlated"] < auc["whitened"] < auc["minimum-norm"] < auc["encoder-whitened"]
    assert auc["whitened"] + 0.05 < auc["projected"]
    norms = {row.name: row.mean("norm_popularity") for row in result.rows}
    assert norms["raw data"] == pytest.approx(1.0)
    assert norms["projected"] > 0.9


def test_spread_and_record(result):
    row = result.rows[0]
    low, high = row.spread("auc")
    assert low <= row.mean("auc") <= high
    assert row.sd("auc") == pytest.approx(np.std(row.values["auc"], ddof=1))
    record = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert record["schema_version"] == 1
    assert record["parameters"]["preference_concentration"] == 1.0
    assert record["parameters"]["item_exponents"] == [0.25, 1.5]
    assert record["parameters"]["n_seeds"] == 2
    assert set(record["rows"][0]["values"]) == set(record["metrics"])
    assert len(record["rows"][0]["values"]["auc"]) == 2
    assert len(table_rows(result)) == len(result.rows)
    assert all("±" in cell for cells in table_rows(result) for cell in cells[2:])
    first = replace(
        result,
        rows=tuple(
            replace(row, values={name: values[:1] for name, values in row.values.items()}) for row in result.rows
        ),
    )
    assert not any("±" in cell for cells in table_rows(first) for cell in cells[2:]), "one data set has no spread"
    assert reproduce(**SMALL, n_seeds=1, rng=1).rows[0].sd("auc") == 0.0


def test_the_same_seed_gives_the_same_record(result):
    assert reproduce(**SMALL, n_seeds=2, rng=1).to_dict() == result.to_dict()
    assert reproduce(**SMALL, n_seeds=2, rng=2).to_dict() != result.to_dict()


def test_a_strong_penalty_leaves_zero_vectors_and_says_how_many():
    found = {row.name: row for row in reproduce(**{**SMALL, "l2_factors": 1e6}, n_seeds=1).rows}
    assert found["Eq. 2 model"].mean("n_zero") == 60
    assert found["Eq. 2 model"].mean("auc") == 0.5
    assert found["minimum-norm"].mean("n_zero") == 0


def test_progress_reaches_the_end():
    steps: list[tuple[str, int, int]] = []
    reproduce(**SMALL, n_seeds=1, progress=lambda *step: steps.append(step))
    assert steps[-1][1:] == (2, 2)
    assert [step[1] for step in steps] == sorted(step[1] for step in steps)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"n_seeds": 0}, "n_seeds=0"), ({"n_clusters": 1}, "n_clusters=1"), ({"n_components": 61}, "61")],
)
def test_bad_parameters_are_named(wrong, message):
    with pytest.raises(ParameterError, match=message):
        reproduce(**{**SMALL, "n_seeds": 1, **wrong})


def test_files_are_written_whole_and_repeat(result, tmp_path):
    result = replace(result, panels=result.panels[:3])  # drawing is what takes time
    written = write_reproduction(result, tmp_path / "first")
    names = ["heatmaps.png", "heatmaps.svg", "report.html", "reproduction.json", "table.md"]
    assert sorted(path.name for path in written) == names
    assert sorted(path.name for path in (tmp_path / "first").iterdir()) == names
    write_reproduction(result, tmp_path / "second")
    for name in names:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes(), f"{name}"
    assert (tmp_path / "first" / "heatmaps.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((tmp_path / "first" / "reproduction.json").read_text()) == json.loads(
        json.dumps(result.to_dict())
    )
    table = (tmp_path / "first" / "table.md").read_text()
    assert len(re.findall(r"^\| ", table, flags=re.MULTILINE)) == len(result.rows) + 1
    assert (tmp_path / "first" / "heatmaps.svg").stat().st_size < 300_000


def test_a_directory_that_cannot_be_made_is_an_error(result, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file"):
        write_reproduction(result, tmp_path / "file" / "out")


def test_the_figure_has_words_for_every_panel_and_every_group(result):
    assert {panel.title for panel in result.panels} == set(TITLES)
    assert {panel.group for panel in result.panels} == {"truth", "Eq. 1", "Eq. 2", "weights", "data"}
    assert len(LEGEND) == 3
    assert all(isinstance(panel, Panel) and np.abs(panel.cosines).max() <= 1 + 1e-9 for panel in result.panels)
    assert len(result.boundaries) == 2
    assert list(result.boundaries) == sorted(result.boundaries)


def test_without_matplotlib_there_are_no_heat_maps_and_that_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    small = reproduce(n_users=120, n_items=20, n_clusters=2, n_components=4, l2_product=5, l2_factors=1, n_seeds=1)
    with pytest.warns(UserWarning, match=r"No heat maps: .*pip install 'simgauge\[plot\]'"):
        written = write_reproduction(small, tmp_path / "r")
    assert sorted(path.name for path in written) == ["report.html", "reproduction.json", "table.md"]
    assert sorted(path.name for path in (tmp_path / "r").iterdir()) == ["report.html", "reproduction.json", "table.md"]
