"""usearch: an index file, read and asked; simgauge writes none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.errors import InputError, optional_import
from simgauge.progress import Progress, logged
from simgauge.stores.condition import Condition
from simgauge.stores.rows import ExportRows
from simgauge.stores.store import NOTHING, Store, StoredVectors, Written

METRICS = {"cos": "cosine", "ip": "dot", "l2sq": "l2"}


class UsearchFile(Store):
    """An index file with its keys."""

    kind = "usearch"
    tables = False
    appends = False

    def write(self, rows: ExportRows, *, index: bool = True, progress: Progress = logged) -> Written:
        """Not offered."""
        raise InputError("usearch: files are checked, not written: export to faiss: or to a store.")

    def read(self, *, rows: bool = True) -> StoredVectors:
        """See `Store.read`."""
        index = self._load()
        keys = np.asarray(index.keys, dtype=np.int64)
        vectors = np.asarray(index.get(keys), dtype=np.float32) if rows else NOTHING
        metric = METRICS.get(str(getattr(index.metric_kind, "name", index.metric_kind)).lower())
        notes = () if str(index.dtype).lower().endswith("f32") else (f"numbers are kept as {index.dtype}",)
        return StoredVectors(keys if rows else keys[:0], vectors, metric, len(index), None, "HNSW", notes)

    def search(
        self, queries: NDArray[np.float32], k: int, metric: str, *, exact: bool, only: Condition | None = None
    ) -> list[NDArray[Any]]:
        """See `Store.search`; the metric is the file's."""
        index = self._load()
        return [np.asarray(index.search(query, k, exact=exact).keys, dtype=np.int64) for query in queries]

    def recipe(self, rows: ExportRows) -> str:
        """See `Store.recipe`."""
        return f"usearch.index.Index.restore({self.address!r}).search(query, 10)"

    def _load(self) -> Any:
        library = optional_import("usearch.index", extra="usearch", purpose="read usearch indexes")
        if not Path(self.address).is_file():
            raise InputError(f"{self.address} does not exist: name a usearch index file.")
        try:
            index = library.Index.restore(self.address)
        except Exception as error:  # the library raises one class for everything
            raise InputError(f"{self.address} is no usearch index or is damaged: {error!s:.200}") from error
        if index is None:
            raise InputError(f"{self.address} is no usearch index.")
        return index
