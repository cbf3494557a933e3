"""LanceDB: a table of a folder, written as a new version; an IVF index where there are rows enough."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simgauge.errors import InputError, optional_import
from simgauge.progress import Progress, logged
from simgauge.stores.card import KEY, card_of, card_text
from simgauge.stores.columns import as_ids_of_store, stored_columns
from simgauge.stores.condition import Condition
from simgauge.stores.rows import ExportRows
from simgauge.stores.store import NOTHING, Store, StoredVectors, Written

ROWS_FOR_INDEX = 10_000
"""Below, LanceDB scans as fast as it searches an index, and finds everything."""


class LanceTable(Store):
    """A LanceDB table; `create_table(mode="overwrite")` makes its new version visible in one step."""

    kind = "lancedb"
    filters = True
    filter_remedy = (
        "filter before the search (prefilter=True), and raise nprobes and refine_factor of the query; or "
        "bypass_vector_index() when it filters"
    )
    _stopped_by: BaseException | None = None

    def write(self, rows: ExportRows, *, index: bool = True, progress: Progress = logged) -> Written:
        """See `Store.write`."""
        schema = self._schema(rows).with_metadata({KEY: card_text(rows.card)})
        with self._open() as base:
            self._owned(base, new=True)
            mode = "overwrite" if self.table in _names(base) else "create"  # to overwrite nothing is warned about
            table = base.create_table(self.table, self._told(rows, schema, progress), schema=schema, mode=mode)
            made = None
            if index and rows.n_rows >= ROWS_FOR_INDEX:
                table.create_index(metric=rows.metric, vector_column_name=self.vector, index_type="IVF_HNSW_SQ")
                made = "IVF_HNSW_SQ"
        return Written(rows.n_rows, made)

    def append(self, rows: ExportRows, *, progress: Progress = logged) -> Written:
        """See `Store.append`."""
        schema = self._schema(rows)
        with self._open() as base:
            self._owned(base, new=False)
            merge = base.open_table(self.table).merge_insert(self.id_column)
            arriving = pa.Table.from_batches(list(self._told(rows, schema, progress)), schema)
            merge.when_matched_update_all().when_not_matched_insert_all().execute(arriving)
        return Written(rows.n_rows)

    def read(self, *, rows: bool = True) -> StoredVectors:
        """See `Store.read`."""
        with self._open(must_exist=True) as base:
            if self.table not in _names(base):
                raise self.not_there(self.address)
            table = base.open_table(self.table)
            ids, vectors = np.empty(0, np.int64), NOTHING
            if rows:
                ids, vectors = stored_columns(table.to_arrow(), self.id_column, self.vector, self.address)
            found = [index for index in table.list_indices() if self.vector in index.columns]
            made, metric = None, None
            if found:
                statistics = table.index_stats(found[0].name)
                made, metric = str(found[0].index_type), str(statistics.distance_type).lower()
            return StoredVectors(ids, vectors, metric, table.count_rows(), self._card(table), made)

    def search(
        self, queries: NDArray[np.float32], k: int, metric: str, *, exact: bool, only: Condition | None = None
    ) -> list[NDArray[Any]]:
        """See `Store.search`."""
        with self._open(must_exist=True) as base:
            table = base.open_table(self.table)
            found = []
            for query in queries:
                asked = table.search(query, vector_column_name=self.vector).distance_type(metric).limit(k)
                asked = asked.bypass_vector_index() if exact else asked
                asked = asked if only is None else asked.where(self._passing(only))
                found.append(asked.select([self.id_column, "_distance"]).to_arrow())
        return [np.array(hits[self.id_column].to_pylist(), dtype=object) for hits in found]

    def values(self, column: str) -> tuple[NDArray[Any], list[Any]]:
        """See `Store.values`."""
        with self._open(must_exist=True) as base:
            table = base.open_table(self.table)
            if column not in table.schema.names:
                raise InputError(f"{self.address} has no column {column!r}; it has {', '.join(table.schema.names)}.")
            found = table.search().select([self.id_column, column]).limit(table.count_rows()).to_arrow()
        return as_ids_of_store(found[self.id_column].to_pylist()), found[column].to_pylist()

    def _passing(self, only: Condition) -> str:
        if only.column is not None:
            return f"{only.column} = {_literal(only.value)}"
        return f"{self.id_column} IN ({', '.join(map(_literal, only.ids.tolist()))})"

    def recipe(self, rows: ExportRows) -> str:
        """See `Store.recipe`."""
        score = "1 - cosine" if rows.unit else "1 - inner product"
        return (
            f"# _distance = {score}: smaller is nearer; say the metric, since LanceDB's default is squared Euclidean\n"
            f'lancedb.connect({self.address!r}).open_table("{self.table}").search(query, '
            f'vector_column_name="{self.vector}").distance_type("{rows.metric}").limit(10).to_arrow()'
        )

    def _schema(self, rows: ExportRows) -> pa.Schema:
        names = (self.id_column, "name", "norm", self.vector)
        return pa.schema([field.with_name(name) for field, name in zip(rows.schema, names, strict=True)])

    def _told(self, rows: ExportRows, schema: pa.Schema, progress: Progress) -> Iterator[pa.RecordBatch]:
        try:
            for batch in rows.batches(progress=progress):
                yield pa.record_batch(batch.columns, schema=schema)
        except BaseException as error:
            self._stopped_by = error  # LanceDB wraps it into an error of Arrow
            raise

    def _card(self, table: Any) -> dict[str, Any] | None:
        found = (table.schema.metadata or {}).get(KEY.encode())
        return None if found is None else card_of(found)

    def _owned(self, base: Any, *, new: bool) -> None:
        if self.table not in _names(base):
            if not new:
                raise self.not_there(self.address)
        elif self._card(base.open_table(self.table)) is None:
            raise self.not_ours(self.address)

    @contextmanager
    def _open(self, *, must_exist: bool = False) -> Iterator[Any]:
        library = optional_import("lancedb", extra="lancedb", purpose="write LanceDB tables")
        if must_exist and "://" not in self.address and not Path(self.address).is_dir():
            raise InputError(f"{self.address} is no folder: name the folder of a LanceDB database.")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                yield library.connect(self.address)
        except (RuntimeError, ValueError, OSError) as error:
            if isinstance(error, InputError):
                raise
            if self._stopped_by is not None:
                raise self._stopped_by from None
            raise InputError(f"{self.address}: LanceDB says: {str(error).splitlines()[0]}") from error


def _literal(value: Any) -> str:
    """A value in LanceDB's SQL, which takes no parameters."""
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


def _names(base: Any) -> list[str]:
    listed = base.list_tables() if hasattr(base, "list_tables") else base.table_names()
    return list(getattr(listed, "tables", listed))
