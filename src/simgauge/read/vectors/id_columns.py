"""Which column of a table of vectors holds the ids: by its name, by its place, and by what is in it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from simgauge.errors import InputError
from simgauge.read.sources.columns import ID_NAMES, ITEM_NAMES, ROW_NAMES, USER_NAMES, usual_column
from simgauge.read.vectors.column_facts import ColumnFacts
from simgauge.read.vectors.column_table import ColumnTable

UNNAMED = ("", "unnamed: 0", "__index_level_0__", "level_0")
"""Names that pandas gives to an index without name."""
LARGEST_CODE = 255
"""Largest magnitude of vectors that are stored as bytes."""


def looks_like_id(name: str) -> bool:
    """Whether a column is called like an id: ``anime_id``, ``itemId``, ``ISBN``, ``node``.

    Examples
    --------
    >>> [looks_like_id(name) for name in ("anime_id", "itemId", "NodeID", "uuid", "year", "v1", "grid")]
    [True, True, True, True, False, False, False]
    """
    plain = name.strip()
    if re.search(r"(^|[_\s\-.])(id|ids|key|uuid|guid|isbn|asin|sku|ean|gtin|code)$", plain.casefold()):
        return True
    return re.search(r"[a-z](Id|ID)$", plain) is not None or plain.casefold() in (
        *USER_NAMES,
        *ITEM_NAMES,
        "uuid",
        "node",
    )


def row_column(table: ColumnTable) -> int | None:
    """Position of a column that is called like an index of rows."""
    folded = [name.strip().casefold() for name in table.names]
    found = next((folded.index(name) for name in UNNAMED if name in folded), None)
    return usual_column(ROW_NAMES, table.names) if found is None else found


def find_ids(table: ColumnTable, free: Sequence[ColumnFacts], side: str, facts: Sequence[ColumnFacts]) -> int | None:
    """Position of the column of ids; None where the rows are only numbered.

    A usual name; a name that ends like an id; the index of a frame; the first text of which no two are equal; and a
    first column of distinct whole numbers that does not look like the columns after it.

    Raises
    ------
    InputError
        Several columns may hold the ids.
    """
    able = [fact for fact in free if fact.kind == "text" or (fact.kind == "number" and _can_be_ids(fact))]
    positions = {fact.position for fact in able}
    others = [fact.position for fact in facts if fact.position not in positions]
    usual = (*USER_NAMES, *ID_NAMES) if side == "user" else (*ID_NAMES, *ITEM_NAMES)
    if not table.headerless:
        found = usual_column(usual, table.names, others)
        if found is not None and (facts[found].distinct or not _is_weak(table.names[found])):
            return found
        called = [fact for fact in able if looks_like_id(fact.name) and fact.distinct]
        if called:
            return _one_of(table, called)
    rows = row_column(table)
    index = next((fact for fact in able if fact.position == rows and fact.distinct), None)
    if index is not None and not _numbers_rows(index):
        return index.position
    texts = [fact.position for fact in able if fact.kind == "text" and fact.distinct]
    if texts:
        return texts[0]
    if index is not None:
        return None
    return _first_column(free, facts)


def _is_weak(name: str) -> bool:
    """Names that mean ids only where no two values are equal: a label may be a class, and "i" a component."""
    return len(name.strip()) == 1 or name.strip().casefold() == "label"


def _can_be_ids(fact: ColumnFacts) -> bool:
    return fact.first is not None and (fact.whole or fact.distinct)


def _numbers_rows(fact: ColumnFacts) -> bool:
    return fact.kind == "number" and fact.first == 0 and (fact.counting or fact.constant)


def _one_of(table: ColumnTable, called: list[ColumnFacts]) -> int:
    if len(called) == 1 or called[0].position == 0:
        return called[0].position
    ways = " or ".join(f"--ids {fact.name}" for fact in called[:4])
    raise InputError(
        f"{table.label} has several columns that may hold the ids: {', '.join(fact.shown for fact in called)}. Pass "
        f"{ways} (ids= in Python)."
    )


def _first_column(free: Sequence[ColumnFacts], facts: Sequence[ColumnFacts]) -> int | None:
    """The first column, where its whole numbers are distinct and the columns after it hold something else."""
    first = facts[0]
    if first not in free or first.kind != "number" or first.first is None or not first.distinct:
        return None
    rest = [fact for fact in free if fact.kind == "number" and fact.position != 0]
    lists = any(fact.kind == "list" for fact in facts)
    if lists or (rest and first.counting):
        return 0
    fractions = sum(not fact.whole for fact in rest)
    if first.whole and 2 * fractions > len(rest) > 0:
        return 0
    if not first.whole:
        return None
    codes = bool(rest) and all(fact.whole and fact.largest <= LARGEST_CODE for fact in rest)
    return 0 if codes and first.largest > LARGEST_CODE else None
