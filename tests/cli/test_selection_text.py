"""Words beside the candidates of a selection are explained where they are shown."""

from __future__ import annotations

import pytest

from simgauge.cli import selection_text
from simgauge.core.inference.intervals import Interval
from simgauge.selection.record import Change, Row, Selection


@pytest.mark.parametrize(
    ("marks", "explained"),
    [
        ({"guarded": True, "significant": "better"}, ["better, worse:", "loses too much:"]),
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
    assert [word for word in ("better, worse:", "loses too much:", "Pareto:") if word in shown] == explained
    assert "guarded" not in shown
    assert "(last" not in shown
    told = Selection("left alone", None, "the choice (last c1) loses", (row,), evidence={"measure": "recall"})
    selection_text.print_selection(told, 5)
    assert selection_text.LAST in capsys.readouterr().out
