"""The directory of a saved embedding: written row block by row block, so that tables may be larger than memory."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from simgauge.core.tables.arrays import numpy_dtype, to_host
from simgauge.core.tables.kinds import Table
from simgauge.core.tables.row_parts import RowParts
from simgauge.core.tables.tables import map_rows
from simgauge.errors import InputError
from simgauge.labels import arrow_labels
from simgauge.storage.atomic import atomic_directory
from simgauge.storage.manifest import check_files, own_names, read_manifest, write_manifest
from simgauge.storage.model_card import CARD_FILE, is_own_card, may_write_card, model_card
from simgauge.storage.places import place_of

FORMAT_VERSION = 2
METADATA_FILE = "simgauge.json"
VECTORS_FILE = "vectors.safetensors"
ITEMS_FILE = "items.parquet"
USERS_FILE = "users.parquet"
MAP_FILE, RECORD_FILE, PAGE_FILE = "map.safetensors", "selection.json", "report.html"
LISTS_FILE = "item_lists.parquet"
"""What `fix` writes beside the vectors."""

AGAIN = "Save the embedding again, or copy the whole folder again."

KINDS = {"float32": "F32", "float64": "F64"}
BLOCK_BYTES = 16 << 20


@dataclass(frozen=True)
class RowBlocks:
    """A table of vectors that comes in blocks of rows, in order, each read once."""

    shape: tuple[int, int]
    dtype: np.dtype[Any]
    blocks: Iterable[NDArray[Any]]

    @classmethod
    def of(cls, table: Table) -> RowBlocks:
        """The blocks of a table: in memory, memory-mapped, a tensor on any device, or in parts on a cluster."""
        dtype = table.dtype if isinstance(table, RowParts) else numpy_dtype(table)
        step = max(1, BLOCK_BYTES // (int(table.shape[1]) * dtype.itemsize))
        return cls((int(table.shape[0]), int(table.shape[1])), dtype, map_rows(table, _block, step=step))


def _block(block: Any, _: int) -> NDArray[Any]:
    return to_host(block)


def write_embedding(
    directory: str | Path,
    *,
    items: RowBlocks,
    users: RowBlocks | None,
    item_ids: Any,
    item_names: Any,
    user_ids: Iterable[pa.Array],
    provenance: Mapping[str, Any],
    ids_given: tuple[bool, bool] = (True, True),
    more: Mapping[str, bytes] | None = None,
) -> Path:
    """Write the directory that `Embedding.save` writes, atomically, and `more` files with it; memory: one block.

    `ids_given` says of items and of users whether somebody named the rows, or their ids are mere row numbers.

    Raises
    ------
    InputError
        The directory holds something that simgauge did not write or cannot be written to, blocks that do not make up
        their shape, or vectors that are not finite.
    """
    target = Path(directory)
    with atomic_directory(target, own_embedding_files) as temporary:
        tables = {"items": items} | ({} if users is None else {"users": users})
        write_vectors(temporary / VECTORS_FILE, tables)
        columns = {"id": arrow_labels(item_ids), "name": arrow_labels(item_names)}
        pq.write_table(pa.table(columns), temporary / ITEMS_FILE)
        if users is not None:
            _write_ids(temporary / USERS_FILE, user_ids, users.shape[0])
        for name, content in (more or {}).items():
            (temporary / name).write_bytes(content)
        facts = {
            "format_version": FORMAT_VERSION,
            "n_items": items.shape[0],
            "n_users": 0 if users is None else users.shape[0],
            "n_components": items.shape[1],
            "dtype": {name: str(table.dtype) for name, table in tables.items()},
            "item_ids_given": ids_given[0],
            "user_ids_given": ids_given[1] and users is not None,
            "provenance": dict(provenance),
        }
        write_manifest(temporary / METADATA_FILE, facts)
        if may_write_card(target):
            (temporary / CARD_FILE).write_bytes(model_card(facts, temporary))
    return target


def own_embedding_files(directory: Path) -> set[str]:
    """Names in a directory that are files of a saved embedding; a card that somebody has edited is not."""
    usual = (VECTORS_FILE, ITEMS_FILE, USERS_FILE, MAP_FILE, RECORD_FILE, PAGE_FILE, LISTS_FILE)
    own = own_names(directory, METADATA_FILE, usual)
    return own | {CARD_FILE} if own and is_own_card(directory / CARD_FILE) else own


@dataclass(frozen=True)
class SavedEmbedding:
    """Contents of the directory of a saved embedding, as they were written."""

    tables: Mapping[str, NDArray[Any]]
    item_ids: NDArray[Any]
    item_names: NDArray[Any]
    user_ids: NDArray[Any] | None
    provenance: Mapping[str, Any]
    ids_given: tuple[bool, bool]
    """Whether somebody named the items and the users."""


def read_embedding_directory(source: Path, *, mmap: bool) -> SavedEmbedding:
    """Read what `write_embedding` wrote, every file of it compared with its checksum.

    Raises
    ------
    InputError
        A file is missing, cut off or altered, was written by another format version, or is not what is declared.
    """
    facts = read_manifest(source / METADATA_FILE, version=FORMAT_VERSION, kind="a saved embedding", again=AGAIN)
    try:
        check_files(source, facts, again=AGAIN)
        tables = {
            name: table if mmap else np.array(table)
            for name, table in map_vectors(place_of(source / VECTORS_FILE)).items()
        }
        items = pq.read_table(place_of(source / ITEMS_FILE))
        users = pq.read_table(place_of(source / USERS_FILE)) if facts["n_users"] else None
        rows = {"items": facts["n_items"], **({"users": facts["n_users"]} if users is not None else {})}
        declared = {name: ((count, facts["n_components"]), facts["dtype"][name]) for name, count in rows.items()}
        found = {name: (table.shape, table.dtype.name) for name, table in tables.items()}
        if found != declared or len(items) != rows["items"] or (users is not None and len(users) != rows["users"]):
            raise InputError(f"{source} holds {found} where {declared} is declared. {AGAIN}")
        user_ids = None if users is None else users["id"].to_numpy()
        provenance = dict(facts["provenance"])
        given = (bool(facts["item_ids_given"]), bool(facts["user_ids_given"]))
        return SavedEmbedding(tables, items["id"].to_numpy(), items["name"].to_numpy(), user_ids, provenance, given)
    except (KeyError, TypeError, AttributeError, ValueError, OSError, MemoryError, pa.ArrowException) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{source} is not a saved embedding or is damaged: {error}.") from error


def write_vectors(path: Path, tables: Mapping[str, RowBlocks]) -> None:
    """A safetensors file, block by block; the library's own writer copies each table as a whole.

    Examples
    --------
    >>> import tempfile
    >>> from safetensors.numpy import load_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_vectors(Path(folder) / "v.safetensors", {"items": RowBlocks.of(np.eye(2))})
    ...     load_file(Path(folder) / "v.safetensors")["items"]
    array([[1., 0.],
           [0., 1.]])
    """
    entries, start = {}, 0
    for name, table in tables.items():
        stop = start + table.shape[0] * table.shape[1] * table.dtype.itemsize
        kind = KINDS[str(table.dtype)]
        entries[name] = {"dtype": kind, "shape": list(table.shape), "data_offsets": [start, stop]}
        start = stop
    header = json.dumps(entries, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)  # so that tables begin where a memory map can use them
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        for name, table in tables.items():
            for block in _checked(name, table):
                file.write(np.ascontiguousarray(block, dtype=table.dtype.newbyteorder("<")).data)


def map_vectors(path: Path) -> dict[str, NDArray[Any]]:
    """The tables of a safetensors file as read-only memory maps.

    Raises
    ------
    InputError
        The file is damaged.
    """
    names = {kind: dtype for dtype, kind in KINDS.items()}
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            entries = json.loads(file.read(size))
        tables = {}
        for name, entry in entries.items():
            if name != "__metadata__":
                kind, shape = np.dtype(names[entry["dtype"]]).newbyteorder("<"), tuple(entry["shape"])
                offset = 8 + size + entry["data_offsets"][0]
                tables[name] = np.asarray(np.memmap(path, dtype=kind, mode="r", offset=offset, shape=shape))
    except (OSError, ValueError, KeyError, TypeError, OverflowError, MemoryError) as error:
        raise InputError(f"{path} is no safetensors file of vectors or is damaged: {error}.") from error
    return tables


def _checked(name: str, table: RowBlocks) -> Iterator[NDArray[Any]]:
    rows = 0
    for block in table.blocks:
        if not np.isfinite(block).all():
            raise InputError(f"{name}: rows {rows} to {rows + len(block) - 1} hold NaN or infinite values.")
        rows += len(block)
        yield block
    if rows != table.shape[0]:
        raise InputError(f"{name}: {rows} rows came where {table.shape[0]} were announced.")


def _write_ids(path: Path, ids: Iterable[pa.Array], expected: int) -> None:
    writer, rows = None, 0
    try:
        for batch in ids:
            writer = writer or pq.ParquetWriter(path, pa.schema([("id", batch.type)]))
            writer.write_table(pa.table({"id": batch}))
            rows += len(batch)
    finally:
        if writer is not None:
            writer.close()
    if rows != expected:
        raise InputError(f"user_ids: {rows} labels came for {expected} rows: pass exactly one label per row.")
