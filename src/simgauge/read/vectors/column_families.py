"""Columns that belong together by their names: ``v0, v1, …``; and names that say something of a row."""

from __future__ import annotations

import re
from collections.abc import Sequence

from simgauge.read.vectors.column_facts import ColumnFacts

Families = dict[str, list[ColumnFacts]]
MEASURES = frozenset(
    [
        "count",
        "counts",
        "freq",
        "frequency",
        "score",
        "scores",
        "rank",
        "year",
        "rating",
        "ratings",
        "weight",
        "price",
        "views",
        "plays",
        "votes",
        "likes",
        "popularity",
        "timestamp",
        "time",
        "date",
        "label",
        "labels",
        "class",
        "cluster",
        "category",
        "target",
        "age",
        "length",
        "runtime",
        "similarity",
        "distance",
        "norm",
        "created",
        "updated",
        "support",
    ]
)
"""Names of columns that say something of a row and are rarely a component of its vector."""


def families_of(free: Sequence[ColumnFacts]) -> Families:
    """Columns whose names differ in a number at the end, by what they begin with; two or more of each."""
    found: dict[str, dict[int, ColumnFacts]] = {}
    spoiled: set[str] = set()
    for fact in free:
        match = re.fullmatch(r"(.*?)(\d{1,9})", fact.name)
        if match and fact.kind in ("number", "empty", "text"):
            family, number = found.setdefault(match.group(1), {}), int(match.group(2))
            spoiled.update({match.group(1)} if number in family else ())
            family[number] = fact
    return {
        prefix: [family[number] for number in sorted(family)]
        for prefix, family in found.items()
        if prefix not in spoiled
        and not is_measure(prefix)
        and sum(fact.kind == "number" for fact in family.values()) >= max(2, len(family) / 2)
    }


def is_measure(name: str) -> bool:
    """Whether a column of this name usually says something of the row: a count, a score, a year.

    Examples
    --------
    >>> [is_measure(name) for name in ("year", "n_votes", "ReleaseYear", "v1", "weighty")]
    [True, True, True, False, False]
    """
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name.strip()).casefold()
    return re.split(r"[\s_\-.]+", words)[-1] in MEASURES
