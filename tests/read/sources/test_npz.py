"""NumPy's files are mapped, never unpickled, and a lying or damaged one is refused before memory is asked for."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from simgauge.errors import InputError
from simgauge.read.embedding_files import read_embedding
from simgauge.read.interactions import read_interactions
from simgauge.read.sources.npz import load_sparse, map_npy, npz_shapes, read_npz_array


class Trap:
    """Unpickling this would leave a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """All arrays of a file, in the order in which the library asks for them."""
    return {name: read_npz_array(path, name) for name in npz_shapes(path)}


def npy_header(shape: str, descr: str = "'<f4'") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (-(10 + len(text) + 1) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def test_npy_is_mapped(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.eye(3, dtype=np.float32))
    assert isinstance(map_npy(tmp_path / "x.npy"), np.memmap)
    items = read_embedding(tmp_path / "x.npy").items
    owner = items
    while getattr(owner, "base", None) is not None and not isinstance(owner, np.memmap):
        owner = owner.base
    assert isinstance(owner, np.memmap)


def test_pickled_objects_are_refused_and_no_code_runs(tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    np.save(tmp_path / "x.npy", np.array([Trap(sprung)], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "x.npz", items=np.array([Trap(sprung)], dtype=object))
    (tmp_path / "x.pkl").write_bytes(pickle.dumps(Trap(sprung)))
    with zipfile.ZipFile(tmp_path / "model.pt", "w") as archive:
        archive.writestr("model/data.pkl", pickle.dumps(Trap(sprung)))
    for name in ("x.npy", "x.npz"):
        with pytest.raises(InputError, match="holds pickled Python objects: refused"):
            read_embedding(tmp_path / name)
    with pytest.raises(InputError, match="is a Python pickle: refused"):
        read_embedding(tmp_path / "x.pkl")
    with pytest.raises(InputError, match="pickled PyTorch checkpoint"):
        read_embedding(tmp_path / "model.pt")
    for name in ("x.npz", "x.pkl", "model.pt"):
        with pytest.raises(InputError, match=f"{name}.* refused|refused.*{name}|{name} "):
            read_interactions(tmp_path / name)
    assert not sprung.exists()
    np.load(tmp_path / "x.npy", allow_pickle=True)  # the control: the trap works
    assert sprung.exists()


def test_pickle_behind_a_plain_header(tmp_path: Path) -> None:
    """A header that says float32 is read as float32: bytes are never looked at as a pickle."""
    sprung = tmp_path / "sprung"
    (tmp_path / "x.npy").write_bytes(npy_header("(2, 2)") + pickle.dumps(Trap(sprung))[:16].ljust(16, b"."))
    map_npy(tmp_path / "x.npy")
    assert not sprung.exists()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (npy_header("(1000, 64)") + bytes(100), "was cut off: 228 of 256,128 bytes"),
        (npy_header("(9999999999999, 99999999)"), "was cut off"),
        (npy_header("(-1, 4)"), "damaged header"),
        (npy_header("(0, 4)"), "empty array"),
        (npy_header("(2, 2)", "'<f4,<i8'"), "damaged header|expected a plain array"),
        (npy_header("(2,)", "[('a', '<f4')]") + bytes(8), "expected a plain array"),
        (npy_header("(2,)", "'<M8[s]'") + bytes(16), "expected a plain array"),
        (b"\x93NUMPY\x01\x00\x10\x00__import__('os')", "damaged header"),
        (b"\x93NUMPY\x01\x00\xff", "damaged header"),
        (b"\x93NUMPY\x07\x00\x10\x00", "damaged header"),
    ],
)
def test_damaged_npy(tmp_path: Path, content: bytes, text: str) -> None:
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(InputError, match=text):
        map_npy(tmp_path / "x.npy")


def test_npz_round_trip(tmp_path: Path, rng: np.random.Generator) -> None:
    table = rng.standard_normal((5, 3))
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "x.npz", items=table, words=np.array(["a", "é"]))
        found = read_npz(tmp_path / "x.npz")
        assert np.array_equal(found["items"], table)
        assert found["words"].tolist() == ["a", "é"]


def test_zip_that_is_no_npz(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("../../etc/readme.txt", "hello")
    with pytest.raises(InputError, match=r"is a zip archive, not an npz of arrays .it holds \.\./\.\./etc/readme\.txt"):
        npz_shapes(tmp_path / "x.npz")
    with zipfile.ZipFile(tmp_path / "x.npz", "w"):
        pass
    with pytest.raises(InputError, match="it holds nothing"):
        npz_shapes(tmp_path / "x.npz")


def test_npz_that_promises_more_than_it_holds(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("items.npy", npy_header("(4000000000, 1000)") + bytes(64))
    with pytest.raises(InputError, match="promises 16,000,000,000,128 bytes and the archive holds 192"):
        read_embedding(tmp_path / "x.npz")


def test_npz_whose_directory_lies_about_the_size(tmp_path: Path) -> None:
    """The header and the directory agree on a terabyte that the compressed bytes cannot unfold to."""
    header = npy_header("(250000000000,)")
    size = len(header) + 4 * 250_000_000_000
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("items.npy", header + bytes(64))
        archive.filelist[0].file_size = size
    (tmp_path / "x.npz").write_bytes(buffer.getvalue())
    with pytest.raises(InputError, match=r"made to mislead|damaged"):
        npz_shapes(tmp_path / "x.npz")


def test_npz_that_was_cut_off_or_altered(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", items=np.arange(4000.0).reshape(1000, 4))
    whole = (tmp_path / "x.npz").read_bytes()
    (tmp_path / "x.npz").write_bytes(whole[:20_000])
    with pytest.raises(InputError, match="damaged or cut off"):
        read_embedding(tmp_path / "x.npz")
    altered = bytearray(whole)
    altered[10_000] ^= 0xFF
    (tmp_path / "x.npz").write_bytes(altered)
    with pytest.raises(InputError, match="damaged or cut off: Bad CRC"):
        read_embedding(tmp_path / "x.npz")


@pytest.mark.parametrize("field", ["indices", "indptr"])
def test_sparse_file_whose_indices_point_outside(tmp_path: Path, field: str) -> None:
    for kind in ("csr", "csc"):
        matrix = sparse.random_array((20, 10), density=0.3, format=kind, rng=np.random.default_rng(0))
        parts = {"data": matrix.data, "indices": matrix.indices, "indptr": matrix.indptr}
        parts[field] = parts[field].copy()
        parts[field][5] = 2_000_000_000
        np.savez(tmp_path / "x.npz", format=kind.encode(), shape=matrix.shape, **parts)
        with pytest.raises(InputError, match=r"x\.npz.*damaged"):
            read_interactions(tmp_path / "x.npz")


def test_sparse_file_with_other_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", items=np.eye(2))
    with pytest.raises(InputError, match="holds the arrays items, not a scipy sparse matrix"):
        load_sparse(tmp_path / "x.npz")
    np.savez(tmp_path / "x.npz", format=b"csr", shape=(2, 2), data=np.ones(2))
    with pytest.raises(InputError, match="damaged or cut off"):
        load_sparse(tmp_path / "x.npz")


def test_arrays_that_the_directory_hides_are_missed(tmp_path: Path) -> None:
    """No checksum covers the length of a comment; with a longer one, the other entries look like its text."""
    path = tmp_path / "t.npz"
    np.savez(path, items=np.eye(3), users=np.ones((2, 3)), ids=np.arange(3))
    data = bytearray(path.read_bytes())
    first, end = data.index(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
    second = data.index(b"PK\x01\x02", first + 4)
    data_with_comment = data.copy()
    data_with_comment[first + 32 : first + 34] = (end - second).to_bytes(2, "little")
    path.write_bytes(data_with_comment)
    assert len(zipfile.ZipFile(path).namelist()) == 1  # the control: zipfile sees nothing
    with pytest.raises(InputError, match=r"says that it holds 3 arrays, and its directory lists 1\. Copy"):
        npz_shapes(path)
    path.write_bytes(data)
    assert set(npz_shapes(path)) == {"items", "users", "ids"}
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"made for a test"
    assert set(npz_shapes(path)) == {"items", "users", "ids"}
