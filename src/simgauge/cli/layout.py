"""Tables for any width of a terminal: columns side by side, or under each other where they do not fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from simgauge.cli.wrapping import wrapped

GAP = 2
"""Spaces between columns."""


class Name(Text):
    """Text that belongs to somebody else, such as the name of an item: never translated, and cut where it is long."""


def cut(name: str, width: int) -> str:
    """The name, its middle left out where it is wider.

    Examples
    --------
    >>> cut("Toy Story", 20), cut("a very long name of an item", 12)
    ('Toy Story', 'a very… item')
    """
    if cell_len(name) <= width:
        return name
    front, back, room = "", "", width - 1
    for left, right in zip(name, reversed(name), strict=True):
        if cell_len(front + left + back) > room:
            break
        front += left
        if cell_len(front + right + back) > room:
            break
        back = right + back
    return f"{front}…{back}"


class Grid:
    """A table of texts, laid out for the width that it is given.

    Parameters
    ----------
    title : str
        Above the table; none when empty.
    columns : sequence of str
        Headers; one that starts with "#" is of numbers, aligned to the right.
    rows : sequence of sequences of rich.text.Text
        A cell for each column.
    by_columns : bool
        Where the columns have no room side by side: show a list for each column, instead of one for each row.
    hanging : int
        Spaces before the second and later lines of a cell.
    """

    def __init__(
        self,
        title: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[Text]],
        *,
        by_columns: bool = False,
        hanging: int = 0,
    ) -> None:
        self.title = title
        self.headers = [column.removeprefix("#").replace(" = ", "\u00a0=\u00a0") for column in columns]
        self.right = [column.startswith("#") for column in columns]
        self.rows = [list(row) for row in rows]
        self.by_columns = by_columns
        self.hanging = hanging

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width
        if self.title:
            yield from _lines(wrapped(Text(self.title, "bold"), width))
        rows = [[_short(cell, width) for cell in row] for row in self.rows]
        widths = fitting(self._columns(rows), width, self.hanging)
        if widths is None:
            yield from _lines(self._list_of_columns(rows, width) if self.by_columns else self._records(rows, width))
            return
        if any(self.headers):
            yield from _lines(self._line([Text(header, "bold") for header in self.headers], widths))
        for row in rows:
            yield from _lines(self._line(row, widths))

    def _columns(self, rows: Sequence[Sequence[Text]]) -> list[list[str]]:
        return [[header, *(row[place].plain for row in rows)] for place, header in enumerate(self.headers)]

    def _line(self, cells: Sequence[Text], widths: Sequence[int]) -> Iterator[Text]:
        """One row of the table: as many lines as its highest cell."""
        broken = [list(wrapped(cell, width, self.hanging)) for cell, width in zip(cells, widths, strict=True)]
        for number in range(max(map(len, broken))):
            line = Text()
            for place, (lines, width) in enumerate(zip(broken, widths, strict=True)):
                piece = lines[number].copy() if number < len(lines) else Text()
                room = max(width - cell_len(piece.plain), 0)
                line.append(" " * room if self.right[place] else "").append_text(piece)
                line.append("" if self.right[place] else " " * room).append(" " * GAP)
            line.rstrip()
            yield line

    def _records(self, rows: Sequence[Sequence[Text]], width: int) -> Iterator[Text]:
        """Each row as a list of "header: cell"."""
        for number, row in enumerate(rows):
            if number and len(row) > 2:
                yield Text()
            for place, (header, cell) in enumerate(zip(self.headers, row, strict=True)):
                if cell.plain:
                    start = Text("  " if place else "")
                    label = Text(f"{header}: " if header and place else "", "bold")
                    yield from wrapped(Text.assemble(start, label, cell), width, hanging=2)

    def _list_of_columns(self, rows: Sequence[Sequence[Text]], width: int) -> Iterator[Text]:
        """Each column as a list under its header."""
        for place, header in enumerate(self.headers):
            if place:
                yield Text()
            yield from wrapped(Text(header, "bold"), width)
            for row in rows:
                yield from wrapped(Text.assemble("  ", row[place]), width, hanging=max(self.hanging, 2))


def fitting(columns: Sequence[Sequence[str]], width: int, hanging: int = 0) -> list[int] | None:
    """Widths of columns side by side, words kept whole; None where there is no room for that.

    Examples
    --------
    >>> fitting([["a"], ["some words of text"]], 40), fitting([["a"], ["some words of text"]], 12)
    ([1, 18], [1, 9])
    >>> fitting([["unbreakable"], ["some words of text"]], 12) is None
    True
    """
    natural = [max(cell_len(line) for cell in column for line in cell.split("\n")) for column in columns]
    narrow = [
        max([cell_len(word) + hanging for cell in column for word in cell.split(" ")] or [1]) for column in columns
    ]
    narrow = [max(least, min(full, _comfortable(full))) for least, full in zip(narrow, natural, strict=True)]
    room = width - GAP * (len(columns) - 1)
    if sum(natural) <= room:
        return natural
    if sum(narrow) > room:
        return None
    widest = max(natural)
    while sum(_capped(natural, narrow, widest)) > room:
        widest -= 1
    return _capped(natural, narrow, widest)


def _comfortable(full: int) -> int:
    """Columns below which a cell of this length becomes a tower of single words."""
    return min(full, 6 + full // 12, 24)


def _capped(natural: Sequence[int], narrow: Sequence[int], widest: int) -> list[int]:
    return [max(least, min(full, widest)) for full, least in zip(natural, narrow, strict=True)]


def _short(cell: Text, width: int) -> Text:
    """The cell, a name in it no wider than the page."""
    if not isinstance(cell, Name) or cell_len(cell.plain) <= width:
        return cell
    return Text(cut(cell.plain, max(width - 4, 8)), cell.style)


def _lines(lines: Iterator[Text]) -> Iterator[Text]:
    for line in lines:
        line.no_wrap, line.overflow, line.end = True, "ignore", "\n"
        yield line
