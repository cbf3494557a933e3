"""Text broken between words, for any width of a terminal."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator

from rich.cells import cell_len
from rich.text import Text

PIPED_WIDTH = 80
"""Columns of what goes into a file or another program, unless COLUMNS says how many."""
NARROWEST = 20
"""Columns below which lines are no longer broken further."""
WORD = re.compile(r"[ \t]*[^ \t]+")
"""A word and the spaces before it; a space that does not break belongs to its word."""
INDENT = re.compile(r"\s*")


def columns_asked() -> int | None:
    """Columns that the environment asks for; None where it says nothing."""
    asked = os.environ.get("COLUMNS", "")
    return max(int(asked), NARROWEST) if asked.isascii() and asked.isdigit() and int(asked) else None


def width_of_output(is_terminal: bool) -> int:
    """Columns of stdout: what COLUMNS says, or the terminal's own, or `PIPED_WIDTH`."""
    asked = columns_asked()
    if asked is not None:
        return asked
    return max(shutil.get_terminal_size((PIPED_WIDTH, 24)).columns, NARROWEST) if is_terminal else PIPED_WIDTH


def wrapped(text: Text, width: int, hanging: int = 0) -> Iterator[Text]:
    """Lines of a text, broken between words only; a word longer than a line, such as a path, stays whole.

    Words in scripts without spaces between words (wide characters) are broken where the line ends.

    Parameters
    ----------
    text : rich.text.Text
        Ends of lines in it are kept. A line that starts with spaces is indented by them throughout.
    width : int
        Columns of a terminal; wide characters take two.
    hanging : int
        Spaces before every line but the first of each line of the text, beyond its own indentation.

    Examples
    --------
    >>> [str(line) for line in wrapped(Text("one two three"), 8)]
    ['one two', 'three']
    >>> [str(line) for line in wrapped(Text("  see /a/long/path/to/it"), 10, hanging=1)]
    ['  see', '   /a/long/path/to/it']
    """
    for line in text.split("\n", allow_blank=True):
        yield from _broken(line, width, hanging)


def wrapped_text(text: str, width: int, hanging: int = 0) -> str:
    """The same for plain text.

    Examples
    --------
    >>> print(wrapped_text("a table of items and users", 12))
    a table of
    items and
    users
    """
    return "\n".join(line.plain for line in wrapped(Text(text), width, hanging))


def _broken(line: Text, width: int, hanging: int) -> Iterator[Text]:
    indent = INDENT.match(line.plain)[0]  # type: ignore[index]
    before = indent + " " * hanging
    if cell_len(line.plain) <= width:
        yield line
        return
    ends = _ends(line.plain, width, len(indent), cell_len(before))
    for number, piece in enumerate(line.divide(ends)):
        if number:
            body = piece[len(piece.plain) - len(piece.plain.lstrip()) :]
            piece = Text(before).append_text(body)
        piece.rstrip()
        yield piece


def _ends(line: str, width: int, start: int, before: int) -> list[int]:
    """Positions at which a line is broken."""
    ends: list[int] = []
    used = 0
    for found in WORD.finditer(line):
        word = found[0]
        size = cell_len(word)
        if used and used + size > width and found.start() >= start:
            ends.append(found.start())
            used = before + cell_len(word.lstrip())
        else:
            used += size
        if used > width and cell_len(word) > len(word):
            used = _within(line, found.end() - len(word.lstrip()), found.end(), width, before, ends)
    return ends


def _within(line: str, begin: int, end: int, width: int, before: int, ends: list[int]) -> int:
    """Break a word of wide characters wherever the line is full; columns used by its last line."""
    used = before if ends else 0
    for position in range(begin, end):
        size = cell_len(line[position])
        if used + size > width and used > before:
            ends.append(position)
            used = before
        used += size
    return used
