"""What the terminal shows: tables and messages for people, JSON for machines, progress on stderr."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from simgauge.progress import Progress, silent

VERDICT_STYLES = {"ok": "green", "info": "blue", "warn": "yellow", "fail": "bold red"}


PIPED_WIDTH = 120


UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, marks that turn the direction of text, halves of characters: tabs and ends of lines are not."""


def printable(text: str) -> str:
    """Text that can only be read: what could steer a terminal is shown by its number instead.

    Examples
    --------
    >>> print(printable("tea\\x1b[2J"))
    tea\\x1b[2J
    """
    return UNPRINTABLE.sub(lambda found: ascii(found.group())[1:-1], text)


class PlainConsole(Console):
    """A console that no text can steer: names of items, columns and files are somebody else's."""

    def render(self, renderable: Any, options: Any = None) -> Iterator[Segment]:
        """The segments of rich, their texts made printable; styles and movements of rich itself stay."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)


def out() -> Console:
    """Console on stdout; plain, and of a fixed width, when piped."""
    console = PlainConsole(highlight=False)
    return console if console.is_terminal else PlainConsole(highlight=False, width=PIPED_WIDTH)


def err() -> Console:
    """Console on stderr."""
    return PlainConsole(stderr=True, highlight=False)


def print_error(message: str) -> None:
    """One message on stderr."""
    err().print(f"[bold red]error:[/] {escape(message)}", soft_wrap=True)


def print_note(message: str) -> None:
    """A remark on stderr, so that stdout stays clean for machines."""
    err().print(f"[yellow]note:[/] {escape(message)}", soft_wrap=True)


def dump(value: Mapping[str, Any]) -> str:
    """JSON text without NaN; what could steer a terminal, or is half of a character, is written by its number."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return UNPRINTABLE.sub(
        lambda found: found.group() if found.group() == "\n" else f"\\u{ord(found.group()):04x}", text
    )


def print_json(value: Mapping[str, Any]) -> None:
    """JSON on stdout."""
    stream, text = sys.stdout, dump(value)
    if (stream.encoding or "utf-8").lower().replace("-", "") not in ("utf8", "utf8sig"):
        text = json.dumps(json.loads(text), indent=2) + "\n"
    stream.write(text)


@contextmanager
def progress(enabled: bool = True) -> Iterator[Progress]:
    """A bar on stderr that shows after a moment's work, and only on a terminal."""
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    console = err()
    if not (enabled and console.is_terminal):
        yield silent
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


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str | Text]]) -> Table:
    """A table whose cells are never read as markup; columns whose header starts with "#" are right-aligned."""
    grid = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        grid.add_column(column.removeprefix("#"), justify="right" if column.startswith("#") else "left",
                        overflow="fold")  # fmt: skip
    for row in rows:
        grid.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    return grid


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
        out().print(Text(sentence), soft_wrap=True)


def print_audit(audit: Any) -> None:
    """Verdict, what is not plainly ok, and what to do where something is wrong; reports and JSON hold everything."""
    console = out()
    console.print(Text("Audit verdict: ") + verdict_text(audit.verdict))
    shown = [finding for finding in audit.findings if finding.verdict != "ok"]
    rows = [[verdict_text(finding.verdict), finding.title, _measured(finding)] for finding in shown]
    console.print(table("", ["verdict", "finding", "measured"], rows))
    fine = [finding.title for finding in audit.findings if finding.verdict == "ok"]
    console.print(Text("ok", style=VERDICT_STYLES["ok"]) + Text(f"       {len(fine)} more: {', '.join(fine)}"))
    serious = [finding for finding in audit.findings if finding.verdict in ("warn", "fail")]
    if serious:
        console.print()
        console.print(table("What to do", ["finding", "smallest action"], [[f.title, f.action] for f in serious]))
    _print_groups(audit.groups)


def _print_groups(groups: Sequence[Any]) -> None:
    """One table a grouping: a line a group, a column a measure."""
    for grouping, title in {"by": "By group", "popularity": "By popularity"}.items():
        own = [group for group in groups if group.grouping == grouping]
        names = list(dict.fromkeys(measure.id for group in own for measure in group.measures))
        rows = []
        for group in own:
            known = {measure.id: f"{measure.value:.3g}" for measure in group.measures}
            rows.append([group.name, str(group.n_items), *(known.get(name, "") for name in names)])
        if rows:
            out().print()
            out().print(table(title, ["group", "#items", *(f"#{name}" for name in names)], rows))


def _measured(finding: Any) -> str:
    """What was found, which items it is about, and where the value stands among real embeddings."""
    named = f" (such as {', '.join(finding.named)})" if finding.named and finding.verdict in ("warn", "fail") else ""
    return f"{finding.summary}{named}" + ("" if finding.standing is None else f"; {finding.standing}")


def print_comparison(comparison: Any) -> None:
    """Neighbour lists side by side, one table an item."""
    console = out()
    for item in comparison.items:
        lists = comparison.of(item)
        rows = [
            [f"{entry.names[rank]}  {entry.scores[rank]:.2f}" for entry in lists] for rank in range(len(lists[0].names))
        ]
        nearest = {"items": "Similar to", "users": "Users similar to", "user-items": "Items nearest to user"}[
            comparison.sides
        ]
        console.print(Text(f"{nearest} {item}", style="italic"), soft_wrap=True)
        console.print(table("", [entry.gauge for entry in lists], rows))
        console.print()
    if comparison.note:
        console.print(Text(comparison.note), soft_wrap=True)
    if comparison.prediction_difference is None or len(lists) < 2:
        return
    for sentence in prediction_sentences(comparison):
        console.print(Text(sentence), soft_wrap=True)


def prediction_sentences(comparison: Any) -> list[str]:
    """What the columns keep of the predictions: of those that keep scores together, of the others one by one."""
    own = [shift for shift in comparison.shifts if not shift.rankings_only]
    moved = [shift for shift in comparison.shifts if shift.rankings_only]
    said = []
    if own:
        which = "these columns" if not moved else "the columns but " + " and ".join(f"“{s.gauge}”" for s in moved)
        said.append(
            f"Largest difference between the predictions of {which}, against the first: "
            f"{max(shift.difference for shift in own):.1e} of the largest score, over "
            f"{comparison.n_scores_compared:,} scores."
        )
    said += [
        f"“{shift.gauge}” has other predictions: all scores of a user are moved by one constant, by up to "
        f"{shift.difference:.1e} of the largest score. Each user's ranking of the items is kept, to "
        f"{shift.beyond_constants:.1e}."
        for shift in moved
    ]
    return said


def print_selection(selection: Any, n_rows: int) -> None:
    """The choice in words and the best candidates with their intervals."""
    console = out()
    console.print(Text(selection.summary), soft_wrap=True)
    if selection.zero_vectors.n_items:
        console.print(Text(selection.zero_vectors.sentence), soft_wrap=True)
    for note in selection.evidence.get("notes", ()):
        console.print(Text(f"evidence: {note}"), soft_wrap=True)
    if not selection.table:
        return
    shown = [
        row for rank, row in enumerate(selection.table) if rank < n_rows or row.chosen or row.name.startswith("leave")
    ]
    weighted = shown[0].weighted is not None
    columns = [
        "candidate",
        f"#{selection.evidence['measure']}",
        "#change",
        *(["#weighted", "#change"] if weighted else []),
        "#gain",
        "",
    ]
    rows = []
    for row in shown:
        marks = [
            row.significant,
            "loses too much" if row.guarded else "",
            "Pareto" if row.pareto else "",
            "chosen" if row.chosen else "",
        ]
        extra = [f"{row.weighted.value:.4f}", str(row.weighted_change)] if weighted else []
        cells = [row.name, f"{row.plain.value:.4f}", str(row.plain_change), *extra, str(row.gain)]
        rows.append([*cells, ", ".join(mark for mark in marks if mark)])
    console.print()
    title = f"{len(selection.table)} candidates, against leaving alone; 95 % intervals hold for all of them together"
    console.print(table(title, columns, rows))
    used = {mark for row in rows for mark in row[-1].split(", ")}
    for word, meaning in MARKS.items():
        if used & set(word.split(", ")):
            console.print(Text(f"{word}: {meaning}"), soft_wrap=True)
    if "(last " in selection.summary:
        console.print(Text(f"(last …) in the verdict: {LAST}"), soft_wrap=True)


MARKS = {
    "better, worse": "the gain, all measures taken together and allowing for the number of candidates. It must hold on "
    "data that had no part in the choice too, before anything is chosen",
    "loses too much": "a measure that counts falls by more than max_loss, or comes too near to it, so that this "
    "candidate cannot be chosen, whatever its gain",
    "Pareto": "no other candidate is as good on both measures and better on one",
}
"""What the words of the last column mean."""

LAST = "the choice by all of the data; on its parts, which test the choice, it may be another candidate"
"""What the verdict calls the last choice."""


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
