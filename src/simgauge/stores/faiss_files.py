"""FAISS: an index file that takes vectors as they were before the map, with the map inside as a pre-transform."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from simgauge.errors import InputError, optional_import
from simgauge.labels import positions_of
from simgauge.progress import Progress, logged
from simgauge.read.libraries.faiss_index import read_index
from simgauge.stores.card import exchanged_files, read_card
from simgauge.stores.columns import as_ids_of_store
from simgauge.stores.condition import Condition
from simgauge.stores.rows import ExportRows
from simgauge.stores.store import NOTHING, Store, StoredVectors, Written
from simgauge.stores.vector_file import write_ids

ROWS_FOR_INDEX = 50_000
"""Below, a flat index is fast enough, and exact."""
LINKS, SEARCHED = 32, 128
"""Of HNSW: links of a row, and candidates held during a search."""


class FaissFile(Store):
    """An index file with ids in a Parquet file and the card in a JSON file beside it."""

    kind = "faiss"
    tables = False
    filters = True
    filter_remedy = (
        "raise efSearch (SearchParametersHNSW(sel=..., efSearch=...)) or nprobe, or search a flat index where queries "
        "filter"
    )
    appends = False

    def write(self, rows: ExportRows, *, index: bool = True, progress: Progress = logged) -> Written:
        """See `Store.write`; for unit rows an HNSW index from 50,000 rows on, else flat."""
        faiss = _faiss()
        with exchanged_files(self._card_path, rows.card, [Path(self.address), self._ids_path]) as (path, ids):
            graph = self._write_index(faiss, rows, path, index, progress)
            write_ids(rows, ids)
        return Written(rows.n_rows, "HNSW" if graph else None)

    def _write_index(self, faiss: Any, rows: ExportRows, path: Path, index: bool, progress: Progress) -> bool:
        """Whether the index is a graph."""
        graph = index and rows.unit and rows.n_rows >= ROWS_FOR_INDEX
        made = self._index(faiss, rows.n_components, graph=graph)
        for block in rows.blocks(progress):
            made.add(block)
        steps: list[Any] = []
        inner = made  # FAISS's wrapper does not own what it is made of
        if rows.made_by is not None:
            made, steps = _behind_map(faiss, inner, rows)
        faiss.write_index(made, str(path))
        del made, steps, inner
        return graph

    def read(self, *, rows: bool = True) -> StoredVectors:
        """See `Store.read`."""
        card = read_card(self._card_path)
        faiss, index = _faiss(), self._load()
        inner = _searched(faiss, index)
        n = int(inner.ntotal)
        vectors = np.asarray(inner.reconstruct_n(0, n), dtype=np.float32) if rows else NOTHING
        metric = {faiss.METRIC_INNER_PRODUCT: "dot", faiss.METRIC_L2: "l2"}.get(inner.metric_type)
        graph = type(inner).__name__ if "Flat" not in type(inner).__name__ or "HNSW" in type(inner).__name__ else None
        return StoredVectors(self._labels(n) if rows else np.empty(0, np.int64), vectors, metric, n, card, graph)

    def search(
        self, queries: NDArray[np.float32], k: int, metric: str, *, exact: bool, only: Condition | None = None
    ) -> list[NDArray[Any]]:
        """See `Store.search`."""
        faiss, index = _faiss(), self._load()
        inner = _searched(faiss, index)
        labels = self._labels(int(inner.ntotal))
        rows = None if only is None else positions_of(only.ids, labels)
        if exact:
            kind = faiss.METRIC_L2 if metric == "l2" else faiss.METRIC_INNER_PRODUCT
            table = np.asarray(inner.reconstruct_n(0, int(inner.ntotal)), dtype=np.float32)
            labels, table = (labels, table) if rows is None else (labels[rows], np.ascontiguousarray(table[rows]))
            _, found = faiss.knn(np.ascontiguousarray(queries), table, k, metric=kind)
        elif rows is None:
            _, found = inner.search(np.ascontiguousarray(queries), k)
        else:
            chosen = faiss.IDSelectorBatch(rows)
            _, found = inner.search(np.ascontiguousarray(queries), k, params=_selecting(faiss, inner, chosen))
        return [labels[row[row >= 0]] for row in found]

    def recipe(self, rows: ExportRows) -> str:
        """See `Store.recipe`."""
        unit = "" if rows.made_by is not None or not rows.unit else "scale queries to norm one; "
        if rows.made_by is not None:
            unit = "queries are those of the model: the index applies the map; "
        return (
            f"# score = inner product: larger is nearer; {unit}ids stand in {self._ids_path.name}, in row order\n"
            f"scores, rows = faiss.read_index({str(self.address)!r}).search(queries, 10)"
        )

    @property
    def _ids_path(self) -> Path:
        return Path(f"{self.address}.ids.parquet")

    @property
    def _card_path(self) -> Path:
        return Path(f"{self.address}.json")

    def _index(self, faiss: Any, width: int, *, graph: bool) -> Any:
        if not graph:
            return faiss.IndexFlatIP(width)
        made = faiss.IndexHNSWFlat(width, LINKS, faiss.METRIC_INNER_PRODUCT)  # a factory string would ignore the metric
        made.hnsw.efConstruction = made.hnsw.efSearch = SEARCHED
        return made

    def _load(self) -> Any:
        path = Path(self.address)
        if not path.is_file():
            raise InputError(f"{path} does not exist: name a FAISS index file.")
        _faiss()  # says how to install it where it is missing
        return read_index(path)

    def _labels(self, n: int) -> NDArray[Any]:
        if not self._ids_path.is_file():
            return np.arange(n, dtype=np.int64)
        labels = as_ids_of_store(pq.read_table(self._ids_path)["id"].to_pylist())
        if len(labels) != n:
            raise InputError(
                f"{self._ids_path.name} holds {len(labels)} ids and the index {n} rows: an export did not finish. "
                f"Repeat it."
            )
        return labels


def _behind_map(faiss: Any, index: Any, rows: ExportRows) -> tuple[Any, list[Any]]:
    """The index behind the affine map and, for unit rows, the scaling: it takes queries as the model makes them.

    With the steps, which must live as long as the index does.
    """
    assert rows.made_by is not None
    matrix, mean = rows.made_by.item_matrix, rows.made_by.item_mean
    linear = faiss.LinearTransform(matrix.shape[0], matrix.shape[1], True)
    faiss.copy_array_to_vector(matrix.T.astype(np.float32).ravel(), linear.A)
    faiss.copy_array_to_vector((-(mean @ matrix)).astype(np.float32), linear.b)
    linear.is_trained = True
    outer = faiss.IndexPreTransform(index)
    steps = [linear] + ([faiss.NormalizationTransform(matrix.shape[1], 2.0)] if rows.unit else [])
    for step in reversed(steps):
        outer.prepend_transform(step)
    return outer, steps


def _searched(faiss: Any, index: Any) -> Any:
    """The index behind the pre-transforms, if there are any: what holds the rows as they were shipped."""
    found = faiss.downcast_index(index)
    return faiss.downcast_index(found.index) if isinstance(found, faiss.IndexPreTransform) else found


def _selecting(faiss: Any, index: Any, chosen: Any) -> Any:
    """Parameters of a search that may return the chosen rows alone, otherwise those of the index."""
    if isinstance(index, faiss.IndexHNSW):
        return faiss.SearchParametersHNSW(sel=chosen, efSearch=index.hnsw.efSearch)
    if isinstance(index, faiss.IndexIVF):
        return faiss.SearchParametersIVF(sel=chosen, nprobe=index.nprobe)
    return faiss.SearchParameters(sel=chosen)


def _faiss() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its generated wrappers warn about themselves on some Python versions
        return optional_import("faiss", extra="fast", purpose="write FAISS indexes")
