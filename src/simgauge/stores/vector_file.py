"""What files of vectors share: replaced as a whole, read back by the package's own readers, no queries."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.errors import InputError
from simgauge.progress import Progress, silent
from simgauge.read.embedding_files import read_embedding
from simgauge.storage.atomic import atomic_file
from simgauge.stores.card import read_card, write_card
from simgauge.stores.rows import ExportRows
from simgauge.stores.store import Store, StoredVectors, Written


class VectorFile(Store):
    """A file of vectors, with the card in ``PATH.json`` beside it."""

    searches = False
    appends = False

    def write(self, rows: ExportRows, *, index: bool = True, progress: Progress = silent) -> Written:
        """See `Store.write`."""
        path = Path(self.address)
        notes = self.write_beside(rows, path)
        with atomic_file(path) as temporary:
            self.write_to(rows, temporary, progress)
        write_card(self.card_path, rows.card, [path, *self.beside()])
        return Written(rows.n_rows, None, notes)

    def read(self, *, rows: bool = True) -> StoredVectors:
        """See `Store.read`."""
        path = Path(self.address)
        if not path.is_file():
            raise InputError(f"{path} does not exist.")
        card = read_card(self.card_path)
        found = read_embedding(path)
        vectors = np.asarray(found.items, dtype=np.float32)
        ids = found.item_ids if self.ids_path is None else self.ids_beside(len(vectors))
        if card is not None and card.get("integer_ids") and ids.dtype == object:  # formats of text know no numbers
            ids = np.array([int(label) for label in ids], dtype=np.int64)
        return StoredVectors(ids, vectors, None, len(vectors), card)

    @property
    def card_path(self) -> Path:
        """Where the card lies."""
        return Path(f"{self.address}.json")

    def beside(self) -> list[Path]:
        """Files that belong to it."""
        return [] if self.ids_path is None else [self.ids_path]

    @property
    def ids_path(self) -> Path | None:
        """Where the ids lie, for files that hold none."""
        return None

    def ids_beside(self, n_rows: int) -> NDArray[Any]:
        """The ids in the file beside, one per row."""
        import pyarrow.parquet as pq

        from simgauge.stores.columns import as_ids_of_store

        path = self.ids_path
        if path is None or not path.is_file():
            return np.arange(n_rows, dtype=np.int64)
        return as_ids_of_store(pq.read_table(path)["id"].to_pylist())

    def write_beside(self, rows: ExportRows, path: Path) -> tuple[str, ...]:
        """Files that belong to it, written first; notes for the user."""
        if self.ids_path is None:
            return ()
        import pyarrow as pa
        import pyarrow.parquet as pq

        with atomic_file(self.ids_path) as temporary:
            batches = [batch.select(["id", "name", "norm"]) for batch in rows.batches()]
            pq.write_table(pa.Table.from_batches(batches), temporary)
        return (f"ids, names and norms are in {self.ids_path.name}",)

    @abstractmethod
    def write_to(self, rows: ExportRows, path: Path, progress: Progress) -> None:
        """Write the file itself."""
