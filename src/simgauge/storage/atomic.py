"""Files and directories that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simgauge.errors import InputError


@contextmanager
def atomic_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it replaces `path`, on any error nothing is left.

    Raises
    ------
    InputError
        The directory does not exist and cannot be made, or cannot be written to; its disk is full.
    """
    target = Path(path)
    parent = make_directory(target.parent)
    if target.is_dir():
        raise InputError(f"{target} is a directory: pass the name of a file.")
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=parent)
    os.close(handle)
    temporary = Path(name)
    try:
        with _full_disk_told(parent):
            yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextmanager
def atomic_directory(path: str | Path, *, marker: str) -> Iterator[Path]:
    """Yield a temporary directory; on success it takes the place of `path`, on any error nothing has changed.

    Parameters
    ----------
    path : str or Path
        A directory that does not exist, is empty, or holds a file called `marker`, which says that simgauge
        wrote it and may replace it.
    marker : str
        Name of the file by which such a directory is known.

    Raises
    ------
    InputError
        `path` holds something else, or cannot be written to; the disk is full.
    """
    target = Path(path)
    if target.is_dir():
        if any(target.iterdir()) and not (target / marker).is_file():
            raise InputError(
                f"{target} exists and was not written by simgauge (no {marker} in it): choose another directory."
            )
    elif target.exists():
        raise InputError(f"{target} is a file: choose a directory.")
    parent = make_directory(target.parent)
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=parent))
    try:
        with _full_disk_told(parent):
            yield temporary
        temporary.chmod(0o777 & ~_umask())
        if target.exists():
            retired = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=parent))
            target.replace(retired)
            try:
                temporary.replace(target)
            except BaseException:
                retired.replace(target)
                raise
            shutil.rmtree(retired, ignore_errors=True)
        else:
            temporary.replace(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _full_disk_told(parent: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise InputError(
            f"the disk of {parent.resolve()} is full. Nothing was left behind: make room, or choose another place."
        ) from error


def make_directory(directory: Path) -> Path:
    """Make a directory that can be written to, if it is not there.

    Raises
    ------
    InputError
        It cannot be made or written to.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the directory {directory}: {error.strerror or error}.") from error
    if not os.access(directory, os.W_OK | os.X_OK):
        raise InputError(f"cannot write to the directory {directory}: permission denied.")
    return directory


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
