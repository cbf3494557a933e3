"""Which files are meant, and what they are by their first bytes rather than by their names."""

from __future__ import annotations

import glob
import os
import pickletools
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from simgauge.errors import InputError

MAGIC = (
    (b"\x93NUMPY", "npy"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"PAR1", "Parquet"),
    (b"SQLite format 3\x00", "SQLite"),
    (b"\x1f\x8b", "gzip"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"ARROW1", "Arrow"),
    (b"FEA1", "Arrow"),
    (b"\xff\xff\xff\xff", "Arrow"),
    (b"\x89HDF", "HDF5"),
    (b"\xba\x16\x4f\x2f", "fastText"),
    (b"GGUF\x03", "GGUF"),
    (b"Obj\x01", "Avro"),
    (b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", "torch"),
)
COMPRESSED = ("gzip", "bzip2", "xz", "zstd", "lz4")
"""Contents that are another file, packed."""
SUFFIXES = {
    ".npy": "npy",
    ".npz": "zip",
    ".parquet": "Parquet",
    ".pq": "Parquet",
    ".csv": "text",
    ".tsv": "text",
    ".jsonl": "text",
    ".ndjson": "text",
    ".json": "text",
    ".sqlite": "SQLite",
    ".sqlite3": "SQLite",
    ".duckdb": "DuckDB",
    ".safetensors": "safetensors",
    ".gz": "gzip",
    ".bz2": "bzip2",
    ".xz": "xz",
    ".zst": "zstd",
    ".feather": "Arrow",
    ".arrow": "Arrow",
}
"""What a file must be when its name says so; other names are believed to be whatever the content is."""


def is_path(source: Any) -> bool:
    """Whether this names files: text, a Path, or a non-empty list of them."""
    if isinstance(source, (list, tuple)):
        return bool(source) and all(isinstance(part, (str, os.PathLike)) for part in source)
    return isinstance(source, (str, os.PathLike))


def expand(source: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Files that a path, a glob, a directory of parts or a list of these stands for.

    Globs and parts come in natural order: ``part2`` before ``part10``.

    Raises
    ------
    InputError
        Nothing is there.
    """
    if not isinstance(source, (str, os.PathLike)):
        return [path for part in source for path in expand(part)]
    path = Path(source)
    if "://" in str(source) and not path.exists():
        raise InputError(
            f"{source} is an address, and nothing is fetched from the network: download it and pass the file."
        )
    if path.is_dir():
        parts = sorted(path.iterdir(), key=natural_order)
        found = [part for part in parts if part.is_file() and part.name[0] not in "._"]
        if not found:
            raise InputError(f"{path} is an empty directory: pass a file, a glob or a directory of data files.")
        return found
    if path.exists():
        if not path.is_file():
            raise InputError(
                f"{path} is a pipe, a socket or a device, which can be read once only: write a file first."
            )
        return [path]
    if glob.has_magic(str(source)):
        names = [Path(name) for name in glob.glob(str(source), recursive=True)]  # noqa: PTH207  Path.glob takes no absolute pattern
        found = sorted((path for path in names if path.is_file()), key=natural_order)
        if found:
            return found
        raise InputError(f"no file matches {str(source)!r}.")
    near = f" The directory {path.parent} does not exist." if not path.parent.is_dir() else ""
    raise InputError(f"{path} does not exist.{near} Check the path; pass a file, a glob or a list of files.")


def natural_order(path: Path) -> tuple[tuple[int, int, str], ...]:
    """Sort key by which numbers in names count as numbers.

    Examples
    --------
    >>> [path.name for path in sorted(map(Path, ["v10.npy", "v9.npy"]), key=natural_order)]
    ['v9.npy', 'v10.npy']
    """
    pieces = re.split(r"([0-9]+)", str(path))
    return tuple((1, int(piece), piece) if piece.isdecimal() else (0, 0, piece) for piece in pieces)


def content_of(path: Path) -> str:
    """Kind of content by the first bytes: one of the words of `MAGIC`, "DuckDB", "safetensors", "binary", "text".

    Raises
    ------
    InputError
        The file is empty, cannot be read, is a pickle, is not what its suffix says, or is a Parquet file cut off.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(4096)
            file.seek(max(0, size - 4))
            tail = file.read(4)
            early = head[:1] in EARLY_PICKLES and tail.rstrip(b"\n")[-1:] == b"." and _is_early_pickle(file, size)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}.") from error
    if not head:
        raise InputError(f"{path.name} is empty (0 bytes).")
    _refuse_pages(path, head)
    content = "pickle" if early else _content(head, size)
    expected = SUFFIXES.get(path.suffix.lower())
    if content == "pickle":
        raise InputError(
            f"{path.name} is a Python pickle: refused, because loading one can run any code. Write the data as "
            "npy, npz, safetensors or Parquet where it was made."
        )
    if expected is not None and content != expected:
        raise InputError(
            f"{path.name}: its name says {expected}, its content is {content}. Give it the suffix of its content, or "
            "pass the file that was meant."
        )
    if content == "Parquet" and (tail != b"PAR1" or size < 12):
        raise InputError(f"{path.name} is a Parquet file that was cut off (its footer is missing): copy it again.")
    return content


EARLY_PICKLES = (b"(", b"c", b"]", b"}", b"l", b"d", b"V", b"S", b"I", b"F", b"L", b"X", b"U", b"K", b"M", b"J", b"G")
"""First bytes of pickles of the protocols 0 and 1, which have no mark of their own."""
LARGEST_EARLY_PICKLE = 1 << 24
"""Of larger files only the beginning is parsed as a pickle."""


def _is_early_pickle(file: Any, size: int) -> bool:
    """Whether the whole file (of a large one, the beginning) is a program of the pickle machine."""
    file.seek(0)
    program = file.read(LARGEST_EARLY_PICKLE)
    count, ends = 0, False
    try:
        for operation, _, position in pickletools.genops(program):
            count += 1
            ends = operation.name == "STOP" and not program[(position or 0) + 1 :].strip()
    except Exception:  # pickletools raises whatever the operation's reader does
        return size > LARGEST_EARLY_PICKLE and count > 100
    return ends and count > 1


def _refuse_pages(path: Path, head: bytes) -> None:
    """What is often found in place of a file that was to be downloaded."""
    start = head[:512].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith(b"version https://git-lfs"):
        raise InputError(f"{path.name} is a pointer of Git LFS and not the file itself: run git lfs pull.")
    if start.startswith((b"<!doctype html", b"<html")):
        raise InputError(f"{path.name} is a web page, perhaps an error of the download: fetch the file again.")


def _content(head: bytes, size: int) -> str:
    for magic, name in MAGIC:
        if head.startswith(magic):
            return name
    if head[:3] == b"BZh" and head[4:7] == b"1AY":
        return "bzip2"
    if head[8:12] == b"DUCK":
        return "DuckDB"
    if len(head) > 8 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= max(size, 100_000_000):
        return "safetensors"
    if head[0] == 0x80 and head[1:2] in b"\x02\x03\x04\x05":
        return "pickle"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "text"
    return "binary" if b"\x00" in head else "text"
