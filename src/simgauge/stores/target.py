"""Where vectors go, in one word: ``duckdb:vectors.db``, ``qdrant:http://localhost:6333``, ``postgresql://...``."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from simgauge.errors import InputError

if TYPE_CHECKING:
    from simgauge.stores.store import Store

STORES = {
    "arrow": "simgauge.stores.arrow_files:ArrowFile",
    "chroma": "simgauge.stores.chroma:ChromaCollection",
    "duckdb": "simgauge.stores.duckdb_tables:DuckDBTable",
    "faiss": "simgauge.stores.faiss_files:FaissFile",
    "fvecs": "simgauge.stores.fvecs_files:FvecsFile",
    "lancedb": "simgauge.stores.lance_tables:LanceTable",
    "milvus": "simgauge.stores.milvus:MilvusCollection",
    "npy": "simgauge.stores.numpy_files:NpyFile",
    "npz": "simgauge.stores.numpy_files:NpzFile",
    "parquet": "simgauge.stores.arrow_files:ParquetFile",
    "postgresql": "simgauge.stores.postgres:PostgresTable",
    "projector": "simgauge.stores.text_files:ProjectorFiles",
    "qdrant": "simgauge.stores.qdrant:QdrantCollection",
    "qdrant-edge": "simgauge.stores.qdrant_shards:QdrantShard",
    "safetensors": "simgauge.stores.tensor_files:SafetensorsFile",
    "sqlite-vec": "simgauge.stores.sqlite_tables:SqliteVecTable",
    "usearch": "simgauge.stores.usearch_files:UsearchFile",
    "word2vec": "simgauge.stores.text_files:Word2VecText",
    "word2vec-binary": "simgauge.stores.text_files:Word2VecBinary",
}
"""Kind -> module and class; others register under the entry point group "simgauge.stores"."""

ALIASES = {"postgres": "postgresql", "feather": "arrow", "pgvector": "postgresql"}
GROUP = "simgauge.stores"


@dataclass(frozen=True)
class Target:
    """A kind of store and an address that it understands."""

    kind: str
    address: str

    def __str__(self) -> str:
        shown = _without_password(self.address)
        return shown if self.kind == "postgresql" else f"{self.kind}:{shown}"


def parse_target(text: str) -> Target:
    """``KIND:PATH``, or the address of a PostgreSQL database.

    Raises
    ------
    InputError
        No kind before a colon, an unknown one, or nothing after it.

    Examples
    --------
    >>> parse_target("duckdb:v.db")
    Target(kind='duckdb', address='v.db')
    >>> str(parse_target("postgresql://me:secret@host/db"))
    'postgresql://me:***@host/db'
    """
    kind, colon, address = str(text).partition(":")
    kind = ALIASES.get(kind.lower(), kind.lower())
    if kind == "postgresql" and address.startswith("//"):
        return Target(kind, f"postgresql:{address}")
    if not colon or kind not in known_kinds():
        raise InputError(
            f"{text!r} names no target. Expected KIND:PATH, with KIND one of {', '.join(sorted(known_kinds()))}; such "
            f"as "
            "duckdb:vectors.db, parquet:vectors.parquet, qdrant:http://localhost:6333, or postgresql://user@host/database."
        )
    if not address:
        raise InputError(f"{text!r} has nothing after the colon: add the path or address, such as {kind}:vectors.")
    return Target(kind, address)


def known_kinds() -> set[str]:
    """Kinds that this installation knows, those of plugins included."""
    return {*STORES, *(entry.name for entry in entry_points(group=GROUP))}


def open_store(
    target: str | Target, *, table: str | None = None, vector: str = "vector", id_column: str = "id"
) -> Store:
    """The store behind a target; nothing is opened or written yet.

    Parameters
    ----------
    target : str or Target
    table : str, optional
        Table or collection; "items" when not given. Files have none.
    vector, id_column : str
        Columns, where the store has columns.

    Raises
    ------
    InputError
        An unknown kind, a name that a table or column cannot have, or a table of a file that has none.
    """
    found = target if isinstance(target, Target) else parse_target(target)
    made = _class_of(found.kind)
    if table is not None and not made.tables:
        raise InputError(f"{found} holds one table, which has no name: leave out --table.")
    return made(found.address, table or "items", vector, id_column)


def _class_of(kind: str) -> type[Store]:
    for entry in entry_points(group=GROUP):
        if entry.name == kind:
            added: type[Store] = entry.load()
            return added
    module, _, name = STORES[kind].partition(":")
    known: type[Store] = getattr(importlib.import_module(module), name)
    return known


def _without_password(address: str) -> str:
    before, at, rest = address.rpartition("@")
    scheme, slashes, login = before.rpartition("//")
    user, colon, _ = login.partition(":")
    return f"{scheme}{slashes}{user}:***{at}{rest}" if colon and at else address
