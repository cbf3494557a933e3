"""DuckDB: a table with a fixed-size array of floats; every search is an exact scan."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simgauge.errors import InputError
from simgauge.progress import Progress, logged
from simgauge.stores.card import card_of, card_text
from simgauge.stores.columns import as_ids_of_store, stored_columns
from simgauge.stores.condition import Condition
from simgauge.stores.rows import ExportRows
from simgauge.stores.store import NOTHING, Store, StoredVectors, Written

FUNCTIONS = {"cosine": "array_cosine_similarity", "dot": "array_inner_product", "l2": "-array_distance"}
"""Larger is nearer. DuckDB sorts NaN, the cosine of a zero row, above every number: zero rows must not be there."""


class DuckDBTable(Store):
    """A table of a DuckDB file, replaced in one transaction."""

    kind = "duckdb"
    filters = True

    def write(self, rows: ExportRows, *, index: bool = True, progress: Progress = logged) -> Written:
        """See `Store.write`; DuckDB's vector index is experimental and not built."""
        with self._open() as base, _transaction(base):
            self._owned(base, new=True)
            base.execute(f"DROP TABLE IF EXISTS {self.table}")
            base.execute(f"CREATE TABLE {self.table} ({self._columns(rows)})")
            self._insert(base, rows, progress)
            base.execute(f"COMMENT ON TABLE {self.table} IS {_sql(card_text(rows.card))}")
        return Written(rows.n_rows)

    def append(self, rows: ExportRows, *, progress: Progress = logged) -> Written:
        """See `Store.append`."""
        with self._open() as base, _transaction(base):
            self._owned(base, new=False)
            self._insert(base, rows, progress)
        return Written(rows.n_rows)

    def read(self, *, rows: bool = True) -> StoredVectors:
        """See `Store.read`."""
        with self._open(must_exist=True) as base:
            if not self._exists(base):
                raise self.not_there(self.address)
            count = base.execute(f"SELECT count(*) FROM {self.table}").fetchall()[0][0]
            ids, vectors = np.empty(0, np.int64), NOTHING
            if rows:
                relation = base.sql(f"SELECT {self.id_column}, {self.vector} FROM {self.table}")
                table = (getattr(relation, "to_arrow_table", None) or relation.fetch_arrow_table)()
                ids, vectors = stored_columns(table, self.id_column, self.vector, self.address)
            return StoredVectors(ids, vectors, None, int(count), self._card(base))

    def search(
        self, queries: NDArray[np.float32], k: int, metric: str, *, exact: bool, only: Condition | None = None
    ) -> list[NDArray[Any]]:
        """See `Store.search`."""
        passing, given = "", []
        if only is not None and only.column is None:
            passing, given = f"WHERE {self.id_column} IN (SELECT unnest(?)) ", [only.ids.tolist()]
        elif only is not None:
            passing, given = f"WHERE {only.column} = ? ", [only.value]
        with self._open(must_exist=True) as base:
            sql = self._search_sql(metric, queries.shape[1], passing)
            found = [base.execute(sql, [query.tolist(), *given, k]).fetchall() for query in queries]
        return [np.array([row[0] for row in hits], dtype=object) for hits in found]

    def values(self, column: str) -> tuple[NDArray[Any], list[Any]]:
        """See `Store.values`."""
        with self._open(must_exist=True) as base:
            found = base.execute(f"SELECT {self.id_column}, {column} FROM {self.table}").fetchall()
        return as_ids_of_store([label for label, _ in found]), [value for _, value in found]

    def recipe(self, rows: ExportRows) -> str:
        """See `Store.recipe`."""
        return (
            (
                f"-- score = {FUNCTIONS[rows.metric]}: larger is nearer; $query has norm one, as the rows have\n"
                if rows.unit
                else f"-- score = {FUNCTIONS[rows.metric]}: larger is nearer\n"
            )
            + self._search_sql(rows.metric, rows.n_components)
            .replace("?::", "$query::", 1)
            .replace("LIMIT ?", "LIMIT 10")
            + ";"
        )

    def _search_sql(self, metric: str, width: int, passing: str = "") -> str:
        score = f"{FUNCTIONS[metric]}({self.vector}, ?::FLOAT[{width}])"
        return (
            f"SELECT {self.id_column}, {score} AS score FROM {self.table} {passing}ORDER BY score DESC, "
            f"{self.id_column} LIMIT ?"
        )

    def _columns(self, rows: ExportRows) -> str:
        id_type = "BIGINT" if pa.types.is_integer(rows.schema.field("id").type) else "VARCHAR"
        vector = f"{self.vector} FLOAT[{rows.n_components}] NOT NULL"
        return f"{self.id_column} {id_type} PRIMARY KEY, name VARCHAR, norm DOUBLE, {vector}"

    def _insert(self, base: Any, rows: ExportRows, progress: Progress) -> None:
        for batch in rows.batches(progress=progress):
            base.register("arriving", pa.Table.from_batches([batch]))
            base.execute(f"INSERT OR REPLACE INTO {self.table} SELECT * FROM arriving")
            base.unregister("arriving")

    def _exists(self, base: Any) -> bool:
        asked = "SELECT count(*) FROM duckdb_tables() WHERE table_name = ? AND NOT internal"
        return bool(base.execute(asked, [self.table]).fetchall()[0][0])

    def _card(self, base: Any) -> dict[str, Any] | None:
        found = base.execute("SELECT comment FROM duckdb_tables() WHERE table_name = ?", [self.table]).fetchall()
        return card_of(found[0][0]) if found else None

    def _owned(self, base: Any, *, new: bool) -> None:
        if not self._exists(base):
            if not new:
                raise self.not_there(self.address)
        elif self._card(base) is None:
            raise self.not_ours(self.address)

    @contextmanager
    def _open(self, *, must_exist: bool = False) -> Iterator[Any]:
        import duckdb

        path = Path(self.address)
        if must_exist and not path.is_file():
            raise InputError(f"{path} does not exist: name the file of a DuckDB database.")
        # who only reads writes nothing, and a view in the file must not lead to other files
        settings: dict[str, Any] = (
            {"read_only": True, "config": {"enable_external_access": False}} if must_exist else {}
        )
        try:
            with duckdb.connect(str(path), **settings) as base:
                yield base
        except duckdb.Error as error:
            raise InputError(f"{path}: DuckDB says: {str(error).splitlines()[0]}") from error


@contextmanager
def _transaction(base: Any) -> Iterator[None]:
    base.execute("BEGIN")
    try:
        yield
    except BaseException:
        base.execute("ROLLBACK")
        raise
    base.execute("COMMIT")


def _sql(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
