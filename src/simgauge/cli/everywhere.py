"""Options that every command has: the nouns of the answer, and how long work is logged."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from simgauge.cli.choices import with_choices

Nouns = Annotated[
    str | None,
    typer.Option(
        "--nouns",
        metavar="ITEMS,USERS",
        help="What to call items and users in the answer, such as documents,queries. JSON is not affected.",
    ),
]
LogFormat = Annotated[
    str | None,
    typer.Option(
        "--log-format",
        help="Say on stderr what is being done, a line each with its time, instead of showing a bar.",
    ),
]
OPTIONS: dict[str, tuple[Any, Any]] = {"nouns": (Nouns, None), "log_format": (LogFormat, None)}
"""Name -> annotation and default."""


def for_every_command(command: Callable[..., None]) -> Callable[..., None]:
    """A command with the options of `OPTIONS` added; they hold while it runs, as do the defaults of the project."""

    @functools.wraps(command)
    def called(ctx: typer.Context, **given: Any) -> None:
        chosen = {name: given.pop(name) for name in OPTIONS}
        _speak_in(chosen["nouns"])
        with _logged(ctx, chosen["log_format"]):
            _tell_settings(ctx, quiet=bool(given.get("json")))
            command(**given)

    named = inspect.Parameter.KEYWORD_ONLY
    signature = inspect.signature(command, eval_str=True)
    name = command.__name__
    own = [with_choices(name, entry.replace(kind=named)) for entry in signature.parameters.values()]
    more = [
        with_choices(name, inspect.Parameter(option, named, default=default, annotation=kind))
        for option, (kind, default) in OPTIONS.items()
    ]
    context = inspect.Parameter("ctx", named, annotation=typer.Context)
    called.__signature__ = signature.replace(parameters=[context, *own, *more])  # type: ignore[attr-defined]
    called.__annotations__ = {entry.name: entry.annotation for entry in (context, *own, *more)}
    return called


def _speak_in(asked: str | None) -> None:
    """Set the nouns of this run; they hold until the next, so that an error is told in them too."""
    from simgauge.cli.nouns import NAMES, NOUNS, Names
    from simgauge.cli.nouns import Nouns as Said

    NAMES.set(Names())
    NOUNS.set(None if asked is None else Said.parse(asked))


@contextmanager
def _logged(context: typer.Context, form: str | None) -> Iterator[None]:
    """Log that the command begins and ends, where logs are asked for."""
    from simgauge.cli.logs import LOGGER, log_to_stderr

    log_to_stderr(form)
    if form is None:
        yield
        return
    from simgauge import __version__

    about = {"command": context.info_name}
    LOGGER.info("started", extra={**about, "version": __version__})
    start, outcome = time.monotonic(), "failed"
    try:
        yield
        outcome = "finished"
    except typer.Exit as stop:
        outcome = f"finished with exit code {stop.exit_code}"
        raise
    finally:
        LOGGER.info(outcome, extra={**about, "seconds": round(time.monotonic() - start, 3)})


def _tell_settings(context: typer.Context, quiet: bool) -> None:
    """Say which defaults of the project are used, or keep them for the JSON of the command."""
    from simgauge.cli.console import print_note
    from simgauge.cli.settings import USED, Settings, in_words, used_by

    USED.set(None)
    settings = context.find_object(Settings)
    used = used_by(context, settings)
    if settings is None or not used:
        return
    USED.set({"file": str(settings.path), "used": used})
    if not quiet:
        print_note(f"defaults from {settings.path}: {', '.join(in_words(used))}")
