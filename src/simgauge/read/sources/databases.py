"""The result of a query on a DuckDB, SQLite or PostgreSQL database, as a stream of Arrow batches.

Each database answers in its own dialect of SQL through its own driver: DuckDB's extensions for the other two must be
downloaded at run time, and would answer the same query by different rules than the database itself.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from simgauge.errors import InputError, optional_import

ROWS_PER_FETCH = 65_536
POSTGRES_SCHEMES = ("postgresql://", "postgres://")


@contextmanager
def sqlite_batches(path: Path, query: str | None) -> Iterator[pa.RecordBatchReader]:
    """Stream a query of a SQLite file, opened read-only.

    Raises
    ------
    InputError
        No query (the tables are listed), a query that fails, or a column that mixes text and numbers.
    """
    with closing(
        sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False)
    ) as connection:
        connection.set_authorizer(_only_reading)
        try:
            if query is None:
                rows = connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
                raise missing_query(path.name, [name for (name,) in rows])
            cursor = connection.execute(query)
            names = [column[0] for column in cursor.description or ()]
            first = cursor.fetchmany(ROWS_PER_FETCH)
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise InputError(f"{path.name}: SQLite could not answer the query: {error}.") from error
        if not names:
            raise InputError(f"{path.name}: the query returns no table; pass a SELECT.")
        schema = _sqlite_schema(names, first)
        yield pa.RecordBatchReader.from_batches(schema, _sqlite_rows(cursor, first, schema, path.name))


def _only_reading(action: int, _first: str | None, second: str | None, *_: Any) -> int:
    """SQLite asks for everything that a statement would do: reading is allowed, of this database only."""
    allowed = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
    if action in allowed or (action == sqlite3.SQLITE_FUNCTION and second != "load_extension"):
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _sqlite_schema(names: list[str], rows: list[tuple[Any, ...]]) -> pa.Schema:
    """SQLite types values, not columns: a column is text if it shows text, else float if it shows one, else integer."""
    fields = []
    for column, name in enumerate(names):
        seen = {type(row[column]) for row in rows}
        kind = pa.string() if str in seen or not seen - {type(None)} else pa.float64() if float in seen else pa.int64()
        fields.append(pa.field(name, pa.binary() if bytes in seen else kind))
    return pa.schema(fields)


def _sqlite_rows(
    cursor: sqlite3.Cursor, rows: list[tuple[Any, ...]], schema: pa.Schema, label: str
) -> Iterator[pa.RecordBatch]:
    while rows:
        arrays = []
        for raw, field in zip(zip(*rows, strict=True), schema, strict=True):
            values: Sequence[Any] = raw
            if pa.types.is_string(field.type):
                values = [value if value is None or isinstance(value, str) else str(value) for value in raw]
            try:
                arrays.append(pa.array(values, field.type))
            except (pa.ArrowException, TypeError, OverflowError) as error:
                raise InputError(
                    f"{label}: column {field.name!r} mixes types ({error}). Cast it in the query, such as "
                    f"CAST({field.name} AS TEXT)."
                ) from error
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)
        try:
            rows = cursor.fetchmany(ROWS_PER_FETCH)
        except sqlite3.Error as error:
            raise InputError(f"{label}: SQLite stopped while reading: {error}. The file may be damaged.") from error


@contextmanager
def postgres_batches(address: str, query: str | None) -> Iterator[pa.RecordBatchReader]:
    """Stream a query of a PostgreSQL database through its binary COPY protocol.

    Raises
    ------
    MissingDependencyError
        The driver is not installed.
    InputError
        No query, no connection, or a query that fails. The address is not repeated: it may hold a password.
    """
    if query is None:
        raise missing_query("the PostgreSQL database", [])
    driver = optional_import("adbc_driver_postgresql.dbapi", extra="postgres", purpose="read from PostgreSQL")
    try:
        with driver.connect(address) as connection, connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
            cursor.execute(query)
            with cursor.fetch_record_batch() as reader:
                yield reader
    except driver.Error as error:
        message = " ".join(str(error).replace(address, "the address").split())
        raise InputError(f"PostgreSQL could not answer the query: {message}") from error


def missing_query(label: str, tables: list[str]) -> InputError:
    """The error for a database without a query."""
    listed = f" Its tables: {', '.join(tables[:20])}." if tables else ""
    return InputError(
        f"{label} is a database: pass a query with the columns wanted: --query 'SELECT user_id, item_id, weight FROM "
        f"...' "
        f"(query=).{listed}"
    )
