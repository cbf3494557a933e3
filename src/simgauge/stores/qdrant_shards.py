"""Qdrant's engine in this process: a shard in a folder, which replaces the old one as a whole."""

from __future__ import annotations

import re
import secrets
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.errors import InputError, optional_import
from simgauge.progress import Progress, logged
from simgauge.storage.atomic import write_text
from simgauge.storage.places import make_directory
from simgauge.stores.card import card_of, card_text
from simgauge.stores.columns import as_ids_of_store
from simgauge.stores.condition import Condition
from simgauge.stores.qdrant import QdrantCollection, point_of
from simgauge.stores.rows import ExportRows
from simgauge.stores.store import Store, StoredVectors, Written
from simgauge.wording import some_of

ROWS_PER_CALL = 2_000
CARD_FILE = "simgauge_card.json"
SHARD = "shard"


class QdrantShard(Store):
    """A shard of qdrant-edge, which is the server's engine; the card lies in a file beside it."""

    kind = "qdrant-edge"
    tables = False
    filters = True
    filter_remedy = QdrantCollection.filter_remedy
    max_components = 65_536

    def write(self, rows: ExportRows, *, index: bool = True, progress: Progress = logged) -> Written:
        """See `Store.write`."""
        self.refuse_width(rows.n_components)
        edge = _edge()
        distance = edge.Distance.Cosine if rows.unit else edge.Distance.Dot
        config = edge.EdgeConfig(vectors={self.vector: edge.EdgeVectorParams(rows.n_components, distance)})
        folder = make_directory(_own(Path(self.address)))
        fresh = f"{SHARD}-{secrets.token_hex(4)}"
        (folder / fresh).mkdir()
        shard = edge.EdgeShard.create(str(folder / fresh), config)
        self._upsert(edge, shard, rows, progress)
        if index:
            shard.optimize()
        indexed = shard.info().indexed_vectors_count
        shard.flush()
        shard.close()
        write_text(folder / CARD_FILE, card_text({**rows.card, "shard": fresh}) + "\n")  # from here on it is the one
        for left in folder.glob(f"{SHARD}-*"):
            if left.name != fresh:  # the one before, or those of exports that were killed
                shutil.rmtree(left, ignore_errors=True)
        return Written(rows.n_rows, "HNSW" if indexed else None)

    def append(self, rows: ExportRows, *, progress: Progress = logged) -> Written:
        """See `Store.append`."""
        edge, shard = self._load()
        self._upsert(edge, shard, rows, progress)
        shard.flush()
        shard.close()
        return Written(rows.n_rows)

    def read(self, *, rows: bool = True) -> StoredVectors:
        """See `Store.read`."""
        edge, shard = self._load()
        records = list(_records(edge, shard, with_vector=True)) if rows else []
        ids, vectors = [one.payload["id"] for one in records], [one.vector[self.vector] for one in records]
        count, indexed = shard.count(edge.CountRequest()), shard.info().indexed_vectors_count
        shard.close()
        card = card_of((Path(self.address) / CARD_FILE).read_text(encoding="utf-8"))
        table = np.asarray(vectors, dtype=np.float32)
        metric = None if card is None else str(card["metric"])
        return StoredVectors(as_ids_of_store(ids), table, metric, int(count), card, "HNSW" if indexed else None)

    def search(
        self, queries: NDArray[np.float32], k: int, metric: str, *, exact: bool, only: Condition | None = None
    ) -> list[NDArray[Any]]:
        """See `Store.search`; the metric is the shard's."""
        edge, shard = self._load()
        how = edge.SearchParams(exact=exact)
        passing = None if only is None else edge.Filter(must=[_condition(edge, only)])
        found = []
        for query in queries:
            nearest = edge.Query.Nearest(query.tolist(), using=self.vector)
            hits = shard.query(edge.QueryRequest(k, query=nearest, with_payload=True, params=how, filter=passing))
            found.append(np.array([hit.payload["id"] for hit in hits], dtype=object))
        shard.close()
        return found

    def values(self, column: str) -> tuple[NDArray[Any], list[Any]]:
        """See `Store.values`."""
        edge, shard = self._load()
        records = list(_records(edge, shard, with_vector=False))
        shard.close()
        return as_ids_of_store([one.payload["id"] for one in records]), [one.payload.get(column) for one in records]

    def recipe(self, rows: ExportRows) -> str:
        """See `Store.recipe`."""
        return (
            f"# score = {'cosine' if rows.unit else 'inner product'}: larger is nearer; the id is in the payload\n"
            f'shard = qdrant_edge.EdgeShard.load("{self.address}/{SHARD}-...")  # the name is in {CARD_FILE}\n'
            f'shard.query(QueryRequest(10, query=Query.Nearest(query, using="{self.vector}"), with_payload=True))'
        )

    def _upsert(self, edge: Any, shard: Any, rows: ExportRows, progress: Progress) -> None:
        for batch in rows.batches(ROWS_PER_CALL, progress):
            vectors = batch.column("vector").flatten().to_numpy().reshape(len(batch), -1)
            labels = (batch.column(name).to_pylist() for name in ("id", "name", "norm"))
            points = [
                edge.Point(point_of(label), {self.vector: vector.tolist()}, {"id": label, "name": name, "norm": norm})
                for vector, label, name, norm in zip(vectors, *labels, strict=True)
            ]
            shard.update(edge.UpdateOperation.upsert_points(points))

    def _load(self) -> tuple[Any, Any]:
        folder = Path(self.address)
        card = card_of((folder / CARD_FILE).read_text(encoding="utf-8")) if (folder / CARD_FILE).is_file() else None
        if card is None:
            raise InputError(f"{folder} holds no shard that simgauge wrote: name the folder of an export.")
        shard = str(card.get("shard", ""))
        if not re.fullmatch(rf"{SHARD}-[0-9a-f]+", shard):  # a card from elsewhere must not lead out of the folder
            raise InputError(f"{folder / CARD_FILE} names {shard!r}, which is no shard of an export.")
        edge = _edge()
        try:
            return edge, edge.EdgeShard.load(str(folder / shard))
        except Exception as error:  # the engine raises one class for everything
            raise InputError(f"{folder}: Qdrant's engine says: {error!s:.200}") from error


def _records(edge: Any, shard: Any, *, with_vector: bool) -> Iterator[Any]:
    """All points of a shard, a page at a time."""
    offset = None
    while True:
        asked = edge.ScrollRequest(offset=offset, limit=ROWS_PER_CALL, with_vector=with_vector, with_payload=True)
        page, offset = shard.scroll(asked)
        yield from page
        if offset is None:
            return


def _condition(edge: Any, only: Condition) -> Any:
    if only.column is not None:
        return edge.FieldCondition(key=only.column, match=edge.MatchValue(only.value))
    return edge.HasIdCondition({uuid.UUID(point_of(label)) for label in only.ids.tolist()})


def _own(folder: Path) -> Path:
    """The folder, when nothing lies there that simgauge did not write."""
    there = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    foreign = [name for name in there if name != CARD_FILE and not name.startswith((f"{SHARD}-", "."))]
    if foreign:
        raise InputError(
            f"{folder} holds files that simgauge did not write ({some_of(foreign)}): choose another folder."
        )
    return folder


def _edge() -> Any:
    return optional_import("qdrant_edge", extra="qdrant", purpose="write shards of Qdrant's engine")
