"""NumPy's own files: ``.npy`` with the ids beside it, ``.npz`` with everything in one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from simgauge.progress import Progress
from simgauge.stores.rows import ExportRows
from simgauge.stores.vector_file import VectorFile


class NpyFile(VectorFile):
    """One table of float32, row by row; ids in ``PATH.ids.parquet``."""

    kind = "npy"
    content = "npy"

    @property
    def ids_path(self) -> Path:
        """See `VectorFile.ids_path`."""
        return Path(f"{self.address}.ids.parquet")

    def write_to(self, rows: ExportRows, path: Path, progress: Progress) -> None:
        """See `VectorFile.write_to`; memory: one block."""
        with path.open("wb") as file:
            header = {"descr": "<f4", "fortran_order": False, "shape": (rows.n_rows, rows.n_components)}
            np.lib.format.write_array_header_1_0(file, header)
            for block in rows.blocks(progress):
                file.write(block.astype("<f4").tobytes())

    def recipe(self, rows: ExportRows) -> str:
        """See `Store.recipe`."""
        what = "cosine, since rows have norm one" if rows.unit else "inner product"
        return f"# scores are the {what}: larger is nearer\nscores = np.load({self.address!r}, mmap_mode='r') @ query"


class NpzFile(VectorFile):
    """Arrays items, item_ids, names and norms."""

    kind = "npz"
    content = "zip"

    def write_to(self, rows: ExportRows, path: Path, progress: Progress) -> None:
        """See `VectorFile.write_to`; memory: the whole table."""
        ids = rows.ids if rows.ids.dtype != object else rows.ids.astype(str)
        with path.open("wb") as file:
            np.savez(file, items=rows.vectors(), item_ids=ids, names=rows.names.astype(str), norms=rows.norms)
        progress("writing rows", rows.n_rows, rows.n_rows)

    def recipe(self, rows: ExportRows) -> str:
        """See `Store.recipe`."""
        what = "cosine, since rows have norm one" if rows.unit else "inner product"
        return f"# scores are the {what}: larger is nearer\nscores = np.load({self.address!r})['items'] @ query"
