"""Vectors in JSON: lines of objects, and the answers and exports of embedding services and vector databases."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from simgauge.errors import InputError
from simgauge.read.vectors.column_table import ColumnTable, of_arrow

VECTOR_KEYS = ("embedding", "vector", "values", "embeddings", "emb", "vec")
LIST_KEYS = ("data", "points", "vectors", "matches", "objects", "items", "results", "records", "documents", "rows")
"""Where services put the list of their objects."""
DEEPEST = 6
"""Levels of objects around the vectors."""

Row = dict[str, Any]


def of_json(path: Path, label: str, on_bad_row: str = "error") -> ColumnTable:
    """A JSON document or JSON lines as columns.

    Read are: one object a line or in a list; lists of vectors; an object of label -> vector; columns side by side
    ({"ids": […], "embeddings": […]}, as Chroma and Cohere answer); and the lists that OpenAI, Qdrant, Pinecone and
    Weaviate put under "data", "points", "vectors" or "objects", payloads and properties included.

    Raises
    ------
    InputError
        No JSON (the line is named), or no vectors where one of these shapes has them.
    """
    rejected: list[str] = []
    rows = _rows(path, on_bad_row, rejected)
    if not rows:
        raise InputError(f"{path.name} holds no vectors: it is an empty list.")
    table = of_arrow(_columns(rows, path), label)
    table.rejected = rejected
    table.place_of = lambda row: f"entry {row + 1}"
    return table


def _rows(path: Path, on_bad_row: str, rejected: list[str]) -> list[Row]:
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not UTF-8 at byte {error.start}: JSON is. Write it again.") from error
    lines = text.splitlines()
    filled = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if len(filled) > 1 and filled[0][1].strip()[-1] in "}]" and _parsed(filled[0][1]) is not None:
        return _json_lines(path, filled, on_bad_row, rejected)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        where = f", line {line}" if line else ""
        raise InputError(
            f"{path.name}{where}: not JSON ({str(error)[:100]}). The file may be cut off: repair that line or remove "
            f"it."
        ) from error
    return _found(document, path)


def _json_lines(path: Path, lines: list[tuple[int, str]], on_bad_row: str, rejected: list[str]) -> list[Row]:
    rows: list[Row] = []
    for number, line in lines:
        entry = _parsed(line)
        if entry is None:
            if on_bad_row == "drop":
                rejected.append(f"line {number}")
                continue
            raise InputError(
                f"{path.name}, line {number}: not JSON ({line[:60]!r}). The file may be cut off: repair that line or "
                "remove it, or leave such lines out with on_bad_row='drop' (--on-bad-row drop)."
            )
        rows += _of_line(entry, path)
    return rows


def _of_line(entry: Any, path: Path) -> list[Row]:
    """The rows of one line: one object, one vector, or an answer of a service with several."""
    if isinstance(entry, list) and _is_vector(entry):
        return [{"vector": entry}]
    if isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str) and _is_vector(entry[1]):
        return [{"id": entry[0], "vector": entry[1]}]
    if isinstance(entry, Mapping):
        if any(_is_vector(value) for value in entry.values()) or any(entry.get(key, 0) != 0 for key in VECTOR_KEYS[:2]):
            return [_flat(entry)]
        if len(entry) > 1 and not any(isinstance(value, (Mapping, list)) for value in entry.values()):
            return [dict(entry)]
        labels = {key: value for key, value in entry.items() if isinstance(value, (str, int))}
        return [{**labels, **row} for row in _found(entry, path)]
    return _found(entry, path)


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _found(document: Any, path: Path, depth: int = 0) -> list[Row]:
    """The rows of a document, wherever in it they lie."""
    if isinstance(document, list):
        return _of_list(document, path)
    if isinstance(document, Mapping) and depth < DEEPEST:
        side_by_side = _side_by_side(document)
        if side_by_side:
            return side_by_side
        if document and all(_is_vector(value) for value in document.values()) and len(document) > 1:
            return [{"id": key, "vector": value} for key, value in document.items()]
        if any(_is_vector(document.get(key)) for key in VECTOR_KEYS):
            return [_flat(document)]
        inner = [key for key in LIST_KEYS if isinstance(document.get(key), (list, Mapping)) and document[key]]
        inner += [key for key, value in document.items() if isinstance(value, Mapping) and key not in inner]
        for key in inner:
            value = document[key]
            if isinstance(value, Mapping) and all(isinstance(entry, Mapping) for entry in value.values()):
                listed = [{"id": label, **entry} for label, entry in value.items()]
                if any(_holds_vector(entry) for entry in listed):
                    return _of_list(listed, path)
            try:
                return _found(value, path, depth + 1)
            except InputError:
                continue
        if document and all(isinstance(value, (str, int, float)) for value in document.values()):
            return [dict(document)]
    raise InputError(
        f"{path.name}: no vectors were found in this JSON. Expected objects with a list of numbers each, a list of "
        'vectors, label: vector, or {"ids": […], "embeddings": […]}. Write one object a line: '
        '{"id": …, "vector": […]}.'
    )


def _of_list(entries: list[Any], path: Path) -> list[Row]:
    if all(isinstance(entry, Mapping) for entry in entries):
        return [_flat(entry) for entry in entries]
    if all(isinstance(entry, list) for entry in entries):
        pairs = [entry for entry in entries if len(entry) == 2 and isinstance(entry[0], str) and _is_vector(entry[1])]
        if entries and len(pairs) == len(entries):
            return [{"id": label, "vector": vector} for label, vector in pairs]
        if entries and all(_is_vector(entry) for entry in entries):
            return [{"vector": entry} for entry in entries]
        if len(entries) == 1:
            return _of_list(entries[0], path)
    raise InputError(
        f"{path.name}: no vectors were found in this JSON: its list mixes kinds or nests deeper than one vector an "
        f"entry. "
        'Write one object a line: {"id": …, "vector": […]}.'
    )


def _side_by_side(document: Mapping[str, Any]) -> list[Row]:
    """{"ids": […], "embeddings": [[…], …]} as rows."""
    tables = [
        key
        for key, value in document.items()
        if isinstance(value, list) and value and all(isinstance(e, list) and _is_vector(e) for e in value)
    ]
    if len(tables) != 1:
        return []
    n_rows = len(document[tables[0]])
    beside = {
        key: value
        for key, value in document.items()
        if key != tables[0] and isinstance(value, list) and len(value) == n_rows
    }
    rows = []
    for number, vector in enumerate(document[tables[0]]):
        row = {"embedding": vector}
        for key, values in beside.items():
            row |= {key: values[number]} if not isinstance(values[number], Mapping) else _flat(values[number])
        rows.append(row)
    return rows


def _flat(entry: Mapping[str, Any]) -> Row:
    """An object with what lies one level deeper (payload, properties, metadata, a single named vector) beside it."""
    row: Row = {}
    for key, value in entry.items():
        if isinstance(value, Mapping):
            vectors = [inner for inner in value.values() if _is_vector(inner)]
            if key in ("vector", "vectors") and len(vectors) == 1 == len(value):
                row[key] = vectors[0]
                continue
            row |= {inner if inner not in entry else f"{key}.{inner}": deep for inner, deep in value.items()}
        else:
            row[key] = _decoded(value) if key in VECTOR_KEYS else value
    if entry.get("object") == "embedding":
        row.pop("object")  # OpenAI's word for what the entry is
    return row


def _decoded(value: Any) -> Any:
    """Numbers that a service sent as float32 in base64."""
    if not isinstance(value, str) or len(value) < 16 or len(value) % 4:
        return value
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return value
    return np.frombuffer(raw, "<f4").astype(np.float64).tolist() if len(raw) % 4 == 0 else value


def _is_vector(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) > 0
        and all(isinstance(number, (int, float)) and not isinstance(number, bool) for number in value)
    )


def _holds_vector(entry: Mapping[str, Any]) -> bool:
    return any(_is_vector(entry.get(key)) for key in VECTOR_KEYS)


def _columns(rows: list[Row], path: Path) -> pa.Table:
    """Rows as Arrow columns; what Arrow cannot make one type of becomes JSON text."""
    names = list(dict.fromkeys(key for row in rows for key in row))
    arrays = []
    for name in names:
        values = [row.get(name) for row in rows]
        vectors = sum(_is_vector(value) for value in values)
        if 2 * vectors > len(values) or (vectors and name in VECTOR_KEYS):
            arrays.append(_vector_column(name, values, path))
            continue
        try:
            arrays.append(pa.array(values))
        except (pa.ArrowException, OverflowError, TypeError, ValueError):
            texts = [
                None if value is None else value if isinstance(value, str) else json.dumps(value) for value in values
            ]
            arrays.append(pa.array(texts, pa.string()))
    return pa.Table.from_arrays(arrays, names=names)


def _vector_column(name: str, values: list[Any], path: Path) -> pa.Array:
    try:
        return pa.array(values, pa.list_(pa.float64()))
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        row = next(
            number
            for number, value in enumerate(values)
            if value is not None and not (isinstance(value, list) and all(_is_number(entry) for entry in value))
        )
        raise InputError(
            f"{path.name}, entry {row + 1}: {name!r} is no list of numbers ({str(values[row])[:60]}). Repair it."
        ) from error


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))
