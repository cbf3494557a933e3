"""Parquet and Arrow files: columns id, name, norm and vector, a row group or record batch at a time."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from simgauge.errors import InputError
from simgauge.progress import Progress
from simgauge.stores.card import KEY, card_text, read_card
from simgauge.stores.columns import stored_columns
from simgauge.stores.rows import ExportRows
from simgauge.stores.store import StoredVectors
from simgauge.stores.vector_file import VectorFile

ROWS_PER_GROUP = 1 << 16


class ParquetFile(VectorFile):
    """A Parquet file; the card is in its schema's metadata too."""

    kind = "parquet"
    content = "Parquet"

    def write_to(self, rows: ExportRows, path: Path, progress: Progress) -> None:
        """See `VectorFile.write_to`."""
        schema = rows.schema.with_metadata({KEY: card_text(rows.card)})
        with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=["id", "name"]) as writer:
            for batch in rows.batches(ROWS_PER_GROUP, progress):
                writer.write_batch(batch)

    def recipe(self, rows: ExportRows) -> str:
        """See `Store.recipe`."""
        score = "array_cosine_similarity" if rows.unit else "array_inner_product"
        return (
            f"-- in DuckDB; larger is nearer\nSELECT id, {score}(vector::FLOAT[{rows.n_components}], $query) AS score "
            f"FROM read_parquet('{self.address}') ORDER BY score DESC LIMIT 10;"
        )


class ArrowFile(VectorFile):
    """An Arrow IPC file, which is Feather version 2."""

    kind = "arrow"
    content = "Arrow"

    def read(self, *, rows: bool = True) -> StoredVectors:
        """See `Store.read`."""
        card = read_card(self.card_path)
        try:
            with pa.memory_map(self.address) as file:
                table = pa.ipc.open_file(file).read_all()
        except (OSError, pa.ArrowException) as error:
            raise InputError(f"{self.address} is no Arrow file or is damaged: {error!s:.200}") from error
        ids, vectors = stored_columns(table, "id", "vector", self.address)
        return StoredVectors(ids, vectors, None, len(ids), card)

    def write_to(self, rows: ExportRows, path: Path, progress: Progress) -> None:
        """See `VectorFile.write_to`."""
        schema = rows.schema.with_metadata({KEY: card_text(rows.card)})
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, schema) as writer:
            for batch in rows.batches(ROWS_PER_GROUP, progress):
                writer.write_batch(batch)

    def recipe(self, rows: ExportRows) -> str:
        """See `Store.recipe`."""
        what = "cosine, since rows have norm one" if rows.unit else "inner product"
        return (
            f"# scores are the {what}: larger is nearer\ntable = pyarrow.feather.read_table({self.address!r})\n"
            f"vectors = table['vector'].combine_chunks().flatten().to_numpy().reshape(-1, {rows.n_components})\n"
            "scores = vectors @ query"
        )
