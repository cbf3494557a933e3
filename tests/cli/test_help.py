"""Help that a person who knows nothing can use: it fits, shows choices, and its examples are commands that exist."""

from __future__ import annotations

import shlex

import pytest
import typer.main
from rich.cells import cell_len

from simgauge.cli.app import app
from simgauge.cli.choices import CHOICES
from simgauge.cli.examples import EXAMPLES, GROUPS, STARTS
from simgauge.cli.help import continued, definitions

PROGRAM = typer.main.get_command(app)
COMMANDS = sorted(PROGRAM.commands)


def shown(run, monkeypatch, width, *arguments):
    monkeypatch.setenv("COLUMNS", str(width))
    code, text, err = run(*arguments)
    assert (code, err) == (0, "")
    return text


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("command", [*COMMANDS, ""])
def test_help_fits_and_breaks_no_word(run, monkeypatch, command, width):
    arguments = [command, "--help"] if command else ["--help"]
    text = shown(run, monkeypatch, width, *arguments)
    long = [line for line in text.split("\n") if cell_len(line) > width and len(line.split()) > 1]
    assert not long
    widest = shown(run, monkeypatch, 400, *arguments)
    words = {word.strip("|\\") for word in widest.replace("|", " ").split()}
    assert {word.strip("|\\") for word in text.replace("|", " ").split()} - {""} <= words
    assert text.endswith("\n")


@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_bare_program_says_what_to_do_next(run, monkeypatch, width):
    text = shown(run, monkeypatch, width)
    assert all(cell_len(line) <= width for line in text.split("\n"))
    joined = " ".join(text.replace("\\\n", " ").split())
    assert all(command in joined for _, command in STARTS)
    assert "simgauge --help" in joined


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_has_two_examples_that_the_parser_takes(run, monkeypatch, command):
    text = shown(run, monkeypatch, 200, command, "--help")
    examples = EXAMPLES[command]
    assert len(examples) >= 2
    assert all(f"  {example}\n" in text for example in examples)


@pytest.mark.parametrize("line", [line for lines in (*EXAMPLES.values(), [c for _, c in STARTS]) for line in lines])
def test_examples_are_commands_with_options_that_exist(line):
    program, name, *arguments = shlex.split(line)
    assert program == "simgauge"
    PROGRAM.commands[name].make_context(name, arguments)


def test_control_an_option_that_does_not_exist_is_seen():
    with pytest.raises(Exception, match="No such option"):
        PROGRAM.commands["audit"].make_context("audit", ["items.npy", "--objektive", "bpr"])


def test_every_command_is_in_one_group():
    listed = [name for names in GROUPS.values() for name in names]
    assert sorted(listed) == COMMANDS


def test_choices_are_shown(run, monkeypatch):
    assert "--center none|items|users|both" in shown(run, monkeypatch, 80, "gauge", "--help")
    narrow = " ".join(shown(run, monkeypatch, 40, "apply", "--help").split())
    assert "numpy| sql| pgvector| onnx| sentence-transformers" in narrow
    assert CHOICES["apply.form"] == ("numpy", "sql", "pgvector", "onnx", "sentence-transformers")


def test_a_missing_argument_is_told_with_the_usage(run):
    code, _, err = run("neighbors")
    assert code == 2
    assert "Usage: simgauge neighbors [OPTIONS] EMBEDDING ITEMS..." in err


def test_definitions_stand_under_each_other_where_there_is_no_room():
    records = [("--a-long-option", "what it does"), ("-k", "how many")]
    assert "\n".join(definitions(records, 60)).count("\n") == 1
    assert list(definitions(records, 30)) == ["  --a-long-option", "    what it does", "  -k", "    how many"]


def test_a_command_line_is_broken_where_a_shell_goes_on():
    lines = list(continued("simgauge neighbors model 'Toy Story (1995)' --compare", 30))
    assert len(lines) == 3
    assert shlex.split("\n".join(lines).replace("\\\n", "")) == shlex.split(
        "simgauge neighbors model 'Toy Story (1995)' --compare"
    )
