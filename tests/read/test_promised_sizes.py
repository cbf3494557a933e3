"""Sizes that a header promises are compared with the file before memory is taken, in child processes that get
little."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from fuzz import peak_of
from simgauge.errors import InputError
from simgauge.read.embedding_files import read_embedding
from simgauge.read.interactions import read_interactions

LITTLE = 400 << 20

CHILD = """
import resource, sys
from simgauge.errors import InputError
from simgauge.read.embedding_files import read_embedding
from simgauge.read.interactions import read_interactions
if sys.argv[2].endswith(".pt"): import torch
if sys.argv[2].endswith(".faiss"): import faiss
import duckdb, pyarrow.parquet, scipy.sparse
with open("/proc/self/status") as status:
    held = next(int(line.split()[1]) << 10 for line in status if line.startswith("VmData"))
resource.setrlimit(resource.RLIMIT_DATA, (held + int(sys.argv[3]),) * 2)
try:
    (read_interactions if sys.argv[1] == "pairs" else read_embedding)(sys.argv[2])
    print("read")
except InputError as error:
    print("refused", "memory" if "more memory than there is" in str(error) else "by its header", error)
"""


def torch_expanded(path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.save({"items": torch.ones(1, 5).expand(5_000_000_000_000, 5)}, path)


def faiss_sizes(path: Path) -> None:
    faiss = pytest.importorskip("faiss")
    index = faiss.IndexFlatL2(4)
    index.add(np.ones((100, 4), np.float32))
    content = bytearray(faiss.serialize_index(index).tobytes())
    place = content.index((400).to_bytes(8, "little"))
    content[place : place + 8] = (1 << 34).to_bytes(8, "little")
    path.write_bytes(content)


def faiss_lists(path: Path) -> None:
    faiss = pytest.importorskip("faiss")
    index = faiss.IndexIVFFlat(faiss.IndexFlatL2(4), 4, 2)
    table = np.random.default_rng(0).standard_normal((100, 4)).astype(np.float32)
    index.train(table)
    index.add(table)
    content = bytearray(faiss.serialize_index(index).tobytes())
    place = content.index(b"ilar") + 4  # the lists in memory, of which this is the number
    assert content[place : place + 8] == (2).to_bytes(8, "little")
    content[place : place + 8] = (1 << 23).to_bytes(8, "little")
    path.write_bytes(content)


def sparse_columns(path: Path) -> None:
    sparse.save_npz(path, sparse.csr_array((np.ones(3), ([0, 1, 2], [0, 1, 2])), shape=(3, 10**12)))


def npy_shape(path: Path) -> None:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 5), }"
    path.write_bytes(b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + header.ljust(117) + b"\n" + bytes(400))


def npz_shape(path: Path) -> None:
    npy_shape(path.with_suffix(".npy"))
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(path.with_suffix(".npy"), "items.npy")


CASES: dict[str, tuple[str, str, Callable[[Path], None]]] = {
    "expanded tensor": ("vectors", "c.pt", torch_expanded),
    "faiss": ("vectors", "i.faiss", faiss_sizes),
    "sparse columns": ("pairs", "m.npz", sparse_columns),
    "npy": ("vectors", "t.npy", npy_shape),
    "npz": ("vectors", "t.npz", npz_shape),
    "word2vec components": ("vectors", "w.bin", lambda path: path.write_bytes(b"1 900000000000\na " + bytes(400))),
    "word2vec words": ("vectors", "w.bin", lambda path: path.write_bytes(b"900000000000 4\na " + bytes(400))),
    "word2vec text": ("vectors", "w.txt", lambda path: path.write_text("900000000000 4\na 1 2 3 4\nb 1 2 3 4\n")),
    "safetensors": (
        "vectors",
        "t.safetensors",
        lambda path: path.write_bytes((1 << 40).to_bytes(8, "little") + b"{" * 99),
    ),
}


@pytest.mark.skipif(sys.platform != "linux", reason="limits private memory")
@pytest.mark.parametrize("case", CASES)
def test_promises_are_compared_with_the_file(tmp_path: Path, case: str) -> None:
    what, name, make = CASES[case]
    make(tmp_path / name)
    assert (tmp_path / name).stat().st_size < 5_000
    command = [sys.executable, "-c", CHILD, what, str(tmp_path / name), str(LITTLE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.startswith("refused by its header"), str(done.stdout + done.stderr)


@pytest.mark.skipif(sys.platform != "linux", reason="measures memory through /proc")
def test_lists_that_a_faiss_header_promises_are_not_made(tmp_path: Path) -> None:
    faiss_lists(tmp_path / "i.faiss")

    def refused() -> None:
        with pytest.raises(InputError, match="cannot be read by FAISS"):
            read_embedding(tmp_path / "i.faiss")

    assert peak_of(refused) < 50 << 20  # 400 MB where FAISS makes them all before it looks for their content


def test_honest_files_pass(tmp_path: Path) -> None:
    """Controls: columns that nobody used, a tensor that is a slice of a larger one."""
    sparse.save_npz(tmp_path / "m.npz", sparse.csr_array((np.ones(3), ([0, 1, 2], [0, 1, 2])), shape=(3, 5_000_000)))
    assert read_interactions(tmp_path / "m.npz").n_items == 5_000_000
    torch = pytest.importorskip("torch")
    torch.save({"items": torch.arange(60.0).reshape(20, 3)[::2]}, tmp_path / "c.pt")
    assert read_embedding(tmp_path / "c.pt").items.tolist() == np.arange(60.0).reshape(20, 3)[::2].tolist()


def test_faiss_lists_in_another_file_are_refused_and_not_opened(tmp_path: Path) -> None:
    faiss = pytest.importorskip("faiss")
    rng = np.random.default_rng(0)
    table = rng.standard_normal((100, 4)).astype(np.float32)
    index = faiss.IndexIVFFlat(faiss.IndexFlatL2(4), 4, 2)
    index.train(table)
    index.add(table)
    faiss.write_index(index, str(tmp_path / "held.faiss"))
    assert read_embedding(tmp_path / "held.faiss").n_items == 100  # the control
    lists = faiss.OnDiskInvertedLists(2, index.code_size, str(tmp_path / "lists.bin"))
    other = faiss.IndexIVFFlat(index.quantizer, 4, 2)
    other.train(table)
    other.replace_invlists(lists)
    other.add(table)
    faiss.write_index(other, str(tmp_path / "disk.faiss"))
    (tmp_path / "lists.bin").chmod(0o444)
    before = (tmp_path / "lists.bin").stat().st_mtime_ns
    with pytest.raises(InputError, match="keeps its lists in another file"):
        read_embedding(tmp_path / "disk.faiss")
    assert (tmp_path / "lists.bin").stat().st_mtime_ns == before
