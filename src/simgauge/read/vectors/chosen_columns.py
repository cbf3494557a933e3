"""Columns of vectors that a caller named after the colon: one, a family, a range, or several of these."""

from __future__ import annotations

from collections.abc import Sequence

from simgauge.errors import InputError
from simgauge.read.sources.columns import find_column
from simgauge.read.vectors.column_facts import ColumnFacts
from simgauge.read.vectors.column_families import families_of
from simgauge.read.vectors.column_table import ColumnTable
from simgauge.read.vectors.id_columns import looks_like_id


def chosen_columns(table: ColumnTable, facts: Sequence[ColumnFacts], columns: str) -> list[int]:
    """Positions of the columns that a caller named."""
    found: list[int] = []
    parts = [columns] if columns in table.names else columns.split(",")
    for part in parts:
        found += [position for position in _named(table, facts, part.strip()) if position not in found]
    kinds = {facts[position].kind for position in found}
    ids_alone = len(found) == 1 and facts[found[0]].whole and looks_like_id(facts[found[0]].name)
    if (kinds == {"number"} and not ids_alone) or (kinds == {"list"} and len(found) == 1):
        return found
    odd = next((facts[position] for position in found if facts[position].kind != "number"), facts[found[0]])
    raise InputError(
        f"{table.label}: column {odd.name!r} does not hold {'lists of numbers' if len(found) == 1 else 'numbers'} "
        f"(it is {odd.kind}). Choose one column of lists, or columns of numbers."
    )


def _named(table: ColumnTable, facts: Sequence[ColumnFacts], part: str) -> list[int]:
    if part in table.names:
        return [find_column(part, table.names, role="vectors", where=table.label)]
    first, dots, last = part.partition("..")
    if dots and (first in table.names or first.isdigit()) and (last in table.names or last.isdigit()):
        ends = [
            find_column(end if end in table.names else int(end), table.names, role="vectors", where=table.label)
            for end in (first, last)
        ]
        return list(range(min(ends), max(ends) + 1))
    family = families_of([fact for fact in facts if fact.name.startswith(part) and fact.name[len(part) :].isdigit()])
    if part in family:
        return [fact.position for fact in family[part]]
    wanted: str | int = int(part) if part.isdigit() else part
    return [find_column(wanted, table.names, role="vectors", where=table.label)]
