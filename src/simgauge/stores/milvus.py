"""Milvus Lite or a Milvus server: a collection filled under another name, then renamed."""

from __future__ import annotations

import json
import logging
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
from simgauge.stores.columns import as_ids_of_store
from simgauge.stores.condition import Condition
from simgauge.stores.rows import ExportRows
from simgauge.stores.store import Store, StoredVectors, Written

ROWS_PER_CALL = 2_000
LONGEST = 65_535
METRICS = {"cosine": "COSINE", "dot": "IP", "l2": "L2"}


class MilvusCollection(Store):
    """A collection with a flat index, which Milvus Lite searches exactly."""

    kind = "milvus"
    filters = True
    filter_remedy = "raise ef (HNSW) or nprobe (IVF) of the search, or use a FLAT index where queries filter"
    max_components = 32_768

    def write(self, rows: ExportRows, *, index: bool = True, progress: Progress = logged) -> Written:
        """See `Store.write`."""
        self.refuse_width(rows.n_components)
        fresh = f"{self.table}_arriving"
        with self._open() as client:
            self._restore(client)
            self._owned(client, new=True)
            for left in (fresh, self._kept):
                if client.has_collection(left):
                    client.drop_collection(left)  # by an export that was killed
            self._create(client, fresh, rows)
            self._upsert(client, fresh, rows, progress)
            old = client.has_collection(self.table)
            if old:  # what was there is dropped when the new rows have its name, not before
                client.rename_collection(self.table, self._kept)
            client.rename_collection(fresh, self.table)
            if old:
                client.drop_collection(self._kept)
        return Written(rows.n_rows)

    def append(self, rows: ExportRows, *, progress: Progress = logged) -> Written:
        """See `Store.append`."""
        with self._open() as client:
            self._restore(client)
            self._owned(client, new=False)
            self._upsert(client, self.table, rows, progress)
        return Written(rows.n_rows)

    def read(self, *, rows: bool = True) -> StoredVectors:
        """See `Store.read`."""
        with self._open(must_exist=True) as client:
            if not client.has_collection(self.table):
                kept = client.has_collection(self._kept)
                raise self.unfinished(self.address, self._kept) if kept else self.not_there(self.address)
            client.load_collection(self.table)
            found = self._all_rows(client, self.vector) if rows else []
            counted = client.query(self.table, filter="", output_fields=["count(*)"])
            named = client.list_indexes(self.table)
            about = client.describe_index(self.table, named[0]) if named else {}
            card = self._card(client)
        ids = as_ids_of_store([row[self.id_column] for row in found])
        vectors = np.asarray([row[self.vector] for row in found], dtype=np.float32)
        metric = {name: key for key, name in METRICS.items()}.get(str(about.get("metric_type", "")))
        kind = str(about.get("index_type", "FLAT"))
        return StoredVectors(ids, vectors, metric, int(counted[0]["count(*)"]), card, None if kind == "FLAT" else kind)

    def search(
        self, queries: NDArray[np.float32], k: int, metric: str, *, exact: bool, only: Condition | None = None
    ) -> list[NDArray[Any]]:
        """See `Store.search`; the metric is the collection's."""
        with self._open(must_exist=True) as client:
            client.load_collection(self.table)
            hits = client.search(
                self.table,
                data=[query.tolist() for query in queries],
                limit=k,
                anns_field=self.vector,
                filter="" if only is None else self._passing(only),
            )
        return [np.array([hit[self.id_column] for hit in row], dtype=object) for row in hits]

    def values(self, column: str) -> tuple[NDArray[Any], list[Any]]:
        """See `Store.values`."""
        with self._open(must_exist=True) as client:
            client.load_collection(self.table)
            found = self._all_rows(client, column)
        return as_ids_of_store([row[self.id_column] for row in found]), [row.get(column) for row in found]

    def _passing(self, only: Condition) -> str:
        if only.column is not None:
            return f"{only.column} == {_literal(only.value)}"
        return f"{self.id_column} in {_literal(only.ids.tolist())}"

    def recipe(self, rows: ExportRows) -> str:
        """See `Store.recipe`."""
        score = "cosine" if rows.unit else "inner product"
        return (
            f"# the field called distance holds the {score}: larger is nearer\n"
            f'MilvusClient({self.address!r}).search("{self.table}", data=[query], limit=10, anns_field="{self.vector}")'
        )

    def _all_rows(self, client: Any, column: str) -> list[Any]:
        """All rows in the order of the primary key; the client's own iterator does not escape ids of text."""
        fields = client.describe_collection(self.table)["fields"]
        key = next(field["name"] for field in fields if field.get("is_primary"))
        found: list[Any] = []
        while True:
            page = client.query(
                self.table,
                filter=f"{key} > {_literal(found[-1][key])}" if found else "",
                output_fields=[key, self.id_column, column],
                limit=ROWS_PER_CALL,
                iterator="True",  # in the order of the key
                reduce_stop_for_best="True",
            )
            found += page
            if len(page) < ROWS_PER_CALL:
                return found

    @property
    def _kept(self) -> str:
        """Name of what was there, while a new collection takes its name."""
        return f"{self.table}_replaced"

    def _restore(self, client: Any) -> None:
        """Give what was there its name again, where an export was killed in between."""
        if not client.has_collection(self.table) and client.has_collection(self._kept):
            client.rename_collection(self._kept, self.table)

    def _create(self, client: Any, name: str, rows: ExportRows) -> None:
        types = optional_import("pymilvus", extra="milvus", purpose="write to Milvus").DataType
        schema = client.create_schema(auto_id=False)
        if pa.types.is_integer(rows.schema.field("id").type):
            schema.add_field(self.id_column, types.INT64, is_primary=True)
        else:
            schema.add_field(self.id_column, types.VARCHAR, is_primary=True, max_length=LONGEST)
        schema.add_field("name", types.VARCHAR, max_length=LONGEST, nullable=True)
        schema.add_field("norm", types.DOUBLE)
        schema.add_field(self.vector, types.FLOAT_VECTOR, dim=rows.n_components)
        index = client.prepare_index_params()
        index.add_index(field_name=self.vector, index_type="FLAT", metric_type=METRICS[rows.metric])
        client.create_collection(name, schema=schema, index_params=index)
        client.alter_collection_properties(name, {KEY: card_text(rows.card)})

    def _upsert(self, client: Any, name: str, rows: ExportRows, progress: Progress) -> None:
        for batch in rows.batches(ROWS_PER_CALL, progress):
            arriving = batch.rename_columns([self.id_column, "name", "norm", self.vector])
            client.upsert(name, arriving.to_pylist())

    def _card(self, client: Any) -> dict[str, Any] | None:
        return card_of((client.describe_collection(self.table).get("properties") or {}).get(KEY))

    def _owned(self, client: Any, *, new: bool) -> None:
        if not client.has_collection(self.table):
            if not new:
                raise self.not_there(self.address)
        elif self._card(client) is None:
            raise self.not_ours(self.address)

    @contextmanager
    def _open(self, *, must_exist: bool = False) -> Iterator[Any]:
        library = optional_import("pymilvus", extra="milvus", purpose="write to Milvus")
        local = "://" not in self.address
        if local and not self.address.endswith(".db"):
            raise InputError(f"milvus:{self.address}: Milvus Lite takes the path of a file that ends in .db.")
        if local and must_exist and not Path(self.address).exists():
            raise InputError(f"{self.address} does not exist: name the file of a Milvus Lite database.")
        for library_that_logs_what_it_raises in ("pymilvus", "milvus_lite", "grpc._server"):
            logging.getLogger(library_that_logs_what_it_raises).setLevel(logging.CRITICAL)
        try:
            client = library.MilvusClient(self.address)
        except (library.MilvusException, OSError, ValueError) as error:
            held = "; a file of Milvus Lite can be open in one process at a time" if local else ""
            raise InputError(f"{self.address}: Milvus cannot be reached{held}: {error!s:.200}") from error
        try:
            yield client
        except library.MilvusException as error:
            raise InputError(f"{self.address}: Milvus says: {error!s:.300}") from error
        finally:
            client.close()


def _literal(value: Any) -> str:
    """A value, or a list of them, in an expression of Milvus."""
    return json.dumps(value, ensure_ascii=False)
