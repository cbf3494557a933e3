"""Words beside the candidates of a selection are explained where they are shown."""

from __future__ import annotations

import pytest

from simgauge.cli import selection_text
from simgauge.core.inference.intervals import Interval
from simgauge.selection.record import AtExponent, Change, Row, Selection


@pytest.mark.parametrize(
    ("marks", "explained"),
    [
        ({"guarded": True, "significant": "better"}, ["better, worse:", "may lose too much:"]),
        ({"pareto": True}, ["Pareto:"]),
        ({}, []),
    ],
)
def test_words_beside_a_candidate_are_explained_where_they_are_shown(capsys, monkeypatch, marks, explained):
    """Control: words that no row has are not explained."""
    monkeypatch.setenv("COLUMNS", "1000")
    change = Change(1.1, 1.0, 1.2, "ratio")
    interval = Interval(0.2, 0.1, 0.3)
    bare = {"p_value": 0.1, "significant": "", "pareto": False, "keeps_predictions": True}
    row = Row("c1", "cosine", interval, None, change, None, change, **{**bare, **marks})
    selection_text.print_selection(Selection("left alone", None, "as it is", (row,), evidence={"measure": "recall"}), 5)
    shown = capsys.readouterr().out
    assert [word for word in ("better, worse:", "may lose too much:", "Pareto:") if word in shown] == explained
    assert "guarded" not in shown


@pytest.mark.parametrize("stated", [0.5, 1.0])
def test_the_table_shows_the_measure_at_every_exponent_and_says_which_decides(capsys, monkeypatch, stated):
    """A row whose changes are all equal, as those of the baseline are, has as many cells as the others."""
    monkeypatch.setenv("COLUMNS", "1000")
    interval, none = Interval(0.2, 0.1, 0.3), Change(1.0, 1.0, 1.0, "ratio")
    other = 1.5 - stated

    def row(name, *values):
        plain, weighted, third = (Change(value, value, value, "ratio") for value in values)
        at = tuple(AtExponent(e, 0.2, c) for e, c in sorted([(0.0, plain), (stated, weighted), (other, third)]))
        return Row(name, "cosine", interval, interval, plain, weighted, none, 0.1, "", False, True, at_exponents=at)

    rows = (row("c1", 1.1, 1.2, 1.3), row("c0", 1.0, 1.0, 1.0))
    settings = {"popularity_exponent": stated}
    told = Selection("left alone", None, "as it is", rows, evidence={"measure": "recall"}, settings=settings)
    selection_text.print_selection(told, 5)
    shown = capsys.readouterr().out
    assert f"at {other:g}" in shown
    assert "×1.300" in shown
    assert f"1 / popularity to the power {stated:g}" in shown
    assert f"the change where that power is {other:g}" in shown
