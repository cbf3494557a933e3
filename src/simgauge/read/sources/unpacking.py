"""Compressed files as what they hold: unpacked into a directory that is removed again."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from simgauge.errors import InputError
from simgauge.read.sources.files import COMPRESSED, content_of

SUFFIXES = (".gz", ".gzip", ".bz2", ".xz", ".lzma", ".zst", ".zstd", ".lz4", ".zip")
BYTES_PER_STEP = 1 << 22
SHARE_OF_DISK = 0.5
"""Of the free disk of the temporary folder that one file may take when it is unpacked."""
MOST_EXPANDED, SMALL = 2_000, 1 << 28
"""Times its size that a file may have unpacked, and bytes that are never too many; deflate stays below 1,032."""


@contextmanager
def unpacked(path: Path, content: str) -> Iterator[tuple[Path, str]]:
    """The file itself and what it is; of a compressed file, or a zip archive of one file, what is in it.

    Raises
    ------
    InputError
        Damaged, cut off, holding several files, or larger than the disk has room for.
    """
    member = _only_member(path) if content == "zip" else None
    if content not in COMPRESSED and member is None:
        yield path, content
        return
    with tempfile.TemporaryDirectory(prefix="simgauge-") as folder:
        name = Path(member).name if member else path.name
        if member is None and path.suffix.lower() in SUFFIXES:
            name = path.name[: -len(path.suffix)]
        target = Path(folder) / name
        try:
            with _opened(path, content, member) as packed, target.open("wb") as file:
                _copy(packed, file, path, folder)
        except (OSError, EOFError, zlib.error, lzma.LZMAError, pa.ArrowException, zipfile.BadZipFile) as error:
            raise InputError(
                f"{path.name} is damaged or cut off and cannot be unpacked ({error or type(error).__name__}): copy it "
                "again."
            ) from error
        inner = content_of(target)
        if (inner == "text" and _is_tar(target)) or name.lower().endswith(".tar"):
            raise InputError(f"{path.name} is a tar archive: unpack it and pass the file of vectors in it.")
        yield target, inner


def _copy(packed: Any, file: IO[bytes], path: Path, folder: str) -> None:
    size, written = path.stat().st_size, 0
    room = int(shutil.disk_usage(folder).free * SHARE_OF_DISK)
    limit = min(room, max(MOST_EXPANDED * size, SMALL))
    while step := packed.read(BYTES_PER_STEP):
        written += len(step)
        if written > limit:
            why = "more than the disk has room for" if limit == room else f"over {MOST_EXPANDED:,} times its size"
            raise InputError(
                f"{path.name} ({size:,} bytes) unpacks to more than {limit:,} bytes, {why}: unpack it yourself, where "
                "there is room, if it is what you think."
            )
        file.write(step)


def _opened(path: Path, content: str, member: str | None) -> Any:
    if member is not None:
        return _Member(path, member)
    openers: dict[str, Any] = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}
    if content in openers:
        return openers[content](path, "rb")
    return pa.input_stream(str(path), compression=content)


class _Member:
    """A file of a zip archive that closes the archive with itself."""

    def __init__(self, path: Path, name: str) -> None:
        self.archive = zipfile.ZipFile(path)
        self.file = self.archive.open(name)

    def __enter__(self) -> IO[bytes]:
        return self.file

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.archive.close()


def _only_member(path: Path) -> str | None:
    """The one file of a zip archive that is neither NumPy's nor PyTorch's."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/") and "__MACOSX" not in name]
    except (zipfile.BadZipFile, OSError):
        return None
    foreign = [name for name in names if not name.endswith((".npy", ".pkl"))]
    return names[0] if len(names) == 1 == len(foreign) else None


def _is_tar(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(257)
        return file.read(5) == b"ustar"
