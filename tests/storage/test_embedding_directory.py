"""Embeddings written block by block are those that the library of the format reads, and may stay on disk."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from safetensors.numpy import load_file, save_file

from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.storage.embedding_directory import RowBlocks, map_vectors, write_embedding, write_vectors


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_library_of_the_format_reads_the_same_bits(tmp_path: Path, rng, dtype) -> None:
    tables = {"items": rng.standard_normal((7, 3)).astype(dtype), "users": rng.standard_normal((11, 3)).astype(dtype)}
    write_vectors(tmp_path / "v.safetensors", {name: RowBlocks.of(table) for name, table in tables.items()})
    save_file(tables, tmp_path / "reference.safetensors")
    assert (tmp_path / "v.safetensors").read_bytes() == (tmp_path / "reference.safetensors").read_bytes()
    for found in (load_file(tmp_path / "v.safetensors"), map_vectors(tmp_path / "v.safetensors")):
        for name, table in tables.items():
            np.testing.assert_array_equal(found[name], table)
            assert found[name].dtype == dtype


def test_loaded_tables_may_stay_on_disk(tmp_path: Path, rng) -> None:
    saved = Embedding(rng.standard_normal((7, 3)), users=rng.standard_normal((9, 3)))
    saved.save(tmp_path / "e")
    mapped, loaded = Embedding.load(tmp_path / "e", mmap=True), Embedding.load(tmp_path / "e")
    np.testing.assert_array_equal(mapped.users, loaded.users)
    assert _is_mapped(mapped.users)
    assert not _is_mapped(loaded.users)


def _is_mapped(table: np.ndarray) -> bool:
    while table is not None and not isinstance(table, np.memmap):
        table = getattr(table, "base", None)
    return table is not None


def test_blocks_that_lie_about_themselves_leave_nothing(tmp_path: Path) -> None:
    def write(blocks, ids) -> None:
        write_embedding(
            tmp_path / "e",
            items=RowBlocks.of(np.eye(2)),
            users=RowBlocks((3, 2), np.dtype(float), blocks),
            item_ids=np.arange(2),
            item_names=np.arange(2),
            user_ids=[pa.array(ids)],
            provenance={},
        )

    with pytest.raises(InputError, match="2 rows came where 3 were announced"):
        write([np.eye(2)], [1, 2, 3])
    with pytest.raises(InputError, match="rows 2 to 2 hold NaN"):
        write([np.eye(2), np.full((1, 2), np.nan)], [1, 2, 3])
    with pytest.raises(InputError, match="2 labels came for 3 rows"):
        write([np.eye(2), np.ones((1, 2))], [1, 2])
    assert list(tmp_path.iterdir()) == []
    write([np.eye(2), np.ones((1, 2))], [1, 2, 3])  # the control
    assert Embedding.load(tmp_path / "e").n_users == 3


def test_damaged_vectors_cannot_be_mapped(tmp_path: Path) -> None:
    path = tmp_path / "v.safetensors"
    write_vectors(path, {"items": RowBlocks.of(np.eye(4))})
    whole = path.read_bytes()
    entries = json.loads(whole[8 : 8 + int.from_bytes(whole[:8], "little")])
    for broken in (whole[:-1], whole[:40], b"", whole[:8] + b"x" + whole[9:]):
        path.write_bytes(broken)
        with pytest.raises(InputError, match="damaged"):
            map_vectors(path)
    assert list(entries) == ["items"]
