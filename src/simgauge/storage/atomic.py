"""Files and directories that change as a whole or not at all, whenever the process or the machine stops.

New files are written in a folder beside their target, brought to the disk, and take their places in one step: by
exchanging the two directories where the system can do that. Where it cannot (mount points, the working directory,
folders of the user inside), a list of the moves is written first. From then on readers find the new files, and the next
run finishes the moves. Only files of ours are replaced; all others stay.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from simgauge.errors import InputError, KeptFilesWarning
from simgauge.storage.exchange import exchange
from simgauge.storage.places import (
    COMMIT,
    MARK,
    NEW,
    OWN,
    bring_back,
    clean_up,
    finish_moves,
    hold_file,
    inside_of,
    locked,
    make_directory,
    sync_directory,
    sync_file,
    waiting_place,
)
from simgauge.storage.signals import signals_wait
from simgauge.wording import some_of

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

MOST_LINKS = 100
"""A directory with more files of the user's is theirs, and stays the one it is."""

OwnNames = Callable[[Path], Iterable[str]]
"""Which names in a directory are files that simgauge wrote. Raises InputError where it must not write at all."""


@contextmanager
def atomic_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it replaces `path`, on any error nothing is left.

    Raises
    ------
    InputError
        The directory does not exist and cannot be made, or cannot be written to; its disk is full.
    """
    target = _resolved(path)
    if target.is_dir():
        raise InputError(f"{target} is a directory: pass the name of a file.")
    if target.exists() and not target.is_file():
        raise InputError(f"{target} is a device, a pipe or a socket: pass the name of a file.")
    parent = make_directory(target.parent)
    with _full_disk_told(parent):
        temporary = parent / f".{target.name}{MARK}{secrets.token_hex(4)}"
        handle = -1
        try:
            with signals_wait(), locked(target):
                clean_up(target)
                temporary.touch(exist_ok=False)
                handle = hold_file(temporary)
            yield temporary
            if target.exists():
                shutil.copymode(target, temporary)
            sync_file(temporary)
            temporary.replace(target)
            sync_directory(parent)
        finally:
            with signals_wait():
                temporary.unlink(missing_ok=True)
                if handle >= 0:
                    os.close(handle)


def check_place(path: str | Path, own_names: OwnNames) -> None:
    """Say before long work what `atomic_directory` would say after it.

    Raises
    ------
    InputError
        The directory may not be replaced, or cannot be written to.
    """
    target = _resolved(path)
    if target.exists() and not target.is_dir():
        raise InputError(f"{target} is a file: choose a directory.")
    own_names(target)
    nearest = next(folder for folder in (target, *target.parents) if folder.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        what = "write to" if target.exists() else "make"
        raise InputError(f"cannot {what} the directory {target}: {nearest} is no directory that may be written to.")


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextmanager
def atomic_directory(path: str | Path, own_names: OwnNames, *, name_kept: bool = True) -> Iterator[Path]:
    """Yield a folder for new files; on success they are in `path`, all at once, and on any error nothing has changed.

    Parameters
    ----------
    path : str or Path
        A directory, or where one is to be; links are followed. Files in it that `own_names` does not name stay, and a
        warning names them.
    own_names : callable
        Gives the names of the files in an existing directory that are ours: those are replaced, or removed where
        the new files have no such name.
    name_kept : bool
        Warn of files that are not ours.

    Raises
    ------
    InputError
        `own_names` refuses the directory; a file of the user has the name of a new one; the directory cannot be
        written to; the disk is full.

    Warns
    -----
    KeptFilesWarning
        The directory holds files that simgauge did not write.
    """
    target = _resolved(path)
    check_place(target, own_names)
    made = _missing_parents(target)
    parent = make_directory(target.parent) if not target.is_dir() else target.parent
    inside = target.is_dir() and not _exchangeable(target)
    if inside:
        make_directory(target)
    try:
        with _full_disk_told(parent), waiting_place(target, inside=inside) as place:
            new = place / NEW
            new.mkdir()
            yield new
            for file in new.iterdir():
                sync_file(file)
            with signals_wait(), locked(target):
                kept = _commit(place, target, own_names)
    except BaseException:
        for folder in made:
            try:
                folder.rmdir()
            except OSError:
                break
        raise
    if kept and name_kept:
        warnings.warn(
            f"{path} holds files that simgauge did not write ({some_of(kept)}): they stay as they are.",
            KeptFilesWarning,
            stacklevel=4,
        )


def _commit(place: Path, target: Path, own_names: OwnNames) -> list[str]:
    """Move the new files to their places and return the names of the user's files. The target is locked."""
    new = place / NEW
    names = {entry.name for entry in new.iterdir()}
    sync_directory(new)
    if not target.exists():
        new.rename(target)
        sync_directory(target.parent)
        return []
    own = set(own_names(target))
    # folders of runs that wait beside this one are nobody's files
    there = {entry.name for entry in target.iterdir() if not entry.name.startswith(MARK)}
    taken = sorted((names & there) - own)
    if taken:
        raise InputError(
            f"{target} holds {some_of(taken)} already, not written by simgauge: move it away, or choose another "
            f"directory."
        )
    kept = sorted(there - own)
    if place.parent == target or not _exchange(place, target, own | names, kept):
        _move_in(place, target, names, own - names)
    return kept


def _exchange(place: Path, target: Path, own: set[str], kept: list[str]) -> bool:
    """Exchange the directories, the user's files linked into the new one first; False where that is impossible."""
    new = place / NEW
    if not _exchangeable(target):
        return False
    linked = {name: (target / name).lstat().st_ino for name in kept}
    _write_synced(place / OWN, json.dumps({"ours": sorted(own), "linked": linked}))
    try:
        for name in kept:
            os.link(target / name, new / name, follow_symlinks=False)
    except OSError:  # the file system has no links
        for name in kept:
            (new / name).unlink(missing_ok=True)
        return False
    shutil.copymode(target, new)
    sync_directory(new)
    if not exchange(new, target):
        for name in kept:
            (new / name).unlink()
        return False
    sync_directory(target.parent)
    bring_back(place, target)  # what the user wrote in the meantime
    return True


def _move_in(place: Path, target: Path, names: set[str], stale: set[str]) -> None:
    """The files move in one by one, after a list of the moves: from then on every reader finds the new ones."""
    if place.parent != target:
        inside = inside_of(target, place)
        try:
            place.rename(inside)
        except OSError:  # another file system
            inside.mkdir(mode=0o700)
            shutil.copytree(place / NEW, inside / NEW)
            for name in names:
                sync_file(inside / NEW / name)
        place = inside
    (place / OWN).unlink(missing_ok=True)
    part = place / f"{COMMIT}.part"
    _write_synced(part, json.dumps({"move": sorted(names), "remove": sorted(stale)}))
    part.rename(place / COMMIT)
    sync_directory(place)
    finish_moves(place, target)


def _exchangeable(target: Path) -> bool:
    """Whether an existing directory may be another one afterwards: nobody stands in it, and it holds plain files
    only."""
    if os.path.ismount(target) or not os.access(target.parent, os.W_OK | os.X_OK):
        return False
    if target.stat().st_uid != os.geteuid() or _stands_in(target):
        return False
    return not any(entry.is_dir() and not entry.is_symlink() for entry in target.iterdir())


def _stands_in(directory: Path) -> bool:
    try:
        return Path.cwd().is_relative_to(directory)
    except FileNotFoundError:  # the working directory was removed
        return False


def _resolved(path: str | Path) -> Path:
    try:
        return Path(path).resolve()
    except (OSError, RuntimeError) as error:
        raise InputError(f"cannot write to {path}: {getattr(error, 'strerror', None) or error}.") from error


def _missing_parents(target: Path) -> list[Path]:
    """Parents that are still to be made, the innermost first."""
    return [folder for folder in target.parents if not folder.exists()]


def _write_synced(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    sync_file(path)


@contextmanager
def _full_disk_told(parent: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise InputError(
            f"the disk of {parent.resolve()} is full. Nothing was left behind: make room, or choose another place."
        ) from error
