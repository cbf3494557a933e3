"""One table of vectors from any source: an array, a frame, or a file known by its content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.errors import InputError
from simgauge.read.libraries.faiss_index import from_faiss_file, is_faiss_file
from simgauge.read.libraries.torch_tables import as_array, is_torch_file, load_weights
from simgauge.read.sources.columns import find_column
from simgauge.read.sources.files import content_of, expand, is_path
from simgauge.read.sources.npz import map_npy, npz_shapes, read_npz_array
from simgauge.read.sources.open_source import open_source
from simgauge.read.sources.tensors import read_tensor, tensor_shapes
from simgauge.read.vectors.vector_columns import find_layout, read_columns
from simgauge.read.vectors.word2vec import looks_like_word2vec, read_word2vec_binary, read_word2vec_text
from simgauge.storage.hashing import sha256_of_file

LARGEST_HASHED = 1 << 30
"""Files above this size are known by name and size only; hashing them would be a pass over the disk of its own."""
ID_ARRAYS = {"item": ("item_ids", "ids", "items_ids", "words", "keys"), "user": ("user_ids", "users_ids")}


@dataclass
class VectorTable:
    """Vectors with what was found beside them; `origin` is what the provenance keeps."""

    vectors: Any
    ids: NDArray[Any] | None = None
    names: NDArray[Any] | None = None
    origin: dict[str, Any] = field(default_factory=dict)
    other_side: VectorTable | None = None
    """The users' table, where one file holds both and both were recognised."""


@dataclass(frozen=True)
class Options:
    """How one table is to be read: the side it is, columns given by the caller, and the conventions of text."""

    side: str = "item"
    ids: Any = None
    names: Any = None
    both: bool = False
    text: Mapping[str, Any] = field(default_factory=dict)


def read_vectors(source: Any, options: Options) -> VectorTable:
    """Read one table; several files are parts of it, in the order given.

    Raises
    ------
    InputError
        Missing, empty, damaged or cut off, not what its name says, or without vectors.
    """
    if not is_path(source):
        if isinstance(source, (np.ndarray, list, tuple)):
            return VectorTable(source, origin={"format": "array in memory"})
        return _from_table(source, None, options, {"format": "frame in memory"})
    if isinstance(source, (list, tuple)):
        return _joined([read_vectors(part, options) for part in source])
    paths, key = _split_key(source)
    contents = [content_of(path) for path in paths]
    if len(paths) > 1 and contents[0] == "Parquet":
        return _from_table(paths, key, options, origin_of(paths, "Parquet"))
    tables = [_read_file(path, content, key, options) for path, content in zip(paths, contents, strict=True)]
    return tables[0] if len(tables) == 1 else _joined(tables)


def _split_key(source: Any) -> tuple[list[Path], str | None]:
    """Files, and what stands after the last colon where the whole is no file."""
    left, colon, key = str(source).rpartition(":")
    if colon and not Path(source).exists() and Path(left).exists():
        return expand(left), key
    return expand(source), None


def _read_file(path: Path, content: str, key: str | None, options: Options) -> VectorTable:
    origin = origin_of([path], content) | ({} if key is None else {"key": key})
    if content == "npy":
        return VectorTable(map_npy(path), origin=origin)
    if content == "zip" and is_torch_file(path):
        return _from_checkpoint(path, key, options, origin)
    if content == "zip":
        shapes = npz_shapes(path)
        return _from_named(path, shapes, lambda name: read_npz_array(path, name), key, options, origin)
    if content == "safetensors":
        tensors = tensor_shapes(path)
        return _from_named(path, tensors, lambda name: read_tensor(path, name), key, options, origin)
    if content == "binary" and is_faiss_file(path):
        found = from_faiss_file(path)
        return VectorTable(found.items, found.item_ids, origin=origin | {"format": "FAISS index"} | found.provenance)
    table_like = path.suffix.lower() in (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".gz")
    form = looks_like_word2vec(path) if content in ("text", "binary") and not table_like else None
    if form is not None:
        read = read_word2vec_text if form == "text" else read_word2vec_binary
        words = read(path, options.text.get("on_bad_row", "error"))
        origin |= {"format": f"word2vec {form}", **({"notes": list(words.notes)} if words.notes else {})}
        return VectorTable(words.vectors, ids=words.words, origin=origin)
    if content not in ("text", "gzip", "Parquet"):
        raise InputError(
            f"{path.name} is {content}, which holds no vectors that can be read here. Accepted: npy, npz, Parquet, "
            "CSV, TSV, JSON lines, safetensors, word2vec text and binary, FAISS indexes, torch checkpoints (weights only), "
            "model folders of Spark ALS, a directory written by Embedding.save."
        )
    return _from_table(path, key, options, origin)


def _from_table(source: Any, key: str | None, options: Options, origin: dict[str, Any]) -> VectorTable:
    given = [name for name in (key, options.ids, options.names) if isinstance(name, str)]
    with open_source(source, wanted=given, **options.text) as opened:
        vector = int(key) if key is not None and key.isdigit() and key not in opened.names else key
        layout = find_layout(opened, options.side, vector, options.ids, options.names)
        vectors, ids, names = read_columns(opened, layout)
        rejected = opened.count_rejects()
    columns = {
        "vectors": [opened.names[position] for position in layout.vectors[:3]],
        "ids": None if layout.ids is None else opened.names[layout.ids],
        "names": None if layout.names is None else opened.names[layout.names],
    }
    notes = opened.notes + ([f"{rejected} bad lines left out"] if rejected else [])
    return VectorTable(vectors, ids, names, origin | {"columns": columns, **({"notes": notes} if notes else {})})


def _from_named(
    path: Path,
    shapes: Mapping[str, tuple[int, ...]],
    read: Any,
    key: str | None,
    options: Options,
    origin: dict[str, Any],
) -> VectorTable:
    """A file of named arrays: the one asked for, the only table in it, or the two sides."""
    tables = [name for name, shape in shapes.items() if len(shape) == 2]
    listed = ", ".join(f"{name} {tuple(shape)}" for name, shape in list(shapes.items())[:20])
    if key is not None:
        position = find_column(key, list(shapes), role="vectors", where=path.name)
        return VectorTable(
            read(list(shapes)[position]), _named_ids(shapes, read, options.side, list(shapes)[position]), None, origin
        )
    pairs = [(name, user) for name in tables if (user := _user_name(name)) in tables and user != name]
    if len(pairs) == 1:
        item, user = pairs[0]
        sides = {
            "item": VectorTable(read(item), _named_ids(shapes, read, "item", item), None, origin | {"key": item}),
            "user": VectorTable(read(user), _named_ids(shapes, read, "user", user), None, origin | {"key": user}),
        }
        chosen = sides[options.side]
        if options.both:
            chosen.other_side = sides["user"]
        return chosen
    if len(tables) == 1:
        return VectorTable(
            read(tables[0]), _named_ids(shapes, read, options.side, tables[0]), None, origin | {"key": tables[0]}
        )
    raise InputError(
        f"{path.name} holds {len(tables)} tables: {listed or 'nothing'}. Say which, such as "
        f"{path.name}:{next(iter(tables or shapes), 'name')}."
    )


def _from_checkpoint(path: Path, key: str | None, options: Options, origin: dict[str, Any]) -> VectorTable:
    tensors = load_weights(path)
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if key is not None and key not in shapes and f"{key}.weight" in shapes:
        key = f"{key}.weight"
    origin |= {"format": "PyTorch checkpoint"}
    return _from_named(path, shapes, lambda name: as_array(tensors[name]), key, options, origin)


def _user_name(name: str) -> str:
    return name.replace("item", "user").replace("Item", "User").replace("ITEM", "USER")


def _named_ids(shapes: Mapping[str, tuple[int, ...]], read: Any, side: str, table: str) -> NDArray[Any] | None:
    """Ids of that side that lie in the same file, one for each row of the table."""
    found = [name for name in ID_ARRAYS[side] if shapes.get(name) == shapes[table][:1]]
    return None if not found else np.asarray(read(found[0]))


def _joined(tables: list[VectorTable]) -> VectorTable:
    widths = [np.shape(table.vectors)[-1] for table in tables]
    if len(set(widths)) > 1:
        raise InputError(f"the parts of the table have different numbers of columns: {widths}.")
    with_ids = [table.ids for table in tables if table.ids is not None]
    if with_ids and len(with_ids) < len(tables):
        raise InputError("some parts of the table have ids and others have none: pass ids for all rows.")
    with_names = [table.names for table in tables if table.names is not None]
    return VectorTable(
        np.concatenate([np.asarray(table.vectors) for table in tables]),
        np.concatenate(with_ids) if with_ids else None,
        np.concatenate(with_names) if len(with_names) == len(tables) else None,
        {"parts": [table.origin for table in tables]},
    )


def origin_of(paths: list[Path], content: str) -> dict[str, Any]:
    """What the provenance says of the files: never where they lay."""
    described = []
    for path in paths:
        size = path.stat().st_size
        entry: dict[str, Any] = {"file": path.name, "bytes": size}
        if size <= LARGEST_HASHED:
            entry["sha256"] = sha256_of_file(path)
        described.append(entry)
    return {"format": content, **(described[0] if len(described) == 1 else {"files": described})}
