"""The command, called in the process of the tests."""

from __future__ import annotations

import sys

import pytest

from simgauge import cli


@pytest.fixture
def run(monkeypatch, capsys):
    """Call the command in this process; returns exit code, stdout and stderr."""

    monkeypatch.setenv("COLUMNS", "1000")  # texts in one line, unless a test says otherwise

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["simgauge", *map(str, arguments)])
        try:
            cli.main()
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call
