"""Logs of a run: one record a line, for people or as JSON, and nothing else on stderr."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest

from simgauge.cli.logs import JsonLines, TextLines


@pytest.fixture
def table(tmp_path, rng):
    np.save(tmp_path / "v.npy", rng.standard_normal((40, 4)))
    return tmp_path / "v.npy"


def test_every_line_on_stderr_is_json(run, table):
    code, out, err = run("audit", table, "-k", 3, "--log-format", "json", "--json")
    assert code == 0
    json.loads(out)
    records = [json.loads(line) for line in err.splitlines()]
    assert records[0] | {"time": ""} == {"time": "", "level": "info", "logger": "simgauge", "message": "started",
                                         "command": "audit", "version": records[0]["version"]}  # fmt: skip
    assert records[-1]["message"] == "finished"
    assert records[-1]["seconds"] >= 0
    steps = [record for record in records if record["logger"] == "simgauge.progress"]
    assert len(steps) > 5
    assert all(record["done"] <= record["steps"] for record in steps)
    assert [record["time"] for record in records] == sorted(record["time"] for record in records)


def test_notes_and_errors_are_records_too(run, table):
    code, _, err = run("audit", table, "-k", 300, "--log-format", "json")
    assert code == 2
    records = [json.loads(line) for line in err.splitlines()]
    assert any(record["message"].startswith("items: 40 rows") for record in records), "what was read"
    assert records[-2]["message"] == "failed"
    assert records[-1]["level"] == "error"
    assert "-k 300: with 40 items" in records[-1]["message"]


def test_lines_for_people(run, table):
    _, _, err = run("audit", table, "-k", 3, "--log-format", "text")
    lines = err.splitlines()
    assert lines[0].split()[1:] == ["INFO", "started"]
    assert any(line.endswith("(3 of 36)") or "(3 of" in line for line in lines)
    assert not any(line.startswith("note:") for line in lines)


def test_without_logs_there_are_none_and_the_next_run_has_none(run, table):
    run("audit", table, "-k", 3, "--log-format", "json")
    _, _, err = run("audit", table, "-k", 3)
    assert err.startswith("note: items")
    assert "started" not in err
    assert not [h for h in logging.getLogger("simgauge").handlers if isinstance(h.formatter, JsonLines | TextLines)]


def test_another_format_is_refused(run, table):
    code, _, err = run("audit", table, "--log-format", "xml")
    assert code == 2
    assert "--log-format 'xml': expected one of 'text', 'json'" in err


def test_a_record_for_people_cannot_steer_the_terminal():
    record = logging.LogRecord("simgauge", logging.INFO, "", 0, "a\x1b[2J\nb", None, None)
    assert "\x1b" not in TextLines().format(record)
    assert "\n" not in TextLines().format(record)
    assert json.loads(JsonLines().format(record))["message"] == "a\x1b[2J\nb"
