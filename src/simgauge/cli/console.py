"""What the terminal shows: tables and messages for people, JSON for machines, progress on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.segment import Segment
from rich.text import Text

from simgauge.cli.layout import Grid, Name
from simgauge.cli.logs import LOGGER, LOGS
from simgauge.cli.nouns import in_nouns
from simgauge.cli.settings import USED
from simgauge.cli.signs import IN_ASCII, UNPRINTABLE, printable
from simgauge.cli.wrapping import columns_asked, width_of_output, wrapped
from simgauge.progress import Progress, logged

VERDICT_STYLES = {"ok": "green", "info": "blue", "warn": "yellow", "fail": "bold red"}


class PlainConsole(Console):
    """A console that no text can steer: names of items, columns and files are somebody else's.

    Texts are broken between words where lines end, and say the nouns of this run.
    """

    def print(self, *objects: Any, markup: bool | None = None, hanging: int = 0, **more: Any) -> None:
        """As rich does, texts in the nouns of this run and broken between words, never within one; `hanging` spaces
        stand before every line of a text but its first."""
        for thing in objects or ("",):
            if isinstance(thing, str):
                thing = Text.from_markup(thing, emoji=False) if markup is not False else Text(thing)
            if not isinstance(thing, Text):
                super().print(thing, **more)
                continue
            for line in wrapped(spoken(thing), self.width, hanging):
                self.print_whole(line)

    def print_whole(self, line: Text) -> None:
        """One line, however long."""
        super().print(line, soft_wrap=True)

    def render(self, renderable: Any, options: Any = None) -> Iterator[Segment]:
        """The segments of rich, their texts made printable; styles and movements of rich itself stay."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
                continue
            text = printable(segment.text).replace(
                "\u00a0", " "
            )  # it has kept words together; in a file it is no space
            if not self.encoding.startswith("utf"):
                text = text.translate(IN_ASCII)
            yield Segment(text, segment.style)


def spoken(text: Text) -> Text:
    """A text of ours in the nouns of this run; what has several styles keeps them, piece by piece."""
    if isinstance(text, Name):
        return text
    if not text.spans:
        said = in_nouns(text.plain)
        return text if said == text.plain else Text(said, text.style)
    places = sorted({0, len(text.plain), *(place for span in text.spans for place in (span.start, span.end))})
    pieces = text.divide(places[1:-1])
    if in_nouns(text.plain) == text.plain:
        return text
    in_pieces = Text(style=text.style)
    for piece in pieces:
        in_pieces.append(in_nouns(piece.plain), piece.spans[0].style if piece.spans else "")
    return in_pieces


def out() -> PlainConsole:
    """Console on stdout; plain when piped."""
    console = PlainConsole(highlight=False)
    return PlainConsole(highlight=False, width=width_of_output(console.is_terminal))


def err() -> PlainConsole:
    """Console on stderr."""
    console = PlainConsole(stderr=True, highlight=False)
    return PlainConsole(stderr=True, highlight=False, width=width_of_output(console.is_terminal))


def print_error(message: str) -> None:
    """One message on stderr."""
    if LOGS.get():
        LOGGER.error("%s", in_nouns(message))
    else:
        _to_stderr("[bold red]error:[/]", message)


def print_note(message: str) -> None:
    """A remark on stderr, so that stdout stays clean for machines."""
    if LOGS.get():
        LOGGER.info("%s", in_nouns(message))
    else:
        _to_stderr("[yellow]note:[/]", message)


def print_code(text: str) -> None:
    """Lines that are copied, such as a query: as they are, never broken."""
    console = out()
    for line in text.split("\n"):
        console.print_whole(Text(line))


def _to_stderr(label: str, message: str) -> None:
    """A labelled message: broken between words on a terminal, one line in a log, unless COLUMNS asks for a width."""
    console = err()
    text = spoken(Text.from_markup(f"{label} {escape(message)}", emoji=False))
    whole = not console.is_terminal and columns_asked() is None
    for line in [text] if whole else wrapped(text, console.width, hanging=2):
        console.print_whole(line)


def dump(value: Mapping[str, Any]) -> str:
    """JSON text without NaN; what could steer a terminal, or is half of a character, is written by its number."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return UNPRINTABLE.sub(
        lambda found: found.group() if found.group() == "\n" else f"\\u{ord(found.group()):04x}", text
    )


def print_json(value: Mapping[str, Any]) -> None:
    """JSON on stdout, with the defaults of the project that the command used, if any."""
    used = USED.get()
    stream, text = sys.stdout, dump({**value, **({} if used is None else {"settings": used})})
    if (stream.encoding or "utf-8").lower().replace("-", "") not in ("utf8", "utf8sig"):
        text = json.dumps(json.loads(text), indent=2) + "\n"
    stream.write(text)


@contextmanager
def progress(enabled: bool = True) -> Iterator[Progress]:
    """A bar on stderr that shows after a moment's work, and only on a terminal."""
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    console = err()
    if LOGS.get() or not (enabled and console.is_terminal):
        yield logged
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)

        def show(text: str, done: int, total: int) -> None:
            bar.update(task, description=text, completed=done, total=total)

        yield show


@contextmanager
def warnings_as_notes() -> Iterator[None]:
    """Warnings of the library become notes on stderr, without file names and line numbers."""
    import warnings

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        yield
    for warning in caught:
        print_note(str(warning.message))


def table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str | Text]],
    *,
    by_columns: bool = False,
    hanging: int = 0,
) -> Grid:
    """A table whose cells are never read as markup; columns whose header starts with "#" are right-aligned.

    Titles, headers and cells are in the nouns of this run, but for cells that are a `Name`. Where the columns have no
    room side by side each row is shown as a list, or, with `by_columns`, each column; `hanging` spaces stand before the
    second and later lines of a cell.
    """
    said = [[spoken(cell if isinstance(cell, Text) else Text(cell)) for cell in row] for row in rows]
    return Grid(in_nouns(title), [in_nouns(column) for column in columns], said, by_columns=by_columns, hanging=hanging)


def verdict_text(verdict: str) -> Text:
    """A verdict in its colour."""
    return Text(verdict, style=VERDICT_STYLES[verdict])


def print_understood(interactions: Any, what: str) -> None:
    """What interactions were understood to be, a line each on stderr: counts, first row, weights, columns not used."""
    counts = f"{interactions.n_users:,} users x {interactions.n_items:,} items, {interactions.nnz:,} pairs"
    events = interactions.report.get("rows_read")
    of_events = f" from {events:,} events" if events is not None else ""
    notes = [note for note in interactions.report.get("notes", ()) if not note.startswith("taken for no ids")]
    for sentence in (f"{counts}{of_events}", *interactions.report.get("understood", ()), *notes):
        print_note(f"{what}: {sentence}")


def print_ids(check: Mapping[str, Any] | None) -> None:
    """How the ids of the embedding and of other sources met, a line each."""
    for sentence in () if check is None else check["sentences"]:
        out().print(sentence, markup=False)


def print_facts(title: str, facts: Any) -> None:
    """A table of two columns, fact and value."""
    out().print(
        table(
            title, ["", ""], [[str(name), str(value)] for name, value in zip(*facts.to_pydict().values(), strict=True)]
        )
    )


def print_findings(title: str, findings: Sequence[Any]) -> None:
    """Findings with their verdicts, and what to do where something is wrong."""
    console = out()
    rows = [[verdict_text(finding.verdict), finding.title, finding.summary] for finding in findings]
    console.print(table(title, ["verdict", "finding", "measured"], rows))
    serious = [finding for finding in findings if finding.verdict in ("warn", "fail")]
    if serious:
        console.print()
        console.print(
            table("What to do", ["finding", "why", "smallest action"], [[f.title, f.cause, f.action] for f in serious])
        )


def print_measures(measures: Any, shares: Collection[str]) -> None:
    """A table of numbers: rows named in `shares` as percentages, everything else to three digits."""
    columns = measures.column_names
    rows = []
    for row in measures.to_pylist():
        name, *values = (row[column] for column in columns)
        form = ".1%" if name in shares else ".3g"
        rows.append([str(name), *("" if value is None else format(value, form) for value in values)])
    out().print(table("", [columns[0], *(f"#{name}" for name in columns[1:])], rows))


def with_interval(interval: Any, form: str) -> str:
    """A number with its interval, where that is no point."""
    value, low, high = (form.format(part) for part in (interval.value, interval.low, interval.high))
    return value if low == high else f"{value} [{low}, {high}]"
