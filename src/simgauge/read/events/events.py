"""Events of a table: which columns they are in, and one pass over them in batches."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.errors import InputError
from simgauge.read.events.options import ColumnName, ReadingOptions
from simgauge.read.events.understood import PEEKED_ROWS, ask_of_guessed, is_matrix, matrix_problem
from simgauge.read.events.weights import parse_like, weight_problem
from simgauge.read.sources.codes import Coder
from simgauge.read.sources.columns import ITEM_NAMES, USER_NAMES, WEIGHT_NAMES, find_column, usual_column
from simgauge.read.sources.table_source import Column, Source, sql_text
from simgauge.wording import counted

IS_ID = re.compile(r"([_ -]id|[a-z]I[dD])$")

MISSING_WORDS = ("null", "nan", "none", "nil", "\\n", "<na>", "nat", "n/a", "#n/a", "(null)")
"""How databases, pandas, R and spreadsheets write a missing value, in lower case."""


@dataclass(frozen=True)
class Events:
    """One entry per event, in the order of the source; rows without ids are left out and counted in `dropped`."""

    users: NDArray[np.int32]
    items: NDArray[np.int32]
    weights: NDArray[np.float64] | None
    times: NDArray[np.float64] | None
    user_ids: NDArray[Any]
    item_ids: NDArray[Any]
    rows_read: int
    dropped: dict[str, int]
    first: dict[str, Any]
    """The first row as it was understood, by role."""


def choose_columns(source: Source, options: ReadingOptions) -> dict[str, int]:
    """Position of the column that plays each role.

    Raises
    ------
    InputError
        No such column, one for two roles, or a column that was not named and could mean something else.
    """
    names = source.names
    roles = {role: _position(name, source, role=role) for role, name in options.columns.items() if name is not None}
    rows = source.peek(PEEKED_ROWS)
    matrix = is_matrix(source, rows)
    if not roles and source.headerless and 2 <= len(names) <= 4:
        roles = {"user": 0, "item": 1, **({"weight": 2} if len(names) > 2 else {})}
        source.notes.append(f"no columns were named: took {', '.join(f'{r}={p}' for r, p in roles.items())}")
        ask_of_guessed(source, roles, rows)
        return roles
    named = set(roles)
    for role, usual in (("user", USER_NAMES), ("item", ITEM_NAMES), ("weight", WEIGHT_NAMES)):
        if role in roles or (role == "weight" and (named & {"user", "item", "weight"} or _of_weight(options.like))):
            continue
        position = usual_column(usual, names, tuple(roles.values()))
        if position is None and role == "item" and "user" in roles:
            position = _only_other_id(names, tuple(roles.values()))
        if position is not None:
            roles[role] = position
            source.notes.append(f"no {role} column was named: took {names[position]!r}")
        elif role != "weight" and matrix:
            raise InputError(
                f"{matrix_problem(source, rows)}. Otherwise name the columns: --user and --item (user=, item=)."
            )
        elif role != "weight":
            find_column(role, names, role=f"{role} (pass --{role} or {role}= to name it)", where=source.label)
    if matrix:
        source.notes.append(matrix_problem(source, rows))
    if len(set(roles.values())) < len(roles):
        raise InputError(f"{source.label}: one column was given for two roles: {roles}. Pass different columns.")
    return {role: roles[role] for role in options.columns if role in roles}


def _only_other_id(names: Sequence[str], taken: Sequence[int]) -> int | None:
    """Position of the one column beside the user's that calls itself an id, such as anime_id; None where there are
    more."""
    found = [place for place, name in enumerate(names) if place not in taken and IS_ID.search(name.strip())]
    return found[0] if len(found) == 1 else None


def _of_weight(like: str | None) -> bool:
    """Whether a condition on another column says what counts, so that no weight is looked for."""
    return like is not None and parse_like(like).column is not None


def _position(name: ColumnName, source: Source, *, role: str) -> int:
    """Text of digits is a name where there is such a column, and else a position; "#1" is a position, "=1" a name."""
    names = source.names
    if not isinstance(name, str) or (name in names and not name.isdigit()):
        return find_column(name, names, role=role, where=source.label)
    if name[:1] in ("#", "=") and len(name) > 1 and name not in names:
        chosen = int(name[1:]) if name[0] == "#" and name[1:].isdigit() else name[1:]
        return find_column(chosen, names, role=role, where=source.label)
    if not name.isdigit():
        return find_column(name, names, role=role, where=source.label)
    if name in names and names.index(name) != int(name) < len(names):
        raise InputError(
            f"{source.label}: {name!r} for {role} is the name of column number {names.index(name)} and the number of "
            f"column {names[int(name)]!r}. Pass '={name}' for the name or '#{name}' for the number, counted from 0."
        )
    return find_column(name if name in names else int(name), names, role=role, where=source.label)


def collect_events(source: Source, roles: Mapping[str, int], id_type: str) -> Events:
    """Stream the source once; events without an id are left out and counted."""
    chosen = {role: source.columns[position] for role, position in roles.items()}
    coders = {role: Coder(role, id_meaning(chosen[role], role, source, id_type)) for role in ("user", "item")}
    expressions = [id_sql(chosen[role], id_type) for role in ("user", "item")]
    expressions += [weight_sql(chosen["weight"])] if "weight" in chosen else []
    expressions += [time_sql(chosen["time"])] if "time" in chosen else []
    numbers: list[list[NDArray[np.float64]]] = [[] for _ in expressions[2:]]
    rows_read, first = 0, {}
    for batch in source.stream(expressions):
        coders["user"].add(batch.column(0))
        coders["item"].add(batch.column(1))
        for position, kept in enumerate(numbers, start=2):
            kept.append(batch.column(position).to_numpy(zero_copy_only=False).astype(np.float64, copy=False))
        if "weight" in chosen:
            _check_weights(batch, numbers[0][-1], rows_read, chosen["weight"], source)
        if not rows_read and batch.num_rows:
            first = {role: batch.column(place)[0].as_py() for place, role in enumerate(chosen)}
        rows_read += batch.num_rows
    if rows_read == 0:
        raise InputError(f"{source.label} holds no rows. Pass a table with at least one event.")
    (users, user_ids), (items, item_ids) = coders["user"].finish(), coders["item"].finish()
    series = [np.concatenate(kept) for kept in numbers]
    numbers.clear()
    complete = (users >= 0) & (items >= 0)
    dropped = {"missing user id": int((users < 0).sum()), "missing item id": int(((items < 0) & (users >= 0)).sum())}
    if not complete.all():
        users, items = users[complete], items[complete]
        series = [values[complete] for values in series]
    if len(users) == 0:
        raise InputError(f"{source.label}: all {rows_read} rows lack a user or item id, so nothing is left.")
    weights = series[0] if "weight" in chosen else None
    times = series[-1] if "time" in chosen else None
    return Events(users, items, weights, times, user_ids, item_ids, rows_read, dropped, first)


def id_meaning(column: Column, role: str, source: Source, id_type: str) -> str:
    """Meaning of a column of ids in its source, as `Coder` takes it."""
    if column.meaning in ("list", "other"):
        raise InputError(f"{source.label}: column {column.name!r} holds nested values and cannot be the {role} id.")
    return "text" if id_type == "text" else column.meaning


def id_sql(column: Column, id_type: str) -> str:
    """The id as it is, or as text; null where there is none.

    Of untyped text files words that databases and pandas write for a missing value count as missing, and so does the
    column's own name, which a header in the middle of the file repeats.
    """
    if column.meaning not in ("text", "untyped"):
        return f"CAST({column.sql} AS VARCHAR)" if id_type == "text" else column.sql
    if column.meaning == "text":
        return f"nullif({column.sql}, '')"
    missing = ["", column.name.casefold(), *(() if id_type == "text" else MISSING_WORDS)]
    listed = ", ".join(sql_text(word) for word in missing)
    return f"CASE WHEN lower(trim({column.sql})) NOT IN ({listed}) THEN {column.sql} END"


def weight_sql(column: Column) -> str:
    """Null where there is none, NaN where there is something that is no number."""
    value = f"nullif(trim(CAST({column.sql} AS VARCHAR)), '')" if column.meaning in ("text", "untyped") else column.sql
    return f"CASE WHEN {value} IS NOT NULL THEN coalesce(TRY_CAST({value} AS DOUBLE), 'nan'::DOUBLE) END"


def time_sql(column: Column) -> str:
    """A number that orders events; the lowest where there is no time."""
    value = f"CAST({column.sql} AS VARCHAR)"
    return f"coalesce(TRY_CAST({value} AS DOUBLE), epoch(TRY_CAST({value} AS TIMESTAMP)), '-inf'::DOUBLE)"


def missing_note(source: Source, roles: Mapping[str, int]) -> str | None:
    """Note on what is written where ids were taken for missing; None where nothing is, or without a second reading."""
    if not source.rereadable:
        return None
    found: list[str] = []
    for role in ("user", "item"):
        column = source.columns[roles[role]]
        if column.meaning != "untyped":
            continue
        listed = ", ".join(sql_text(word) for word in (column.name.casefold(), *MISSING_WORDS))
        rows = source.connection.execute(
            f"SELECT trim({column.sql}) AS word, count(*) AS n FROM {source.relation} "
            f"WHERE lower(trim({column.sql})) IN ({listed}) GROUP BY word ORDER BY n DESC, word LIMIT 5"
        )
        for word, count in rows.fetchall():
            header = " (the header again)" if word.casefold() == column.name.casefold() else ""
            found.append(f"{role} {word!r}{header} in {counted(count, 'row')}")
    if not found:
        return None
    return f"taken for no ids: {', '.join(found)}; --id-type text (id_type=) keeps words such as NULL as ids"


def _check_weights(batch: Any, weights: NDArray[np.float64], start: int, column: Column, source: Source) -> None:
    """Refuse weights that cannot be used, in rows that have both ids."""
    present = batch.column(0).is_valid().to_numpy(zero_copy_only=False)
    present &= batch.column(1).is_valid().to_numpy(zero_copy_only=False)
    bad = ~(np.isfinite(weights) & (weights >= 0)) & present
    if not bad.any():
        return
    first = int(bad.argmax())
    value, shown = batch.column(2)[first].as_py(), ""
    if value is None:
        problem = "is missing"
    elif np.isnan(value):
        shown = _value_at(source, column, start + first)
        problem = f"is {shown!r}, no number" if shown else "is NaN or no number"
    else:
        problem = f"is {value}"
    raise InputError(
        f"{source.label}: weight {column.name!r} {problem} in data row {start + first + 1} ({int(bad.sum())} such "
        f"among the first {start + len(weights)} rows). {weight_problem(shown)}"
    )


def _value_at(source: Source, column: Column, row: int) -> str:
    """What is written there; empty for a typed column, where it can only be NaN, and for the text NaN."""
    if column.meaning != "untyped" or not source.files:
        return ""
    query = f"SELECT {column.sql} FROM {source.relation} LIMIT 1 OFFSET {row}"
    (value,) = source.connection.cursor().execute(query).fetchall()  # the stream still uses the connection itself
    text = "" if value[0] is None else str(value[0])
    return "" if text.casefold() == "nan" else text[:40]
