"""The nouns of an answer: documents and queries, where a person says so, instead of items and users."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simgauge.errors import ParameterError

if TYPE_CHECKING:
    from simgauge.embedding import Embedding

WORD = re.compile(r"(?P<article>\b[Aa]n? )?(?<![\w.=/@:])(?P<noun>items?|users?)\b(?![\w=(/@]|[.:]\w|-ids?\b)", re.I)
"""A noun in prose: not part of an option, a path, a file's name, an address or a parameter of Python."""
QUOTED = re.compile(
    r"(?<!\w)'[^'\n]*'(?!\w)|(?<!\w)\"[^\"\n]*\"|“[^”\n]*”|`[^`\n]*`|(?<![\w-])--?[a-z][\w-]*(?:[ =][\w,|]+)?"
)
"""What is kept as it stands: quoted text, and options with their values."""
IRREGULAR = {"people": "person", "children": "child", "media": "medium", "series": "series", "species": "species",
             "movies": "movie", "cookies": "cookie", "news": "news", "data": "data", "men": "man", "women": "woman",
             "lenses": "lens", "buses": "bus", "gases": "gas"}  # fmt: skip
"""Plurals whose singular no rule gives; for others a person writes both, ``singular:plural``."""


@dataclass(frozen=True)
class Nouns:
    """The words that an answer uses.

    Examples
    --------
    >>> nouns = Nouns.parse("documents,queries")
    >>> nouns.in_words("1 item near an item; items.npy, 'item 3' and --of users are kept")
    "1 document near a document; items.npy, 'item 3' and --of users are kept"
    >>> Nouns.parse("person:people,queries").in_words("Items of a user")
    'People of a query'
    """

    words: Mapping[str, str] = field(default_factory=dict)
    """"item", "items", "user", "users" -> what to say; empty where nothing changes."""

    @classmethod
    def parse(cls, text: str) -> Nouns:
        """From the option's value: two plurals, or singular:plural, separated by a comma.

        Raises
        ------
        ParameterError
            It is not two nouns.
        """
        parts = [part.strip() for part in text.split(",")]
        if len(parts) != 2 or not all(re.fullmatch(r"[^\W\d_][\w -]*(:[^\W\d_][\w -]*)?", part) for part in parts):
            raise ParameterError(
                f"--nouns {text!r}: expected what items and users are called, separated by a comma, such as "
                f"documents,queries; where the singular is irregular both, such as person:people,queries."
            )
        words = {}
        for kind, part in zip(("item", "user"), parts, strict=True):
            one, _, many = part.partition(":")
            words[kind], words[f"{kind}s"] = (one.strip(), many.strip()) if many else (singular(part), part)
        return cls(words)

    def in_words(self, text: str, names: Names | None = None) -> str:
        """The text with these nouns; names, quoted text, options and paths stay as they are."""
        if not self.words:
            return text
        kept = [found.span() for found in QUOTED.finditer(text)]

        def word(found: re.Match[str]) -> str:
            start, end = found.span("noun")
            if any(first <= start < last for first, last in kept) or (names and names.cover(text, start, end)):
                return found[0]
            noun = self.words[found["noun"].lower()]
            noun = noun[:1].upper() + noun[1:] if found["noun"][0].isupper() else noun
            return _article(found["article"], noun) + noun

        return WORD.sub(word, text)


def singular(plural: str) -> str:
    """The singular of a plural that is made by rule.

    Examples
    --------
    >>> [singular(word) for word in ("documents", "queries", "movies", "dishes", "people", "boxes", "movie")]
    ['document', 'query', 'movie', 'dish', 'person', 'box', 'movie']
    """
    known = IRREGULAR.get(plural.lower())
    if known is not None:
        return known
    for ending, replaced in (("ies", "y"), ("ches", "ch"), ("shes", "sh"), ("xes", "x"), ("sses", "ss")):
        if plural.endswith(ending):
            return plural.removesuffix(ending) + replaced
    return plural.removesuffix("s") if not plural.endswith("ss") else plural


def _article(given: str | None, noun: str) -> str:
    if given is None:
        return ""
    article = "an " if noun[:1].lower() in "aeio" else "a "
    return article.capitalize() if given[0] == "A" else article


class Names:
    """Names of items and users that hold one of the nouns, so that they are kept wherever they stand."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], set[str]] = {}

    def add(self, names: Iterable[object]) -> None:
        """Keep these names; one that is nothing but the noun cannot be told from the word."""
        for name in map(str, names):
            for found in WORD.finditer(name):
                if found["noun"] != name:
                    self._known.setdefault((found.start("noun"), len(name)), set()).add(name)

    def cover(self, text: str, start: int, _end: int) -> bool:
        """Whether the noun at this place of a text is within one of the names."""
        return any(
            start >= before and text[start - before : start - before + length] in names
            for (before, length), names in self._known.items()
        )


NOUNS: ContextVar[Nouns | None] = ContextVar("nouns", default=None)
"""The nouns of this run; None for the library's own, items and users."""
NAMES: ContextVar[Names] = ContextVar("names")
"""Names of this run; unset where nobody asked for other nouns."""


def keep_names(embedding: Embedding) -> None:
    """Keep the names and ids of an embedding as they are, where this run has nouns of its own."""
    names = NAMES.get(None)
    if NOUNS.get() is None:
        return
    for labels in (embedding.item_names, embedding.item_ids, embedding.user_ids):
        if names is not None and labels is not None:
            names.add(labels)


def in_nouns(text: str) -> str:
    """The text in the nouns of this run."""
    nouns = NOUNS.get()
    return text if nouns is None else nouns.in_words(text, NAMES.get(None))
