"""Names of items as a page shows them: somebody else's text, made short, printable and one line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

MOST = 80
"""Characters of a name that a page shows."""
MOST_OF_A_SENTENCE = 700
"""Characters of a sentence that may hold names."""


def shown_name(name: Any, most: int = MOST) -> str:
    """A name on one line, without characters that no file can hold, cut where it is long.

    Examples
    --------
    >>> shown_name("tea\\n and  milk"), shown_name("x" * 100, 5), shown_name("  ")
    ('tea and milk', 'xxxx…', '(no name)')
    """
    text = str(name)[: 20 * most]
    text = "".join(letter if letter.isprintable() else " " for letter in text.encode("utf-8", "replace").decode())
    text = " ".join(text.split())
    return (text if len(text) <= most else text[: most - 1] + "…") or "(no name)"


def shown_sentence(text: Any) -> str:
    """A sentence that may hold names of any length, as `shown_name` would have it."""
    return shown_name(text, MOST_OF_A_SENTENCE) if str(text) else ""


def sentence(text: str) -> str:
    """A clause as a sentence: it begins with a capital letter where it is a plain word, and ends with a full stop.

    Examples
    --------
    >>> sentence("train it again"), sentence("Done."), sentence("")
    ('Train it again.', 'Done.', '')
    """
    text = text.strip()
    if not text:
        return ""
    first = text.split()[0]
    start = text[0].upper() + text[1:] if first.isalpha() and first.islower() else text
    return start if start[-1] in ".!?…" else start + "."


def item_names(rows: Iterable[int]) -> list[str]:
    """What items are called on a page that must not name them: their row, counted from 1.

    Examples
    --------
    >>> item_names([0, 4])
    ['item 1', 'item 5']
    """
    return [f"item {int(row) + 1:,}" for row in rows]
