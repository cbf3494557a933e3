"""Options that every command has: the nouns of the answer, and how long work is logged."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

Nouns = Annotated[
    str | None,
    typer.Option(
        "--nouns",
        metavar="ITEMS,USERS",
        help="What to call items and users in the answer, such as documents,queries. JSON is not affected.",
    ),
]
OPTIONS: dict[str, tuple[Any, Any]] = {"nouns": (Nouns, None)}
"""Name -> annotation and default."""


def for_every_command(command: Callable[..., None]) -> Callable[..., None]:
    """A command with the options of `OPTIONS` added; they hold while it runs."""

    @functools.wraps(command)
    def called(**given: Any) -> None:
        chosen = {name: given.pop(name) for name in OPTIONS}
        _speak_in(chosen["nouns"])
        command(**given)

    named = inspect.Parameter.KEYWORD_ONLY
    signature = inspect.signature(command, eval_str=True)
    own = [entry.replace(kind=named) for entry in signature.parameters.values()]
    more = [inspect.Parameter(name, named, default=default, annotation=kind)
            for name, (kind, default) in OPTIONS.items()]  # fmt: skip
    called.__signature__ = signature.replace(parameters=[*own, *more])  # type: ignore[attr-defined]
    called.__annotations__ = {entry.name: entry.annotation for entry in (*own, *more)}
    return called


def _speak_in(asked: str | None) -> None:
    """Set the nouns of this run; they hold until the next, so that an error is told in them too."""
    from simgauge.cli.nouns import NAMES, NOUNS, Names
    from simgauge.cli.nouns import Nouns as Said

    NAMES.set(Names())
    NOUNS.set(None if asked is None else Said.parse(asked))
