"""A damaged heap, in which libhdf5 would turn for ever, is refused before anything is read from it."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from read.vectors.table_problem import TABLE, WORDS, assert_whole
from simgauge.read.vectors.hdf5_heaps import has_endless_heap

h5py = pytest.importorskip("h5py")
HEAD = 16
READ = (
    "import sys; from simgauge.read.embedding_files import read_embedding; from simgauge.errors import InputError\n"
    "try: read_embedding(sys.argv[1])\n"
    "except InputError as error: print(error)"
)


def entries(content: bytes) -> list[int]:
    """Places of the entries of the first collection; the last one is the room that is left."""
    place = content.index(b"GCOL\x01") + HEAD
    found = [place]
    while content[place : place + 2] != b"\0\0":
        place += HEAD + -(-int.from_bytes(content[place + 8 : place + HEAD], "little") // 8) * 8
        found.append(place)
    return found


def write(path: Path, kind: str) -> Path:
    with h5py.File(path, "w", libver=("earliest", "latest")) as file:
        file["emb"] = TABLE
        if kind == "texts":
            file["ids"] = np.array(WORDS, dtype=object)
        else:
            layout = h5py.VirtualLayout((len(TABLE), 4), dtype="f8")
            layout[:] = h5py.VirtualSource(file["emb"])
            file.create_virtual_dataset("view", layout)
    return path


def damage(path: Path, entry: int, size: int) -> Path:
    content = bytearray(path.read_bytes())
    struct.pack_into("<Q", content, entries(bytes(content))[entry] + 8, size)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("kind", ["texts", "mappings"])
@pytest.mark.parametrize(("entry", "size"), [(-1, 0), (-1, 8), (0, 2**64 - 16), (0, 2**64 - 7), (0, 1 << 20)])
def test_an_entry_that_leads_nowhere_is_refused_within_seconds(tmp_path, kind, entry, size):
    path = write(tmp_path / "x.h5", kind)
    assert not has_endless_heap(path)
    damage(path, entry, size)
    assert has_endless_heap(path)
    if (entry, size) == (-1, 0):  # in a process that can be ended: h5py holds the interpreter for ever
        done = subprocess.run(
            [sys.executable, "-c", READ, path], capture_output=True, text=True, timeout=60, check=False
        )
        told = "x.h5 is damaged or cut off: its heap of texts has an entry without an end"
        assert told in done.stdout, str(done.stderr)


def test_whole_heaps_are_read(tmp_path):
    assert_whole(write(tmp_path / "texts.h5", "texts"), WORDS)
    path = tmp_path / "many.h5"
    with h5py.File(path, "w") as file:  # full and half-full collections, some entries freed again
        file["texts"] = np.array(["x" * (n % 300) for n in range(5_000)], dtype=object)
        file["texts"][::3] = "y" * 400
        del file["texts"]
        file["more"] = np.array(["z" * (n % 50) for n in range(2_000)], dtype=object)
    assert path.read_bytes().count(b"GCOL\x01") > 10
    assert not has_endless_heap(path)


def test_texts_that_look_like_a_collection_are_no_damage(tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["text"] = np.frombuffer(b"GCOL\x01" + b"z" * 40, dtype="u1")
    assert not has_endless_heap(path)
