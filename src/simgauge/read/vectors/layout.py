"""Which columns of a table hold the vectors, the ids and the names; where the table leaves it open, a question."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from simgauge.errors import InputError
from simgauge.labels import says_positions
from simgauge.read.sources.columns import NAME_NAMES, find_column, list_columns, usual_column
from simgauge.read.vectors.chosen_columns import chosen_columns
from simgauge.read.vectors.column_facts import ColumnFacts
from simgauge.read.vectors.column_families import Families, families_of, is_measure
from simgauge.read.vectors.column_table import ColumnTable
from simgauge.read.vectors.id_columns import LARGEST_CODE, find_ids, looks_like_id, row_column
from simgauge.read.vectors.reading import span

MOST_NAMED = 20
"""Columns that are named when they are left out; of more the number is told."""
FEWEST_WHOLE = 5
"""Rows from which on a column of whole numbers beside fractions is no accident."""


@dataclass(frozen=True)
class Layout:
    """Positions of the columns that hold the vectors, the ids and the names, and what is left out and why."""

    vectors: tuple[int, ...]
    is_list: bool
    ids: int | None
    names: int | None
    left_out: tuple[str, ...] = field(default=())


def find_layout(
    table: ColumnTable,
    facts: Sequence[ColumnFacts],
    side: str,
    columns: str | None = None,
    ids: Any = None,
    names: Any = None,
) -> Layout:
    """Decide which columns are what; columns that are given are believed.

    Parameters
    ----------
    columns : str, optional
        Columns of the vectors: a column of lists, the beginning of the names of numbered columns ("v" for v0, v1, …),
        a range "a..h" in the order of the table, or several of these with commas between them.
    ids, names : column by name or position, optional
        ``ids="positions"`` says that there are no ids.

    Raises
    ------
    InputError
        No such column, no numbers, decimal commas, or more than one way to read the table; the message names the
        ways and what to pass.
    """
    where = table.label
    by_position = says_positions(ids)
    id_column = None if ids is None or by_position else find_column(ids, table.names, role=f"{side} ids", where=where)
    name_column = None if names is None else find_column(names, table.names, role="names", where=where)
    taken = [position for position in (id_column, name_column) if position is not None]
    chosen = None if columns is None else chosen_columns(table, facts, columns)
    free = [fact for fact in facts if fact.position not in taken and fact.position not in (chosen or ())]
    if id_column is None and not by_position:
        id_column = find_ids(table, free, side, facts)
    if name_column is None and side == "item":
        texts = [fact.position for fact in free if fact.kind == "text"]
        others = [position for position in range(len(facts)) if position not in texts or position == id_column]
        name_column = usual_column(NAME_NAMES, table.names, others)
    free = [fact for fact in free if fact.position not in (id_column, name_column)]
    vectors = chosen if chosen is not None else _vectors(table, free)
    _refuse_commas(table, [facts[position] for position in vectors])
    used = {*vectors, id_column, name_column}
    left_out = _left_out([fact for fact in facts if fact.position not in used], table)
    return Layout(tuple(vectors), facts[vectors[0]].kind == "list", id_column, name_column, left_out)


def _vectors(table: ColumnTable, free: list[ColumnFacts]) -> list[int]:
    """One column of lists, one family of numbered columns, or all columns of numbers that are no measure or id."""
    lists = [fact for fact in free if fact.kind == "list"]
    families = {} if table.headerless else families_of(free)
    rows = row_column(table)
    numbers = [
        fact
        for fact in free
        if fact.kind == "number" and fact.position != rows and not (fact.whole and looks_like_id(fact.name))
    ]
    if lists:
        return _one_list(table, lists, families)
    if len(families) > 1:
        raise _families_question(table, families)
    if families:
        (prefix, family), *_ = families.items()
        members = {fact.position for fact in family}
        return _family(table, prefix, family, [fact for fact in numbers if fact.position not in members])
    components = [fact for fact in numbers if not is_measure(fact.name)]
    if not components and not numbers:
        raise _nothing(table, free)
    if len(components) < 2:
        offered = components or numbers
        listed = list_columns([fact.shown for fact in numbers])
        raise InputError(
            f"{table.label} has {len(numbers)} {'column' if len(numbers) == 1 else 'columns'} of numbers ({listed}), "
            "which may say something of the rows rather than be their vectors. If vectors they are, pass "
            f"{table.how_to_choose(','.join(fact.name for fact in offered))}; else pass the file that holds the "
            f"vectors."
        )
    return _without_whole(table, components)


def _family(table: ColumnTable, prefix: str, family: list[ColumnFacts], others: list[ColumnFacts]) -> list[int]:
    broken = [fact for fact in family if fact.kind != "number"]
    if broken:
        raise InputError(
            f"{table.label}: column {broken[0].name!r} is numbered like {family[0].name} … {family[-1].name} and holds "
            f"{'nothing' if broken[0].kind == 'empty' else 'text'}. Repair it, or name the columns that are meant: "
            f"{table.how_to_choose(','.join(fact.name for fact in family if fact not in broken)[:60])}."
        )
    rivals = [fact for fact in others if not fact.whole and not is_measure(fact.name)]
    if len(rivals) >= len(family):
        both = [family[0].name, family[-1].name]
        raise InputError(
            f"{table.label} has numbered columns ({span(both)}) and {len(rivals)} others of numbers "
            f"({list_columns([fact.shown for fact in rivals[:6]])}). Say which hold the vectors: "
            f"{table.how_to_choose(prefix or both[0] + '..' + both[1])} or "
            f"{table.how_to_choose(rivals[0].name + '..' + rivals[-1].name)}."
        )
    return [fact.position for fact in family]


def _one_list(table: ColumnTable, lists: list[ColumnFacts], families: Families) -> list[int]:
    steady = [fact for fact in lists if fact.width is not None]
    lists = steady or lists  # lists of many lengths are tags, not vectors
    named = [fact for fact in lists if re.search("emb|vec", fact.name.casefold())]
    chosen = lists if len(lists) == 1 else named
    if len(chosen) != 1:
        raise InputError(
            f"{table.label} has several columns of lists ({', '.join(fact.name for fact in lists)}): say which "
            f"holds the vectors, such as {table.how_to_choose((chosen or lists)[0].name)}."
        )
    if families:
        prefix, family = max(families.items(), key=lambda entry: len(entry[1]))
        raise InputError(
            f"{table.label} has a column of lists ({chosen[0].name}) and {len(family)} numbered columns "
            f"({family[0].name} … {family[-1].name}). Say which holds the vectors: "
            f"{table.how_to_choose(chosen[0].name)} "
            f"or {table.how_to_choose(prefix or f'{family[0].name}..{family[-1].name}')}."
        )
    return [chosen[0].position]


def _families_question(table: ColumnTable, families: Families) -> InputError:
    ordered = sorted(families.items(), key=lambda entry: -len(entry[1]))
    described = " and ".join(
        f"{family[0].name} … {family[-1].name} ({len(family)} columns)" for _, family in ordered[:4]
    )
    ways = " or ".join(table.how_to_choose(prefix or f"{f[0].name}..{f[-1].name}") for prefix, f in ordered[:4])
    return InputError(
        f"{table.label} has {len(families)} families of numbered columns: {described}. Say which holds the vectors: "
        f"{ways}. Several are put side by side with a comma between them."
    )


def _without_whole(table: ColumnTable, components: list[ColumnFacts]) -> list[int]:
    """All columns of numbers, unless some or all hold whole numbers that are rather something else.

    Some: whole numbers that vary beside columns of fractions. All: numbers beyond those of bytes, as in events.
    """
    whole = [fact for fact in components if fact.whole and not fact.constant]
    fractions = [fact for fact in components if not fact.whole]
    if whole and len(fractions) >= 2 and len(whole) <= len(fractions) and not _few_rows(table):
        names = [fact.name for fact in fractions]
        every = [fact.name for fact in components]
        raise InputError(
            f"{table.label}: {span([fact.name for fact in whole])} of whole numbers beside "
            f"{len(fractions)} columns of fractions. If they are ids, pass --ids {whole[0].name} "
            f"(ids={whole[0].name!r}); "
            f"to take the fractions alone, pass {table.how_to_choose(_short(names))}; to take all as "
            f"components, pass {table.how_to_choose(_short(every))}."
        )
    largest = max(fact.largest for fact in components)
    if len(whole) == len(components) and largest > LARGEST_CODE and not _few_rows(table):
        raise InputError(
            f"{table.label} holds whole numbers only ({span([fact.name for fact in components])}, up to "
            f"{largest:,.0f}): "
            f"events or counts rather than vectors? If vectors they are, pass "
            f"{table.how_to_choose(_short([fact.name for fact in components]))}; events are read with --interactions."
        )
    return [fact.position for fact in components]


def _few_rows(table: ColumnTable) -> bool:
    return len(table.sample(FEWEST_WHOLE)[0]) < FEWEST_WHOLE


def _short(names: list[str]) -> str:
    return ",".join(names) if len(names) <= 12 else f"{names[0]}..{names[-1]}"


def _refuse_commas(table: ColumnTable, vectors: list[ColumnFacts]) -> None:
    commas = [fact for fact in vectors if fact.commas]
    if commas:
        raise InputError(
            f"{table.label}: column {commas[0].name!r} holds numbers with a comma. If it is the decimal sign, pass "
            "decimal=',' (--decimal ,); if it separates thousands, write the file without it."
        )


def _nothing(table: ColumnTable, free: list[ColumnFacts]) -> InputError:
    others = [fact for fact in free if fact.kind not in ("number", "list", "text", "empty")]
    hint = ""
    if others:
        named = "; ".join(f"column {fact.name!r} is {fact.kind}" for fact in others[:3])
        hint = f"; {named}"
        if any("binary" in fact.kind for fact in others):
            hint += " (decode it first: np.frombuffer(value, dtype='float32'))"
        if any(fact.kind.startswith(("list", "large_list", "fixed_size_list")) for fact in others):
            hint += " (one list of numbers a row is expected: pool the inner lists first, such as by their mean)"
    return InputError(
        f"{table.label} has no columns of numbers and no column of lists to take as vectors{hint}. Its columns: "
        f"{list_columns(table.names)}."
    )


def _left_out(unused: list[ColumnFacts], table: ColumnTable) -> tuple[str, ...]:
    """What was not used, each family of numbered columns in one entry."""
    entries: list[str] = []
    told: set[int] = set()
    for family in families_of(unused).values():
        if len(family) > 3 and not table.headerless:
            entries.append(f"{family[0].shown} … {family[-1].shown} ({len(family)} columns of numbers)")
            told |= {fact.position for fact in family}
    entries = [_reason(fact, table) for fact in unused if fact.position not in told] + entries
    if len(entries) > MOST_NAMED:
        entries = [*entries[:MOST_NAMED], f"{len(entries) - MOST_NAMED} more columns"]
    return tuple(entries)


def _reason(fact: ColumnFacts, table: ColumnTable) -> str:
    """A column that was not used, and what it is."""
    if fact.kind == "empty":
        return f"{fact.shown} (empty)"
    if fact.position == row_column(table):
        return f"{fact.shown} (row numbers)"
    if fact.kind == "number" and fact.whole and looks_like_id(fact.name):
        return f"{fact.shown} (other ids)"
    if fact.kind == "number":
        return f"{fact.shown} ({'whole numbers' if fact.whole else 'numbers'})"
    return f"{fact.shown} ({fact.kind})"
