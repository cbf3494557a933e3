"""The picture of plain against weighted scores shows every candidate where the table says it is."""

from __future__ import annotations

from selection_problems import fresh, planted_model
from simgauge.selection import fix
from simgauge.selection.picture import trade_off_picture


def test_every_candidate_is_a_point_and_the_front_falls():
    model, split = planted_model()
    found = fix(model, split.evidence, fresh(), n_resamples=100)
    picture = found.to_dict()["picture"]
    assert picture["x"] == {"measure": "recall@10", "exponent": 0.0}
    assert picture["y"] == {"measure": "recall@10, weighted", "exponent": 0.5}
    rows = {row.name: row for row in found.table}
    assert [point["name"] for point in picture["points"]] == list(rows)
    for point in picture["points"]:
        row = rows[point["name"]]
        assert (point["x"], point["y"]) == (row.plain.value, row.weighted.value)
        assert (point["pareto"], point["chosen"], point["baseline"]) == (row.pareto, row.chosen, row.baseline)
    front = [rows[name] for name in picture["front"]]
    assert {row.name for row in front} == {row.name for row in found.table if row.pareto}
    assert [row.plain.value for row in front] == sorted((row.plain.value for row in front), reverse=True)
    assert [row.weighted.value for row in front] == sorted(row.weighted.value for row in front)


def test_one_measure_makes_no_picture():
    assert trade_off_picture((), "auc", {}) is None
    assert fix(planted_model()[0]).to_dict()["picture"] is None
