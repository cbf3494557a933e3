"""What DuckDB would guess is set on purpose, and a query can read its database and nothing else."""

from __future__ import annotations

import gzip
import sqlite3
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simgauge.errors import InputError
from simgauge.read.interactions import read_interactions
from simgauge.read.sources.duckdb_readers import checked_query
from simgauge.read.spill import store_interactions

EVENTS = {"userId": [1, 2, 2], "movieId": [7, 7, 8]}


def write(folder: Path, kind: str) -> Path:
    folder.mkdir(parents=True)
    path = folder / f"r.{kind.split()[0]}"
    if kind == "parquet":
        pq.write_table(pa.table(EVENTS), path)
    elif kind == "jsonl":
        path.write_text("".join(f'{{"userId": {u}, "movieId": {m}}}\n' for u, m in zip(*EVENTS.values(), strict=True)))
    else:
        text = "userId,movieId\n" + "".join(f"{u},{m}\n" for u, m in zip(*EVENTS.values(), strict=True))
        path.write_bytes(gzip.compress(text.encode()) if kind == "csv gz" else text.encode())
        path = path.rename(path.with_suffix(".csv.gz")) if kind == "csv gz" else path
    return path


@pytest.mark.parametrize("kind", ["parquet", "jsonl", "csv", "csv gz"])
@pytest.mark.parametrize("reader", ["in memory", "store"])
def test_names_of_folders_are_no_columns(tmp_path: Path, kind: str, reader: str) -> None:
    path = write(tmp_path / "userId=9" / "movieId=x", kind)
    found = store_interactions(path, tmp_path / "store").in_memory() if reader == "store" else read_interactions(path)
    assert found.user_ids.tolist() == [1, 2]
    assert found.item_ids.tolist() == [7, 8]


def test_duckdb_alone_would_take_them() -> None:
    """Control: else the test above tests nothing."""
    connection = duckdb.connect()
    text = connection.sql(
        "SELECT function_name FROM duckdb_functions() WHERE list_contains(parameters, 'hive_partitioning')"
    )
    assert {"read_parquet", "read_csv", "read_json_objects"} <= {name for (name,) in text.fetchall()}


def test_compression_is_known_by_content(tmp_path: Path) -> None:
    path = write(tmp_path / "a", "csv gz")
    assert read_interactions(path.rename(tmp_path / "a" / "renamed.gz")).nnz == 3


@pytest.fixture
def database(tmp_path: Path) -> Path:
    with duckdb.connect(str(tmp_path / "data.duckdb")) as connection:
        connection.execute("CREATE TABLE events AS SELECT 1 AS user, 2 AS item")
    (tmp_path / "secret.csv").write_text("user,item\n1,2\n")
    return tmp_path / "data.duckdb"


@pytest.mark.parametrize(
    "query",
    ["SELECT * FROM events", "FROM events;", "WITH e AS (SELECT * FROM events) SELECT user, item FROM e -- all\n"],
)
def test_one_select_is_answered(database: Path, query: str) -> None:
    assert read_interactions(database, query=query).nnz == 1


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT 1 AS user, 2 AS item; DROP TABLE events", "takes one SELECT"),
        ("DROP TABLE events", "takes one SELECT"),
        ("COPY events TO '{folder}/copy.csv'", "takes one SELECT"),
        ("ATTACH '{folder}/other.duckdb' AS other", "takes one SELECT"),
        ("INSTALL httpfs", "takes one SELECT"),
        ("PRAGMA database_list", "takes one SELECT"),
        ("", "takes one SELECT"),
        ("SELECT * FROM read_csv('{folder}/secret.csv')", "disabled|cannot be read"),
        ("SELECT * FROM '{folder}/secret.csv'", "cannot be read"),
        ("SELECT 1 AS user, 2 AS item FROM glob('{folder}/*')", "disabled|cannot be read"),
        ("SELECT * FROM events) TABLE; DROP TABLE events; --", "cannot be parsed"),
        ("SELECT nonsense", "cannot be read"),
    ],
)
def test_whatever_else_is_refused(database: Path, query: str, message: str) -> None:
    before = sorted(path.name for path in database.parent.iterdir())
    with pytest.raises(InputError, match=message):
        read_interactions(database, query=query.format(folder=database.parent))
    assert sorted(path.name for path in database.parent.iterdir()) == before
    assert read_interactions(database, query="FROM events").nnz == 1


def test_the_query_comes_back_as_it_was() -> None:
    assert checked_query(duckdb.connect(), " SELECT 1 ; ", "x") == "SELECT 1"


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM events",
        "ATTACH '{folder}/secret.sqlite' AS other",
        "PRAGMA journal_mode = DELETE",
        "SELECT load_extension('{folder}/x.so') AS user, 1 AS item",
        "CREATE TABLE x (a)",
        "SELECT 1; SELECT 2",
    ],
)
def test_sqlite_reads_and_nothing_else(tmp_path: Path, query: str) -> None:
    with sqlite3.connect(tmp_path / "data.sqlite") as connection:
        connection.execute("CREATE TABLE events (user, item)")
        connection.execute("INSERT INTO events VALUES (1, 2)")
    connection.close()
    with pytest.raises(InputError, match="SQLite could not answer the query"):
        read_interactions(tmp_path / "data.sqlite", query=query.format(folder=tmp_path))
    query = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT i + 1 FROM n WHERE i < 3) SELECT abs(i) AS user, item FROM "
        "n, events"
    )
    assert read_interactions(tmp_path / "data.sqlite", query=query).nnz == 3
