"""Interactions that lie on disk: what `store_interactions` wrote, opened as a matrix in parts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from simgauge.core.tables.row_parts import LocalParts
from simgauge.errors import InputError
from simgauge.interactions import Interactions
from simgauge.labels import Ids
from simgauge.read.store.stored_pairs import FILES, ITEMS_FILE, USERS_FILE, Part, map_parts, part_crc32

FORMAT_VERSION = 1
METADATA_FILE = "stored_interactions.json"


@dataclass(frozen=True, eq=False)
class StoredInteractions:
    """Interactions in memory-mapped parts, users in rows, with the ids of both sides.

    Made by `store_interactions` and `StoredInteractions.load`. `LinearAutoencoder.fit(store.matrix)` takes the matrix
    as it is. Opening costs the ids and names of the items, and nothing per user or pair.

    Attributes
    ----------
    matrix : LocalParts, shape (n_users, n_items)
        CSR parts over memory maps, about 4 million pairs each; read-only.
    item_ids, item_names : ndarray
        As in `Interactions`.
    item_counts : ndarray of int64, shape (n_items,)
        Distinct users per item.
    report : mapping
        How the data was read: rows read, dropped and why.
    directory : Path
        Where the files lie.
    """

    matrix: LocalParts
    item_ids: Ids
    item_names: Ids | None
    item_counts: NDArray[np.int64]
    report: Mapping[str, Any]
    directory: Path

    @property
    def n_users(self) -> int:
        """Number of users."""
        return self.matrix.shape[0]

    @property
    def n_items(self) -> int:
        """Number of items."""
        return self.matrix.shape[1]

    @property
    def nnz(self) -> int:
        """Number of user-item pairs with a positive weight."""
        return int(self.item_counts.sum())

    @property
    def nbytes(self) -> int:
        """Bytes of the files on disk."""
        return sum((self.directory / name).stat().st_size for name in FILES)

    @property
    def user_ids(self) -> Ids:
        """The users' ids, read from disk at every call: 8 bytes a user, about 60 where they are text."""
        return _labels(pq.read_table(self.directory / USERS_FILE)["id"])

    def user_id_batches(self) -> Iterator[pa.RecordBatch]:
        """The users' ids in Arrow batches with one column, "id", in the order of the rows."""
        with pq.ParquetFile(self.directory / USERS_FILE) as file:
            yield from file.iter_batches()

    def __repr__(self) -> str:
        size = f"{self.n_users} users, {self.n_items} items, {self.nnz} pairs"
        return f"StoredInteractions({size}, {self.matrix.dtype}, {len(self.matrix.parts)} parts)"

    def in_memory(self) -> Interactions:
        """The same as `Interactions`, for data that fit into memory."""
        return Interactions(self.matrix.gather(), self.user_ids, self.item_ids, self.item_names, dict(self.report))

    @classmethod
    def load(cls, directory: str | Path, *, verify: bool = True) -> Self:
        """Open what `store_interactions` wrote.

        Parameters
        ----------
        directory : path
            Where it lies.
        verify : bool
            Compare the checksum of every part, which reads the store once (about as long as one product with it). The
            column numbers of a damaged part would be followed to places outside of the table, so leave this out only
            for a store that was verified before. Sizes and headers are compared in any case.

        Raises
        ------
        InputError
            Not such a directory, a file is missing, cut off or altered, or it was written by a newer format.
        """
        source = Path(directory)
        metadata = _metadata(source)
        try:
            parts = [Part(*map(int, part)) for part in metadata["parts"]]
            for name, size in metadata["bytes"].items():
                _check_size(source / name, int(size))
            items = pq.read_table(source / ITEMS_FILE)
            shape = (int(metadata["n_users"]), int(metadata["n_items"]))
            dtype = np.dtype(metadata["dtype"])
            if dtype not in (np.float32, np.float64) or len(items) != shape[1]:
                raise InputError(
                    f"{source}: {len(items)} items in {ITEMS_FILE}, {shape[1]} and {dtype} by its metadata."
                )
            matrix = LocalParts(map_parts(source, shape[1], parts, dtype))
            named = "name" in items.column_names
            found = cls(
                matrix,
                _labels(items["id"]),
                _labels(items["name"]) if named else None,
                items["count"].to_numpy(),
                MappingProxyType(metadata["report"]),
                source,
            )
        except (KeyError, TypeError, AttributeError, ValueError, OSError, pa.ArrowException) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{source} does not hold stored interactions or is damaged: {error!s:.300}.") from error
        if verify:
            _compare(found, parts)
        return found


def _metadata(source: Path) -> dict[str, Any]:
    path = source / METADATA_FILE
    try:
        metadata: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        version = int(metadata["format_version"])
    except FileNotFoundError as error:
        raise InputError(
            f"{source} is no store of interactions: {METADATA_FILE} is missing. Make one with store_interactions."
        ) from error
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path} cannot be read: {error}. Make the store again with store_interactions.") from error
    if version > FORMAT_VERSION:
        raise InputError(
            f"{source}: format version {version} is newer than this simgauge ({FORMAT_VERSION}): update simgauge."
        )
    return metadata


def _check_size(path: Path, expected: int) -> None:
    if not path.is_file():
        raise InputError(
            f"{path.parent} is no complete store of interactions: {path.name} is missing. Make it again with "
            "store_interactions."
        )
    if path.stat().st_size != expected:
        raise InputError(
            f"{path} has {path.stat().st_size:,} bytes where {expected:,} were written: it was cut off or altered. Make "
            "the store again with store_interactions."
        )


def _compare(store: StoredInteractions, parts: list[Part]) -> None:
    found = store.matrix.map(lambda part, _: part_crc32(part))
    for number, (part, crc) in enumerate(zip(parts, found, strict=True)):
        if part.crc32 != crc:
            raise InputError(
                f"{store.directory}: part {number} of {len(parts)} is not what was written (CRC-32 differs). Make the "
                "store again with store_interactions."
            )


def _labels(column: pa.ChunkedArray) -> Ids:
    integers = pa.types.is_integer(column.type)
    labels = column.to_numpy() if integers else np.array(column.to_pylist(), dtype=object)
    labels.flags.writeable = False
    return labels


def write_metadata(directory: Path, parts: list[Part], n_items: int, dtype: Any, report: Mapping[str, Any]) -> None:
    """Write the file by which a store is known, last of all, from the sizes of the others."""
    metadata = {
        "format_version": FORMAT_VERSION,
        "n_users": sum(part.n_users for part in parts),
        "n_items": n_items,
        "nnz": sum(part.n_pairs for part in parts),
        "dtype": str(np.dtype(dtype)),
        "parts": [list(part) for part in parts],
        "bytes": {name: (directory / name).stat().st_size for name in FILES},
        "report": dict(report),
    }
    text = json.dumps(metadata, ensure_ascii=False, indent=1) + "\n"
    (directory / METADATA_FILE).write_text(text, encoding="utf-8")
