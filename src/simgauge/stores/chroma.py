"""Chroma: a collection of a folder; filled under another name, then renamed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.errors import InputError, optional_import
from simgauge.progress import Progress, logged
from simgauge.stores.card import KEY, card_of, card_text
from simgauge.stores.columns import as_ids_of_store
from simgauge.stores.condition import Condition
from simgauge.stores.rows import ExportRows
from simgauge.stores.store import Store, StoredVectors, Written

ROWS_PER_CALL = 5_000
SPACES = {"cosine": "cosine", "dot": "ip", "l2": "l2"}
NO_DOT = (
    "Chroma's graph loses rows under inner product (it returned 72 of 300), which these vectors are for. Choose "
    "another "
    "target, or ship a gauge that is for cosine (simgauge fix)."
)


class ChromaCollection(Store):
    """A collection with HNSW under cosine; ids are text, and the card says whether they were integers."""

    kind = "chroma"
    filters = True
    filter_remedy = "raise ef_search of the collection's hnsw configuration, so that a walk sees more rows that pass"

    def write(self, rows: ExportRows, *, index: bool = True, progress: Progress = logged) -> Written:
        """See `Store.write`; Chroma always builds its index."""
        if not rows.unit:
            raise InputError(NO_DOT)
        fresh = f"{self.table}_arriving"
        with self._open() as client:
            self._restore(client)
            self._owned(client, new=True)
            for left in {fresh, self._kept} & set(_names(client)):
                client.delete_collection(left)  # by an export that was killed
            metadata = {KEY: card_text(rows.card)}
            made = client.create_collection(
                fresh,
                metadata=metadata,
                configuration={"hnsw": {"space": "cosine", "ef_search": 100}},
                embedding_function=None,
            )
            self._upsert(made, rows, progress)
            old = self.table in _names(client)
            if old:  # a collection is renamed in one step and deleted in several
                client.get_collection(self.table, embedding_function=None).modify(name=self._kept)
            made.modify(name=self.table)
            if old:
                client.delete_collection(self._kept)
        return Written(rows.n_rows, "HNSW")

    def append(self, rows: ExportRows, *, progress: Progress = logged) -> Written:
        """See `Store.append`."""
        with self._open() as client:
            self._restore(client)
            self._owned(client, new=False)
            self._upsert(client.get_collection(self.table, embedding_function=None), rows, progress)
        return Written(rows.n_rows)

    def read(self, *, rows: bool = True) -> StoredVectors:
        """See `Store.read`."""
        with self._open(must_exist=True) as client:
            self._must_be_there(client)
            found = client.get_collection(self.table, embedding_function=None)
            count, ids, blocks = found.count(), [], []
            for start in range(0, count if rows else 0, ROWS_PER_CALL):
                page = found.get(limit=ROWS_PER_CALL, offset=start, include=["embeddings"])
                ids += page["ids"]
                blocks.append(np.asarray(page["embeddings"], dtype=np.float32))
            card = self._card(found)
            space = found.configuration.get("hnsw", {}).get("space")
        vectors = np.concatenate(blocks) if blocks else np.empty((0, 0), np.float32)
        metric = {space: name for name, space in SPACES.items()}.get(space)
        return StoredVectors(self._as_given(ids, card), vectors, metric, count, card, "HNSW")

    def search(
        self, queries: NDArray[np.float32], k: int, metric: str, *, exact: bool, only: Condition | None = None
    ) -> list[NDArray[Any]]:
        """See `Store.search`; Chroma has no exact search, so both go through the index."""
        with self._open(must_exist=True) as client:
            found = client.get_collection(self.table, embedding_function=None)
            card = self._card(found)
            passing: dict[str, Any] = {}
            if only is not None and only.column is None:
                passing = {"ids": [str(label) for label in only.ids.tolist()]}
            elif only is not None:
                passing = {"where": {only.column: only.value}}
            hits = found.query(
                query_embeddings=np.asarray(queries, dtype=np.float32), n_results=k, include=["distances"], **passing
            )
        return [self._as_given(row, card) for row in hits["ids"]]

    def values(self, column: str) -> tuple[NDArray[Any], list[Any]]:
        """See `Store.values`."""
        with self._open(must_exist=True) as client:
            self._must_be_there(client)
            collection = client.get_collection(self.table, embedding_function=None)
            ids, found = [], []
            for start in range(0, collection.count(), ROWS_PER_CALL):
                page = collection.get(limit=ROWS_PER_CALL, offset=start, include=["metadatas"])
                ids += page["ids"]
                found += [(about or {}).get(column) for about in page["metadatas"]]
            card = self._card(collection)
        return self._as_given(ids, card), found

    def recipe(self, rows: ExportRows) -> str:
        """See `Store.recipe`."""
        return (
            "# distances are 1 - cosine: smaller is nearer\n"
            f'chromadb.PersistentClient({self.address!r}).get_collection("{self.table}", embedding_function=None)'
            ".query(query_embeddings=[query], n_results=10)"
        )

    def _upsert(self, collection: Any, rows: ExportRows, progress: Progress) -> None:
        for batch in rows.batches(ROWS_PER_CALL, progress):
            vectors = batch.column("vector").flatten().to_numpy().reshape(len(batch), -1)
            names, norms = batch.column("name").to_pylist(), batch.column("norm").to_pylist()
            collection.upsert(
                ids=[str(label) for label in batch.column("id").to_pylist()],
                embeddings=vectors,
                metadatas=[{"name": name or "", "norm": norm} for name, norm in zip(names, norms, strict=True)],
            )

    def _as_given(self, ids: list[str], card: dict[str, Any] | None) -> NDArray[Any]:
        return as_ids_of_store([int(label) for label in ids] if card and card.get("integer_ids") else ids)

    def _card(self, collection: Any) -> dict[str, Any] | None:
        return card_of((collection.metadata or {}).get(KEY))

    @property
    def _kept(self) -> str:
        """Name of what was there, while a new collection takes its name."""
        return f"{self.table}_replaced"

    def _restore(self, client: Any) -> None:
        """Give what was there its name again, where an export was killed in between."""
        there = _names(client)
        if self.table not in there and self._kept in there:
            client.get_collection(self._kept, embedding_function=None).modify(name=self.table)

    def _must_be_there(self, client: Any) -> None:
        if self.table not in _names(client):
            if self._kept in _names(client):
                raise self.unfinished(self.address, self._kept)
            raise self.not_there(self.address)

    def _owned(self, client: Any, *, new: bool) -> None:
        if self.table not in _names(client):
            if not new:
                raise self.not_there(self.address)
        elif self._card(client.get_collection(self.table, embedding_function=None)) is None:
            raise self.not_ours(self.address)

    @contextmanager
    def _open(self, *, must_exist: bool = False) -> Iterator[Any]:
        library = optional_import("chromadb", extra="chroma", purpose="write to Chroma")
        if must_exist and not Path(self.address).is_dir():
            raise InputError(f"{self.address} is no folder: name the folder of a Chroma database.")
        settings = library.config.Settings(anonymized_telemetry=False)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of the client about itself
                yield library.PersistentClient(self.address, settings=settings)
        except (library.errors.ChromaError, ValueError, OSError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{self.address}: Chroma says: {str(error).splitlines()[0]}") from error


def _names(client: Any) -> list[str]:
    return [getattr(found, "name", found) for found in client.list_collections()]
