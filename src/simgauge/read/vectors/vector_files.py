"""One table of vectors from any source: an array, a frame, or a file known by its content."""

from __future__ import annotations

import glob
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from simgauge.errors import InputError
from simgauge.labels import says_positions
from simgauge.read.libraries.torch_tables import as_array, is_torch_file, load_checkpoint
from simgauge.read.sources.files import content_of, expand, is_path
from simgauge.read.sources.npz import map_npy, npz_shapes, read_npz_array
from simgauge.read.sources.table_source import label_of
from simgauge.read.sources.tensors import read_tensor, tensor_shapes
from simgauge.read.sources.unpacking import unpacked
from simgauge.read.vectors.ann_files import (
    is_benchmark_file,
    read_benchmark_file,
)
from simgauge.read.vectors.column_facts import facts_of
from simgauge.read.vectors.column_table import ColumnTable, of_arrow, of_arrow_file, of_frame, of_parquet
from simgauge.read.vectors.column_values import read_columns
from simgauge.read.vectors.conversions import (
    cannot_be_read,
    is_lance,
    open_lance,
    refuse_known_text,
    sparse_archive,
    sparse_text,
)
from simgauge.read.vectors.database_table import database_table
from simgauge.read.vectors.hdf5_file import hdf5_arrays
from simgauge.read.vectors.index_vectors import index_vectors, word_vectors
from simgauge.read.vectors.json_vectors import of_json
from simgauge.read.vectors.layout import find_layout
from simgauge.read.vectors.memory_vectors import of_memory
from simgauge.read.vectors.named_arrays import NamedArrays, labels_beside
from simgauge.read.vectors.reading import ROW_NUMBERS, span
from simgauge.read.vectors.text_columns import of_delimited
from simgauge.read.vectors.vector_table import (
    Options,
    VectorTable,
    bad_row_notes,
    origin_of,
    vector_table,
)
from simgauge.read.vectors.word2vec import looks_like_word2vec, sparse_line

BESIDE = (".json", ".md", ".txt", ".crc", ".yaml", ".yml")
"""Suffixes of what libraries put beside the parts of a table."""
TABULAR = (".csv", ".tsv", ".jsonl", ".ndjson", ".json")


def read_vectors(source: Any, options: Options) -> VectorTable:
    """Read one table; several files are parts of it, in the order given.

    Raises
    ------
    InputError
        Missing, empty, damaged or cut off, not what its name says, or without vectors.
    """
    if not is_path(source):
        held = of_memory(source)
        return _from_columns(of_frame(source), None, options, {"format": "frame in memory"}) if held is None else held
    if isinstance(source, (list, tuple)):
        return joined([read_vectors(part, options) for part in source])
    paths, key = split_key(source)
    if len(paths) == 1 and is_lance(paths[0]):
        origin = {"format": "Lance table", "file": paths[0].name}
        return _from_columns(of_arrow(open_lance(paths[0]), paths[0].name), key, options, origin)
    contents = [content_of(path) for path in paths]
    if len(set(contents)) > 1:
        kept = [path for path in paths if path.suffix.lower() not in BESIDE and not path.name.startswith("README")]
        paths, contents = kept or paths, [content_of(path) for path in kept or paths]
    if len(paths) > 1 and set(contents) == {"Parquet"}:
        return _from_columns(of_parquet(paths, label_of(paths)), key, options, origin_of(paths, "Parquet"))
    if len(paths) > 1 and key is not None:
        paths, contents = _holding(paths, contents, key)
    tables = [_read_file(path, content, key, options) for path, content in zip(paths, contents, strict=True)]
    return tables[0] if len(tables) == 1 else joined(tables)


def _holding(paths: list[Path], contents: list[str], key: str) -> tuple[list[Path], list[str]]:
    """The parts that hold the tensor: a checkpoint in several files has each tensor in one of them."""
    kept = []
    for path, content in zip(paths, contents, strict=True):
        shapes = tensor_shapes(path) if content == "safetensors" else {key: ()}
        if key in shapes or f"{key}.weight" in shapes:
            kept.append((path, content))
    if not kept:
        raise InputError(f"no tensor is called {key!r} in {paths[0].name} and the {len(paths) - 1} files beside it.")
    return [path for path, _ in kept], [content for _, content in kept]


def split_key(source: Any) -> tuple[list[Path], str | None]:
    """Files, and what stands after the last colon where the whole is no file."""
    left, colon, key = str(source).rpartition(":")
    if colon and not Path(source).exists() and (Path(left).exists() or (glob.has_magic(left) and glob.glob(left))):  # noqa: PTH207
        source, chosen = left, key
    else:
        chosen = None
    return [Path(source)] if is_lance(Path(source)) else expand(source), chosen


def _read_file(path: Path, content: str, key: str | None, options: Options) -> VectorTable:
    origin = origin_of([path], content) | ({} if key is None else {"key": key})
    with ExitStack() as stack:
        inner, kind = stack.enter_context(unpacked(path, content))
        table = _read_unpacked(inner, kind, key, options, origin)
        if inner != path:
            for side in (table, table.other_side):
                if side is not None and isinstance(side.vectors, np.memmap):
                    side.vectors = np.array(side.vectors)  # what it is mapped to is removed
        return table


def _read_unpacked(path: Path, content: str, key: str | None, options: Options, origin: dict[str, Any]) -> VectorTable:
    if is_benchmark_file(path):
        return vector_table(read_benchmark_file(path), origin | {"format": path.suffix[1:]}, "the file's rows")
    if content == "npy":
        return _only_key(vector_table(map_npy(path), origin, "the array"), path, key)
    arrays = _named_arrays(path, content)
    if arrays is not None:
        return arrays.table(key, options, origin | ({"library": "torch"} if arrays.labels else {}))
    index = index_vectors(path, content, origin)
    if index is not None:
        return _only_key(index, path, key)
    form = None
    if content in ("text", "binary") and path.suffix.lower() not in TABULAR:
        form = looks_like_word2vec(path)
    if content == "text":
        refuse_known_text(path)
        if line := sparse_line(path):
            raise sparse_text(path, line)
    if form is not None and key is None:
        return word_vectors(path, form, options, origin)
    table = _columns(path, content, key, options)
    if table is None:
        raise cannot_be_read(path, content)
    if content in ("SQLite", "DuckDB"):
        key = None
    return _from_columns(table, key, options, origin)


def _only_key(table: VectorTable, path: Path, key: str | None) -> VectorTable:
    if key is not None:
        raise InputError(f"{path.name} holds one table without a name: leave {key!r} after the colon out.")
    return table


def _named_arrays(path: Path, content: str) -> NamedArrays | None:
    if content == "torch" or (content == "zip" and is_torch_file(path)):
        tensors, state = load_checkpoint(path)
        shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
        return NamedArrays(
            path.name,
            shapes,
            lambda name: as_array(tensors[name], f"{path.name}:{name}"),
            labels_beside(state),
            kind="tensor",
        )
    if content == "zip":
        shapes = npz_shapes(path)
        if {"format", "shape", "data"} <= set(shapes):
            raise sparse_archive(path)
        return NamedArrays(path.name, shapes, lambda name: read_npz_array(path, name))
    if content == "safetensors":
        return NamedArrays(path.name, tensor_shapes(path), lambda name: read_tensor(path, name), kind="tensor")
    return hdf5_arrays(path) if content == "HDF5" else None


def _columns(path: Path, content: str, key: str | None, options: Options) -> ColumnTable | None:
    """The file as columns; None where it is no table."""
    if content == "Parquet":
        return of_parquet([path], path.name)
    if content == "Arrow":
        return of_arrow_file(path, path.name)
    if content in ("SQLite", "DuckDB"):
        return database_table(path, key)
    if content != "text":
        return None
    if is_json_text(path):
        return of_json(path, path.name, options.on_bad_row)
    given = [name for name in (options.ids, options.names) if isinstance(name, str) and not says_positions(name)]
    given += [key] if key else []
    return of_delimited(path, wanted=given, **options.text)


def is_json_text(path: Path) -> bool:
    """Whether a text file holds JSON, by its name and first bytes, which must agree."""
    suffix = path.suffix.lower()
    with path.open("rb") as file:
        head = file.read(512).removeprefix(b"\xef\xbb\xbf").replace(b"\x00", b"").lstrip(b"\xff\xfe").lstrip()
    looks, named = head[:1] in (b"{", b"["), suffix in (".json", ".jsonl", ".ndjson")
    if named and not looks:
        raise InputError(f"{path.name}: its name says JSON, its content does not begin with an object or a list.")
    return named or (looks and suffix not in (".csv", ".tsv"))


def _from_columns(table: ColumnTable, key: str | None, options: Options, origin: dict[str, Any]) -> VectorTable:
    layout = find_layout(table, facts_of(table), options.side, key, options.ids, options.names)
    vectors, ids, names, stored, dropped = read_columns(table, layout, options.on_bad_row)
    chosen = [table.names[position] for position in layout.vectors]
    found = vector_table(
        vectors,
        origin,
        span([str(position) for position in layout.vectors] if table.headerless else chosen),
        ids=ids,
        names=names,
        ids_from=_column_words(table, layout.ids) or ROW_NUMBERS,
        names_from=_column_words(table, layout.names) or "none",
        dtype=stored,
        left_out=layout.left_out,
        notes=(*table.notes, *bad_row_notes(dropped)),
    )
    found.has_columns = True
    return found


def _column_words(table: ColumnTable, position: int | None) -> str | None:
    if position is None:
        return None
    if table.headerless:
        return f"column {position} (there is no header)"
    name = table.names[position]
    return f"column {name}" if name.strip() else "the column without a name"


def joined(tables: list[VectorTable]) -> VectorTable:
    """Parts of one table, one below the other.

    Raises
    ------
    InputError
        Parts of different widths, different tensors, or ids in some parts only.
    """
    widths = [np.shape(table.vectors)[-1] for table in tables]
    if len(set(widths)) > 1:
        raise InputError(f"the parts of the table have different numbers of columns: {widths}.")
    keys = list(dict.fromkeys(str(table.origin["key"]) for table in tables if "key" in table.origin))
    if len(keys) > 1:
        files = [str(table.origin.get("file")) for table in tables]
        raise InputError(
            f"{files[0]} and the others hold different tensors ({', '.join(keys[:4])}), which are no parts of one "
            f"table. "
            f"Say which is meant: {files[0]}:{keys[0]}."
        )
    where = list(dict.fromkeys(str(table.origin.get("vectors")) for table in tables))
    if len(where) > 1:
        raise InputError(f"the parts of the table hold their vectors in different places: {'; '.join(where[:4])}.")
    with_ids = [table.ids for table in tables if table.ids is not None]
    if with_ids and len(with_ids) < len(tables):
        raise InputError("some parts of the table have ids and others have none: pass ids for all rows.")
    with_names = [table.names for table in tables if table.names is not None]
    first = tables[0].origin
    notes = tuple(dict.fromkeys(note for table in tables for note in table.origin.get("notes", [])))
    found = vector_table(
        np.concatenate([np.asarray(table.vectors) for table in tables]),
        {"parts": [table.origin for table in tables]},
        f"{where[0]} of {len(tables)} parts ({first.get('file', 'in memory')} …)",
        ids=np.concatenate(with_ids) if with_ids else None,
        names=np.concatenate(with_names) if len(with_names) == len(tables) else None,
        ids_from=str(first.get("ids", ROW_NUMBERS)),
        names_from=str(first.get("names", "none")),
        dtype=str(first.get("dtype", "")) or None,
        left_out=tuple(first.get("left_out", ())),
    )
    found.origin |= {"notes": list(notes)} if notes else {}
    return replace(found, has_columns=all(table.has_columns for table in tables))
