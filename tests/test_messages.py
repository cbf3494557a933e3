"""No dead ends: every option that a message, a help text or a page names exists, on the command line or in the
library."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import typer.main

from simgauge.cli.app import app

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "simgauge"
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*[a-z]")
OF_OTHER_PROGRAMS = frozenset({"--network", "--no-cache-dir", "--read-only", "--rm", "--tmpfs"})
"""Options of pip and podman that pages name."""


def commands():
    return typer.main.get_command(app).commands


def known_options() -> set[str]:
    found = {"--help"}
    for command in [typer.main.get_command(app), *commands().values()]:
        for parameter in command.params:
            found |= {*parameter.opts, *parameter.secondary_opts}
    return found


def texts_of(path: Path):
    """Every literal text of a Python file with its line: messages, help texts, docstrings; the pieces of f-strings
    too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def named_options():
    for path in sorted(SOURCE.rglob("*.py")):
        for line, text in texts_of(path):
            yield from ((option, f"{path.relative_to(ROOT)}:{line}") for option in OPTION.findall(text))
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
            yield from ((option, f"{page.relative_to(ROOT)}:{number}") for option in OPTION.findall(line))


def test_every_option_that_is_named_exists():
    known = known_options() | OF_OTHER_PROGRAMS
    dead = sorted({f"{option} ({place})" for option, place in named_options() if option not in known})
    assert not dead


def test_control_options_are_found_in_messages():
    named = {option for option, _ in named_options()}
    assert {"--ids", "--user-ids", "--trust-ids", "--like", "--on-bad-row", "--id-type", "--time"} <= named
    assert "--no-such-option" not in known_options()


@pytest.mark.parametrize("name", ["audit", "fix", "fit"])
def test_commands_that_read_events_have_what_messages_about_events_name(name):
    options = {
        option for parameter in commands()[name].params for option in (*parameter.opts, *parameter.secondary_opts)
    }
    assert {
        "--on-bad-row", "--no-header", "--header", "--encoding", "--delimiter", "--id-type", "--time", "--like",
        "--duplicates", "--weight-transform", "--query", "--user", "--item", "--weight", "--names",
    } <= options  # fmt: skip


@pytest.mark.parametrize("name", ["audit", "fix", "neighbors"])
def test_user_ids_are_wherever_ids_are(name):
    options = {option for parameter in commands()[name].params for option in parameter.opts}
    assert {"--ids", "--user-ids", "--names"} <= options


def test_parameters_that_messages_offer_exist():
    """Messages name the parameter of Python beside the option: ``(like=)``."""
    import dataclasses
    import inspect

    import simgauge
    from simgauge.matching import check_ids
    from simgauge.read.events.options import ReadingOptions
    from simgauge.read.open_interactions import open_interactions

    functions = [getattr(simgauge, name) for name in simgauge.__all__]
    functions += [check_ids, open_interactions]
    known = {field.name for field in dataclasses.fields(ReadingOptions)}
    for function in functions:
        if callable(function) and not (isinstance(function, type) and issubclass(function, BaseException)):
            known |= set(inspect.signature(function).parameters)
    offered = {
        (name, path.name)
        for path in sorted((SOURCE / "read" / "events").rglob("*.py")) + sorted((SOURCE / "matching").rglob("*.py"))
        for _, text in texts_of(path)
        for name in re.findall(r"\((\w+)=\)", text)
    }
    assert {name for name, _ in offered} >= {"like", "weight_transform", "id_type"}
    assert not {entry for entry in offered if entry[0] not in known}
