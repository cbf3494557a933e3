"""The options of reading events, the same in every command that reads some."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simgauge.cli.options import VECTOR_READING

if TYPE_CHECKING:
    from simgauge.interactions import Interactions
    from simgauge.read.events.options import ReadingOptions
    from simgauge.read.time_split import TimeSplit

OPTIONS: dict[str, tuple[Any, Any]] = {
    "user": (
        Annotated[str | None, typer.Option("--user", help="Column of users: its name, or its position from 0.")],
        None,
    ),
    "item": (
        Annotated[str | None, typer.Option("--item", help="Column of items: its name, or its position from 0.")],
        None,
    ),
    "weight": (
        Annotated[str | None, typer.Option("--weight", help="Column of weights; every event counts 1 without one.")],
        None,
    ),
    "time": (
        Annotated[str | None, typer.Option("--time", help="Column that says which of repeated events is the last.")],
        None,
    ),
    "query": (
        Annotated[str | None, typer.Option("--query", help="SQL to run on a DuckDB, SQLite or PostgreSQL database.")],
        None,
    ),
    "like": (
        Annotated[
            str | None,
            typer.Option("--like", help="Count only these events, each 1: '>=4' of the weight, or 'COLUMN=WORD,WORD'."),
        ],
        None,
    ),
    "duplicates": (
        Annotated[
            str | None,
            typer.Option(
                "--duplicates",
                help="Repeated events: sum, max, mean, last, count or error; the last rating, the sum of all else.",
            ),
        ],
        None,
    ),
    "weight_transform": (
        Annotated[str, typer.Option("--weight-transform", help="Of the weight of a pair: none, log1p or binary.")],
        "none",
    ),
    "id_type": (
        Annotated[str, typer.Option("--id-type", help="auto, or text to keep ids as they are written.")],
        "auto",
    ),
}
"""Name of the option in the library -> its annotation and default."""

TEXT_TABLES = {name: VECTOR_READING[name] for name in ("on_bad_row", "header", "delimiter", "encoding")}
"""Options of text tables, those of vectors and those of events."""


def reads_events(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command all options of reading events; it receives them as one record, its parameter `events`.

    A command that reads vectors, too, shares the options of text tables with them: decorate it with `reads_vectors`
    outside of this.
    """
    signature = inspect.signature(command, eval_str=True)
    shared = "reading" in signature.parameters
    options = OPTIONS if shared else {**OPTIONS, **TEXT_TABLES}

    @functools.wraps(command)
    def called(**values: Any) -> None:
        from simgauge.read.events.options import ReadingOptions

        chosen = {name: values.pop(name) for name in options}
        text = values["reading"] if shared else chosen
        chosen |= {name: text[name] for name in ("on_bad_row", "delimiter", "encoding")}
        chosen["has_header"] = text["header"]
        chosen.pop("header", None)
        command(**values, events=ReadingOptions(**chosen))

    named = inspect.Parameter.KEYWORD_ONLY
    own = [entry.replace(kind=named) for name, entry in signature.parameters.items() if name != "events"]
    more = [
        inspect.Parameter(name, named, default=default, annotation=kind) for name, (kind, default) in options.items()
    ]
    called.__signature__ = signature.replace(parameters=[*own, *more])  # type: ignore[attr-defined]
    called.__annotations__ = {entry.name: entry.annotation for entry in (*own, *more)}
    return called


def load_interactions(path: str | None, events: ReadingOptions, what: str, quiet: bool = False) -> Interactions | None:
    """Interactions from a file, or None; what they were understood to be is said on stderr, or in the JSON if
    `quiet`."""
    if path is None:
        return None
    from simgauge.cli.console import print_understood
    from simgauge.read.interactions import read_interactions

    found = read_interactions(path, options=events)
    if not quiet:
        print_understood(found, what)
    return found


def load_split(path: str, events: ReadingOptions, split: str, quiet: bool = False) -> TimeSplit:
    """Interactions cut by time, as `--split` says; what was understood is said on stderr unless `quiet`."""
    from simgauge.cli.console import print_note, print_understood
    from simgauge.read.time_split import parse_cut, split_by_time

    cut = parse_cut(split)
    found = split_by_time(path, cut.share, at=cut.at, by=cut.by, options=events)
    if not quiet:
        print_understood(found.training, "interactions")
        for sentence in found.sentences:
            print_note(f"split: {sentence}")
    return found


def read_events(training: Interactions | None, held_out: Interactions | None) -> dict[str, Any]:
    """What interactions were understood to be, for the JSON of a command."""
    given = {"interactions": training, "held_out": held_out}
    return {name: data.understood() for name, data in given.items() if data is not None}
