"""Interactions that lie on disk: what `store_interactions` wrote, opened as a matrix in parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from simgauge.core.tables.row_parts import LocalParts
from simgauge.errors import InputError
from simgauge.frozen import frozen_json
from simgauge.interactions import Interactions
from simgauge.labels import Ids
from simgauge.read.store.stored_pairs import FILES, ITEMS_FILE, USERS_FILE, Part, map_parts
from simgauge.storage.manifest import check_files, own_names, read_manifest, write_manifest
from simgauge.storage.places import place_of

FORMAT_VERSION = 2
METADATA_FILE = "stored_interactions.json"
AGAIN = "Make the store again with store_interactions."


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
        return sum(place_of(self.directory / name).stat().st_size for name in FILES)

    @property
    def user_ids(self) -> Ids:
        """The users' ids, read from disk at every call: 8 bytes a user, about 60 where they are text."""
        return _labels(pq.read_table(place_of(self.directory / USERS_FILE))["id"])

    def user_id_batches(self) -> Iterator[pa.RecordBatch]:
        """The users' ids in Arrow batches with one column, "id", in the order of the rows."""
        with pq.ParquetFile(place_of(self.directory / USERS_FILE)) as file:
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
            Compare the checksum of every file, which reads the store once (about as long as one product with it). The
            column numbers of a damaged part would be followed to places outside of the table, so leave this out only
            for a store that was verified before. Sizes and headers are compared in any case.

        Raises
        ------
        InputError
            Not such a directory, a file is missing, cut off or altered, or it was written by another format version.
        """
        source = Path(directory)
        metadata = read_manifest(
            source / METADATA_FILE, version=FORMAT_VERSION, kind="a store of interactions", again=AGAIN
        )
        try:
            check_files(source, metadata, again=AGAIN, content=verify)
            parts = [Part(*map(int, part)) for part in metadata["parts"]]
            items = pq.read_table(place_of(source / ITEMS_FILE))
            shape = (int(metadata["n_users"]), int(metadata["n_items"]))
            dtype = np.dtype(metadata["dtype"])
            if dtype not in (np.float32, np.float64) or len(items) != shape[1]:
                raise InputError(
                    f"{source}: {len(items)} items in {ITEMS_FILE}, {shape[1]} and {dtype} by its metadata."
                )
            matrix = LocalParts(map_parts(source, shape[1], parts, dtype))
            named = "name" in items.column_names
            return cls(
                matrix,
                _labels(items["id"]),
                _labels(items["name"]) if named else None,
                items["count"].to_numpy(),
                frozen_json(metadata["report"], "report"),
                source,
            )
        except (KeyError, TypeError, AttributeError, ValueError, OSError, pa.ArrowException) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{source} does not hold stored interactions or is damaged: {error!s:.300}.") from error


def _labels(column: pa.ChunkedArray) -> Ids:
    integers = pa.types.is_integer(column.type)
    labels = column.to_numpy() if integers else np.array(column.to_pylist(), dtype=object)
    labels.flags.writeable = False
    return labels


def write_metadata(directory: Path, parts: list[Part], n_items: int, dtype: Any, report: Mapping[str, Any]) -> None:
    """Write the file by which a store is known, last of all, with the sizes and hashes of the others."""
    facts = {
        "format_version": FORMAT_VERSION,
        "n_users": sum(part.n_users for part in parts),
        "n_items": n_items,
        "nnz": sum(part.n_pairs for part in parts),
        "dtype": str(np.dtype(dtype)),
        "parts": [list(part) for part in parts],
        "report": dict(report),
    }
    write_manifest(directory / METADATA_FILE, facts)


def own_store_files(directory: Path) -> set[str]:
    """Names in a directory that are files of a store."""
    return own_names(directory, METADATA_FILE, FILES)
