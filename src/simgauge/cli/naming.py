"""Messages of the library in the words of the command line: parameters by the names of their options."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

OTHER_NAMES = {
    "rng": "seed",
    "random_state": "seed",
    "k": "at",
    "has_header": "header",
    "user_column": "user",
    "item_column": "item",
    "weight_column": "weight",
}
"""Parameters of the library -> of commands that call them otherwise, where a command has none of the same name."""

MENTION = re.compile(r"\([^()]*\)|(?<![\w.-])(?P<name>[a-z]\w*)=(?P<value>'[^']*'|\"[^\"]*\"|[\w.+-]*\w)?")
"""A parameter with its value; what stands in brackets names the parameter beside its option, and stays."""


def in_options(message: str, options: Mapping[str, str]) -> str:
    """The message with parameters named as options, where the command has them.

    Parameters
    ----------
    message : str
    options : mapping
        Name of the parameter -> option, as `options_of` gives it.

    Examples
    --------
    >>> in_options("rng=-1: expected an integer of 0 or more.", {"seed": "--seed"})
    '--seed -1: expected an integer of 0 or more.'
    >>> in_options("k=0: pass fewer (--ids, item_ids=) or another seed=2.", {"k": "-k"})
    '-k 0: pass fewer (--ids, item_ids=) or another seed=2.'
    """

    def named(found: re.Match[str]) -> str:
        name, value = found["name"], found["value"]
        option = options.get(name or "") or options.get(OTHER_NAMES.get(name or "", ""))
        if option is None or value == "None":
            return found[0]
        return option if value is None or value == "True" else f"{option} {value}"

    return MENTION.sub(named, message)


def options_of(arguments: Sequence[str]) -> dict[str, str]:
    """Options of the command that these arguments call, by the name of their parameter; none where it is unknown."""
    import typer.main

    from simgauge.cli.app import app

    commands: Any = typer.main.get_command(app)
    command = next((commands.commands[word] for word in arguments if word in commands.commands), None)
    given = [] if command is None else command.params
    return {entry.name: entry.opts[0] for entry in given if entry.param_type_name == "option" and entry.opts}


def point_to_short_option(error: Any) -> None:
    """Let the parser's complaint of ``--k`` offer ``-k`` where the command has that, and nothing that merely looks
    alike."""
    name, context = getattr(error, "option_name", ""), getattr(error, "ctx", None)
    short = f"-{name.removeprefix('--')}"
    if context is not None and any(short in entry.opts for entry in context.command.params):
        error.possibilities = [short]
