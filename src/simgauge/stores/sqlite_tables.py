"""sqlite-vec: a virtual table `vec0` of a SQLite file; every search is an exact scan."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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

CARDS = "simgauge_cards"
MOST_NEIGHBORS = 4_096
NO_DOT = (
    "sqlite-vec compares by cosine, Euclidean or L1 distance and has no inner product, which these vectors are for. "
    "Choose "
    "another target, or ship a gauge that is for cosine (simgauge fix)."
)


class SqliteVecTable(Store):
    """A vec0 table with its ids as auxiliary columns, replaced in one transaction."""

    kind = "sqlite-vec"
    filters = True
    max_components = 8_192

    def write(self, rows: ExportRows, *, index: bool = True, progress: Progress = logged) -> Written:
        """See `Store.write`; sqlite-vec has no index."""
        self.refuse_width(rows.n_components)
        if not rows.unit:
            raise InputError(NO_DOT)
        id_type = "INTEGER" if pa.types.is_integer(rows.schema.field("id").type) else "TEXT"
        with self._open() as base:
            base.execute("BEGIN IMMEDIATE")
            self._owned(base, new=True)
            base.execute(f"DROP TABLE IF EXISTS {self.table}")
            base.execute(
                f"CREATE VIRTUAL TABLE {self.table} USING vec0({self.vector} float[{rows.n_components}] "
                f"distance_metric=cosine, +{self.id_column} {id_type}, +name TEXT, +norm FLOAT)"
            )
            self._insert(base, rows, progress)
            base.execute(f"CREATE TABLE IF NOT EXISTS {CARDS} (table_name TEXT PRIMARY KEY, card TEXT NOT NULL)")
            base.execute(f"INSERT OR REPLACE INTO {CARDS} VALUES (?, ?)", (self.table, card_text(rows.card)))
        return Written(rows.n_rows)

    def append(self, rows: ExportRows, *, progress: Progress = logged) -> Written:
        """See `Store.append`."""
        with self._open() as base:
            base.execute("BEGIN IMMEDIATE")
            self._owned(base, new=False)
            places = dict(base.execute(f"SELECT {self.id_column}, rowid FROM {self.table}"))
            old = [places[label] for label in rows.ids.tolist() if label in places]
            base.executemany(f"DELETE FROM {self.table} WHERE rowid = ?", [(place,) for place in old])
            self._insert(base, rows, progress)
        return Written(rows.n_rows)

    def read(self, *, rows: bool = True) -> StoredVectors:
        """See `Store.read`."""
        with self._open(must_exist=True) as base:
            if not self._exists(base, self.table):
                raise self.not_there(self.address)
            found = base.execute(f"SELECT {self.id_column}, {self.vector} FROM {self.table}").fetchall() if rows else []
            (count,) = base.execute(f"SELECT count(*) FROM {self.table}").fetchone()
            (sql,) = base.execute("SELECT sql FROM sqlite_master WHERE name = ?", (self.table,)).fetchone()
            card = self._card(base)
        vectors = np.stack([np.frombuffer(blob, dtype="<f4") for _, blob in found]) if found else np.empty((0, 0), "f4")
        metric = "cosine" if "distance_metric=cosine" in sql.lower() else "l2"
        return StoredVectors(as_ids_of_store([label for label, _ in found]), vectors, metric, int(count), card)

    def search(
        self, queries: NDArray[np.float32], k: int, metric: str, *, exact: bool, only: Condition | None = None
    ) -> list[NDArray[Any]]:
        """See `Store.search`; the metric is the table's."""
        if k > MOST_NEIGHBORS:
            raise InputError(f"sqlite-vec returns at most {MOST_NEIGHBORS} neighbours, {k} were asked for.")
        with self._open(must_exist=True) as base:
            passing, given = self._passing(base, only)
            sql = (
                f"SELECT {self.id_column} FROM {self.table} WHERE {self.vector} MATCH ? AND k = ? {passing}"
                "ORDER BY distance"
            )
            return [
                np.array(
                    [row[0] for row in base.execute(sql, (query.astype("<f4").tobytes(), k, *given))], dtype=object
                )
                for query in queries
            ]

    def values(self, column: str) -> tuple[NDArray[Any], list[Any]]:
        """See `Store.values`."""
        with self._open(must_exist=True) as base:
            found = base.execute(f"SELECT {self.id_column}, {column} FROM {self.table}").fetchall()
        return as_ids_of_store([label for label, _ in found]), [value for _, value in found]

    def _passing(self, base: Any, only: Condition | None) -> tuple[str, tuple[Any, ...]]:
        """The condition in SQL; ids are auxiliary columns, by which vec0 cannot filter, and row numbers can."""
        if only is None:
            return "", ()
        if only.column is not None:
            return f"AND {only.column} = ? ", (only.value,)
        places = dict(base.execute(f"SELECT {self.id_column}, rowid FROM {self.table}"))
        rows = json.dumps([places[label] for label in only.ids.tolist()])
        return "AND rowid IN (SELECT value FROM json_each(?)) ", (rows,)

    def recipe(self, rows: ExportRows) -> str:
        """See `Store.recipe`."""
        return (
            "-- distance = 1 - cosine: smaller is nearer; ? is the query as float32 bytes\n"
            f"SELECT {self.id_column}, 1 - distance AS cosine FROM {self.table} WHERE {self.vector} MATCH ? AND k = 10 "
            "ORDER BY distance;"
        )

    def _insert(self, base: Any, rows: ExportRows, progress: Progress) -> None:
        sql = f"INSERT INTO {self.table} ({self.vector}, {self.id_column}, name, norm) VALUES (?, ?, ?, ?)"
        for batch in rows.batches(progress=progress):
            vectors = batch.column("vector").flatten().to_numpy().reshape(len(batch), -1).astype("<f4")
            labels = (batch.column(name).to_pylist() for name in ("id", "name", "norm"))
            base.executemany(sql, zip((row.tobytes() for row in vectors), *labels, strict=True))

    def _exists(self, base: Any, name: str) -> bool:
        return base.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).fetchone() is not None

    def _card(self, base: Any) -> dict[str, Any] | None:
        if not self._exists(base, CARDS):
            return None
        found = base.execute(f"SELECT card FROM {CARDS} WHERE table_name = ?", (self.table,)).fetchone()
        return None if found is None else card_of(found[0])

    def _owned(self, base: Any, *, new: bool) -> None:
        if not self._exists(base, self.table):
            if not new:
                raise self.not_there(self.address)
        elif self._card(base) is None:
            raise self.not_ours(self.address)

    @contextmanager
    def _open(self, *, must_exist: bool = False) -> Iterator[Any]:
        library = optional_import("sqlite_vec", extra="sqlite-vec", purpose="write vectors to SQLite")
        path = Path(self.address)
        if must_exist and not path.is_file():
            raise InputError(f"{path} does not exist: name the file of a SQLite database.")
        if not path.absolute().parent.is_dir():
            raise InputError(f"{path}: its folder does not exist.")
        sqlite = _sqlite()
        try:
            base = sqlite.connect(path, isolation_level=None)
        except sqlite.Error as error:
            raise InputError(f"{path}: SQLite says: {error}.") from error
        try:
            base.enable_load_extension(True)
            library.load(base)
            base.enable_load_extension(False)
            yield base
            if base.in_transaction:
                base.execute("COMMIT")
        except sqlite.Error as error:
            raise InputError(f"{path}: SQLite says: {error}.") from error
        finally:
            base.close()  # what was not committed is rolled back


def _sqlite() -> Any:
    """The module sqlite3, or its twin that can load extensions where Python was built without that."""
    if hasattr(sqlite3.Connection, "enable_load_extension"):
        return sqlite3
    return optional_import(
        "pysqlite3", extra="sqlite-vec", purpose="load sqlite-vec, which this Python's SQLite cannot"
    )
