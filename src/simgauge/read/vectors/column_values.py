"""Vectors, ids and names out of the columns that were chosen for them, row by row and complete."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simgauge.errors import InputError
from simgauge.read.vectors.cells import numbers_of, stacked
from simgauge.read.vectors.column_facts import is_list
from simgauge.read.vectors.column_table import ColumnTable
from simgauge.read.vectors.labels_of_rows import row_labels
from simgauge.read.vectors.layout import Layout

DROP = "pass on_bad_row='drop' (--on-bad-row drop) to leave such rows out"


@dataclass
class _Rows:
    """What has been read so far."""

    blocks: list[NDArray[Any]] = field(default_factory=list)
    ids: list[pa.Array] = field(default_factory=list)
    names: list[pa.Array] = field(default_factory=list)
    start: int = 0
    dropped: list[str] = field(default_factory=list)


def read_columns(
    table: ColumnTable, layout: Layout, on_bad_row: str = "error"
) -> tuple[NDArray[Any], NDArray[Any] | None, NDArray[Any] | None, str, list[str]]:
    """Vectors, ids, names, the type of the numbers as stored, and the rows that were left out.

    Vectors are float32 where the source stores them in 32 bits or fewer, and float64 otherwise.

    Raises
    ------
    InputError
        No rows, a missing or non-numeric entry, or lists of different lengths; the first such row is named.
    """
    stored = _stored(table, layout)
    dtype = np.dtype(np.float32 if stored in ("float", "float32", "halffloat", "float16") else np.float64)
    labels = [position for position in (layout.ids, layout.names) if position is not None]
    rows = _Rows()
    numbers = () if layout.is_list else frozenset(layout.vectors)
    for arrays in table.batches([*layout.vectors, *labels], numbers):
        count = len(layout.vectors)
        if layout.is_list:
            block, keep = _from_lists(table, layout, arrays[0], dtype, rows, on_bad_row)
        else:
            block, keep = _from_numbers(table, layout, arrays[:count], dtype, rows, on_bad_row)
        rest = arrays[count:]
        if keep is not None:
            rest = [array.filter(pa.array(keep)) for array in rest]
        rows.blocks.append(block)
        if layout.ids is not None:
            rows.ids.append(rest[0])
        if layout.names is not None:
            rows.names.append(rest[-1])
        rows.start += len(arrays[0])
    if not sum(map(len, rows.blocks)):
        raise InputError(f"{table.label} holds no rows. Pass a table with at least one vector.")
    vectors = rows.blocks[0] if len(rows.blocks) == 1 else np.concatenate(rows.blocks)
    ids = None
    if layout.ids is not None:
        where = f"{table.label}, column {table.names[layout.ids]!r}"
        ids = row_labels(_joined(rows.ids), where, table.untyped)
    names = None
    if layout.names is not None:
        names = np.array([str(value or "") for value in _joined(rows.names).to_pylist()], dtype=object)
    return vectors, ids, names, stored, rows.dropped + table.rejected


def _stored(table: ColumnTable, layout: Layout) -> str:
    """The type of the numbers, the widest where columns differ."""
    if table.untyped:
        return "text"
    kinds = [table.types[position] for position in layout.vectors]
    kinds = [kind.value_type if is_list(kind) else kind for kind in kinds]
    distinct = list(dict.fromkeys(map(str, kinds)))
    if set(distinct) <= {"string", "large_string", "string_view"}:
        return "text"
    named = {"float": "float32", "double": "float64", "halffloat": "float16"}
    names = [named.get(kind, kind) for kind in distinct]
    if len(names) == 1:
        return names[0]
    return "float32" if set(names) <= {"float32", "float16"} else "float64"


def _joined(arrays: list[pa.Array]) -> pa.Array:
    return arrays[0] if len(arrays) == 1 else pa.concat_arrays(arrays)


def _from_numbers(
    table: ColumnTable,
    layout: Layout,
    arrays: list[pa.Array],
    dtype: np.dtype[Any],
    rows: _Rows,
    on_bad_row: str,
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    turned = np.empty((len(arrays), len(arrays[0])), dtype=dtype)  # a column is written in one piece
    bad: NDArray[np.bool_] | None = None
    for number, (position, values) in enumerate(zip(layout.vectors, arrays, strict=True)):
        if not values.null_count and pa.types.is_floating(values.type):
            turned[number] = values.to_numpy()
            continue
        turned[number], missing = numbers_of(values, table.decimal)
        if missing.any():
            if on_bad_row == "error":
                row = int(missing.argmax())
                cell = values[row].as_py() if pa.types.is_string(values.type) else None
                shown = f" but {cell[:40]!r}" if cell else ""
                raise InputError(
                    f"{table.label}, {table.place_of(rows.start + row)}: column {table.names[position]!r} holds no "
                    f"number{shown}. Repair the row, or {DROP}."
                )
            bad = missing if bad is None else bad | missing
    block = np.ascontiguousarray(turned.T)
    if bad is None:
        return block, None
    rows.dropped += [table.place_of(rows.start + int(row)) for row in np.flatnonzero(bad)[:3]]
    rows.dropped += [""] * max(0, int(bad.sum()) - 3)
    return block[~bad], ~bad


def _from_lists(
    table: ColumnTable, layout: Layout, lists: pa.Array, dtype: np.dtype[Any], rows: _Rows, on_bad_row: str
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    name = table.names[layout.vectors[0]]
    width = rows.blocks[0].shape[1] if rows.blocks else None
    if not is_list(lists.type):
        lists = _parsed(table, name, lists, rows)
    lengths = np.asarray(pc.fill_null(pc.list_value_length(lists), -1).to_numpy(zero_copy_only=False))
    if width is None:
        usable = lengths[lengths > 0]
        width = int(np.bincount(usable).argmax()) if len(usable) else 1
    bad = lengths != width
    if bad.any() and on_bad_row == "error":
        row = int(bad.argmax())
        what = f"a vector of length {lengths[row]} where {width} is expected" if lengths[row] >= 0 else "no vector"
        raise InputError(
            f"{table.label}, {table.place_of(rows.start + row)}: column {name!r} holds {what}. All vectors need the "
            f"same length: repair the row, or {DROP}."
        )
    if bad.any():
        rows.dropped += [table.place_of(rows.start + int(row)) for row in np.flatnonzero(bad)]
        lists = lists.filter(pa.array(~bad))
    flat = pc.list_flatten(lists)
    if flat.null_count:
        row = rows.start + int(np.flatnonzero(~bad)[pc.index(flat.is_null(), True).as_py() // width])
        raise InputError(
            f"{table.label}, {table.place_of(row)}: column {name!r} holds a vector with a missing number. Repair the "
            "row, or remove it and its id."
        )
    block: NDArray[Any] = flat.to_numpy(zero_copy_only=False).astype(dtype, copy=False)
    return block.reshape(len(lists), width), (~bad if bad.any() else None)


def _parsed(table: ColumnTable, name: str, cells: pa.Array, rows: _Rows) -> pa.Array:
    """Lists that are written as text."""
    texts = cells.to_pylist()
    found, bad = stacked([None if text is None or not text.strip() else text for text in texts])
    if bad is not None and texts[bad] is not None and texts[bad].strip():
        cell = texts[bad]
        reason = (
            "a vector that NumPy has shortened with '...': its numbers are lost. Write it with "
            "json.dumps(vector.tolist()), or keep the vectors in a .npy file"
            if "..." in cell
            else f"no list of numbers ({cell[:60]!r}). Repair the row"
        )
        raise InputError(f"{table.label}, {table.place_of(rows.start + bad)}: column {name!r} holds {reason}.")
    return pa.array(found, pa.list_(pa.float64()))
