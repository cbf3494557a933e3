"""fvecs, the format of vector search benchmarks: each row is its length as int32 and float32 numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from simgauge.errors import InputError
from simgauge.progress import Progress
from simgauge.stores.card import read_card
from simgauge.stores.rows import ExportRows
from simgauge.stores.store import StoredVectors
from simgauge.stores.vector_file import VectorFile


class FvecsFile(VectorFile):
    """Vectors alone; ids in ``PATH.ids.parquet``."""

    kind = "fvecs"
    content = "binary"

    @property
    def ids_path(self) -> Path:
        """See `VectorFile.ids_path`."""
        return Path(f"{self.address}.ids.parquet")

    def write_to(self, rows: ExportRows, path: Path, progress: Progress) -> None:
        """See `VectorFile.write_to`."""
        with path.open("wb") as file:
            for block in rows.blocks(progress):
                table = np.empty((len(block), rows.n_components + 1), dtype="<f4")
                table[:, 0] = np.array([rows.n_components], dtype="<i4").view("<f4")
                table[:, 1:] = block
                file.write(table.tobytes())

    def read(self, *, rows: bool = True) -> StoredVectors:
        """See `Store.read`."""
        path = Path(self.address)
        raw = np.fromfile(path, dtype="<i4") if path.is_file() else np.empty(0, "<i4")
        width = int(raw[0]) if len(raw) else 0
        if width < 1 or len(raw) % (width + 1) or (raw.reshape(-1, width + 1)[:, 0] != width).any():
            raise InputError(f"{path} is no fvecs file: every row must begin with the same number of components.")
        vectors = raw.view("<f4").reshape(-1, width + 1)[:, 1:].astype(np.float32)
        card = read_card(self.card_path)
        return StoredVectors(self.ids_beside(len(vectors)), vectors, None, len(vectors), card)

    def recipe(self, rows: ExportRows) -> str:
        """See `Store.recipe`."""
        return (
            "# inner products of unit rows are their cosines: larger is nearer\n"
            f"table = np.fromfile({self.address!r}, '<f4').reshape(-1, {rows.n_components + 1})[:, 1:]; scores = "
            f"table @ query"
        )
