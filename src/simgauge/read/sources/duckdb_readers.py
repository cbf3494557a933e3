"""How DuckDB reads files and queries: every option that would guess is set on purpose, and nothing else is reached."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simgauge.errors import InputError

NO_GUESSES = "hive_partitioning=false, hive_types_autocast=false, union_by_name=false, filename=false"
"""Folders called ``userId=9`` are names of folders, columns meet by position, and no column is added."""


def parquet_relation(files: str) -> str:
    """The SQL that reads Parquet files, given as a list of SQL."""
    return f"read_parquet({files}, {NO_GUESSES}, file_row_number=false, binary_as_string=false)"


def json_relation(files: str, compression: str) -> str:
    """The SQL that reads JSON objects, one a line or in one list."""
    return f"read_json_objects({files}, {NO_GUESSES}, format='auto', compression='{compression}', ignore_errors=false)"


def csv_options(compression: str, skip: int = 0) -> str:
    """Options of ``read_csv`` beside those of the dialect: columns are given, lines are whole, nothing is sniffed."""
    return (
        f"auto_detect=false, {NO_GUESSES}, compression='{compression}', skip={skip}, comment='', strict_mode=true, "
        "null_padding=false, normalize_names=false, allow_quoted_nulls=true"
    )


def compression_of(path: Path) -> str:
    """Compression by the first bytes of a file, whatever its name is.

    The limits of `unpacked` are not needed here: DuckDB streams, so that no disk is filled and memory holds a few
    buffers, and tables of events are taken from gzip alone, which expands at most 1,032 times.
    """
    with path.open("rb") as file:
        head = file.read(4)
    return "gzip" if head[:2] == b"\x1f\x8b" else "zstd" if head == b"\x28\xb5\x2f\xfd" else "uncompressed"


def checked_query(connection: Any, query: str, label: str) -> str:
    """The query, if DuckDB's parser takes it for one SELECT; from then on the connection reaches no file but its own.

    Raises
    ------
    InputError
        It cannot be parsed, holds several statements, or is one that could change something.
    """
    import duckdb

    try:
        statements = connection.extract_statements(query)
    except duckdb.Error as error:
        raise InputError(f"{label}: the query cannot be parsed: {' '.join(str(error).split())[:300]}") from error
    kinds = [str(statement.type).rpartition(".")[2] for statement in statements]
    if kinds != ["SELECT"]:
        raise InputError(
            f"{label}: query= takes one SELECT, which changes nothing; this is {' and '.join(kinds) or 'empty'}."
        )
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return str(statements[0].query).strip().rstrip("; \n")
