"""An open table: columns of one DuckDB relation that streams as Arrow batches."""

from __future__ import annotations

import glob
import gzip
import json
import os
import re
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from simgauge.errors import InputError

ROWS_PER_BATCH = 262_144
MEMORY_LIMIT = "1GB"
INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
WIDE_INTEGERS = ("UBIGINT", "HUGEINT", "UHUGEINT", "BIGNUM", "VARINT")


@dataclass(frozen=True)
class Column:
    """One column: its name in the source, how SQL reaches it, and what its values mean.

    `meaning` is "integer", "float", "text", "untyped" (text of a file that has no types), "list" or "other".
    """

    name: str
    sql: str
    meaning: str
    list_sql: str
    """The same value where it is a list of numbers."""
    kind: str = ""
    """DuckDB's type, empty where the source has none."""


@dataclass
class Source:
    """An open table. Rows come in the order of the file; a source that is a stream can be read once."""

    connection: Any
    relation: str
    columns: list[Column]
    label: str
    format: str
    notes: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    rereadable: bool = True
    rejects: bool = False
    failures: list[Exception] = field(default_factory=list)
    """What went wrong inside a registered stream; DuckDB passes on only its text."""
    peeked: list[tuple[Any, ...]] | None = None
    """What `peek` saw, so that it looks once."""

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return [column.name for column in self.columns]

    @property
    def headerless(self) -> bool:
        """Whether the columns have no names of their own."""
        return all(name == f"column{position}" for position, name in enumerate(self.names))

    def stream(self, expressions: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Batches of the given SQL expressions over all rows.

        Raises
        ------
        InputError
            The file is damaged, cut off, or a value cannot be converted.
        """
        import duckdb

        selected = ", ".join(f"{expression} AS e{number}" for number, expression in enumerate(expressions))
        try:
            relation = self.connection.sql(f"SELECT {selected} FROM {self.relation}")
            reader = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
            yield from reader(ROWS_PER_BATCH)
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            first = self.failures[0] if self.failures else error
            raise (first if isinstance(first, InputError) else self.damaged(first)) from error

    def peek(self, count: int) -> list[tuple[Any, ...]]:
        """The first rows, all columns as text; none of a stream, which can be read once."""
        import duckdb

        if not self.rereadable:
            return []
        if self.peeked is None:
            texts = ", ".join(f"CAST({column.sql} AS VARCHAR)" for column in self.columns)
            try:
                found = self.connection.execute(f"SELECT {texts} FROM {self.relation} LIMIT {count}").fetchall()
            except duckdb.Error:  # reading all of it will say it better
                found = []
            self.peeked = list(found)
        return self.peeked

    def damaged(self, error: Exception) -> InputError:
        """DuckDB's complaint, short and with the file's name."""
        text = str(error)
        line = re.search(r"CSV Error on Line: (\d+)\n(?:Original Line: (.*)\n)?([^\n]*)", text)
        if line:
            shown, reason = (line.group(2) or "")[:80], line.group(3).strip()
            return InputError(
                f"{self.label}, line {line.group(1)} ({shown!r}): {reason} The file may be cut off, or hold a stray "
                "delimiter or quote: repair it, or leave such lines out (--on-bad-row drop, on_bad_row='drop')."
            )
        bad = _first_bad_json(self.files) if "Malformed JSON" in text else None
        if bad:
            return InputError(f"{bad}. The file may be cut off: repair that line or remove it.")
        first = text.split("\n")[0]
        return InputError(f"{self.label} cannot be read as {self.format}: {first[:300]}")

    def count_rejects(self) -> int:
        """Number of lines of a text table that were left out because they are no row of it."""
        if not self.rejects:
            return 0
        return int(self.connection.execute("SELECT count(DISTINCT (file_id, line)) FROM rejected").fetchall()[0][0])


def connect(stack: ExitStack, database: str = ":memory:") -> Any:
    """A DuckDB connection that fetches nothing from the network and closes with the stack; files are read-only."""
    import duckdb

    settings: dict[str, Any] = {
        "memory_limit": MEMORY_LIMIT,
        "threads": str(min(4, os.cpu_count() or 1)),
        # its own: a query may reach the files of this folder. DuckDB makes it when it is needed, and removes it
        "temp_directory": str(Path(tempfile.gettempdir()) / f"simgauge-duckdb-{secrets.token_hex(8)}"),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    try:
        connection = duckdb.connect(database, read_only=database != ":memory:", config=settings)
    except duckdb.Error as error:
        raise InputError(f"{Path(database).name} cannot be opened: {str(error).splitlines()[0]}") from error
    stack.callback(connection.close)
    # in a notebook without ipywidgets it is off already, and DuckDB refuses to set it, be it to off
    if connection.execute("SELECT current_setting('enable_progress_bar')").fetchall()[0][0]:
        connection.execute("SET enable_progress_bar = false")
    # DuckDB 2.0 takes NaN in Parquet for absent where its statistics of the file suggest it
    connection.execute("SET disabled_optimizers = 'statistics_propagation'")
    return connection


def typed_source(connection: Any, relation: str, label: str, format_name: str, rereadable: bool = True) -> Source:
    """A source whose columns have types."""
    import duckdb

    source = Source(connection, f"{relation} AS t", [], label, format_name, rereadable=rereadable)
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    except duckdb.Error as error:
        raise source.damaged(error) from error
    for name, kind, *_ in described:
        quoted = '"' + name.replace('"', '""') + '"'
        meaning = _meaning(kind)
        sql = {"integer": f"CAST({quoted} AS BIGINT)", "float": f"CAST({quoted} AS DOUBLE)"}.get(
            meaning, quoted if meaning == "list" else f"CAST({quoted} AS VARCHAR)"
        )
        source.columns.append(Column(name, sql, meaning, quoted, kind))
    return source


def _meaning(kind: str) -> str:
    if kind in INTEGERS:
        return "integer"
    if kind in ("FLOAT", "DOUBLE"):
        return "float"
    if kind in WIDE_INTEGERS or kind.startswith("DECIMAL"):
        return "untyped"  # integers that may not fit: decided once all distinct values are known
    if kind.endswith("]"):
        return "list"
    return "other" if kind.startswith(("STRUCT", "MAP", "UNION", "BLOB")) else "text"


def _first_bad_json(paths: list[Path]) -> str | None:
    """Where the first line is that is no JSON (DuckDB counts lines from another start)."""
    for path in paths:
        with (gzip.open if path.suffix.lower() == ".gz" else open)(path, "rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    json.loads(line or b"null")
                except ValueError as error:
                    if line.strip():
                        return f"{path.name}, line {number}: not JSON ({error})"
    return None


def label_of(paths: list[Path]) -> str:
    """Name of these files in messages."""
    return paths[0].name if len(paths) == 1 else f"{paths[0].name} and {len(paths) - 1} more"


def sql_text(text: str) -> str:
    """The text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def sql_list(paths: list[Path]) -> str:
    """The paths as a literal list of SQL; signs that would make a glob are escaped."""
    return "[" + ", ".join(sql_text(glob.escape(str(path))) for path in paths) + "]"
