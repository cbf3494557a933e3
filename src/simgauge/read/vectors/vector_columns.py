"""Vectors in tables: a column of lists, or one column per dimension, with ids and names beside them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simgauge.errors import InputError
from simgauge.read.sources.columns import (
    ID_NAMES,
    ITEM_NAMES,
    NAME_NAMES,
    ROW_NAMES,
    USER_NAMES,
    VECTOR_NAMES,
    find_column,
    list_columns,
    usual_column,
)
from simgauge.read.sources.names import typed_labels
from simgauge.read.sources.table_source import Column, Source

SAMPLE_ROWS = 1000


@dataclass(frozen=True)
class Layout:
    """Positions of the columns that hold the vectors, the ids and the names."""

    vectors: tuple[int, ...]
    is_list: bool
    ids: int | None
    names: int | None


def find_layout(source: Source, side: str, vector: Any = None, ids: Any = None, names: Any = None) -> Layout:
    """Decide which columns are what; columns that are given are believed.

    Lists win over single numbers, and of several lists one called like a vector ("emb", "vec") wins. Among single
    numbers, columns that are numbered (``v0, v1, ...``) win over all others.

    Raises
    ------
    InputError
        No such column, no numbers, or several lists of which none is called like a vector.
    """
    id_position = None if ids is None else find_column(ids, source.names, role=f"{side} ids", where=source.label)
    name_position = None if names is None else find_column(names, source.names, role="names", where=source.label)
    taken = [position for position in (id_position, name_position) if position is not None]
    lists, numbers = _kinds(source, taken)
    if vector is not None:
        chosen = find_column(vector, source.names, role="vectors", where=source.label)
        lists = [chosen] if chosen in lists else []
        if not lists:
            raise InputError(f"{source.label}: column {vector!r} does not hold lists of numbers.")
    if id_position is None:
        id_position = _id_column(source, side, lists, numbers, taken)
    if name_position is None:
        usual = usual_column(
            NAME_NAMES, source.names, (*numbers, *lists, *([] if id_position is None else [id_position]))
        )
        name_position = usual if side == "item" else None
    if lists:
        return Layout((_one_list(source, lists),), True, id_position, name_position)
    rows = usual_column(ROW_NAMES, source.names)
    numbers = [position for position in numbers if position not in (id_position, name_position, rows)]
    numbers = _numbered(source, numbers)
    if not numbers:
        raise InputError(
            f"{source.label} has no columns of numbers and no column of lists to take as vectors. Its columns: "
            f"{list_columns(source.names)}."
        )
    return Layout(tuple(numbers), False, id_position, name_position)


def read_columns(source: Source, layout: Layout) -> tuple[NDArray[Any], NDArray[Any] | None, NDArray[Any] | None]:
    """Vectors (float32 where the source says so, float64 otherwise), ids and names.

    Raises
    ------
    InputError
        No rows, a missing or non-numeric entry, or lists of different lengths; the first such row is named.
    """
    columns = [source.columns[position] for position in layout.vectors]
    single = all(column.kind.startswith("FLOAT") for column in columns)
    dtype = np.dtype(np.float32 if single else np.float64)
    expressions = [column.list_sql if layout.is_list else _number_sql(column) for column in columns]
    labels = [position for position in (layout.ids, layout.names) if position is not None]
    expressions += [source.columns[position].sql for position in labels]
    blocks: list[NDArray[Any]] = []
    kept: list[list[pa.Array]] = [[] for _ in labels]
    start = 0
    for batch in source.stream(expressions):
        block = _from_lists if layout.is_list else _from_numbers
        blocks.append(block(batch, columns, dtype, start, source.label))
        for number, arrays in enumerate(kept):
            arrays.append(batch.column(len(columns) + number))
        start += batch.num_rows
    if start == 0:
        raise InputError(f"{source.label} holds no rows. Pass a table with at least one vector.")
    widths = {block.shape[1] for block in blocks}
    if len(widths) > 1:
        raise InputError(f"{source.label}: vectors have different lengths: {sorted(widths)}.")
    found = {}
    for position, arrays in zip(labels, kept, strict=True):
        values = pa.chunked_array(arrays).combine_chunks()
        if position == layout.names:
            found[position] = np.array([str(value or "") for value in values.to_pylist()], dtype=object)
        if position == layout.ids:
            column = source.columns[position]
            found[-1] = typed_labels(values, column.meaning, f"{source.label}, column {column.name!r}")
    names = None if layout.names is None else found[layout.names]
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks), found.get(-1), names


def _kinds(source: Source, taken: list[int]) -> tuple[list[int], list[int]]:
    """Columns of lists, and columns of numbers; text tables show what they are in their first rows."""
    lists = [i for i, column in enumerate(source.columns) if column.meaning == "list" and i not in taken]
    numbers = [
        i for i, column in enumerate(source.columns) if column.meaning in ("integer", "float") and i not in taken
    ]
    untyped = [i for i, column in enumerate(source.columns) if column.meaning == "untyped" and i not in taken]
    if not untyped:
        return lists, numbers
    checks = ", ".join(f"bool_and(TRY_CAST(x{i} AS DOUBLE) IS NOT NULL), bool_and(x{i} LIKE '[%]')" for i in untyped)
    inner = ", ".join(f"{source.columns[i].sql} AS x{i}" for i in untyped)
    sql = f"SELECT {checks} FROM (SELECT {inner} FROM {source.relation} LIMIT {SAMPLE_ROWS})"
    (answer,) = source.connection.execute(sql).fetchall()
    for number, position in enumerate(untyped):
        if answer[2 * number]:
            numbers.append(position)
        elif answer[2 * number + 1]:
            lists.append(position)
    return lists, sorted(numbers)


def _id_column(source: Source, side: str, lists: list[int], numbers: list[int], taken: list[int]) -> int | None:
    """A usual name, else the first column of text, else a first column of whole numbers beside fractions."""
    sided = (*USER_NAMES, *ID_NAMES) if side == "user" else (*ID_NAMES, *ITEM_NAMES)
    found = usual_column(sided, source.names, (*taken, *lists))
    if found is not None and not source.headerless:
        return found
    texts = [i for i in range(len(source.columns)) if i not in (*taken, *lists, *numbers)]
    texts = [i for i in texts if source.columns[i].meaning in ("text", "untyped")]
    if texts:
        return texts[0]
    if not source.headerless or len(numbers) < 2 or numbers[0] != 0:
        return None
    first, second = (source.columns[i].sql for i in numbers[:2])
    sample = source.connection.execute(
        f"SELECT {first}, {second} FROM {source.relation} LIMIT {SAMPLE_ROWS}"
    ).fetchall()
    whole = [str(a).strip().lstrip("-").isdigit() for a, _ in sample]
    fractions = [not str(b).strip().lstrip("-").isdigit() for _, b in sample]
    distinct = len({a for a, _ in sample}) == len(sample)
    return 0 if all(whole) and any(fractions) and distinct else None


def _one_list(source: Source, lists: list[int]) -> int:
    if len(lists) == 1:
        return lists[0]
    named = [i for i in lists if re.search("emb|vec", source.names[i].casefold())]
    if len(named) != 1:
        exact = usual_column(VECTOR_NAMES, source.names)
        if exact in lists and exact is not None:
            return exact
        raise InputError(
            f"{source.label} has several columns of lists ({', '.join(source.names[i] for i in lists)}): say which "
            f"holds the vectors, such as {source.label}:{source.names[lists[0]]}."
        )
    return named[0]


def _numbered(source: Source, numbers: list[int]) -> list[int]:
    """The largest family of columns that share a prefix and are numbered, in that order; else all in theirs."""
    families: dict[str, list[tuple[int, int]]] = {}
    for position in numbers:
        match = re.fullmatch(r"(.*?)(\d+)", source.names[position])
        if match:
            families.setdefault(match.group(1), []).append((int(match.group(2)), position))
    largest = max(families.values(), key=len, default=[])
    if len(largest) < 2 or len({number for number, _ in largest}) < len(largest):
        return numbers
    chosen = [position for _, position in sorted(largest)]
    left = [source.names[position] for position in numbers if position not in chosen]
    if left:
        source.notes.append(f"numeric columns not taken as part of the vectors: {list_columns(left)}")
    return chosen


def _number_sql(column: Column) -> str:
    # trim() keeps DuckDB from moving the conversion into its CSV reader, which would raise its own error instead
    return f"TRY_CAST(trim({column.sql}) AS DOUBLE)" if column.meaning == "untyped" else column.sql


def _from_numbers(
    batch: pa.RecordBatch, columns: list[Column], dtype: np.dtype[Any], start: int, label: str
) -> NDArray[Any]:
    block = np.empty((batch.num_rows, len(columns)), dtype=dtype)
    for position, column in enumerate(columns):
        values = batch.column(position)
        if values.null_count:
            row = start + pc.index(values.is_null(), True).as_py()
            raise InputError(
                f"{label}: column {column.name!r} holds no number in data row {row + 1}. Repair the row, or remove it "
                "and its id."
            )
        block[:, position] = values.to_numpy(zero_copy_only=False)
    return block


def _from_lists(
    batch: pa.RecordBatch, columns: list[Column], dtype: np.dtype[Any], start: int, label: str
) -> NDArray[Any]:
    lists, name = batch.column(0), columns[0].name
    if lists.null_count:
        row = start + pc.index(lists.is_null(), True).as_py()
        raise InputError(f"{label}: column {name!r} holds no vector in data row {row + 1}. Remove the row and its id.")
    lengths = pc.list_value_length(lists).to_numpy(zero_copy_only=False)
    other = np.flatnonzero(lengths != lengths[0])
    if len(other) or lengths[0] == 0:
        row = int(other[0]) if len(other) else 0
        raise InputError(
            f"{label}: column {name!r} holds a vector of length {lengths[row]} in data row {start + row + 1} where "
            f"{max(int(lengths[0]), 1)} is expected. All vectors need the same length."
        )
    flat = pc.list_flatten(lists)
    if flat.null_count:
        row = start + pc.index(flat.is_null(), True).as_py() // int(lengths[0])
        raise InputError(f"{label}: column {name!r} holds a vector with a missing number in data row {row + 1}.")
    block: NDArray[Any] = flat.to_numpy(zero_copy_only=False).astype(dtype, copy=False)
    return block.reshape(len(lists), -1)
