"""One door for tables: files, databases and data frames become sources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from simgauge.errors import InputError
from simgauge.read.sources.databases import POSTGRES_SCHEMES, missing_query, postgres_batches, sqlite_batches
from simgauge.read.sources.duckdb_readers import checked_query, parquet_relation
from simgauge.read.sources.files import is_path
from simgauge.read.sources.frames import arrow_of_frame
from simgauge.read.sources.located import Located, locate
from simgauge.read.sources.table_source import Source, connect, label_of, sql_list, typed_source
from simgauge.read.sources.text_tables import is_json, open_delimited, open_json

ACCEPTED = "a path, a glob, a list of paths, a scipy sparse matrix, an array, or a pandas, polars or Arrow frame"


@contextmanager
def open_source(
    source: Any,
    *,
    query: str | None = None,
    delimiter: str | None = None,
    has_header: bool | None = None,
    encoding: str | None = None,
    on_bad_row: str = "error",
    wanted: Sequence[str] = (),
    located: Located | None = None,
) -> Iterator[Source]:
    """Open anything tabular: text tables, JSON lines, Parquet, databases, pandas, polars and Arrow frames.

    Raises
    ------
    InputError
        Not a table, or a file that is missing, empty, cut off, or not what its name says.
    """
    with ExitStack() as stack:
        if not is_path(source):
            yield _of_frame(stack, source)
            return
        if isinstance(source, str) and source.startswith(POSTGRES_SCHEMES):
            reader = stack.enter_context(postgres_batches(source, query))
            yield _of_arrow(stack, reader, "the PostgreSQL query", "PostgreSQL")
            return
        located = located or locate(source)
        if located is None:
            raise InputError(f"{source} is an address that is not known; pass a file, or postgresql://.")
        paths, content = located.paths, located.content
        if query is not None and content not in ("SQLite", "DuckDB"):
            raise InputError(f"a query is for databases (--query, query=); {paths[0].name} is {content}. Leave it out.")
        if content == "SQLite":
            reader = stack.enter_context(sqlite_batches(_only(paths), query))
            opened = _of_arrow(stack, reader, paths[0].name, "SQLite")
        elif content == "DuckDB":
            opened = _of_duckdb(stack, _only(paths), query)
        elif content == "Parquet":
            opened = typed_source(connect(stack), parquet_relation(sql_list(paths)), label_of(paths), "Parquet")
        elif content in ("text", "gzip") and is_json(paths[0], located.head):
            opened = open_json(connect(stack), paths)
        elif content in ("text", "gzip"):
            options = (delimiter, has_header, encoding, on_bad_row, wanted, located.head)
            opened = open_delimited(connect(stack), paths, *options)
        else:
            raise InputError(
                f"{paths[0].name} is {content}, not a table. Accepted: CSV, TSV, JSON lines, Parquet, a DuckDB or "
                "SQLite database with query=. Unpack archives first."
            )
        opened.files = paths
        yield opened


def _of_arrow(stack: ExitStack, data: Any, label: str, format_name: str) -> Source:
    connection = connect(stack)
    schema = data.schema
    renamed = [f"c{number}" for number in range(len(schema))]  # DuckDB's names ignore case, other tables' do not
    if isinstance(data, pa.RecordBatchReader):
        target = pa.schema([field.with_name(name) for field, name in zip(schema, renamed, strict=True)])
        opened = _described_schema(connection, target, label, format_name)
        batches = _renamed(data, target, opened.failures)
        connection.register("arrow_source", pa.RecordBatchReader.from_batches(target, batches))
    else:
        connection.register("arrow_source", data.rename_columns(renamed))
        opened = typed_source(connection, "arrow_source", label, format_name)
    opened.columns = [replace(column, name=name) for name, column in zip(schema.names, opened.columns, strict=True)]
    return opened


def _renamed(batches: Any, schema: pa.Schema, failures: list[Exception]) -> Iterator[pa.RecordBatch]:
    try:
        for batch in batches:
            yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)
    except Exception as error:
        failures.append(error)
        raise


def _described_schema(connection: Any, schema: pa.Schema, label: str, format_name: str) -> Source:
    """Describe a stream by an empty table of its schema: looking at the stream would use it up."""
    connection.register("arrow_schema", schema.empty_table())
    source = typed_source(connection, "arrow_schema", label, format_name, rereadable=False)
    source.relation = "arrow_source AS t"
    return source


def _of_frame(stack: ExitStack, frame: Any) -> Source:
    if isinstance(frame, (pa.Table, pa.RecordBatchReader)):
        return _of_arrow(stack, frame, "the Arrow table", "Arrow")
    if type(frame).__module__.split(".")[0] == "pandas" and getattr(frame, "ndim", 1) == 2:
        frame = frame.rename(columns=str)  # a frame without header has numbers for names
    table = arrow_of_frame(frame, ACCEPTED)
    return _of_arrow(stack, table, "the frame", "frame")


def _of_duckdb(stack: ExitStack, path: Path, query: str | None) -> Source:
    connection = connect(stack, str(path))
    if query is None:
        rows = connection.execute("SELECT table_name FROM information_schema.tables").fetchall()
        raise missing_query(path.name, [name for (name,) in rows])
    return typed_source(connection, f"({checked_query(connection, query, path.name)}\n)", path.name, "DuckDB")


def _only(paths: list[Path]) -> Path:
    if len(paths) > 1:
        raise InputError(f"{len(paths)} databases were given: pass one at a time.")
    return paths[0]
