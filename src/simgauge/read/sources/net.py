"""One net under all reading of files: whatever a library says of a damaged file becomes an error with the file's
name."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from simgauge.errors import InputError, SimgaugeError

P = ParamSpec("P")
R = TypeVar("R")

LONGEST = 300


def reads_files(function: Callable[P, R]) -> Callable[P, R]:
    """A function whose first argument may name files: every error of its inside becomes an InputError that names them.

    Errors made for people pass as they are, and so do all errors where the argument is no path: an object in memory
    can be wrong in ways that its owner wants to see. The error of the library stays in ``__cause__``.

    Examples
    --------
    >>> from pathlib import Path
    >>> @reads_files
    ... def first_byte(path):
    ...     return Path(path).read_bytes()[0]
    >>> first_byte(os.devnull)
    Traceback (most recent call last):
    ...
    simgauge.errors.InputError: ...: cannot be read (IndexError: index out of range). ...
    """

    @functools.wraps(function)
    def guarded(*arguments: P.args, **options: P.kwargs) -> R:
        try:
            return function(*arguments, **options)
        except (SimgaugeError, ImportError, Warning):
            raise
        except Exception as error:
            source = arguments[0] if arguments else next(iter(options.values()), None)
            named = _named(source)
            if not named:
                raise
            raise InputError(_told(named, error)) from error

    return guarded


def _named(source: Any) -> str:
    """How a message calls what was to be read; empty for what is no path. An address may hold a password."""
    if isinstance(source, (str, os.PathLike)):
        return "the database" if "://" in str(source) else str(source)
    if isinstance(source, (list, tuple)) and source:
        return _named(source[0])
    return ""


def _told(named: str, error: Exception) -> str:
    reason = " ".join(str(error).split())[:LONGEST]
    if isinstance(error, MemoryError):
        return f"{named}: reading it takes more memory than there is ({reason or 'MemoryError'}). Pass a part of it."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or named}: cannot be read ({error.strerror}). Check the path and its permissions."
    kind = type(error).__name__
    return (
        f"{named}: cannot be read ({kind}{': ' if reason else ''}{reason}). The file may be damaged, cut off, or of a "
        "kind that simgauge does not know: write it again, as Parquet, npy or CSV where you can."
    )
