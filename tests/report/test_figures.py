"""Drawings from data: places on paper follow the numbers, and every text is escaped."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from simgauge.report import figures
from simgauge.report.svg import ticks

NASTY = "<b>&\"'"


def parsed(markup):
    return ElementTree.fromstring(f"<div>{markup}</div>")


def test_dots_lie_where_their_values_are():
    root = parsed(figures.dot_plot([0.0, 0.5, 1.0], 0.25, "t", shares=True))
    at = [float(dot.get("cx")) for dot in root.iter("circle")]
    assert at[1] - at[0] == pytest.approx(at[2] - at[1])
    own = float(root.find(".//line[@class='own']").get("x1"))
    assert own == pytest.approx((at[0] + at[1]) / 2)


def test_intervals_hold_their_points_and_labels_are_text():
    rows = [
        {"label": NASTY, "value": 1.1, "interval": [1.0, 1.3], "kind": "chosen", "note": NASTY},
        {"label": "b", "value": 0.9, "interval": [0.9, 0.9]},
    ]
    root = parsed(figures.interval_rows(rows, NASTY, form="×{:.2f}", zero=1.0))
    assert NASTY in "".join(root.itertext())
    zero = [float(line.get("x1")) for line in root.iter("line") if line.get("class") == "zero"]
    assert len(zero) == 2
    assert zero[0] == zero[1]
    bars = [line for line in root.iter("line") if line.get("class") == "interval"]
    assert float(bars[0].get("x1")) == pytest.approx(zero[0])
    points = [float(rect.get("x")) + 4 for rect in root.iter("rect")]
    assert float(bars[0].get("x1")) < points[0] < float(bars[0].get("x2"))
    assert points[1] < zero[0]


@pytest.mark.parametrize(
    "markup",
    [
        figures.curve([(0.0, 1.0), (1.0, 1.0)], {NASTY: 1.0}, NASTY, NASTY),
        figures.by_condition(
            [{"condition_number": 1.0, "a": 1.0, "low": 1.0, "high": 1.0},
             {"condition_number": 10.0, "a": 0.5, "low": 0.2, "high": 0.9}], {"a": NASTY}, NASTY, band="band"),
        figures.histogram([{"from": 0, "to": 0, "items": 3}, {"from": 1, "to": 4, "items": 9}], NASTY, NASTY),
        figures.scatter([(1.0, 2.0), (100.0, 3.0), (0.0, 5.0)], NASTY, NASTY),
        figures.trade_off([{"x": 1.0, "y": 1.0, "label": NASTY, "kind": "baseline"},
                           {"x": 1.2, "y": 0.9, "label": "b", "kind": "chosen"}], NASTY, NASTY),
        figures.interval_rows([{"label": "one", "value": 0.5, "interval": [0.5, 0.5]}], NASTY),
        figures.dot_plot([0.3], 0.3, NASTY, shares=False),
    ],
    ids=["curve", "by condition", "histogram", "scatter", "trade-off", "rows", "dots"],
)  # fmt: skip
def test_every_drawing_is_well_formed_and_within_its_paper(markup):
    root = parsed(markup)
    assert not [node for node in root.iter() if node.tag == "b"]
    for node in root.iter():
        for name in ("cx", "cy", "x1", "y1", "x", "y", "width", "height", "r"):
            if node.get(name) is not None:
                assert -1 <= float(node.get(name)) <= 401, f"{node.tag} {name}"
    assert not re.search(r"nan|inf", str(markup))


def test_ticks_are_round_and_inside():
    for low, high in [(0, 1), (0.93, 1.21), (-3, 7), (12, 4_700), (0.5, 0.5)]:
        found = ticks(low, high)
        assert all(low - 1e-9 <= value <= high + 1e-9 for value in found)
        assert 1 <= len(found) <= 8


def test_nothing_positive_makes_no_scatter():
    assert figures.scatter([(0.0, 1.0)], "t", "x") == ""
