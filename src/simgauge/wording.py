"""Numbers with their nouns, and lists cut short: the words that messages share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

MAP_WRITERS = "gauge, fix or align"
"""Commands that leave a map in the directory they write."""


def plural(noun: str, number: int) -> str:
    """The noun as it stands after that number.

    Examples
    --------
    >>> plural("user", 1), plural("user", 0), plural("query", 2)
    ('user', 'users', 'queries')
    """
    if number == 1:
        return noun
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}s"


def counted(number: int, noun: str) -> str:
    """A number and its noun.

    Examples
    --------
    >>> counted(1, "item"), counted(2, "item")
    ('1 item', '2 items')
    """
    return f"{number} {plural(noun, number)}"


def some_of(values: Iterable[Any], most: int = 3) -> str:
    """The first few values, quoted; an ellipsis when there are more.

    Examples
    --------
    >>> some_of(["tea", "milk", "rum", "gin"])
    "'tea', 'milk', 'rum', ..."
    """
    listed: Sequence[Any] = list(values)
    return ", ".join(repr(value) for value in listed[:most]) + (", ..." if len(listed) > most else "")


def first_of(values: Sequence[Any], most: int = 3) -> str:
    """The first few values, and how many more there are.

    Examples
    --------
    >>> first_of(["tea"]), first_of([1, 2, 3, 4, 5])
    ("'tea'", '1, 2, 3 and 2 more')
    """
    more = len(values) - most
    return ", ".join(repr(value) for value in values[:most]) + (f" and {more} more" if more > 0 else "")


def no_direction(names: Sequence[str], noun: str, so: tuple[str, str]) -> str:
    """What becomes of zero vectors, with the names of the first; `so` says it of one and of several.

    Examples
    --------
    >>> no_direction(["tea"], "item", ("stays zero", "stay zero"))
    "1 item has a zero vector ('tea'): a zero vector has no direction, so it stays zero."
    """
    have, they = ("has", f"it {so[0]}") if len(names) == 1 else ("have", f"they {so[1]}")
    named = first_of(names)
    return f"{counted(len(names), noun)} {have} a zero vector ({named}): a zero vector has no direction, so {they}."


def markdown_cell(text: str) -> str:
    """The text as one cell of a Markdown table, on one line.

    Examples
    --------
    >>> markdown_cell("a | b <c>")
    'a \\\\| b &lt;c&gt;'
    """
    escaped = text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")
    return " ".join(escaped.split())
