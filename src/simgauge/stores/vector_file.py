"""What files of vectors share: replaced as a whole, read back by the package's own readers, no queries."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from simgauge.errors import InputError
from simgauge.progress import Progress, logged
from simgauge.read.embedding_files import read_embedding
from simgauge.read.sources.files import SUFFIXES, content_of
from simgauge.stores.card import exchanged_files, read_card
from simgauge.stores.columns import as_ids_of_store
from simgauge.stores.rows import ExportRows
from simgauge.stores.store import Store, StoredVectors, Written


class VectorFile(Store):
    """A file of vectors, with the card in ``PATH.json`` beside it."""

    tables = False
    searches = False
    appends = False
    content: ClassVar[str]
    """What `content_of` says of such a file."""

    def write(self, rows: ExportRows, *, index: bool = True, progress: Progress = logged) -> Written:
        """See `Store.write`."""
        expected = SUFFIXES.get(Path(self.address).suffix.lower(), self.content)
        if expected != self.content:
            raise InputError(f"{self.address} would be a file of {self.kind}, and its name says {expected}.")
        with exchanged_files(self.card_path, rows.card, [Path(self.address), *self.beside()]) as (path, *beside):
            self.write_to(rows, path, progress)
            notes = self.write_beside(rows, beside)
        return Written(rows.n_rows, None, notes)

    def read(self, *, rows: bool = True) -> StoredVectors:
        """See `Store.read`."""
        path = Path(self.address)
        if not path.is_file():
            raise InputError(f"{path} does not exist.")
        content = content_of(path)
        if content != self.content:
            raise InputError(f"{path} is {content}, and {self.kind} was asked for: name its own kind before the colon.")
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
        path = self.ids_path
        if path is None or not path.is_file():
            return np.arange(n_rows, dtype=np.int64)
        return as_ids_of_store(pq.read_table(path)["id"].to_pylist())

    def write_beside(self, rows: ExportRows, paths: Sequence[Path]) -> tuple[str, ...]:
        """Write the files of `beside` to temporary paths; notes for the user."""
        if self.ids_path is None:
            return ()
        write_ids(rows, *paths)
        return (f"ids, names and norms are in {self.ids_path.name}",)

    @abstractmethod
    def write_to(self, rows: ExportRows, path: Path, progress: Progress) -> None:
        """Write the file itself."""


def write_ids(rows: ExportRows, path: Path) -> None:
    """Ids, names and norms as a Parquet file, for files that hold vectors alone."""
    batches = [batch.select(["id", "name", "norm"]) for batch in rows.batches()]
    pq.write_table(pa.Table.from_batches(batches), path)
