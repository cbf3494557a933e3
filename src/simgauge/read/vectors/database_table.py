"""A table of a SQLite or DuckDB database as columns."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from simgauge.errors import InputError
from simgauge.read.sources.open_source import open_source
from simgauge.read.vectors.column_table import ColumnTable, of_arrow


def database_table(path: Path, key: str | None) -> ColumnTable:
    """The table of that name.

    Raises
    ------
    InputError
        No name, no such table, or no rows; the tables that there are are named.
    """
    query = None if key is None else 'SELECT * FROM "' + key.replace('"', '""') + '"'
    try:
        with open_source(path, query=query) as source:
            whole = ("list", "other")
            expressions = [column.list_sql if column.meaning in whole else column.sql for column in source.columns]
            batches = list(source.stream(expressions))
            names = source.names
    except InputError as error:
        if key is not None:
            raise
        _, known, tables = str(error).rstrip(".").partition("Its tables: ")
        way = " or ".join(f"{path.name}:{name}" for name in tables.split(", ")[:5]) if known else f"{path.name}:TABLE"
        raise InputError(f"{path.name} is a database: name the table that holds the vectors, {way}.") from error
    if not batches:
        raise InputError(f"{path.name}:{key} holds no rows.")
    return of_arrow(pa.Table.from_batches(batches).rename_columns(names), f"{path.name}:{key}")
