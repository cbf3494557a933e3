"""Where new files wait before they take their places: locked while their writer lives, cleaned up after it died.

A folder for waiting lies beside its target (``.model.simgauge-1a2b3c4d``) or, where the target cannot be exchanged as a
whole, inside of it (``.simgauge-1a2b3c4d``). Its writer holds a lock on it, which the system lets go when the process
ends, however it ends. So whoever gets the lock knows that the folder is left over.
"""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # pragma: no cover  Windows: without locks nothing is ever taken for left over
    fcntl = None  # type: ignore[assignment]

from simgauge.errors import InputError
from simgauge.storage.signals import signals_wait

MARK = ".simgauge-"
PATIENCE = 60
"""Seconds for which a run waits until another has put its files in place, which takes moments."""
NEW, WORK, OWN, COMMIT = "new", "work", "own.json", "commit.json"
"""What a folder for waiting may hold: the files to come, room to work, the names that are ours, a commit under way."""


@contextmanager
def locked(target: Path) -> Iterator[None]:
    """Hold the lock of what is written to `target`: for the moments in which others must not do the same.

    The lock is a file that disappears again: a lock on a directory of the user's could be held by a program of theirs.

    Raises
    ------
    InputError
        Another run has held it for too long.
    """
    beside = os.access(target.parent, os.W_OK | os.X_OK)
    path = target.parent / f".{target.name}{MARK}lock" if beside else target / f"{MARK}lock"
    end = time.monotonic() + PATIENCE
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        held = _lock(handle)
        if held is None or (held and _is(handle, path)):
            break
        os.close(handle)  # held, or removed by its holder a moment ago
        if time.monotonic() > end:
            raise InputError(f"another run is writing to {target}, and has not ended in {PATIENCE} seconds: try again.")
        time.sleep(0.01)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


@contextmanager
def waiting_place(target: Path, *, inside: bool = False) -> Iterator[Path]:
    """Make a locked folder beside `target` or inside of it, and remove it at the end.

    What earlier runs left for the same target is cleaned up first.
    """
    parent, prefix = (target, MARK) if inside else (target.parent, f".{target.name}{MARK}")
    place = parent / f"{prefix}{secrets.token_hex(4)}"
    handle = -1
    try:
        with signals_wait(), locked(target):
            clean_up(target)
            place.mkdir(mode=0o700)
            handle = os.open(place, os.O_RDONLY)
            _lock(handle)
        yield place
    finally:
        with signals_wait():
            for path in {place, inside_of(target, place)}:  # the commit may have moved it into the target
                if path.is_dir():
                    _settle(path, target)
            if handle >= 0:
                os.close(handle)


def inside_of(target: Path, place: Path) -> Path:
    """Place of the folder for waiting once it is moved into its target."""
    return target / f"{MARK}{place.name.rpartition('-')[2]}"


def clean_up(target: Path) -> None:
    """Finish or remove what runs that were killed have left for this target; what belongs to others stays.

    The caller holds the lock of the target.
    """
    beside, inside = f".{target.name}{MARK}", MARK
    for parent, prefix in ((target.parent, beside), (target, inside)):
        if not parent.is_dir():
            continue
        for path in sorted(parent.iterdir()):
            if re.fullmatch(re.escape(prefix) + "[0-9a-f]{8}", path.name) and not path.is_symlink():
                _clean_up_one(path, target)


def _clean_up_one(path: Path, target: Path) -> None:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return
    try:
        if not _lock(handle):
            return
        if path.is_file():
            path.unlink(missing_ok=True)
        elif {entry.name for entry in path.iterdir()} <= {NEW, WORK, OWN, COMMIT, f"{COMMIT}.part"}:
            _settle(path, target)
    finally:
        os.close(handle)


def _settle(place: Path, target: Path) -> None:
    """Finish what was begun, then remove the folder; where a move fails it stays, and readers go on finding it."""
    if (place / COMMIT).is_file():
        try:
            finish_moves(place, target)
        except OSError:
            return
    elif (place / OWN).is_file():
        bring_back(place, target)
    shutil.rmtree(place, ignore_errors=True)


def finish_moves(place: Path, target: Path) -> None:
    """Carry out the commit that `place` describes, as far as it is not done yet: every step may be repeated."""
    commit = json.loads((place / COMMIT).read_text(encoding="utf-8"))
    for name in commit["move"]:
        if (place / NEW / name).exists():
            (place / NEW / name).replace(target / name)
    for name in commit["remove"]:
        (target / name).unlink(missing_ok=True)
    sync_directory(target)


def bring_back(place: Path, target: Path) -> None:
    """Return to `target` what users wrote into a directory of ours while it was exchanged for another.

    `place` holds the names of our files, and the numbers by which the system knew the users' files that were linked.
    """
    own = json.loads((place / OWN).read_text(encoding="utf-8"))
    if not target.is_dir() or not (place / NEW).is_dir():
        return
    for entry in (place / NEW).iterdir():
        if entry.name in own["ours"]:
            continue
        linked, there = own["linked"].get(entry.name), target / entry.name
        written_again = os.path.lexists(there) and there.lstat().st_ino == linked != entry.lstat().st_ino
        if written_again or not os.path.lexists(there):
            entry.rename(there)


def place_of(path: Path) -> Path:
    """Present place of a file of ours: its own, or a waiting folder of a commit that was cut short."""
    if not path.parent.is_dir():
        return path
    for place in path.parent.glob(f"{MARK}*"):
        if (place / COMMIT).is_file() and (place / NEW / path.name).is_file():
            return place / NEW / path.name
    return path


def hold_file(path: Path) -> int:
    """A handle that keeps the lock of a temporary file while it is written."""
    handle = os.open(path, os.O_RDONLY)
    _lock(handle)
    return handle


def sync_file(path: Path) -> None:
    """Wait until a file's bytes are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_directory(directory: Path) -> None:
    """Wait until a directory's names are on the disk, where the system can say so."""
    try:
        sync_file(directory)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            raise


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


def _lock(handle: int) -> bool | None:
    """Whether the lock is held now; None where the file system has no locks, so that nothing is taken for left over."""
    if fcntl is None:  # pragma: no cover
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _is(handle: int, path: Path) -> bool:
    try:
        return path.stat().st_ino == os.fstat(handle).st_ino
    except FileNotFoundError:
        return False
