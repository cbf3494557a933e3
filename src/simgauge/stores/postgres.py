"""PostgreSQL with pgvector: a table filled by binary COPY, its HNSW index, and the exchange of both in one
transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simgauge.errors import InputError, optional_import
from simgauge.progress import Progress, silent
from simgauge.stores.card import card_of, card_text
from simgauge.stores.columns import as_ids_of_store
from simgauge.stores.rows import ExportRows
from simgauge.stores.store import Store, StoredVectors, Written

OPERATORS = {"cosine": ("<=>", "vector_cosine_ops"), "dot": ("<#>", "vector_ip_ops"), "l2": ("<->", "vector_l2_ops")}
"""Distances, smaller is nearer: 1 - cosine, minus the inner product, Euclidean."""
WIDEST_INDEX, WIDEST_HALF = 2_000, 4_000
"""Components that HNSW takes in float32 and in half precision."""
SEARCHED = 100


class PostgresTable(Store):
    """A table with a column of type vector."""

    kind = "postgresql"
    max_components = 16_000

    def write(self, rows: ExportRows, *, index: bool = True, progress: Progress = silent) -> Written:
        """See `Store.write`; everything happens in one transaction."""
        self.refuse_width(rows.n_components)
        fresh = f"{self.table}_arriving"
        with self._open() as base:
            self._owned(base, new=True)
            base.execute(f"DROP TABLE IF EXISTS {fresh}")
            base.execute(f"CREATE TABLE {fresh} ({self._columns(rows)})")
            self._copy(base, fresh, rows, progress)
            made, notes = self._build(base, fresh, rows) if index else (None, ())
            base.execute(f"DROP TABLE IF EXISTS {self.table}")
            base.execute(f"ALTER TABLE {fresh} RENAME TO {self.table}")
            base.execute(f"COMMENT ON TABLE {self.table} IS {_sql(card_text(rows.card))}")
        return Written(rows.n_rows, made, notes)

    def append(self, rows: ExportRows, *, progress: Progress = silent) -> Written:
        """See `Store.append`."""
        with self._open() as base:
            self._owned(base, new=False)
            base.execute(f"CREATE TEMP TABLE arriving (LIKE {self.table}) ON COMMIT DROP")
            self._copy(base, "arriving", rows, progress)
            base.execute(
                f"INSERT INTO {self.table} SELECT * FROM arriving ON CONFLICT ({self.id_column}) DO UPDATE SET "
                f"name = excluded.name, norm = excluded.norm, {self.vector} = excluded.{self.vector}"
            )
        return Written(rows.n_rows)

    def read(self, *, rows: bool = True) -> StoredVectors:
        """See `Store.read`."""
        with self._open() as base:
            if not self._exists(base):
                raise self.not_there(self._where)
            found = base.execute(f"SELECT {self.id_column}, {self.vector} FROM {self.table}").fetchall() if rows else []
            (count,) = base.execute(f"SELECT count(*) FROM {self.table}").fetchone()
            made = base.execute(
                "SELECT indexdef FROM pg_indexes WHERE tablename = %s AND indexdef ~ '(hnsw|ivfflat)'", (self.table,)
            ).fetchone()
            card = self._card(base)
        vectors = np.stack([_array(vector) for _, vector in found]) if found else np.empty((0, 0), np.float32)
        metric = (
            None if made is None else next((m for m, (_, ops) in OPERATORS.items() if _family(ops) in made[0]), None)
        )
        name = None if made is None else "HNSW" if "hnsw" in made[0] else "IVF"
        return StoredVectors(as_ids_of_store([label for label, _ in found]), vectors, metric, int(count), card, name)

    def search(self, queries: NDArray[np.float32], k: int, metric: str, *, exact: bool) -> list[NDArray[Any]]:
        """See `Store.search`; an exact one switches the index off."""
        operator = OPERATORS[metric][0]
        sql = f"SELECT {self.id_column} FROM {self.table} ORDER BY {self.vector} {operator} %s LIMIT %s"
        with self._open() as base:
            if exact:
                base.execute("SET LOCAL enable_indexscan = off")
            else:
                base.execute(f"SET LOCAL hnsw.ef_search = {max(SEARCHED, k)}")
            found = [base.execute(sql, (query, k)).fetchall() for query in queries]
        return [np.array([row[0] for row in hits], dtype=object) for hits in found]

    def recipe(self, rows: ExportRows) -> str:
        """See `Store.recipe`."""
        operator = OPERATORS[rows.metric][0]
        formula = f"1 - ({self.vector} <=> $1)" if rows.unit else f"-({self.vector} <#> $1)"
        return (
            f"-- {'cosine' if rows.unit else 'inner product'} = {formula}: larger is nearer\n"
            f"-- order by the operator itself: an expression around it would not use the index\n"
            f"SELECT {self.id_column}, {formula} AS score FROM {self.table} ORDER BY {self.vector} {operator} $1 "
            f"LIMIT 10;"
        )

    def _columns(self, rows: ExportRows) -> str:
        id_type = "bigint" if pa.types.is_integer(rows.schema.field("id").type) else "text"
        vector = f"{self.vector} vector({rows.n_components}) NOT NULL"
        return f"{self.id_column} {id_type} PRIMARY KEY, name text, norm double precision, {vector}"

    def _copy(self, base: Any, table: str, rows: ExportRows, progress: Progress) -> None:
        id_type = "int8" if pa.types.is_integer(rows.schema.field("id").type) else "text"
        columns = f"{self.id_column}, name, norm, {self.vector}"
        with base.cursor().copy(f"COPY {table} ({columns}) FROM STDIN WITH (FORMAT BINARY)") as copy:
            copy.set_types([id_type, "text", "float8", "vector"])
            for batch in rows.batches(progress=progress):
                vectors = batch.column("vector").flatten().to_numpy().reshape(len(batch), -1)
                for label, name, norm, vector in zip(
                    *(batch.column(part).to_pylist() for part in ("id", "name", "norm")), vectors, strict=True
                ):
                    copy.write_row((label, None if name is None else name.replace("\0", ""), norm, vector))

    def _build(self, base: Any, table: str, rows: ExportRows) -> tuple[str | None, tuple[str, ...]]:
        ops = OPERATORS[rows.metric][1]
        if rows.n_components > WIDEST_HALF:
            return None, (f"no index: HNSW takes at most {WIDEST_HALF} components, so every search is an exact scan",)
        if not rows.unit:
            return None, (
                "no index: graphs lose rows under inner product (simgauge check measures it); scans are exact",
            )
        base.execute("SET LOCAL maintenance_work_mem = '512MB'")
        if rows.n_components <= WIDEST_INDEX:
            base.execute(f"CREATE INDEX ON {table} USING hnsw ({self.vector} {ops})")
            return "HNSW", ()
        half = f"({self.vector}::halfvec({rows.n_components})) {ops.replace('vector', 'halfvec')}"
        base.execute(f"CREATE INDEX ON {table} USING hnsw ({half})")
        return "HNSW, half precision", (f"the index holds half precision, as HNSW takes {WIDEST_INDEX} in float32",)

    def _exists(self, base: Any) -> bool:
        return base.execute("SELECT to_regclass(%s)", (self.table,)).fetchone()[0] is not None

    def _card(self, base: Any) -> dict[str, Any] | None:
        found = base.execute("SELECT obj_description(to_regclass(%s), 'pg_class')", (self.table,)).fetchone()
        return None if found is None else card_of(found[0])

    def _owned(self, base: Any, *, new: bool) -> None:
        if not self._exists(base):
            if not new:
                raise self.not_there(self._where)
        elif self._card(base) is None:
            raise self.not_ours(self._where)

    @property
    def _where(self) -> str:
        return "the PostgreSQL database"

    @contextmanager
    def _open(self) -> Iterator[Any]:
        """A connection whose block is one transaction."""
        psycopg = optional_import("psycopg", extra="pgvector", purpose="write to PostgreSQL")
        vectors = optional_import("pgvector.psycopg", extra="pgvector", purpose="write to PostgreSQL")
        try:
            with psycopg.connect(self.address, connect_timeout=10) as base:
                try:
                    base.execute("CREATE EXTENSION IF NOT EXISTS vector")
                    vectors.register_vector(base)
                except psycopg.Error as error:
                    raise InputError(
                        f"{self._where} lacks the extension vector, and it cannot be made there ({_first(error)}): "
                        f"install "
                        "pgvector on the server and run CREATE EXTENSION vector as its administrator."
                    ) from error
                yield base
        except psycopg.OperationalError as error:
            raise InputError(f"{self._where} cannot be reached or refuses: {_first(error)}") from error
        except psycopg.Error as error:
            raise InputError(f"{self._where} says: {_first(error)}") from error


def _array(vector: Any) -> NDArray[np.float32]:
    return np.asarray(vector.to_numpy() if hasattr(vector, "to_numpy") else vector, dtype=np.float32)


def _family(ops: str) -> str:
    return ops.removeprefix("vector")


def _first(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _sql(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
