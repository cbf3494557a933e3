"""PostgreSQL with pgvector: a table filled by binary COPY, its HNSW index, and the exchange of both in one
transaction."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simgauge.errors import InputError, optional_import
from simgauge.progress import Progress, logged
from simgauge.stores.card import card_of, card_text
from simgauge.stores.columns import as_ids_of_store
from simgauge.stores.condition import Condition
from simgauge.stores.rows import ExportRows
from simgauge.stores.store import Store, StoredVectors, Written

OPERATORS = {"cosine": ("<=>", "vector_cosine_ops"), "dot": ("<#>", "vector_ip_ops"), "l2": ("<->", "vector_l2_ops")}
"""Distances, smaller is nearer: 1 - cosine, minus the inner product, Euclidean."""
WIDEST_INDEX, WIDEST_HALF = 2_000, 4_000
"""Components that HNSW takes in float32 and in half precision."""
TYPES = ("vector", "halfvec", "sparsevec")
UNKNOWN = "random() < "
"""A condition that the planner takes to keep a third of the rows, whatever the table holds: several of them tell by
EXPLAIN how it would answer a condition on a column that has no index of its own."""
INDEXES = """
SELECT am.amname, operators.opcname, pg_get_indexdef(entry.indexrelid, 1, true)
FROM pg_index entry
JOIN pg_class made ON made.oid = entry.indexrelid
JOIN pg_am am ON am.oid = made.relam
JOIN pg_opclass operators ON operators.oid = entry.indclass[0]
WHERE entry.indrelid = to_regclass(%s) AND am.amname IN ('hnsw', 'ivfflat')
  AND entry.indisvalid AND entry.indpred IS NULL
"""
"""Those that answer queries without a condition of their own: method, operators, and what is indexed."""


class VectorIndex(NamedTuple):
    """An index of the vector column."""

    method: str
    metric: str | None
    expression: str
    """The column, or a cast of it to half precision: only a query that orders by this uses the index."""


class PostgresTable(Store):
    """A table with a column of type vector."""

    kind = "postgresql"
    filters = True
    filter_by_ids = "a condition without an index of its own"
    filter_remedy = (
        "SET hnsw.iterative_scan = strict_order (ivfflat.iterative_scan = relaxed_order for IVF; pgvector 0.8 and "
        "later), so that the index is walked until enough rows pass; or raise hnsw.ef_search, or make a partial index "
        "for the condition"
    )
    max_components = 16_000

    def write(self, rows: ExportRows, *, index: bool = True, progress: Progress = logged) -> Written:
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

    def append(self, rows: ExportRows, *, progress: Progress = logged) -> Written:
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
        with self._open(writes=False) as base:
            self._must_be_there(base)
            found = base.execute(f"SELECT {self.id_column}, {self.vector} FROM {self.table}").fetchall() if rows else []
            (count,) = base.execute(f"SELECT count(*) FROM {self.table}").fetchone()
            made, card = self._index(base), self._card(base)
        vectors = np.stack([_array(vector) for _, vector in found]) if found else np.empty((0, 0), np.float32)
        metric = None if made is None else made.metric
        name = None if made is None else "HNSW" if made.method == "hnsw" else "IVF"
        return StoredVectors(as_ids_of_store([label for label, _ in found]), vectors, metric, int(count), card, name)

    def search(
        self, queries: NDArray[np.float32], k: int, metric: str, *, exact: bool, only: Condition | None = None
    ) -> list[NDArray[Any]]:
        """See `Store.search`; an exact one switches the index off. Otherwise the settings are the server's own.

        A list of ids stands for a condition on some column, which the planner may answer through the index of the
        vectors: where it would, the index is asked here, too.
        """
        with self._open(writes=False) as base:
            made = self._index(base)
            kind = self._type(base)
            ordered, cast = (self.vector, kind) if exact or made is None else (made.expression, _cast(made, kind))
            if exact:
                base.execute("SET LOCAL enable_indexscan = off")
            elif only is None or (only.column is None and self._walks(base, ordered, cast, metric, queries, only)):
                base.execute("SET LOCAL enable_sort = off")  # leaves no plan but the one through the index
            passing = "" if only is None else f"WHERE {only.column or self.id_column} = "
            passing += "" if only is None else "ANY(%s)" if only.column is None else "%s"
            sql = self._sql(passing, ordered, cast, metric)
            given = () if only is None else (only.ids.tolist() if only.column is None else only.value,)
            found = [base.execute(sql, (*given, query, k)).fetchall() for query in queries]
        return [np.array([row[0] for row in hits], dtype=object) for hits in found]

    def values(self, column: str) -> tuple[NDArray[Any], list[Any]]:
        """See `Store.values`."""
        with self._open(writes=False) as base:
            self._must_be_there(base)
            found = base.execute(f"SELECT {self.id_column}, {column} FROM {self.table}").fetchall()
        return as_ids_of_store([label for label, _ in found]), [value for _, value in found]

    def _sql(self, passing: str, ordered: str, cast: str, metric: str) -> str:
        operator = OPERATORS[metric][0]
        return f"SELECT {self.id_column} FROM {self.table} {passing} ORDER BY {ordered} {operator} %s::{cast} LIMIT %s"

    def _walks(
        self, base: Any, ordered: str, cast: str, metric: str, queries: NDArray[np.float32], only: Condition
    ) -> bool:
        """Whether the planner would answer a condition on a column that keeps as many rows through the index."""
        (n,) = base.execute(f"SELECT count(*) FROM {self.table}").fetchone()
        thirds = max(1, round(np.log(n / len(only.ids)) / np.log(3)))
        condition = " AND ".join(f"{UNKNOWN}{number}" for number in range(1, 1 + thirds))
        sql = f"EXPLAIN {self._sql(f'WHERE {condition}', ordered, cast, metric)}"
        plan = base.execute(sql, (queries[0], 10)).fetchall()
        return not any("Sort" in line for (line,) in plan)

    def recipe(self, rows: ExportRows) -> str:
        """See `Store.recipe`."""
        operator = OPERATORS[rows.metric][0]
        formula = f"1 - ({self.vector} <=> $1)" if rows.unit else f"-({self.vector} <#> $1)"
        half = rows.unit and WIDEST_INDEX < rows.n_components <= WIDEST_HALF
        cast = f"::halfvec({rows.n_components})" if half else ""
        walk = (
            "-- with a WHERE clause run this first, or few rows are returned: SET hnsw.iterative_scan = strict_order;\n"
            if rows.unit and rows.n_components <= WIDEST_HALF
            else ""
        )
        return (
            f"-- {'cosine' if rows.unit else 'inner product'} = {formula}: larger is nearer\n"
            f"-- order by the operator itself: an expression around it would not use the index\n{walk}"
            f"SELECT {self.id_column}, {formula} AS score FROM {self.table} ORDER BY {self.vector}{cast} {operator} "
            f"$1{cast} LIMIT 10;"
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

    def _index(self, base: Any) -> VectorIndex | None:
        """The index of the vector column, where there is one."""
        for method, operators, expression in base.execute(INDEXES, (self.table,)).fetchall():
            if self.vector in re.findall(r"\w+", expression):
                metric = next((m for m, (_, ops) in OPERATORS.items() if operators.endswith(_family(ops))), None)
                return VectorIndex(method, metric, expression)
        return None

    def _type(self, base: Any) -> str:
        """Type of the vector column."""
        found = base.execute(
            "SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attname = %s",
            (self.table, self.vector),
        ).fetchone()
        if found is None or found[0] not in TYPES:
            what = "there is no such column" if found is None else f"it holds {found[0]}"
            raise InputError(
                f"{self._where}: column {self.vector!r} of table {self.table!r} cannot be searched: {what}; expected "
                f"one of {', '.join(TYPES)}. Name the column with --vector."
            )
        return str(found[0])

    def _must_be_there(self, base: Any) -> None:
        if not self._exists(base):
            raise self.not_there(self._where)
        self._type(base)

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
    def _open(self, *, writes: bool = True) -> Iterator[Any]:
        """A connection whose block is one transaction; one that reads alone cannot write."""
        psycopg = optional_import("psycopg", extra="pgvector", purpose="write to PostgreSQL")
        vectors = optional_import("pgvector.psycopg", extra="pgvector", purpose="write to PostgreSQL")
        try:
            with psycopg.connect(self.address, connect_timeout=10) as base:
                base.read_only = not writes
                try:
                    if writes:
                        base.execute("CREATE EXTENSION IF NOT EXISTS vector")
                    elif not self._exists(base):
                        raise self.not_there(self._where)
                    vectors.register_vector(base)
                except psycopg.Error as error:
                    why = f", and it cannot be made there ({_first(error)})" if writes else ""
                    raise InputError(
                        f"{self._where} lacks the extension vector{why}: install pgvector on the server and run "
                        "CREATE EXTENSION vector as its administrator."
                    ) from error
                yield base
        except psycopg.OperationalError as error:
            raise InputError(f"{self._where} cannot be reached or refuses: {_first(error)}") from error
        except psycopg.Error as error:
            raise InputError(f"{self._where} says: {_first(error)}") from error


def _array(vector: Any) -> NDArray[np.float32]:
    return np.asarray(vector.to_numpy() if hasattr(vector, "to_numpy") else vector, dtype=np.float32)


def _cast(index: VectorIndex, column: str) -> str:
    """The type that a query must have beside what is indexed."""
    return "halfvec" if "halfvec" in index.expression else column


def _family(ops: str) -> str:
    return ops.removeprefix("vector")


def _first(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _sql(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
