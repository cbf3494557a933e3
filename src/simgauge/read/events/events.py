"""Events of a table: which columns they are in, and one pass over them in batches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.errors import InputError
from simgauge.read.sources.codes import Coder
from simgauge.read.sources.columns import ITEM_NAMES, USER_NAMES, WEIGHT_NAMES, find_column, usual_column
from simgauge.read.sources.table_source import Column, Source

ColumnName = str | int


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


def choose_columns(
    source: Source,
    user: ColumnName | None,
    item: ColumnName | None,
    weight: ColumnName | None,
    time: ColumnName | None,
) -> dict[str, int]:
    """Position of the column that plays each role."""
    given = {"user": user, "item": item, "weight": weight, "time": time}
    names = source.names
    roles = {
        role: find_column(name, names, role=role, where=source.label)
        for role, name in given.items()
        if name is not None
    }
    if not roles and source.headerless and 2 <= len(names) <= 4:
        roles = {"user": 0, "item": 1, **({"weight": 2} if len(names) > 2 else {})}
        source.notes.append(f"no columns were named: took {', '.join(f'{r}={p}' for r, p in roles.items())}")
        return roles
    guess_weight = user is None and item is None and weight is None
    for role, usual in (("user", USER_NAMES), ("item", ITEM_NAMES), ("weight", WEIGHT_NAMES)):
        if role in roles or (role == "weight" and not guess_weight):
            continue
        position = usual_column(usual, names, tuple(roles.values()))
        if position is not None:
            roles[role] = position
            source.notes.append(f"no {role} column was named: took {names[position]!r}")
        elif role != "weight":
            find_column(role, names, role=f"{role} (pass {role}= to name it)", where=source.label)
    if len(set(roles.values())) < len(roles):
        raise InputError(f"{source.label}: one column was given for two roles: {roles}. Pass different columns.")
    return {role: roles[role] for role in given if role in roles}


def collect_events(source: Source, roles: Mapping[str, int], id_type: str) -> Events:
    """Stream the source once; events without an id are left out and counted."""
    chosen = {role: source.columns[position] for role, position in roles.items()}
    coders = {role: Coder(role, id_meaning(chosen[role], role, source, id_type)) for role in ("user", "item")}
    expressions = [id_sql(chosen[role], id_type) for role in ("user", "item")]
    expressions += [weight_sql(chosen["weight"])] if "weight" in chosen else []
    expressions += [time_sql(chosen["time"])] if "time" in chosen else []
    numbers: list[list[NDArray[np.float64]]] = [[] for _ in expressions[2:]]
    rows_read = 0
    for batch in source.stream(expressions):
        coders["user"].add(batch.column(0))
        coders["item"].add(batch.column(1))
        for position, kept in enumerate(numbers, start=2):
            kept.append(batch.column(position).to_numpy(zero_copy_only=False).astype(np.float64, copy=False))
        if "weight" in chosen:
            _check_weights(batch.column(2), numbers[0][-1], rows_read, chosen["weight"], source)
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
    return Events(users, items, weights, times, user_ids, item_ids, rows_read, dropped)


def id_meaning(column: Column, role: str, source: Source, id_type: str) -> str:
    """What the source knows of a column of ids, as `Coder` takes it."""
    if column.meaning in ("list", "other"):
        raise InputError(f"{source.label}: column {column.name!r} holds nested values and cannot be the {role} id.")
    return "text" if id_type == "text" else column.meaning


def id_sql(column: Column, id_type: str) -> str:
    """The id as it is, or as text; null where there is none."""
    text = column.meaning in ("text", "untyped")
    return (
        f"nullif({column.sql}, '')" if text else f"CAST({column.sql} AS VARCHAR)" if id_type == "text" else column.sql
    )


def weight_sql(column: Column) -> str:
    """Null where there is none, NaN where there is something that is no number."""
    value = f"nullif(trim(CAST({column.sql} AS VARCHAR)), '')" if column.meaning in ("text", "untyped") else column.sql
    return f"CASE WHEN {value} IS NOT NULL THEN coalesce(TRY_CAST({value} AS DOUBLE), 'nan'::DOUBLE) END"


def time_sql(column: Column) -> str:
    """A number that orders events; the lowest where there is no time."""
    value = f"CAST({column.sql} AS VARCHAR)"
    return f"coalesce(TRY_CAST({value} AS DOUBLE), epoch(TRY_CAST({value} AS TIMESTAMP)), '-inf'::DOUBLE)"


def _check_weights(raw: Any, weights: NDArray[np.float64], start: int, column: Column, source: Source) -> None:
    bad = ~(np.isfinite(weights) & (weights >= 0))
    if not bad.any():
        return
    first = int(bad.argmax())
    value = raw[first].as_py()
    if value is None:
        problem = "is missing"
    elif np.isnan(value):
        shown = _value_at(source, column, start + first)
        problem = f"is {shown!r}, no number" if shown else "is NaN or no number"
    else:
        problem = f"is {value}"
    raise InputError(
        f"{source.label}: weight {column.name!r} {problem} in data row {start + first + 1} ({int(bad.sum())} such "
        f"among the first {start + len(weights)} rows). Weights must be finite numbers >= 0: remove these rows, map "
        "ratings to preferences first, or leave weight out so that every event counts 1."
    )


def _value_at(source: Source, column: Column, row: int) -> str:
    """What is written there; empty for a typed column, where it can only be NaN, and for the text NaN."""
    if column.meaning != "untyped" or not source.files:
        return ""
    query = f"SELECT {column.sql} FROM {source.relation} LIMIT 1 OFFSET {row}"
    (value,) = source.connection.cursor().execute(query).fetchall()  # the stream still uses the connection itself
    text = "" if value[0] is None else str(value[0])
    return "" if text.casefold() == "nan" else text[:40]
