"""Defaults of a project: a file simgauge.toml, in the directory of the call or one above it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from simgauge.errors import InputError

FILE_NAME = "simgauge.toml"
NO_FILE = "none"
"""What ``--config`` says where no file is to be used."""
NEGATED = "--" + "no-"
"""What stands before a switch that is turned off."""
PLACES = frozenset({"FILE", "PATH", "DIRECTORY"})
"""What stands in the help for options that are places in the file system."""


@dataclass(frozen=True)
class Settings:
    """Defaults, by command, and the file that they are from."""

    path: Path
    by_command: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Command -> parameter -> value."""


USED: ContextVar[dict[str, Any] | None] = ContextVar("settings used", default=None)
"""The file of this run and which of its settings the command used, for the JSON of the command; None where none."""


def find_settings(start: Path) -> Path | None:
    """The nearest simgauge.toml, in this directory or one above it."""
    for directory in (start, *start.parents):
        if (directory / FILE_NAME).is_file():
            return directory / FILE_NAME
    return None


def read_settings(path: Path, commands: Mapping[str, Any]) -> Settings:
    """Read a file of defaults.

    Parameters
    ----------
    path : Path
        TOML. Keys at the top are options of every command that has them, such as ``seed = 3`` or
        ``nouns = "documents,queries"``; a table such as ``[audit]`` holds options of one command. Relative places are
        those of the file's own directory.
    commands : mapping
        Name -> command, whose parameters are the options that can be set.

    Raises
    ------
    InputError
        The file is no TOML, has a key that is no option, or a value that the option cannot have.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no TOML: {error}.") from error
    options = {name: _options(command) for name, command in commands.items()}
    everywhere = {key: value for key, value in found.items() if not isinstance(value, dict)}
    chosen: dict[str, dict[str, Any]] = {name: {} for name in commands}
    for key, value in everywhere.items():
        having = [name for name in options if _flag(key) in options[name]]
        if not having:
            _refuse(path, key, "", {*(key for known in options.values() for key in known)})
        for name in having:
            parameter = options[name][_flag(key)]
            chosen[name][parameter.name] = _checked(path, key, value, parameter)
    for name, table in found.items():
        if not isinstance(table, dict):
            continue
        if name not in options:
            _refuse(path, f"[{name}]", "", {f"[{known}]" for known in options})
        for key, value in table.items():
            if _flag(key) not in options[name]:
                _refuse(path, key, f" of [{name}]", set(options[name]))
            parameter = options[name][_flag(key)]
            chosen[name][parameter.name] = _checked(path, key, value, parameter)
    return Settings(path, chosen)


def used_by(context: Any, settings: Settings | None) -> dict[str, Any]:
    """Settings of the file that a call uses, by option; what it says itself comes first."""
    if settings is None:
        return {}
    names = settings.by_command.get(context.info_name, {})
    return {
        parameter.opts[0]: names[parameter.name]
        for parameter in context.command.params
        if parameter.name in names
        and getattr(context.get_parameter_source(parameter.name), "name", "") == "DEFAULT_MAP"
    }


def in_words(used: Mapping[str, Any]) -> Iterator[str]:
    """Options with their values, as they would be typed.

    Examples
    --------
    >>> list(in_words({"-k": 5, "--all": True, "--header": False}))
    ['-k 5', '--all', '--no-header']
    """
    for option, value in used.items():
        if isinstance(value, bool):
            yield option if value else option.replace("--", NEGATED, 1)
        else:
            yield f"{option} {' '.join(map(str, value)) if isinstance(value, list) else value}"


def _flag(key: str) -> str:
    return key.replace("_", "-")


def _options(command: Any) -> dict[str, Any]:
    """Options of a command by what stands after the dashes."""
    found: dict[str, Any] = {}
    for parameter in command.params:
        if parameter.param_type_name == "option":
            found |= {flag.lstrip("-"): parameter for flag in parameter.opts}
    return found


def _checked(path: Path, key: str, value: Any, parameter: Any) -> Any:
    """The value, with places made absolute; refused where it is of another type."""
    several = bool(parameter.multiple)
    values = value if isinstance(value, list) else [value]
    accepted, expected = _accepted(parameter)
    if (isinstance(value, list) and not several) or not all(accepted(entry) for entry in values):
        raise InputError(
            f"{path}: {key} = {value!r}: expected {expected}{' or several, as a list' if several else ''}."
        )
    placed = [_placed(path.parent, entry, parameter) if isinstance(entry, str) else entry for entry in values]
    return placed if several else placed[0]


def _accepted(parameter: Any) -> tuple[Callable[[Any], bool], str]:
    """Which values an option takes from a file, as a test and in words."""
    shown = str(parameter.metavar or "")
    if parameter.is_flag:
        return lambda value: isinstance(value, bool), "true or false"
    if shown == "N":
        return lambda value: isinstance(value, int) and not isinstance(value, bool), "a whole number"
    if shown == "X":
        return lambda value: isinstance(value, int | float) and not isinstance(value, bool), "a number"
    if "|" in shown:
        choices = shown.split("|")
        return lambda value: value in choices, "one of " + ", ".join(repr(choice) for choice in choices)
    return lambda value: isinstance(value, str | int | float) and not isinstance(value, bool), "a text or a number"


def _placed(directory: Path, value: str, parameter: Any) -> str:
    """A place beside the file, where the option is one; addresses and absolute places stay."""
    is_place = parameter.metavar in PLACES or (
        parameter.name in ("ids", "names", "user_ids") and (directory / value.partition(":")[0]).is_file()
    )
    if not is_place or "://" in value or (value.partition(":")[0].isidentifier() and ":" in value):
        return value
    return str(directory / value)


def _refuse(path: Path, key: str, where: str, known: set[str]) -> None:
    near = get_close_matches(_flag(key), sorted(known), n=1)
    offer = f" Did you mean {near[0]}?" if near else ""
    raise InputError(
        f"{path}: {key} is no option{where}.{offer} Keys are options without their dashes, at the top for all commands "
        f"or in a table such as [audit]; --config {NO_FILE} goes without the file."
    )
