"""The file by which a saved thing is known: what it holds, and the SHA-256 of every file of it, its own included."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from simgauge.errors import InputError
from simgauge.storage.hashing import sha256_of_file
from simgauge.storage.places import MARK, place_of

SEAL = "sha256"
BLANK = "0" * 64
"""Stands where the hash of a text will, while the text is hashed."""


def write_manifest(path: Path, facts: Mapping[str, Any]) -> None:
    """Write `facts` and the sizes and hashes of all other files of that folder, sealed; last of all files."""
    files = {
        file.name: {"bytes": file.stat().st_size, "sha256": sha256_of_file(file)}
        for file in sorted(path.parent.iterdir())
        if file != path
    }
    text = json.dumps({**facts, "files": files, SEAL: BLANK}, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    path.write_bytes(seal(text.encode()))


def seal(blank: bytes, end: int | None = None) -> bytes:
    """The bytes with their own hash where `BLANK` stands last before `end`.

    Examples
    --------
    >>> sealed = seal(b"hash " + BLANK.encode())
    >>> unsealed_hash(sealed, sealed[5:].decode()) == sealed[5:].decode()
    True
    """
    start = blank.rindex(BLANK.encode(), 0, end)
    return blank[:start] + hashlib.sha256(blank).hexdigest().encode() + blank[start + len(BLANK) :]


def unsealed_hash(sealed: bytes, stated: str, end: int | None = None) -> str:
    """The hash that the bytes had before `stated` was put into them; compare it with `stated`.

    Raises
    ------
    ValueError
        `stated` is not in the bytes, or is no hash.
    """
    start = sealed.rindex(stated.encode(), 0, end)
    if len(stated) != len(BLANK):
        raise ValueError(f"{stated!r} is no SHA-256")
    return hashlib.sha256(sealed[:start] + BLANK.encode() + sealed[start + len(BLANK) :]).hexdigest()


def read_manifest(path: Path, *, version: int, kind: str, again: str) -> dict[str, Any]:
    """The facts of a saved thing, its seal compared.

    Parameters
    ----------
    path : Path
        What `write_manifest` wrote.
    version : int
        The ``format_version`` that is read.
    kind, again : str
        What is saved there, and how it is made again; for messages.

    Raises
    ------
    InputError
        Missing, altered, or of another format version.
    """
    try:
        raw = place_of(path).read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(f"{path.parent} does not hold {kind}: {path.name} is missing.") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}.") from error
    try:
        facts = json.loads(raw)
        found, stated = facts["format_version"], str(facts.get(SEAL))
        if not isinstance(found, int) or isinstance(found, bool):
            raise TypeError(f"its format version is {found!r}")
        altered = found == version and unsealed_hash(raw, stated) != stated
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{path} is damaged ({type(error).__name__}: {error}). {again}") from error
    if found > version:
        raise InputError(
            f"{path.parent}: format version {found} is newer than this simgauge ({version}): update simgauge."
        )
    if found < version:
        raise InputError(
            f"{path.parent}: format version {found} has no checksum of every file, as {version} has. {again}"
        )
    if altered:
        raise InputError(f"{path} is not the file that was saved (SHA-256 differs). {again}")
    return dict(facts)


def check_files(directory: Path, facts: Mapping[str, Any], *, again: str, content: bool = True) -> None:
    """Compare the size of every file with what is stated and, unless `content` is False, its SHA-256.

    Raises
    ------
    InputError
        A file is missing, cut off or altered; it is named.
    """
    for name, stated in facts["files"].items():
        path = place_of(directory / name)
        if Path(name).name != name or not path.is_file():
            raise InputError(f"{directory} is not complete: {name} is missing. {again}")
        size = path.stat().st_size
        if size != stated["bytes"]:
            raise InputError(
                f"{directory / name} has {size:,} bytes where {stated['bytes']:,} were written: it was cut off or "
                f"altered. {again}"
            )
        if content and sha256_of_file(path) != stated["sha256"]:
            raise InputError(f"{directory / name} is not the file that was saved (SHA-256 differs). {again}")


def own_names(directory: Path, marker: str, usual: Iterable[str]) -> set[str]:
    """Names in a directory that are ours: those in its manifest, or the usual ones where that cannot be read.

    Raises
    ------
    InputError
        The directory is not empty and has no manifest.
    """
    there = {entry.name for entry in directory.iterdir()} if directory.is_dir() else set()
    if all(name.startswith(MARK) for name in there):  # another run waits there, or was killed
        return set()
    if not (directory / marker).is_file():
        raise InputError(
            f"{directory} exists and was not written by simgauge (no {marker} in it): choose another directory."
        )
    try:
        listed = {str(name) for name in json.loads((directory / marker).read_bytes())["files"]}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        listed = set(usual)
    return (listed | {marker}) & there
