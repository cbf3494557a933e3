"""Files of a source, located once: which they are, what they are, and how the first of them begins."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simgauge.errors import InputError
from simgauge.read.sources.files import content_of, expand, is_path

HEAD_BYTES = (1 << 18) + 1
"""Read of the first file, for all who want to see how it begins."""


@dataclass(frozen=True)
class Located:
    """Files that a path, a glob, a directory or a list of these stands for."""

    paths: list[Path]
    content: str
    """What all of the files are, as `content_of` says."""
    head: bytes
    """The beginning of the first file, as it lies on disk."""

    @property
    def single(self) -> bool:
        """Whether it is one file."""
        return len(self.paths) == 1


def locate(source: Any) -> Located | None:
    """Find the files of a source and look into them; None for frames, arrays and addresses of databases.

    Raises
    ------
    InputError
        Nothing is there, or the files are of different kinds.

    Examples
    --------
    >>> locate({"user": [1]}) is None
    True
    """
    if not is_path(source) or (not isinstance(source, (list, tuple)) and "://" in str(source)):
        return None
    paths = expand(source)
    contents = {content_of(path) for path in paths}
    if len(contents) > 1:
        raise InputError(f"{paths[0].name} and the others are of different kinds: {', '.join(sorted(contents))}.")
    with paths[0].open("rb") as file:
        return Located(paths, contents.pop(), file.read(HEAD_BYTES))
