"""Small valid files of every format that simgauge reads, made here, and what each of them says."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
from scipy import sparse

from simgauge.embedding import Embedding
from simgauge.interactions import Interactions
from simgauge.read.embedding_files import read_embedding
from simgauge.read.interactions import read_interactions
from simgauge.read.judgements import read_item_labels, read_pairs
from simgauge.read.spill import store_interactions
from simgauge.read.store.stored_interactions import StoredInteractions
from simgauge.remedies import Whitening, load_remedy

N, K = 12, 4


@dataclass(frozen=True)
class Seed:
    """One valid file, how it is read, and whether a checksum covers all of its content."""

    name: str
    """Of the format."""
    folder: Path
    file: str
    """The file in the folder that is to be changed."""
    read: Callable[[Path], str]
    """Reads a folder like this one; a digest of the content comes back."""
    checked: bool

    @property
    def content(self) -> bytes:
        """The bytes of the file."""
        return (self.folder / self.file).read_bytes()


def digest_of(*arrays: Any) -> str:
    """A digest of numbers and labels."""
    digest = hashlib.sha256()
    for array in arrays:
        found = np.asarray(array)
        digest.update(repr(found.tolist()).encode() if found.dtype == object else np.ascontiguousarray(found).tobytes())
    return digest.hexdigest()


def _vectors(path: Path, **options: Any) -> str:
    found = read_embedding(path, **options)
    return digest_of(np.asarray(found.items), *([] if found.users is None else [np.asarray(found.users)]))


def _pairs(path: Path, **options: Any) -> str:
    found = read_interactions(path, **options)
    return digest_of(found.matrix.toarray(), found.user_ids, found.item_ids)


def _store(path: Path) -> str:
    found = StoredInteractions.load(path).in_memory()
    return digest_of(found.matrix.toarray(), found.user_ids, found.item_ids)


def _judged(path: Path) -> str:
    found = read_pairs(path)
    return digest_of(found.left, found.right, found.values)


def make_seeds(root: Path, only: str = "") -> list[Seed]:
    """Write one file of every format that has `only` in its name; formats whose library is missing are left out."""
    made: list[Seed] = []

    def add(name: str, file: str, content: Any, read: Callable[[Path], str], checked: bool = False) -> None:
        if only not in name:
            return
        folder = root / name.replace(" ", "-")
        folder.mkdir()
        if callable(content):
            content(folder / file)
        else:
            (folder / file).write_bytes(content)
        made.append(Seed(name, folder, file, lambda place: read(place / file), checked))

    rng = np.random.default_rng(0)
    table = rng.standard_normal((N, K)).astype(np.float32)
    _add_arrays(add, table)
    _add_tables(add, table)
    _add_events(add)
    if not only:
        _add_libraries(add, table)
    return made + [seed for seed in _saved(root, table) if only in seed.name]


def _add_arrays(add: Callable[..., None], table: np.ndarray) -> None:
    from safetensors.numpy import save as save_tensors

    add("npy", "t.npy", _bytes(lambda file: np.save(file, table)), _vectors)
    both = {"item_vectors": table, "user_vectors": table[:5], "item_ids": np.arange(N) + 7}
    add("npz", "t.npz", _bytes(lambda file: np.savez(file, **both)), _vectors, checked=True)
    add("npz compressed", "t.npz", _bytes(lambda file: np.savez_compressed(file, t=table)), _vectors, checked=True)
    add("safetensors", "t.safetensors", save_tensors({"items": table, "users": table[:5]}), _vectors)
    for kind in ("csr", "coo"):
        matrix = sparse.random_array((8, 9), density=0.4, format=kind, rng=np.random.default_rng(1))
        add(f"sparse {kind}", "m.npz", _bytes(lambda file, m=matrix: sparse.save_npz(file, m)), _pairs, checked=True)
    add("fvecs", "t.fvecs", b"".join(np.int32(K).tobytes() + row.tobytes() for row in table), _vectors)
    add("fbin", "t.fbin", np.array([N, K], np.int32).tobytes() + table.tobytes(), _vectors)


def _add_tables(add: Callable[..., None], table: np.ndarray) -> None:
    numbered = {"id": [f"w{i}" for i in range(N)], **{f"v{j}": table[:, j] for j in range(K)}}
    listed = pa.table({"id": numbered["id"], "vector": pa.array(table.tolist(), pa.list_(pa.float32()))})
    rows = [f"w{i}," + ",".join(f"{x:.6g}" for x in row) for i, row in enumerate(table)]
    text = "id," + ",".join(f"v{j}" for j in range(K)) + "\n" + "\n".join(rows) + "\n"
    add("parquet", "t.parquet", lambda path: pq.write_table(pa.table(numbered), path), _vectors)
    add("parquet lists", "t.parquet", lambda path: pq.write_table(listed, path, compression="zstd"), _vectors)
    add("feather", "t.feather", lambda path: feather.write_feather(listed, str(path)), _vectors)
    add("csv", "t.csv", text.encode(), _vectors)
    add("tsv", "t.tsv", text.replace(",", "\t").encode(), _vectors)
    add("csv gzip", "t.csv.gz", gzip.compress(text.encode(), mtime=0), _vectors, checked=True)
    lines = [json.dumps({"id": i, "embedding": row}) for i, row in enumerate(table.round(4).tolist())]
    add("json lines", "t.jsonl", "\n".join(lines).encode(), _vectors)
    words = "\n".join(f"w{i} " + " ".join(f"{x:.5f}" for x in row) for i, row in enumerate(table)) + "\n"
    add("word2vec text", "t.txt", f"{N} {K}\n{words}".encode(), _vectors)
    add("glove", "t.txt", words.encode(), _vectors)
    binary = b"".join(f"w{i} ".encode() + row.tobytes() + b"\n" for i, row in enumerate(table))
    add("word2vec binary", "t.bin", f"{N} {K}\n".encode() + binary, _vectors)


def _add_events(add: Callable[..., None]) -> None:
    rng = np.random.default_rng(2)
    rows = list(dict.fromkeys(zip(rng.integers(0, 9, 40).tolist(), rng.integers(0, 7, 40).tolist(), strict=True)))
    text = "user_id,item_id,weight\n" + "".join(f"{u},i{i},{1 + i}\n" for u, i in rows)
    columns = {"user_id": [u for u, _ in rows], "item_id": [f"i{i}" for _, i in rows]}
    add("events csv", "e.csv", text.encode(), _pairs)
    add("events double colon", "e.dat", "".join(f"{u}::{i}::5::{9**9}\n" for u, i in rows).encode(), _pairs)
    add("events csv gzip", "e.csv.gz", gzip.compress(text.encode(), mtime=0), _pairs, checked=True)
    add("events parquet", "e.parquet", lambda path: pq.write_table(pa.table(columns), path), _pairs)
    lines = "".join(json.dumps({"user_id": u, "item_id": i}) + "\n" for u, i in rows)
    add("events json lines", "e.jsonl", lines.encode(), _pairs)
    query = {"query": "SELECT user_id, item_id FROM events"}

    def write_sqlite(path: Path) -> None:
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE events (user_id INTEGER, item_id TEXT)")
            connection.executemany("INSERT INTO events VALUES (?, ?)", list(zip(*columns.values(), strict=True)))
        connection.close()

    def write_duckdb(path: Path) -> None:
        import duckdb

        with duckdb.connect(str(path)) as connection:
            connection.register("given", pa.table(columns))
            connection.execute("CREATE TABLE events AS SELECT * FROM given")

    add("sqlite", "e.sqlite", write_sqlite, lambda path: _pairs(path, **query))
    add("duckdb", "e.duckdb", write_duckdb, lambda path: _pairs(path, **query))
    add("labels", "l.csv", b"id,label\n" + b"".join(b"%d,g%d\n" % (i, i % 3) for i in range(20)),
        lambda path: repr(read_item_labels(path)))  # fmt: skip
    add("judged pairs", "p.csv", b"a,b,score\n" + b"".join(b"%d,%d,.5\n" % (i, i + 1) for i in range(20)), _judged)


def _add_libraries(add: Callable[..., None], table: np.ndarray) -> None:
    try:
        import faiss

        flat, lists = faiss.IndexFlatIP(K), faiss.index_factory(K, "IVF2,Flat")
        lists.train(table)
        for index in (flat, lists):
            index.add(table)
        add("faiss flat", "i.faiss", faiss.serialize_index(flat).tobytes(), _vectors)
        add("faiss lists", "i.faiss", faiss.serialize_index(lists).tobytes(), _vectors)
    except ImportError:
        pass
    try:
        import torch

        state = {"items.weight": torch.tensor(table), "users.weight": torch.tensor(table[:5])}
        add("torch", "c.pt", _bytes(lambda file: torch.save(state, file)), _vectors)
    except ImportError:
        pass
    try:
        import h5py

        def write_hdf5(path: Path) -> None:
            with h5py.File(path, "w") as file:
                file["vectors"] = table

        add("hdf5", "t.h5", write_hdf5, _vectors)
    except ImportError:
        pass


def _saved(root: Path, table: np.ndarray) -> list[Seed]:
    """Every file of every thing that simgauge itself saves."""
    folders = {name: root / f"saved-{name}" for name in ("embedding", "interactions", "store", "remedy")}
    Embedding(table, users=table[:5]).save(folders["embedding"])
    Interactions(np.eye(5), item_names=list("abcde")).save(folders["interactions"])
    store_interactions(pa.table({"user": [1, 1, 2, 3], "item": ["a", "b", "a", "c"]}), folders["store"])
    Whitening().fit(Embedding(table)).save(folders["remedy"] / "map.safetensors")
    reads: dict[str, Callable[[Path], str]] = {
        "embedding": _vectors,
        "interactions": _pairs,
        "store": _store,
        "remedy": lambda folder: digest_of(load_remedy(folder / "map.safetensors").transform_items(table)),
    }
    return [
        Seed(f"saved {name}: {file.name}", folder, file.name, reads[name], checked=True)
        for name, folder in folders.items()
        for file in sorted(folder.iterdir())
    ]


def _bytes(write: Callable[[Any], Any]) -> bytes:
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()
