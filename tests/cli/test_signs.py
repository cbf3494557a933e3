"""What could steer a terminal is shown by its number; what a terminal does not have is written otherwise."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np

from simgauge.cli.signs import printable

NASTY = "tea\x1b[2J\x1b]0;title\x07\x9b31m\r\u202emilk\x00\x7f"


def test_control_characters_are_shown_by_their_numbers():
    assert printable(NASTY) == ("tea\\x1b[2J\\x1b]0;title\\x07\\x9b31m\\r\\u202emilk\\x00\\x7f")
    assert printable("λ, 日本, emoji 🍵, tab\tand\nline") == "λ, 日本, emoji 🍵, tab\tand\nline"
    assert printable("\ud800") == "\\ud800"


def test_a_terminal_without_greek_gets_words(tmp_path):
    np.save(tmp_path / "v.npy", np.random.default_rng(0).normal(size=(40, 4)))
    command = [sys.executable, "-m", "simgauge", "neighbors", str(tmp_path / "v.npy"), "3", "--compare"]
    for encoding in ("ascii", "utf-8"):
        environment = {**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "80"}
        done = subprocess.run(command, env=environment, capture_output=True, check=True)
        shown = done.stdout.decode(encoding)
        assert "\\u" not in shown
        assert ("whitened (alpha = 0)" if encoding == "ascii" else "whitened (α = 0)") in shown
