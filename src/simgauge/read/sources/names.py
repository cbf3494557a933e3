"""Ids and names in a file of their own: one label a line, a column of a table, or id and name side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simgauge.errors import InputError
from simgauge.labels import positions_of
from simgauge.read.sources.codes import as_integers
from simgauge.read.sources.columns import (
    ID_NAMES,
    ITEM_NAMES,
    NAME_NAMES,
    ROW_NAMES,
    USER_NAMES,
    find_column,
    usual_column,
)
from simgauge.read.sources.files import content_of
from simgauge.read.sources.open_source import open_source
from simgauge.read.sources.table_source import Source

Labels = NDArray[Any]


def split_column(spec: str | Path) -> tuple[Path, str | int | None]:
    """Split ``path:column``; a path that exists as it stands has no column.

    Raises
    ------
    InputError
        There is no such file.
    """
    path = Path(spec)
    if path.is_file():
        return path, None
    left, colon, column = str(spec).rpartition(":")
    if colon and Path(left).is_file():
        return Path(left), int(column) if column.isdigit() else column
    raise InputError(f"{spec} does not exist. Pass a file, or file:column to choose a column of it.")


def split_columns(spec: str | Path) -> tuple[Path, list[str | int]]:
    """Split ``path``, ``path:column`` or ``path:column:column``; a path that exists as it stands has no column.

    Raises
    ------
    InputError
        There is no such file.
    """
    left, colon, column = str(spec).rpartition(":")
    first, second, other = left.rpartition(":")
    if colon and second and Path(first).is_file() and not Path(left).is_file() and not Path(spec).is_file():
        return Path(first), [int(name) if name.isdigit() else name for name in (other, column)]
    path, single = split_column(spec)
    return path, [] if single is None else [single]


def read_labels(spec: str | Path, *, role: str = "ids") -> Labels:
    """Labels in row order, from a text file with one a line or from a column of a table.

    Parameters
    ----------
    spec : "path" or "path:column"
        Column by name or by position counted from 0. Without it, a column with a usual name is taken (for `role`
        "ids" an id, for "names" a name), or the only column beside a column of row numbers; of a table without
        header the first for ids and the second for names.
    role : {"ids", "names"}

    Returns
    -------
    ndarray of int64 or of str
        A column called row, index or the like that numbers the rows puts them in its order.

    Raises
    ------
    InputError
        No such file or column, missing labels, or no column that can be told to be the one.
    """
    path, column = split_column(spec)
    if column is None and path.suffix.lower() == ".npy":
        from simgauge.read.sources.npz import map_npy

        return np.asarray(map_npy(path))
    if column is None and path.suffix.lower() in (".txt", ".lst", ".vocab", ".words", ".ids"):
        return _lines(path)
    wanted = [column] if isinstance(column, str) else []
    with open_source(path, wanted=wanted) as source:
        position = _label_column(source, column, role)
        row = _row_column(source, position)
        chosen = [position] if row is None else [position, row]
        labels, *rows = label_columns(source, chosen, text=role == "names")
    if rows and np.array_equal(np.sort(rows[0]), np.arange(len(labels))):
        labels = labels[np.argsort(rows[0])]
    return labels


def read_names(spec: str | Path) -> dict[Any, str]:
    """Names by id, from a table with both; without recognised column names, its first two columns.

    ``path:name`` chooses the column of the names, ``path:id:name`` also that of the ids. Delimiter, header and encoding
    are looked up in the file, so that MovieLens' ``u.item`` (``|``, latin-1, no header) reads as it is.

    Raises
    ------
    InputError
        No such file or column, or fewer than two columns.
    """
    path, columns = split_columns(spec)
    with open_source(path, wanted=[name for name in columns if isinstance(name, str)]) as source:
        names = source.names
        if len(names) < 2:
            raise InputError(f"{source.label} has one column: names by id need an id column and a name column.")
        identity = usual_column((*ID_NAMES, *ITEM_NAMES, *USER_NAMES), names)
        identity = 0 if identity is None else identity
        if len(columns) == 2:
            identity = find_column(columns[0], names, role="ids", where=source.label)
        column = columns[-1] if columns else None
        if column is None:
            found = usual_column(NAME_NAMES, names, (identity,))
            column = found if found is not None else 1 if identity == 0 else 0
        name = find_column(column, names, role="names", where=source.label)
        ids, labels = label_columns(source, [identity, name], text_last=True)
    return dict(zip(ids.tolist(), labels.tolist(), strict=True))


def names_for(ids: Labels, names: Any) -> tuple[Labels, dict[str, Any]]:
    """One name per id from a file, a mapping id -> name, or a sequence in the order of the ids.

    Where one side has integers and the other text, ids are compared as text. Items without a name keep their id as
    text, and the report counts them.

    Raises
    ------
    InputError
        No id has a name, or a sequence of another length.
    """
    if isinstance(names, (str, Path)):
        names = read_names(names)
    if not isinstance(names, Mapping):
        labels = np.array([str(name) for name in names], dtype=object)
        if len(labels) != len(ids):
            raise InputError(
                f"names: {len(labels)} names for {len(ids)} ids: pass one per id, or a mapping id -> name."
            )
        return labels, {"named": len(labels), "without_name": 0}
    keys = [key for key, name in names.items() if name is not None]
    numbers = all(isinstance(key, int) for key in keys)
    known = np.array(keys, dtype=np.int64) if numbers else np.array([str(key) for key in keys], dtype=object)
    rows = positions_of(ids, known)
    named = int((rows >= 0).sum())
    if named == 0:
        raise InputError(
            f"names: none of the {len(ids)} ids (such as {ids[0]!s}) is among the {len(keys)} ids with names (such "
            f"as {next(iter(keys), 'none')}). Check that both count ids in the same way."
        )
    texts = [str(names[key]) for key in keys]
    filled = [str(label) if row < 0 else texts[row] for label, row in zip(ids.tolist(), rows.tolist(), strict=True)]
    return np.array(filled, dtype=object), {"named": named, "without_name": len(ids) - named}


def _lines(path: Path) -> Labels:
    content_of(path)
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    lines = lines[:-1] if lines and not lines[-1] else lines
    return typed_labels(pa.array(lines), "untyped", path.name)


def _label_column(source: Source, column: str | int | None, role: str) -> int:
    names = source.names
    if column is not None:
        return find_column(column, names, role=role, where=source.label)
    usual = NAME_NAMES if role == "names" else (*ID_NAMES, *ITEM_NAMES, *USER_NAMES)
    rows = usual_column(ROW_NAMES, names)
    taken = () if rows is None else (rows,)
    found = usual_column(usual, names, taken)
    if found is not None:
        return found
    others = [position for position in range(len(names)) if position not in taken]
    if len(others) == 1:
        return others[0]
    if source.headerless:
        return 1 if role == "names" else 0
    raise InputError(
        f"{source.label} has {len(names)} columns ({', '.join(names[:10])}); say which holds the {role}, such as "
        f"{source.label}:{names[0] or 0}."
    )


def _row_column(source: Source, label: int) -> int | None:
    position = usual_column(ROW_NAMES, source.names)
    return None if position == label else position


def label_columns(
    source: Source, positions: Sequence[int], text: bool = False, text_last: bool = False
) -> list[Labels]:
    """Whole columns of labels; text where asked, integers where all are (`text`: the first, `text_last`: the last)."""
    batches = list(source.stream([source.columns[position].sql for position in positions]))
    if not sum(batch.num_rows for batch in batches):
        raise InputError(f"{source.label} holds no rows.")
    found = []
    for number, position in enumerate(positions):
        values = pa.chunked_array([batch.column(number) for batch in batches]).combine_chunks()
        column = source.columns[position]
        as_text = (text and number == 0) or (text_last and number == len(positions) - 1)
        if as_text:
            found.append(np.array([str(value or "") for value in values.to_pylist()], dtype=object))
        else:
            found.append(typed_labels(values, column.meaning, f"{source.label}, column {column.name!r}"))
    return found


def typed_labels(values: pa.Array, meaning: str, label: str) -> Labels:
    """A column of labels as int64 or str, complete.

    Raises
    ------
    InputError
        Some are missing.
    """
    if values.null_count:
        raise InputError(f"{label}: {values.null_count} of {len(values)} labels are missing. Give every row a label.")
    integers = as_integers(values, meaning, label)
    return np.array(values.to_pylist(), dtype=object) if integers is None else integers
