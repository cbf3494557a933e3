"""Names are somebody else's text: nothing in them reaches the terminal but signs to read."""

from __future__ import annotations

import json

import numpy as np
import pytest

from simgauge import Embedding
from simgauge.cli import console
from simgauge.cli.signs import UNPRINTABLE

NASTY = "tea\x1b[2J\x1b]0;title\x07\x9b31m\r\u202emilk\x00\x7f"


def test_json_for_terminals_is_json():
    text = console.dump({"name": NASTY, "half": "\udc80"})
    assert not UNPRINTABLE.search(text)
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


def test_colons_make_no_pictures(run, tmp_path):
    """Of `titles.csv:id:title`, which names columns, no word between colons becomes an emoji; nor of a message."""
    np.save(tmp_path / "v.npy", np.eye(4))
    titles = tmp_path / "titles.csv"
    titles.write_text("id,title\n" + "".join(f"{row},thing {row}\n" for row in range(4)))
    _, _, told = run("neighbors", tmp_path / "v.npy", "--ids", f"{titles}:id", "--names", f"{titles}:id:title", "3")
    assert "titles.csv:id:title" in told
    _, _, refused = run("neighbors", tmp_path / "v.npy", "--ids", f"{titles}:id", "a:id:b")
    assert "a:id:b" in refused


def test_what_rich_itself_says_to_the_terminal_stays(capsys, monkeypatch):
    """Control: colours of our own are not made visible."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    console.print_error("no\x1b[2J")
    error = capsys.readouterr().err
    assert "\x1b[1;31merror:" in error
    assert "no\\x1b[2J" in error
