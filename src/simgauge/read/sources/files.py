"""Which files are meant, and what they are by their first bytes rather than by their names."""

from __future__ import annotations

import glob
import os
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
    (b"ARROW1", "Arrow"),
    (b"\x89HDF", "HDF5"),
)
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
}
"""What a file must be when its name says so; other names are believed to be whatever the content is."""


def is_path(source: Any) -> bool:
    """Whether this names files: text, a Path, or a non-empty list of them."""
    if isinstance(source, (list, tuple)):
        return bool(source) and all(isinstance(part, (str, os.PathLike)) for part in source)
    return isinstance(source, (str, os.PathLike))


def expand(source: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Files that a path, a glob, a directory of parts or a list of these stands for, globs and parts sorted by name.

    Raises
    ------
    InputError
        Nothing is there.
    """
    if not isinstance(source, (str, os.PathLike)):
        return [path for part in source for path in expand(part)]
    path = Path(source)
    if path.is_dir():
        found = [part for part in sorted(path.iterdir()) if part.is_file() and part.name[0] not in "._"]
        if not found:
            raise InputError(f"{path} is an empty directory: pass a file, a glob or a directory of data files.")
        return found
    if path.exists():
        return [path]
    if glob.has_magic(str(source)):
        names = sorted(glob.glob(str(source), recursive=True))  # noqa: PTH207  Path.glob takes no absolute pattern
        found = [Path(name) for name in names if Path(name).is_file()]
        if found:
            return found
        raise InputError(f"no file matches {str(source)!r}.")
    near = f" The directory {path.parent} does not exist." if not path.parent.is_dir() else ""
    raise InputError(f"{path} does not exist.{near} Check the path; pass a file, a glob or a list of files.")


def content_of(path: Path) -> str:
    """What the first bytes say: one of the words of `MAGIC`, "DuckDB", "safetensors", "pickle", "binary", "text".

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
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}.") from error
    if not head:
        raise InputError(f"{path.name} is empty (0 bytes).")
    content = _content(head, size)
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


def _content(head: bytes, size: int) -> str:
    for magic, name in MAGIC:
        if head.startswith(magic):
            return name
    if head[8:12] == b"DUCK":
        return "DuckDB"
    if len(head) > 8 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= max(size, 100_000_000):
        return "safetensors"
    if head[0] == 0x80 and head[1:2] in b"\x02\x03\x04\x05":
        return "pickle"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "text"
    return "binary" if b"\x00" in head else "text"
