"""Qdrant, a server by its address or its client's local mode by a folder: a new collection, then the alias is
switched."""

from __future__ import annotations

import hashlib
import uuid
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

ROWS_PER_CALL = 1_000
POINTS = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
"""Namespace from which the point of an id follows: the same id is the same point, also in a later export."""


class QdrantCollection(Store):
    """A collection behind an alias of the table's name; ids travel in the payload."""

    kind = "qdrant"
    filters = True
    filter_remedy = (
        "make a payload index of the filtered field before the vectors are loaded, so that the graph has links for it; "
        "or raise hnsw_ef of the search"
    )
    max_components = 65_536

    def write(self, rows: ExportRows, *, index: bool = True, progress: Progress = logged) -> Written:
        """See `Store.write`; the server builds its index by itself."""
        self.refuse_width(rows.n_components)
        models = optional_import("qdrant_client.models", extra="qdrant", purpose="write to Qdrant")
        with self._open() as client:
            old = self._collection(client)
            if old is None and client.collection_exists(self.table):
                raise self.not_ours(self.address)
            if old is not None and self._card(client, old) is None:
                raise self.not_ours(self.address)
            for left in self._unfinished(client, old):
                client.delete_collection(left)
            fresh = f"{self.table}__{_hash_of(rows)}"
            fresh = f"{fresh}b" if fresh == old else fresh
            distance = models.Distance.COSINE if rows.unit else models.Distance.DOT
            client.create_collection(
                fresh,
                vectors_config={self.vector: models.VectorParams(size=rows.n_components, distance=distance)},
                metadata={KEY: card_text(rows.card)},
            )
            self._upsert(client, models, fresh, rows, progress)
            switch = [
                models.CreateAliasOperation(
                    create_alias=models.CreateAlias(collection_name=fresh, alias_name=self.table)
                )
            ]
            if old is not None:
                switch.insert(0, models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=self.table)))
            client.update_collection_aliases(change_aliases_operations=switch)
            if old is not None:
                client.delete_collection(old)
        return Written(rows.n_rows, "HNSW" if "://" in self.address else None)

    def append(self, rows: ExportRows, *, progress: Progress = logged) -> Written:
        """See `Store.append`."""
        models = optional_import("qdrant_client.models", extra="qdrant", purpose="write to Qdrant")
        with self._open() as client:
            name = self._collection(client)
            if name is None:
                raise self.not_there(self.address)
            self._upsert(client, models, name, rows, progress)
        return Written(rows.n_rows)

    def read(self, *, rows: bool = True) -> StoredVectors:
        """See `Store.read`."""
        with self._open(must_exist=True) as client:
            name = self._name(client)
            points = list(_points(client, name, with_vectors=True)) if rows else []
            ids, vectors = [_label(point) for point in points], [self._vector_of(point.vector) for point in points]
            params = client.get_collection(name).config.params.vectors
            about: Any = params.get(self.vector) if isinstance(params, dict) else params
            count, card = client.count(name, exact=True).count, self._card(client, name)
        metric = {"cosine": "cosine", "dot": "dot", "euclid": "l2"}.get(str(about.distance.value).lower())
        built = "HNSW" if "://" in self.address else None
        return StoredVectors(as_ids_of_store(ids), np.asarray(vectors, dtype=np.float32), metric, count, card, built)

    def search(
        self, queries: NDArray[np.float32], k: int, metric: str, *, exact: bool, only: Condition | None = None
    ) -> list[NDArray[Any]]:
        """See `Store.search`; the metric is the collection's."""
        models = optional_import("qdrant_client.models", extra="qdrant", purpose="search Qdrant")
        with self._open(must_exist=True) as client:
            how = models.SearchParams(exact=exact)
            using = self.vector if self._is_named(client) else None
            passing = None if only is None else self._passing(client, models, only)
            asked = [
                client.query_points(
                    self.table, query=query.tolist(), using=using, limit=k, search_params=how, query_filter=passing
                )
                for query in queries
            ]
        return [np.array([_label(point) for point in hits.points], dtype=object) for hits in asked]

    def values(self, column: str) -> tuple[NDArray[Any], list[Any]]:
        """See `Store.values`."""
        with self._open(must_exist=True) as client:
            points = list(_points(client, self._name(client), with_vectors=False))
        return as_ids_of_store([_label(point) for point in points]), [(p.payload or {}).get(column) for p in points]

    def _passing(self, client: Any, models: Any, only: Condition) -> Any:
        if only.column is not None:
            match = models.MatchValue(value=only.value)
            return models.Filter(must=[models.FieldCondition(key=only.column, match=match)])
        name, labels = self._name(client), only.ids.tolist()
        if self._card(client, name) is not None:
            points = [point_of(label) for label in labels]
        else:
            known = {_label(point): point.id for point in _points(client, name, with_vectors=False)}
            points = [known[label] for label in labels]
        return models.Filter(must=[models.HasIdCondition(has_id=points)])

    def recipe(self, rows: ExportRows) -> str:
        """See `Store.recipe`."""
        return (
            f"# score = {'cosine' if rows.unit else 'inner product'}: larger is nearer; the id is in the payload\n"
            f'client.query_points("{self.table}", query=query, using="{self.vector}", limit=10, with_payload=True)'
        )

    def _upsert(self, client: Any, models: Any, name: str, rows: ExportRows, progress: Progress) -> None:
        for batch in rows.batches(ROWS_PER_CALL, progress):
            labels = batch.column("id").to_pylist()
            vectors = batch.column("vector").flatten().to_numpy().reshape(len(batch), -1)
            names, norms = batch.column("name").to_pylist(), batch.column("norm").to_pylist()
            points = models.Batch(
                ids=[point_of(label) for label in labels],
                vectors={self.vector: vectors.tolist()},
                payloads=[
                    {"id": label, "name": title, "norm": norm}
                    for label, title, norm in zip(labels, names, norms, strict=True)
                ],
            )
            client.upsert(name, points=points, wait=True)

    def _vector_of(self, vector: Any) -> Any:
        return vector[self.vector] if isinstance(vector, dict) else vector

    def _name(self, client: Any) -> str:
        """The collection behind the alias, or that of the name itself."""
        name = self._collection(client) or (self.table if client.collection_exists(self.table) else None)
        if name is None:
            raise self.not_there(self.address)
        return name

    def _is_named(self, client: Any) -> bool:
        """Whether the collection's vectors have names; a collection of one vector need not name it."""
        return isinstance(client.get_collection(self._name(client)).config.params.vectors, dict)

    def _collection(self, client: Any) -> str | None:
        """The collection behind the alias."""
        for alias in client.get_aliases().aliases:
            if alias.alias_name == self.table:
                return str(alias.collection_name)
        return None

    def _unfinished(self, client: Any, current: str | None) -> list[str]:
        names = [found.name for found in client.get_collections().collections]
        return [name for name in names if name.startswith(f"{self.table}__") and name != current]

    def _card(self, client: Any, name: str) -> dict[str, Any] | None:
        return card_of((client.get_collection(name).config.metadata or {}).get(KEY))

    @contextmanager
    def _open(self, *, must_exist: bool = False) -> Iterator[Any]:
        library = optional_import("qdrant_client", extra="qdrant", purpose="write to Qdrant")
        remote = "://" in self.address
        if must_exist and not remote and not Path(self.address).is_dir():
            raise InputError(
                f"{self.address} is no folder: name a server's address or the folder of Qdrant's local mode."
            )
        client = None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the local mode about its size
                client = (
                    library.QdrantClient(url=self.address, timeout=60)
                    if remote
                    else library.QdrantClient(path=self.address)
                )
                yield client
        except InputError:
            raise
        except Exception as error:  # the client passes on what its transports raise
            raise InputError(f"{self.address}: Qdrant says: {str(error).splitlines()[0]:.200}") from error
        finally:
            if client is not None:
                client.close()


def _points(client: Any, name: str, *, with_vectors: bool) -> Iterator[Any]:
    """All points of a collection, a page at a time."""
    offset = None
    while True:
        page, offset = client.scroll(name, limit=ROWS_PER_CALL, offset=offset, with_vectors=with_vectors)
        yield from page
        if offset is None:
            return


def _label(point: Any) -> Any:
    """The id as it was given: in the payload where an export put it, else that of the point."""
    return (point.payload or {}).get("id", point.id)


def point_of(label: Any) -> str:
    """The UUID of a point: the same for the same id, and different for 7 and "7"."""
    return str(uuid.uuid5(POINTS, f"{type(label).__name__}:{label}"))


def _hash_of(rows: ExportRows) -> str:
    return hashlib.sha256(card_text(rows.card).encode()).hexdigest()[:12]
