"""Queries of real databases: SQLite files, DuckDB files, and a PostgreSQL server started for the test."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from simgauge.errors import InputError, MissingDependencyError
from simgauge.read.interactions import read_interactions
from simgauge.read.sources import databases

ROWS = [("ann", 10, 1.5), ("ann", 20, 1.0), ('bob\'s "x"', 2**40, 2.0)]


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE events (user_id TEXT, item_id INTEGER, weight REAL)")
        connection.executemany("INSERT INTO events VALUES (?, ?, ?)", ROWS)
        connection.commit()
    return path


def test_sqlite(sqlite_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "ROWS_PER_FETCH", 2)
    found = read_interactions(sqlite_file, query="SELECT * FROM events WHERE weight > 0")
    assert found.user_ids.tolist() == ["ann", 'bob\'s "x"']
    assert found.item_ids.tolist() == [10, 20, 2**40]
    assert found.matrix.toarray().tolist() == [[1.5, 1.0, 0.0], [0.0, 0.0, 2.0]]
    assert found.report["format"] == "SQLite"


def test_sqlite_without_or_with_a_wrong_query(sqlite_file: Path) -> None:
    with pytest.raises(InputError, match=r"shop\.db is a database: pass a query.* Its tables: events"):
        read_interactions(sqlite_file)
    with pytest.raises(InputError, match="could not answer the query: no such table: elsewhere"):
        read_interactions(sqlite_file, query="SELECT * FROM elsewhere")
    with pytest.raises(InputError, match="not authorized"):
        read_interactions(sqlite_file, query="DELETE FROM events")
    with pytest.raises(InputError, match="holds no rows"):
        read_interactions(sqlite_file, query="SELECT * FROM events WHERE weight > 99")


def test_sqlite_columns_that_change_their_type_later(sqlite_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "ROWS_PER_FETCH", 1)
    query = "SELECT 1 AS user_id, 1 AS item_id UNION ALL SELECT 'ann', 2"
    with pytest.raises(InputError, match="column 'user_id' mixes types"):
        read_interactions(sqlite_file, query=query)
    assert (
        read_interactions(sqlite_file, query=f"SELECT CAST(user_id AS TEXT) AS u, item_id FROM ({query})").n_users == 2
    )


def test_sqlite_file_that_was_cut_off(sqlite_file: Path) -> None:
    with closing(sqlite3.connect(sqlite_file)) as connection:
        connection.executemany("INSERT INTO events VALUES (?, ?, ?)", [("u" * 50, n, 1.0) for n in range(5000)])
        connection.commit()
    whole = sqlite_file.read_bytes()
    sqlite_file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"shop\.db: SQLite .*malformed"):
        read_interactions(sqlite_file, query="SELECT * FROM events")


def test_duckdb(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE events (user_id VARCHAR, item_id BIGINT, weight DOUBLE)")
        connection.executemany("INSERT INTO events VALUES (?, ?, ?)", ROWS)
    found = read_interactions(path, query="SELECT * FROM events;")
    assert found.matrix.toarray().tolist() == [[1.5, 1.0, 0.0], [0.0, 0.0, 2.0]]
    with pytest.raises(InputError, match="Its tables: events"):
        read_interactions(path)
    with pytest.raises(InputError, match="cannot be read as DuckDB"):
        read_interactions(path, query="SELECT nothing FROM events")
    with pytest.raises(InputError, match="pass one at a time"):
        read_interactions([path, path], query="SELECT 1")
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(InputError, match=r"shop\.duckdb cannot be opened|cannot be read"):
        read_interactions(path, query="SELECT * FROM events")


def test_query_is_for_databases(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("user,item\n1,2\n")
    with pytest.raises(InputError, match="a query is for databases"):
        read_interactions(tmp_path / "a.csv", query="SELECT 1")


def test_without_the_driver_the_error_gives_the_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql", None)
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql.dbapi", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'simgauge\[postgres\]'"):
        read_interactions("postgresql://localhost/shop", query="SELECT 1")


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """Address of a server of its own on the loopback interface, in a directory that goes away afterwards."""
    pytest.importorskip("adbc_driver_postgresql", reason="the PostgreSQL driver is not installed")
    tools = [shutil.which(name) for name in ("initdb", "postgres", "psql")]
    if None in tools:
        pytest.skip("no PostgreSQL server is installed here")
    initdb, server, psql = map(str, tools)
    run_as = {"user": "postgres"} if os.name == "posix" and os.geteuid() == 0 else {}  # it refuses to run as root
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="simgauge-postgres-") as directory:
        if run_as:
            shutil.chown(directory, "postgres")
        data = f"{directory}/data"
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": directory, **run_as}
        subprocess.run([initdb, "-D", data, "-U", "owner", "-A", "trust", "-N"], check=True, **quiet)
        options = ["-h", "127.0.0.1", "-p", str(port), "-k", directory, "-F"]
        with subprocess.Popen([server, "-D", data, *options], **quiet) as process:
            address = f"postgresql://owner:secret@127.0.0.1:{port}/postgres"
            try:
                ready = [psql, address, "-c", "SELECT 1"]
                for _ in range(100):
                    if subprocess.run(ready, check=False, **quiet).returncode == 0:
                        break
                    process.poll()
                    if process.returncode is not None:
                        pytest.skip("the PostgreSQL server did not start")
                    subprocess.run(["sleep", "0.1"], check=True)
                script = (
                    "CREATE TABLE events (user_id text, item_id bigint, weight real, day date);"
                    "INSERT INTO events VALUES ('ann', 10, 1.5, '2024-01-01'), ('ann', 20, 1, '2024-01-02'),"
                    " ('bob''s \"x\"', 1099511627776, 2, '2024-01-03'), ('12', 10, 4, NULL)"
                )
                subprocess.run([psql, address, "-v", "ON_ERROR_STOP=1", "-c", script], check=True, **quiet)
                yield address
            finally:
                process.terminate()
                process.wait()


def test_postgres(postgres: str) -> None:
    found = read_interactions(postgres, query="SELECT user_id, item_id, weight FROM events ORDER BY weight")
    assert found.user_ids.tolist() == ["12", "ann", 'bob\'s "x"']
    assert found.item_ids.tolist() == [10, 20, 2**40]
    assert found.matrix.toarray().tolist() == [[4.0, 0.0, 0.0], [1.5, 1.0, 0.0], [0.0, 0.0, 2.0]]
    assert found.report["format"] == "PostgreSQL"


def test_postgres_reads_and_nothing_else(postgres: str) -> None:
    for query in ("DELETE FROM events RETURNING user_id, item_id", "CREATE TABLE copy AS SELECT * FROM events"):
        with pytest.raises(InputError, match="PostgreSQL could not answer the query"):
            read_interactions(postgres, query=query)
    assert read_interactions(postgres, query="SELECT user_id, item_id FROM events").nnz == 4


def test_postgres_many_rows_and_numeric_weights(postgres: str) -> None:
    query = "SELECT n % 100 AS user_id, n % 7 AS item_id, 0.5::numeric AS weight FROM generate_series(1, 100000) n"
    found = read_interactions(postgres, query=query)
    assert found.nnz == 700
    assert found.matrix.sum() == 50_000.0


def test_postgres_errors_do_not_repeat_the_password(postgres: str) -> None:
    with pytest.raises(InputError, match=r'relation "elsewhere" does not exist') as failed:
        read_interactions(postgres, query="SELECT * FROM elsewhere")
    assert "secret" not in str(failed.value)
    with pytest.raises(InputError, match="is a database: pass a query"):
        read_interactions(postgres)
    with pytest.raises(InputError, match=r"PostgreSQL could not answer the query.*the address") as failed:
        read_interactions("postgresql://owner:secret@[::1/postgres", query="SELECT 1")
    assert "secret" not in str(failed.value)
    unreachable = postgres.rsplit(":", 1)[0] + ":1/postgres"
    with pytest.raises(InputError, match="PostgreSQL could not answer") as failed:
        read_interactions(unreachable, query="SELECT 1")
    assert "secret" not in str(failed.value)
    with pytest.raises(InputError, match="division by zero"):
        read_interactions(postgres, query="SELECT 1 AS u, 1 / (5000 - n) AS i FROM generate_series(1, 9000) n")
