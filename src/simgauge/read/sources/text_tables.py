"""Delimited text and JSON lines as sources; every value stays text until all of a column is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simgauge.errors import InputError
from simgauge.read.sources.delimited import sniff_dialect
from simgauge.read.sources.duckdb_readers import compression_of, csv_options, json_relation
from simgauge.read.sources.table_source import Column, Source, label_of, sql_list, sql_text


def open_json(connection: Any, paths: list[Path]) -> Source:
    """JSON objects, one a line or in one list; the columns are the keys of the first thousand."""
    import duckdb

    relation = json_relation(sql_list(paths), compression_of(paths[0]))
    source = Source(connection, f"{relation} AS t", [], label_of(paths), "JSON lines", files=paths)
    try:
        keys = connection.execute(
            f"SELECT key FROM (SELECT unnest(json_keys(json)) AS key, row_number() OVER () AS row FROM "
            f"(SELECT json FROM {relation} LIMIT 1000)) GROUP BY key ORDER BY min(row), key"
        ).fetchall()
    except duckdb.Error as error:
        raise source.damaged(error) from error
    located = [(key, sql_text(key if key[:1] not in ("$", "/", "") else f'$."{key}"')) for (key,) in keys]
    types = ", ".join(f"json_type(json->{path})" for _, path in located)
    first = (
        connection.execute(f"SELECT {types} FROM (SELECT json FROM {relation} LIMIT 1)").fetchall()[0] if keys else ()
    )
    for (key, path), kind in zip(located, first, strict=True):
        meaning = {"ARRAY": "list", "OBJECT": "other"}.get(kind, "untyped")
        source.columns.append(Column(key, f"(json->>{path})", meaning, f"CAST(json->{path} AS DOUBLE[])"))
    if not source.columns:
        raise InputError(f"{source.label} holds no JSON object with keys: one object a line is expected.")
    return source


def open_delimited(
    connection: Any,
    paths: list[Path],
    delimiter: str | None,
    has_header: bool | None,
    encoding: str | None,
    on_bad_row: str,
    wanted: Sequence[str],
    head: bytes | None = None,
) -> Source:
    """Text tables of one dialect and the same columns."""
    options = {"delimiter": delimiter, "has_header": has_header, "encoding": encoding, "wanted": wanted}
    heads = [head, *[None] * (len(paths) - 1)]
    dialect, *others = [
        sniff_dialect(path, head=start, **options)  # type: ignore[arg-type]
        for path, start in zip(paths, heads, strict=True)
    ]
    for path, other in zip(paths[1:], others, strict=True):
        if other.names != dialect.names:
            raise InputError(f"{path.name} has other columns than {paths[0].name}: {other.names} and {dialect.names}.")
        if other.skip != dialect.skip:
            raise InputError(
                f"{path.name} begins with {other.skip} lines of comment and {paths[0].name} with {dialect.skip}: read "
                f"them "
                "apart, or remove these lines."
            )
    columns = ", ".join(f"'c{number}': 'VARCHAR'" for number in range(len(dialect.names)))
    rejects = on_bad_row == "drop"
    more = ", ignore_errors=true, store_rejects=true, rejects_table='rejected', rejects_limit=0" if rejects else ""
    relation = (
        f"read_csv({sql_list(paths)}, {csv_options(compression_of(paths[0]), dialect.skip)}, "
        f"header={str(dialect.has_header).lower()}, "
        f"delim={sql_text(dialect.delimiter)}, quote={sql_text(dialect.quote)}, escape={sql_text(dialect.escape)}, "
        f"encoding={sql_text(dialect.encoding)}, nullstr='', columns={{{columns}}}{more}) AS t"
    )
    source = Source(
        connection, relation, [], label_of(paths), "text table", list(dialect.notes), files=paths, rejects=rejects
    )
    source.columns = [
        Column(name, f"c{i}", "untyped", f"CAST(c{i} AS DOUBLE[])") for i, name in enumerate(dialect.names)
    ]
    if not dialect.has_header:
        source.notes.append("the file has no header; its columns are called column0, column1, ...")
    return source


def is_json(path: Path, head: bytes) -> bool:
    """Whether a text file holds JSON, by its name and first bytes, which must agree."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if path.suffix.lower() == ".gz":
        return bool({".json", ".jsonl", ".ndjson"} & set(suffixes))
    looks = head[:512].removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")
    named = path.suffix.lower() in (".json", ".jsonl", ".ndjson")
    if named and not looks:
        raise InputError(f"{path.name}: its name says JSON, its content does not begin with an object or a list.")
    return named or (looks and path.suffix.lower() not in (".csv", ".tsv", ".txt"))
