"""Files of vector search give back the vectors that were put in."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from read.vectors.table_problem import COUNTED, NUMBERS, TABLE, assert_whole, read
from simgauge.errors import InputError

BYTES = (TABLE * 20 + 128).astype(np.uint8)


def with_lengths(table: np.ndarray) -> bytes:
    return b"".join(struct.pack("<i", len(row)) + row.tobytes() for row in table)


def with_header(table: np.ndarray) -> bytes:
    return struct.pack("<II", *table.shape) + table.tobytes()


@pytest.mark.parametrize(
    ("name", "table", "content"),
    [
        ("x.fvecs", TABLE, with_lengths(TABLE)),
        ("x.bvecs", BYTES, with_lengths(BYTES)),
        ("x.ivecs", BYTES.astype("<i4"), with_lengths(BYTES.astype("<i4"))),
        ("x.fbin", TABLE, with_header(TABLE)),
        ("x.u8bin", BYTES, with_header(BYTES)),
        ("x.i8bin", BYTES.astype(np.int8), with_header(BYTES.astype(np.int8))),
    ],
)
def test_benchmark_files(name: str, table: np.ndarray, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    found, understood = read(tmp_path / name)
    assert np.array_equal(found.items, table)
    assert understood["dtype"] == table.dtype.name
    for damaged in (content[:-3], content[:2], content + b"x", b"\xff" * 4 + content[4:]):
        (tmp_path / name).write_bytes(damaged)
        with pytest.raises(InputError, match="cut off or is in another format"):
            read(tmp_path / name)


def test_rows_of_other_lengths(tmp_path: Path) -> None:
    content = bytearray(with_lengths(TABLE))
    content[20 * 5 : 20 * 5 + 4] = struct.pack("<i", 3)
    (tmp_path / "x.fvecs").write_bytes(content)
    with pytest.raises(InputError, match="row 5 says 3 components, the first says 4"):
        read(tmp_path / "x.fvecs")


@pytest.mark.parametrize("links", [5, 16])
def test_hnswlib(links: int, tmp_path: Path) -> None:
    hnswlib = pytest.importorskip("hnswlib")
    index = hnswlib.Index("l2", 4)
    index.init_index(100, M=links)
    index.add_items(TABLE, NUMBERS)
    index.save_index(str(tmp_path / "x.bin"))
    assert_whole(tmp_path / "x.bin", NUMBERS)
    index.mark_deleted(NUMBERS[3])
    index.save_index(str(tmp_path / "x.bin"))
    found, understood = read(tmp_path / "x.bin")
    assert found.item_ids.tolist() == NUMBERS[:3] + NUMBERS[4:]
    assert understood["left_out"] == ["1 deleted elements"]
    content = (tmp_path / "x.bin").read_bytes()
    (tmp_path / "cut.bin").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"cut\.bin is binary and of no format that is known"):
        read(tmp_path / "cut.bin")


def test_hnswlib_for_cosines_has_lost_the_lengths(tmp_path: Path) -> None:
    hnswlib = pytest.importorskip("hnswlib")
    index = hnswlib.Index("cosine", 4)
    index.init_index(100)
    index.add_items(TABLE, NUMBERS)
    index.save_index(str(tmp_path / "x.bin"))
    found, understood = read(tmp_path / "x.bin")
    assert np.allclose(found.items, TABLE / np.linalg.norm(TABLE, axis=1, keepdims=True), atol=1e-6)
    assert "the lengths they had are lost" in understood["notes"][0]


def test_usearch(tmp_path: Path) -> None:
    usearch = pytest.importorskip("usearch.index")
    index = usearch.Index(ndim=4, dtype="f32")
    order = np.random.default_rng(0).permutation(40)
    index.add(np.array(NUMBERS)[order], TABLE[order])
    index.save(str(tmp_path / "x.usearch"))
    understood = assert_whole(tmp_path / "x.usearch", NUMBERS)
    assert understood["dtype"] == "f32"
    content = (tmp_path / "x.usearch").read_bytes()
    (tmp_path / "cut.usearch").write_bytes(content[:-200])
    with pytest.raises(InputError, match=r"cut\.usearch"):
        read(tmp_path / "cut.usearch")


def test_bare_numbers_are_told_how_to_be_read(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(TABLE.tobytes())
    with pytest.raises(InputError, match=r"np\.fromfile\(path, dtype='float32'\)"):
        read(tmp_path / "x.bin")
    table = np.fromfile(tmp_path / "x.bin", dtype="float32").reshape(-1, 4)  # what the message says
    np.save(tmp_path / "vectors.npy", table)
    assert_whole(tmp_path / "vectors.npy", COUNTED)
