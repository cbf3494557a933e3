"""Compressed files are what they hold; damaged ones are refused by name; nothing is left behind."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import shutil
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from fuzz import peak_of
from read.vectors.table_problem import COUNTED, TABLE, WORDS, assert_whole, lines, read
from simgauge.errors import InputError
from simgauge.read.interactions import read_interactions
from simgauge.read.sources import unpacking


def zstd(content: bytes) -> bytes:
    target = pa.BufferOutputStream()
    with pa.CompressedOutputStream(target, "zstd") as stream:
        stream.write(content)
    return bytes(target.getvalue())


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstd,
}


def npy() -> bytes:
    target = io.BytesIO()
    np.save(target, TABLE)
    return target.getvalue()


@pytest.mark.parametrize("packer", PACKERS)
def test_everything_packed(packer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    contents = {
        "x.csv": (lines(header="id,a,b,c,d\n").encode(), WORDS),
        "x.vec": (("40 4\n" + lines(" ")).encode(), WORDS),
        "x.jsonl": ("".join(f"{row}\n" for row in TABLE.tolist()).encode(), COUNTED),
        "x.npy": (npy(), COUNTED),
    }
    for name, (content, ids) in contents.items():
        path = tmp_path / f"{name}.{packer}"
        path.write_bytes(PACKERS[packer](content))
        assert assert_whole(path, ids)["rows"] == 40
        if name == "x.npy":
            continue
        path.write_bytes(path.read_bytes()[:-20])
        with pytest.raises(InputError, match=rf"{path.name} is damaged or cut off"):
            read(path)
    assert list((tmp_path / "temporary").iterdir()) == []


def test_archives(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
        archive.writestr("glove/vectors.txt", lines(" "))
        archive.writestr("__MACOSX/._vectors.txt", "x")
    assert_whole(tmp_path / "one.zip", WORDS)
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.txt", "x")
        archive.writestr("b.txt", "y")
    with pytest.raises(InputError, match=r"two\.zip is a zip archive.*a\.txt, b\.txt.*Unpack it"):
        read(tmp_path / "two.zip")
    (tmp_path / "a.csv").write_text(lines())
    with tarfile.open(tmp_path / "t.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "a.csv", arcname="a.csv")
    with pytest.raises(InputError, match=r"t\.tar\.gz is a tar archive: unpack it"):
        read(tmp_path / "t.tar.gz")


def test_what_is_found_in_place_of_a_download(tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n")
    with pytest.raises(InputError, match=r"pointer of Git LFS.*git lfs pull"):
        read(tmp_path / "x.safetensors")
    (tmp_path / "x.csv").write_text("<!DOCTYPE html>\n<html>404</html>\n")
    with pytest.raises(InputError, match=r"x\.csv is a web page"):
        read(tmp_path / "x.csv")


@pytest.mark.parametrize("packer", ["gz", "zst"])
def test_what_unpacks_to_more_than_may_be_is_refused_by_both_sizes(packer, tmp_path, monkeypatch) -> None:
    path = tmp_path / f"x.csv.{packer}"
    path.write_bytes(PACKERS[packer](lines(header="id,a,b,c,d\n").encode() + b"\n" * (9 << 20)))
    size = path.stat().st_size
    monkeypatch.setattr(unpacking, "MOST_EXPANDED", 10)
    assert_whole(path, WORDS)  # what is small in all is taken at any ratio
    monkeypatch.setattr(unpacking, "SMALL", 1_000)
    told = rf"x\.csv\.{packer} \({size:,} bytes\) unpacks to more than {10 * size:,} bytes, over 10 times its size"
    with pytest.raises(InputError, match=told):
        read(path)
    free = shutil.disk_usage(tmp_path)._replace(free=6_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free)
    with pytest.raises(InputError, match="unpacks to more than 3,000 bytes, more than the disk has room for"):
        read(path)


@pytest.mark.skipif(sys.platform != "linux", reason="measures memory through /proc")
@pytest.mark.parametrize(("name", "start"), [("x.csv", "user,item\na,b\nc,d\n"), ("x.json", '{"user": "a", "item": "')])
def test_compressed_events_are_neither_unpacked_nor_held(name: str, start: str, tmp_path: Path, monkeypatch) -> None:
    """One field of 256 MiB in a file of 250 KiB: DuckDB streams what it reads, and nothing is written."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with gzip.open(tmp_path / f"{name}.gz", "wb") as file:
        file.write(start.encode())
        for _ in range(16):
            file.write(b"0" * (1 << 24))
    assert (tmp_path / f"{name}.gz").stat().st_size < 300_000

    def read_events() -> None:
        with contextlib.suppress(InputError):
            read_interactions(tmp_path / f"{name}.gz")

    read_interactions(pa.table({"user": ["a"], "item": ["b"]}))  # libraries are loaded before memory is measured
    assert peak_of(read_events) < 192 << 20
    assert peak_of(lambda: gzip.decompress((tmp_path / f"{name}.gz").read_bytes())) > 256 << 20  # the control


@pytest.mark.parametrize("packer", ["bz2", "xz", "zst"])
def test_events_in_packings_that_may_expand_without_bounds_are_refused(packer: str, tmp_path: Path) -> None:
    (tmp_path / f"x.csv.{packer}").write_bytes(PACKERS[packer](b"user,item\na,b\n"))
    with pytest.raises(InputError, match=r"not a table.*Unpack"):
        read_interactions(tmp_path / f"x.csv.{packer}")
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(b"user,item\na,b\n"))
    assert read_interactions(tmp_path / "x.csv.gz").n_users == 1
