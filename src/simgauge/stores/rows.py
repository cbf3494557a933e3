"""The rows that leave for a store: unit float32 vectors with ids, names and norms, in batches; zero rows left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simgauge.core.gauges.canonical import GaugeMap
from simgauge.core.tables.arrays import numpy_dtype, to_host
from simgauge.core.tables.kinds import Table, Vector
from simgauge.core.tables.tables import row_norms, take_rows
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.labels import Ids, arrow_labels
from simgauge.progress import Progress, logged

ROWS_PER_BATCH = 8_192

Metric = Literal["cosine", "dot"]


@dataclass(frozen=True, eq=False)
class ExportRows:
    """What an embedding ships. Made by `export_rows`."""

    ids: Ids
    """(n,) of the rows that are shipped, as the embedding has them."""
    names: Ids
    """(n,)"""
    norms: Vector
    """(n,): norms before rows were scaled to norm one."""
    n_components: int
    metric: Metric
    """What the vectors are to be compared with."""
    card: Mapping[str, Any]
    """Plain JSON: what the vectors are. Stored beside them where the store has a place for it."""
    left_out: tuple[Any, ...]
    """Ids of zero rows, which have no direction."""
    table: Table
    """The embedding's items."""
    positions: NDArray[np.intp]
    """(n,): rows of `table` that are shipped."""
    made_by: GaugeMap | None = None
    """The affine map that made the vectors from those of the model, where one is known and can travel with them."""

    @property
    def n_rows(self) -> int:
        """Number of rows shipped."""
        return len(self.positions)

    @property
    def unit(self) -> bool:
        """Whether rows have norm one, so that cosine, inner product and Euclidean distance rank alike."""
        return self.metric == "cosine"

    def vectors(self, positions: NDArray[np.intp] | slice = slice(None)) -> NDArray[np.float32]:
        """Rows as they are shipped, shape (m, n_components): scaled in float64, rounded once."""
        chosen = self.positions[positions]
        rows = to_host(take_rows(self.table, chosen)).astype(np.float64)
        if self.unit:
            # by the largest entry first: squares of subnormal or huge entries would leave the range
            rows /= np.abs(rows).max(axis=1, keepdims=True)
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return rows.astype(np.float32)

    def blocks(self, progress: Progress = logged) -> Iterator[NDArray[np.float32]]:
        """`vectors`, some rows at a time; progress is told when the next ones are asked for."""
        for start in range(0, self.n_rows, ROWS_PER_BATCH):
            yield self.vectors(slice(start, start + ROWS_PER_BATCH))
            progress("writing rows", min(start + ROWS_PER_BATCH, self.n_rows), self.n_rows)

    def batches(self, size: int = ROWS_PER_BATCH, progress: Progress = logged) -> Iterator[pa.RecordBatch]:
        """Columns id, name, norm and vector (a list of fixed size of float32), `size` rows at a time; progress as for
        `blocks`."""
        for start in range(0, self.n_rows, size):
            rows = slice(start, min(start + size, self.n_rows))
            flat = pa.array(self.vectors(rows).ravel())
            yield pa.record_batch(
                {
                    "id": text_or_integer(self.ids[rows]),
                    "name": text_or_integer(self.names[rows]).cast(pa.string()),
                    "norm": pa.array(self.norms[rows]),
                    "vector": pa.FixedSizeListArray.from_arrays(flat, self.n_components),
                }
            )
            progress("writing rows", rows.stop, self.n_rows)

    @property
    def schema(self) -> pa.Schema:
        """That of `batches`."""
        return pa.schema(
            {
                "id": text_or_integer(self.ids[:0]).type,
                "name": pa.string(),
                "norm": pa.float64(),
                "vector": pa.list_(pa.float32(), self.n_components),
            }
        )


def export_rows(
    embedding: Embedding, card: Mapping[str, Any] | None = None, made_by: GaugeMap | None = None
) -> ExportRows:
    """The rows of an embedding that a store can hold.

    Parameters
    ----------
    embedding : Embedding
        ``provenance["remedy"]["metric"]`` says what the vectors are for; cosine where nothing is said. For cosine rows
        are scaled to norm one, so that a store's cosine, inner product and Euclidean distance rank alike; for dot
        product they are left as they are.
    card : mapping, optional
        Added to the card.
    made_by : GaugeMap, optional
        The map that made the vectors from the model's.

    Raises
    ------
    InputError
        Every row is zero, or entries are beyond the range of float32 (for dot product).

    Examples
    --------
    >>> rows = export_rows(Embedding([[3.0, 4.0], [0.0, 0.0], [0.0, 2.0]], item_ids=["tea", "air", "milk"]))
    >>> rows.vectors()
    array([[0.6, 0.8],
           [0. , 1. ]], dtype=float32)
    >>> rows.left_out, rows.norms
    (('air',), array([5., 2.]))
    """
    norms = row_norms(embedding.items)
    norms = np.asarray(to_host(norms), dtype=np.float64)
    kept = np.flatnonzero(norms > 0)
    if not len(kept):
        raise InputError("every vector is zero, so there is no direction to ship.")
    metric = metric_of(embedding)
    if metric == "dot":
        largest = float(norms.max())
        if largest > float(np.finfo(np.float32).max):
            raise InputError(
                f"norms of up to {largest:.3g} are beyond the range of float32, in which stores hold vectors: scale "
                f"the "
                "table first. Rankings by dot product do not depend on the scale."
            )
    zero = np.flatnonzero(norms == 0)
    described = {
        "format": "simgauge",
        "metric": metric,
        "normalized": metric == "cosine",
        "n_rows": len(kept),
        "n_components": embedding.n_components,
        "zero_rows_left_out": len(zero),
        "integer_ids": embedding.item_ids.dtype != object,
        "source_dtype": str(numpy_dtype(embedding.items)),
        "space": space_of(embedding),
        **({} if card is None else dict(card)),
    }
    return ExportRows(
        ids=embedding.item_ids[kept],
        names=embedding.item_names[kept],
        norms=norms[kept],
        n_components=embedding.n_components,
        metric=metric,
        card=described,
        left_out=tuple(embedding.item_ids[zero].tolist()),
        table=embedding.items,
        positions=kept,
        made_by=made_by,
    )


def metric_of(embedding: Embedding) -> Metric:
    """What the vectors of an embedding are to be compared with."""
    metric = (embedding.provenance.get("remedy") or {}).get("metric", "cosine")
    return "dot" if metric == "dot" else "cosine"


def space_of(embedding: Embedding) -> str | None:
    """What names the latent space: the hash of the map that made the vectors; None when no map is known."""
    found = (embedding.provenance.get("remedy") or {}).get("map_sha256")
    return None if found is None else str(found)


def text_or_integer(labels: Any) -> pa.Array:
    """Ids as int64 or as text of 32-bit offsets, which every store reads."""
    array = arrow_labels(labels)
    return array.cast(pa.string()) if pa.types.is_large_string(array.type) else array
