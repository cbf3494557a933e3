"""Events of a table sorted by user and item on disk: DuckDB sorts, within a memory limit, and streams the result."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simgauge.errors import InputError
from simgauge.progress import Progress
from simgauge.read.events.events import id_meaning, id_sql, time_sql, weight_sql
from simgauge.read.sources.codes import WHOLE_NUMBER
from simgauge.read.sources.table_source import ROWS_PER_BATCH, Column, Source, sql_text

SPACE = r"' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13)"
ORDER_MATTERS = ("sum", "mean", "last")
"""Rules whose result depends on the order of repeated events: by a bit of rounding, or altogether."""


POLL_SECONDS = 0.1


@dataclass
class SpilledEvents:
    """An open source whose events can be read in the order of users and items."""

    source: Source
    roles: Mapping[str, int]
    id_type: str
    progress: Progress | None = None
    relation: str = field(default="", init=False)
    """SQL of a table with the columns u, i, and w and t where there are weights and times."""
    rows_read: int = field(default=0, init=False)
    dropped: dict[str, int] = field(default_factory=dict, init=False)

    def prepare(self, directory: Path, memory: int, threads: int) -> None:
        """Set limits, and keep a copy of sources that can be read only once or are slow to read."""
        for setting in (
            f"memory_limit = '{memory}B'",
            f"temp_directory = {sql_text(str(directory))}",
            f"threads = {threads}",
            "preserve_insertion_order = true",
            # the statistics of Parquet files say nothing of NaN: DuckDB 2.0 takes that for "there is none"
            "disabled_optimizers = 'statistics_propagation'",
        ):
            self._execute(f"SET {setting}")
        chosen = {role: self.source.columns[position] for role, position in self.roles.items()}
        sql = [f"{self._id(chosen[role], role)} AS {name}" for role, name in (("user", "u"), ("item", "i"))]
        sql += [f"{weight_sql(chosen['weight'])} AS w"] if "weight" in chosen else []
        sql += [f"{time_sql(chosen['time'])} AS t"] if "time" in chosen else []
        self.relation = f"(SELECT {', '.join(sql)} FROM {self.source.relation})"
        if self.source.format != "Parquet":
            self._execute(f"CREATE TABLE staged AS SELECT * FROM {self.relation}", (0.0, 0.3), "reading")
            self.relation = "staged"

    def check(self) -> None:
        """Count rows, those without ids, and refuse weights that cannot be used; settle the type of the ids.

        Raises
        ------
        InputError
            No rows, or none with both ids; weights that are missing, not finite or negative; ids that are no integers.
        """
        meanings = {}
        for role, name in (("user", "u"), ("item", "i")):
            column = self.source.columns[self.roles[role]]
            meanings[name] = id_meaning(column, role, self.source, self.id_type)
        counted = ["count(*)", "count(*) FILTER (u IS NULL)", "count(*) FILTER (u IS NOT NULL AND i IS NULL)"]
        counted.append(f"count(*) FILTER ({_bad_weight()})" if "weight" in self.roles else "0")
        for name, meaning in meanings.items():
            counted += _integer_sql(name, meaning)
        row = self._execute(f"SELECT {', '.join(counted)} FROM {self.relation}", (0.3, 0.4), "looking")[0]
        self.rows_read, users, items, bad = map(int, row[:4])
        if self.rows_read == 0:
            raise InputError(f"{self.source.label} holds no rows. Pass a table with at least one event.")
        if bad:
            self._refuse_weights(bad)
        self.dropped = {"missing user id": users, "missing item id": items}
        if users + items == self.rows_read:
            raise InputError(
                f"{self.source.label}: all {self.rows_read} rows lack a user or item id, so nothing is left."
            )
        typed = {
            name: self._typed(name, role, meanings[name], row[4 + 2 * place : 6 + 2 * place])
            for place, (role, name) in enumerate((("user", "u"), ("item", "i")))
        }
        kept = ", ".join([f"{sql} AS {name}" for name, sql in typed.items()] + self._extra())
        self.relation = f"(SELECT {kept} FROM {self.relation} WHERE u IS NOT NULL AND i IS NOT NULL)"

    def items(self) -> NDArray[Any]:
        """The distinct ids of the items, ascending; their positions are the codes of `ordered`."""
        self._execute(
            "CREATE TABLE items AS SELECT i AS id, CAST(row_number() OVER (ORDER BY i) - 1 AS INTEGER) AS code "
            f"FROM (SELECT DISTINCT i FROM {self.relation})",
            (0.4, 0.5),
            "finding the items",
        )
        reader = self._reader("SELECT id FROM items ORDER BY code")
        column = pa.Table.from_batches(reader, reader.schema)["id"]
        if pa.types.is_integer(column.type):
            return np.asarray(column.to_numpy(), dtype=np.int64)
        return np.array(column.to_pylist(), dtype=object)

    def ordered(self, rule: str) -> Iterator[pa.RecordBatch]:
        """Batches of u (the user's id), i (the item's code) and, if there are weights, w, sorted by user and item.

        Repeated events come in the order of their times and of the source, where the rule makes that matter.
        """
        order = ["u", "code"] + (["t"] if "time" in self.roles else [])
        events, weighted = self.relation, "weight" in self.roles and rule != "count"
        if weighted and rule in ORDER_MATTERS:
            events = f"(SELECT *, row_number() OVER () AS r FROM {events})"
            order.append("r")
        else:
            self._execute("SET preserve_insertion_order = false")
        columns = "u, code" + (", w" if weighted else "")
        query = f"SELECT {columns} FROM {events} AS e JOIN items ON e.i = items.id ORDER BY {', '.join(order)}"
        reader = self._reader(query, (0.5, 0.8), "sorting")
        while True:
            try:
                batch = self._patiently(reader.read_next_batch, (0.5, 0.8), "sorting")
            except StopIteration:
                return
            yield batch

    def _id(self, column: Column, role: str) -> str:
        """Null where there is no id, NaN included."""
        sql = id_sql(column, self.id_type)
        return (
            f"nullif({sql}, 'nan'::DOUBLE)" if id_meaning(column, role, self.source, self.id_type) == "float" else sql
        )

    def _extra(self) -> list[str]:
        return [name for role, name in (("weight", "w"), ("time", "t")) if role in self.roles]

    def _typed(self, name: str, role: str, meaning: str, found: tuple[Any, Any]) -> str:
        """SQL of the ids in their final type."""
        problem, example = found
        if meaning == "float":
            if problem:
                raise InputError(
                    f"{role} ids are stored as floating-point numbers and {float(example)} is no exact integer. Store "
                    "the ids as integers or as text."
                )
            return f"CAST({name} AS BIGINT)"
        if meaning == "untyped" and problem:  # every id is a whole number
            if example is not None:  # beyond 64 bits with sign
                return name
            return f"CAST(trim({name}, {SPACE}) AS BIGINT)"
        return name

    def _refuse_weights(self, bad: int) -> None:
        column = self.source.columns[self.roles["weight"]]
        numbered = f"SELECT *, row_number() OVER () AS r FROM {self.relation}"
        ((value, row),) = self._execute(f"SELECT w, r FROM ({numbered}) WHERE {_bad_weight()} ORDER BY r LIMIT 1")
        problem = "is missing" if value is None else "is NaN or no number" if value != value else f"is {value}"
        raise InputError(
            f"{self.source.label}: weight {column.name!r} {problem} in data row {row} ({bad} such in all). Weights "
            f"must "
            "be finite numbers >= 0: remove these rows, map ratings to preferences first, or leave weight out so that "
            "every event counts 1."
        )

    def _execute(self, sql: str, share: tuple[float, float] = (0.0, 0.0), text: str = "") -> list[Any]:
        rows: list[Any] = self._patiently(lambda: self.source.connection.execute(sql).fetchall(), share, text)
        return rows

    def _reader(self, sql: str, share: tuple[float, float] = (0.0, 0.0), text: str = "") -> pa.RecordBatchReader:
        def ask() -> Any:
            relation = self.source.connection.sql(sql)
            return (getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader)(ROWS_PER_BATCH)

        return self._patiently(ask, share, text)

    def _patiently(self, work: Callable[[], Any], share: tuple[float, float], text: str) -> Any:
        """The result of a long call, made in a thread, so that an interruption is noticed while it runs."""
        done, result, failure = threading.Event(), [], []

        def run() -> None:
            try:
                result.append(work())
            except BaseException as error:
                failure.append(error)
            finally:
                done.set()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            while not done.wait(POLL_SECONDS):
                if self.progress is not None and text and hasattr(self.source.connection, "query_progress"):
                    percent = float(self.source.connection.query_progress())
                    low, high = share
                    self.progress(text, round(100 * low + (high - low) * min(max(percent, 0.0), 100.0)), 100)
        except BaseException:
            self.source.connection.interrupt()
            thread.join()
            raise
        if failure:
            raise failure[0]
        return result[0]


def _bad_weight() -> str:
    return "u IS NOT NULL AND i IS NOT NULL AND (w IS NULL OR NOT isfinite(w) OR w < 0)"


def _integer_sql(name: str, meaning: str) -> list[str]:
    """Two aggregates that `SpilledEvents._typed` judges by: whether, and an example of what is wrong."""
    if meaning == "float":
        bad = f"isinf({name}) OR {name} <> floor({name}) OR abs({name}) > 9007199254740992"
        return [f"count(*) FILTER ({bad})", f"any_value({name}) FILTER ({bad})"]
    if meaning == "untyped":
        trimmed = f"trim({name}, {SPACE})"
        whole = f"bool_and(regexp_full_match({trimmed}, {sql_text(WHOLE_NUMBER)}))"
        wide = f"any_value({trimmed}) FILTER (TRY_CAST({trimmed} AS BIGINT) IS NULL)"
        return [f"coalesce({whole}, false)", wide]
    return ["NULL", "NULL"]
