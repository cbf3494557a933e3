"""Messages of the command line name its options, and no parameter of Python instead of one."""

from __future__ import annotations

import re

import numpy as np
import pytest
import typer.main

from simgauge.cli.app import app
from simgauge.cli.naming import OTHER_NAMES, in_options, options_of


@pytest.fixture
def tables(tmp_path, rng):
    for name, rows in (("v", 40), ("u", 60)):
        np.save(tmp_path / f"{name}.npy", rng.standard_normal((rows, 4)))
    (tmp_path / "labels.csv").write_text("id,label\n" + "".join(f"{row},{row % 3}\n" for row in range(40)))
    (tmp_path / "qrels.txt").write_text("".join(f"q{row} 0 {row} 1\n" for row in range(40)))
    return tmp_path


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("audit v.npy --seed -1", "--seed -1: expected an integer of 0 or more"),
        ("audit v.npy -k 0", "-k 0: "),
        ("audit v.npy --sample 0", "--sample 0: "),
        ("fix v.npy --labels labels.csv --ids positions --at 0 --out o", "--at 0: "),
        ("fix v.npy --labels labels.csv --ids positions --max-queries 0 --out o", "--max-queries 0: "),
        ("fix v.npy --labels labels.csv --ids positions --max-loss 2 --out o", "--max-loss 2.0: "),
        ("fix v.npy --labels labels.csv --ids positions --popularity-tradeoff 2 --out o", "--popularity-tradeoff 2.0"),
        ("neighbors v.npy 1 -k 99", "-k 99: expected an integer from 1 to 39"),
        ("neighbors v.npy 1 --of pairs", "--of 'pairs': "),
        ("neighbors v.npy 1 --metric l7", "--metric 'l7': "),
        ("preview v.npy --dims 99", "--dims 99: "),
        ("preview v.npy --precision int3", "--precision 'int3': "),
        ("align v.npy v.npy --method magic", "--method 'magic': "),
        ("compare v.npy v.npy --seed -1", "--seed -1: "),
    ],
)
def test_a_parameter_out_of_range_is_named_as_it_was_given(run, tables, monkeypatch, command, shown):
    monkeypatch.chdir(tables)
    code, _, err = run(*command.split())
    assert code == 2
    assert shown in err
    name = shown.split()[0].strip("-").replace("-", "_")
    assert not re.search(rf"(?<![(\w]){name}=", err), f"{err}"


def test_control_what_stands_in_brackets_and_what_the_command_lacks_is_kept():
    options = options_of(["audit", "v.npy", "--seed", "-1"])
    assert options["seed"] == "--seed"
    text = "n_components=3: no ids (--ids FILE, item_ids=; seed=2). Pass power=None."
    assert in_options(text, {**options, "power": "--power"}) == text
    assert options_of(["v.npy"]) == {}
    assert in_options("rng=-1: expected", {}) == "rng=-1: expected"


def test_every_other_name_is_an_option_of_some_command():
    commands = typer.main.get_command(app).commands.values()
    known = {entry.name for command in commands for entry in command.params}
    assert not set(OTHER_NAMES.values()) - known


def test_two_dashes_before_a_short_option_lead_to_it(run, tables, monkeypatch):
    monkeypatch.chdir(tables)
    code, _, err = run("audit", "v.npy", "--k", "0")
    assert code == 2
    assert "-k" in err.replace("--k", "")
    assert "--like" not in err
    _, _, other = run("audit", "v.npy", "--lik", "0")
    assert "--like" in other, "control: other misspellings are offered what looks alike"


def test_an_unknown_user_is_shown_some_and_how_many_more_there_are(run, tables, monkeypatch):
    monkeypatch.chdir(tables)
    _, _, err = run("neighbors", "v.npy", "99999", "--of", "users", "--users", "u.npy")
    assert "the ids of users are 0, 1, 2 and 57 more. Items are asked for with --of items" in err


def test_judged_queries_without_a_second_table_ask_for_it(run, tables, monkeypatch):
    monkeypatch.chdir(tables)
    code, _, err = run("fix", "v.npy", "--qrels", "qrels.txt", "--ids", "positions", "--out", "o")
    assert code == 2
    assert "Pass the vectors of the queries, made by the same model: --users FILE" in err
    assert "0 to -1" not in err
    code, _, err = run("preview", "v.npy", "--qrels", "qrels.txt", "--ids", "positions")
    assert code == 2
    assert "preview compares forms of one table" in err
