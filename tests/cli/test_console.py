"""Names are somebody else's text: nothing in them reaches the terminal but signs to read."""

from __future__ import annotations

import json

import numpy as np
import pytest

from simgauge import Embedding
from simgauge.cli import console
from simgauge.core.inference.intervals import Interval
from simgauge.selection.record import Change, Row, Selection

NASTY = "tea\x1b[2J\x1b]0;title\x07\x9b31m\r\u202emilk\x00\x7f"


def test_control_characters_are_shown_by_their_numbers():
    assert console.printable(NASTY) == ("tea\\x1b[2J\\x1b]0;title\\x07\\x9b31m\\r\\u202emilk\\x00\\x7f")
    assert console.printable("λ, 日本, emoji 🍵, tab\tand\nline") == "λ, 日本, emoji 🍵, tab\tand\nline"
    assert console.printable("\ud800") == "\\ud800"


def test_json_for_terminals_is_json():
    text = console.dump({"name": NASTY, "half": "\udc80"})
    assert not console.UNPRINTABLE.search(text)
    assert json.loads(text) == {"name": NASTY, "half": "\udc80"}
    with pytest.raises(ValueError, match="not JSON compliant"):
        console.dump({"value": float("nan")})


@pytest.mark.parametrize("how", ["table", "json", "error", "note"])
def test_nothing_steers_the_terminal(run, tmp_path, how):
    Embedding(np.eye(4) + 0.1, item_names=[NASTY, "b", "b\x1b[31m", "c"]).save(tmp_path / "saved")
    arguments = {
        "table": ["b", "-k", "3"],
        "json": ["b", "-k", "3", "--json"],
        "error": [f"unknown{NASTY}"],
        "note": ["c", "--ids", f"{tmp_path}/no{NASTY[:5]}"],
    }[how]
    code, output, error = run("neighbors", tmp_path / "saved", *arguments)
    assert code == (0 if how in ("table", "json") else 2)
    for text in (output, error):
        assert not set(text) & {"\x1b", "\x07", "\x9b", "\r", "\u202e", "\x00", "\x7f"}
    assert "1b" in (output + error)


def test_what_rich_itself_says_to_the_terminal_stays(capsys, monkeypatch):
    """Control: colours of our own are not made visible."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    console.print_error("no\x1b[2J")
    error = capsys.readouterr().err
    assert "\x1b[1;31merror:" in error
    assert "no\\x1b[2J" in error


@pytest.mark.parametrize(
    ("marks", "explained"),
    [
        ({"guarded": True, "significant": "better"}, ["better, worse:", "loses too much:"]),
        ({"pareto": True}, ["Pareto:"]),
        ({}, []),
    ],
)
def test_words_beside_a_candidate_are_explained_where_they_are_shown(capsys, marks, explained):
    """Control: words that no row has are not explained."""
    change = Change(1.1, 1.0, 1.2, "ratio")
    interval = Interval(0.2, 0.1, 0.3)
    bare = {"p_value": 0.1, "significant": "", "pareto": False, "keeps_predictions": True}
    row = Row("c1", "cosine", interval, None, change, None, change, **{**bare, **marks})
    console.print_selection(Selection("left alone", None, "as it is", (row,), evidence={"measure": "recall"}), 5)
    shown = capsys.readouterr().out
    assert [word for word in ("better, worse:", "loses too much:", "Pareto:") if word in shown] == explained
    assert "guarded" not in shown
    assert "(last" not in shown
    told = Selection("left alone", None, "the choice (last c1) loses", (row,), evidence={"measure": "recall"})
    console.print_selection(told, 5)
    assert console.LAST in capsys.readouterr().out
