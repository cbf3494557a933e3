"""Tables of observations that are evidence: steps of sessions, pairs bought together, clicks, what was shown."""

from __future__ import annotations

import pathlib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simgauge.errors import DroppedDataWarning, InputError
from simgauge.read.events.events import id_meaning, id_sql, time_sql
from simgauge.read.events.options import ColumnName, ReadingOptions
from simgauge.read.events.times import known_times, refuse_mixed_units
from simgauge.read.sources.codes import Coder
from simgauge.read.sources.columns import (
    ITEM_NAMES,
    TIME_NAMES,
    USER_NAMES,
    WEIGHT_NAMES,
    find_column,
    list_columns,
    usual_column,
)
from simgauge.read.sources.net import reads_files
from simgauge.read.sources.open_source import open_source
from simgauge.read.sources.table_source import Column, Source
from simgauge.wording import counted

Path = str | pathlib.Path


class Role(NamedTuple):
    """Role of a column in a table of observations."""

    usual: Sequence[str]
    """Names by which it is found."""
    kind: Literal["id", "number", "time"]
    needed: bool = True
    option: str = ""
    """Of `ReadingOptions`, which may name it."""


# fmt: off
SESSION_NAMES = ("session_id", "sessionid", "session", "visit_id", "visit", "basket_id", "order_id", "sid")
ASKED_NAMES = ("asked", "asked_item", "query_item", "anchor", "anchor_id", "source_item", "page_item", "seed_item")
CLICKED_NAMES = ("clicked", "clicked_item", "click_item", "target", "target_item", "recommended_item")
PLACE_NAMES = ("position", "rank", "place", "slot", "pos")
TAKEN_NAMES = ("taken", "clicked", "click", "is_click", "is_clicked", "bought", "label", "target", "response")
KINDS: dict[str, dict[str, Role]] = {
    "sessions": {
        "session": Role((*SESSION_NAMES, *USER_NAMES), "id", option="user"),
        "item": Role(ITEM_NAMES, "id", option="item"),
        "time": Role(TIME_NAMES, "time", False, "time"),
    },
    "together": {
        "left": Role((), "id"),
        "right": Role((), "id"),
        "count": Role(WEIGHT_NAMES, "number", False, "weight"),
    },
    "clicks": {
        "asked": Role(ASKED_NAMES, "id"),
        "clicked": Role(CLICKED_NAMES, "id"),
        "position": Role(PLACE_NAMES, "number"),
        "session": Role((*SESSION_NAMES, *USER_NAMES), "id", False, "user"),
    },
    "shown": {
        "user": Role(USER_NAMES, "id", option="user"),
        "item": Role(ITEM_NAMES, "id", option="item"),
        "taken": Role(TAKEN_NAMES, "number", option="weight"),
    },
}
# fmt: on
"""Kind of table -> its columns by role; what cannot be found by name is taken in this order."""


@dataclass(frozen=True)
class Observations:
    """Columns by role, rows in the order of the table."""

    columns: Mapping[str, NDArray[Any]]
    sentence: str
    """What was read, for people."""

    def get(self, role: str) -> NDArray[Any] | None:
        """One column; None where the table has none."""
        return self.columns.get(role)

    def __getitem__(self, role: str) -> NDArray[Any]:
        return self.columns[role]


@reads_files
def read_observations(path: Path, kind: str, options: ReadingOptions | None = None) -> Observations:
    """The columns of a table of observations.

    Parameters
    ----------
    path : path, frame, or what else `open_source` takes
    kind : {"sessions", "together", "clicks", "shown"}
        See `KINDS`. A column is found by its option (user, item, time, weight), else by a usual name; where the needed
        ones cannot be found so, and the table has only as many columns as there are roles, they are taken in order.
    options : ReadingOptions, optional
        How the table is written, and names of columns.

    Returns
    -------
    Observations
        Ids as integers or text, numbers as float64, times as float64 (dates as seconds since 1970) with NaN where
        there is none.

    Warns
    -----
    DroppedDataWarning
        Rows without one of the ids were left out.

    Raises
    ------
    InputError
        No such file or column, numbers that are none, times in several units.
    """
    options = options or ReadingOptions()
    roles = KINDS[kind]
    with open_source(path, **options.opening) as source:
        found = _choose(source, roles, options, kind)
        return _collect(source, roles, found, options.id_type)


def _choose(source: Source, roles: Mapping[str, Role], options: ReadingOptions, kind: str) -> dict[str, int]:
    """Position of the column of each role."""
    names, found = source.names, {}
    for name, role in roles.items():
        asked: ColumnName | None = getattr(options, role.option) if role.option else None
        if asked is not None:
            wanted = int(asked) if isinstance(asked, str) and asked.isdigit() and asked not in names else asked
            found[name] = find_column(wanted, names, role=name, where=source.label)
    for name, role in roles.items():
        position = None if name in found else usual_column(role.usual, names, tuple(found.values()))
        if position is not None:
            found[name] = position
    needed = [name for name, role in roles.items() if role.needed]
    if all(name in found for name in needed):
        return {name: found[name] for name in roles if name in found}
    if len(names) < len(needed) or (len(names) > len(roles) and not source.headerless):
        missing = next(name for name in needed if name not in found)
        said = ", ".join(f"{name}{'' if role.needed else ' (optional)'}" for name, role in roles.items())
        way_out = f" Name it: --{roles[missing].option}." if roles[missing].option else ""
        raise InputError(
            f"{source.label} has {counted(len(names), 'column')} ({list_columns(names)}), and which of them is "
            f"{missing!r} cannot be told. A table of {kind} has the columns {said}: rename them, or keep only "
            f"these, in this order.{way_out}"
        )
    return {name: position for position, name in enumerate(list(roles)[: len(names)])}


def _collect(source: Source, roles: Mapping[str, Role], found: Mapping[str, int], id_type: str) -> Observations:
    chosen = {name: source.columns[position] for name, position in found.items()}
    coders = {
        name: Coder(name, id_meaning(column, name, source, id_type))
        for name, column in chosen.items()
        if roles[name].kind == "id"
    }
    numbers: dict[str, list[NDArray[np.float64]]] = {name: [] for name in chosen if name not in coders}
    rows = 0
    for batch in source.stream([_sql(roles[name].kind, column, id_type) for name, column in chosen.items()]):
        for place, name in enumerate(chosen):
            if name in coders:
                coders[name].add(batch.column(place))
            else:
                values = batch.column(place).to_numpy(zero_copy_only=False)
                numbers[name].append(values.astype(np.float64, copy=False))
        rows += batch.num_rows
    if rows == 0:
        raise InputError(f"{source.label} holds no rows.")
    codes = {name: coder.finish() for name, coder in coders.items()}
    complete = np.all([code >= 0 for code, _ in codes.values()], axis=0)
    if not complete.any():
        raise InputError(f"{source.label}: all {rows} rows lack an id of {' or '.join(codes)}, so nothing is left.")
    if not complete.all():
        lost = counted(int((~complete).sum()), "row")
        warnings.warn(
            f"{source.label}: {lost} without {' or '.join(codes)} left out.", DroppedDataWarning, stacklevel=4
        )
    columns: dict[str, NDArray[Any]] = {name: ids[code[complete]] for name, (code, ids) in codes.items()}
    for name, parts in numbers.items():
        values = np.concatenate(parts)[complete]
        where = f"{source.label}, column {chosen[name].name!r}"
        columns[name] = _times(values, where) if roles[name].kind == "time" else _numbers(values, where, name)
    said = ", ".join(f"{name} from {column.name!r}" for name, column in chosen.items())
    return Observations(columns, f"{counted(int(complete.sum()), 'row')} of {source.label}: {said}")


def _sql(kind: str, column: Column, id_type: str) -> str:
    if kind == "id":
        return id_sql(column, id_type)
    if kind == "time":
        return time_sql(column)
    text = f"lower(trim(CAST({column.sql} AS VARCHAR)))"
    return (
        f"coalesce(TRY_CAST({text} AS DOUBLE), CASE WHEN {text} IN ('true', 'yes', 't', 'y') THEN 1.0 "
        f"WHEN {text} IN ('false', 'no', 'f', 'n') THEN 0.0 ELSE 'nan'::DOUBLE END)"
    )


def _times(values: NDArray[np.float64], where: str) -> NDArray[np.float64]:
    times = known_times(values)
    if not np.isfinite(times).any():
        raise InputError(
            f"{where}: no value is a number or a date such as 2024-01-31 12:00, so nothing can be ordered."
        )
    refuse_mixed_units(times, where)
    return times


def _numbers(values: NDArray[np.float64], where: str, name: str) -> NDArray[np.float64]:
    bad = ~np.isfinite(values)
    if bad.any():
        raise InputError(
            f"{where}, taken for {name}: row {int(bad.argmax()) + 1} of those with ids holds no number "
            f"({counted(int(bad.sum()), 'such row')})."
        )
    return values
