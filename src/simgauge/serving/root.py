"""One directory, and nothing outside it: which files and directories a served request may read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from simgauge.errors import InputError
from simgauge.read.sources.files import content_of
from simgauge.storage.embedding_directory import METADATA_FILE

READ = ("npy", "zip", "Parquet", "Arrow", "safetensors", "text", "binary")
"""Contents that are read as they lie. HDF5, SQLite, DuckDB and models can name other files; packed ones hold them."""

SPECIAL = ":*?[]\0"
"""Signs with a meaning for the readers: columns and addresses after a colon, patterns of names."""


class Root:
    """A directory below which every path must lie, links followed.

    Links, names and contents are checked before the file is read. Whoever may write below the root can exchange a
    file in between: do not serve a directory that somebody else may write to.
    """

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory).resolve()
        if not self.directory.is_dir():
            raise InputError(f"--root {directory}: there is no such directory.")
        if set(SPECIAL) & set(str(self.directory)):
            raise InputError(f"--root {self.directory}: its name must not have any of the signs : * ? [ ].")

    def place(self, text: str) -> Path:
        """The real place of a file or directory.

        Parameters
        ----------
        text : str
            A path relative to the root, or an absolute one below it.

        Raises
        ------
        InputError
            It leads outside, through a link or otherwise, names no plain file and no directory, or holds a colon, "..",
            or a sign of a pattern.
        """
        path = Path(text)
        if not text.strip() or set(SPECIAL) & set(text) or ".." in path.parts or text.startswith("~"):
            raise InputError(
                f"{text!r} cannot be asked for: pass the plain path of one file or directory below the root, without "
                "columns, patterns, addresses or '..'."
            )
        try:
            real = (self.directory / path).resolve(strict=True)
            kind = real.lstat().st_mode
        except (OSError, RuntimeError):
            raise self._refused(text) from None
        if not real.is_relative_to(self.directory) or set(SPECIAL) & set(str(real)):
            raise self._refused(text)
        if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
            raise InputError(f"{text!r} is a pipe, a socket or a device: pass a file or a saved embedding.")
        return real

    def vectors(self, text: str) -> str:
        """The path of a table of vectors or of a saved embedding, as readers take it.

        Raises
        ------
        InputError
            See `place`; or a format that can name other files, or a directory that is no saved embedding.
        """
        real = self.place(text)
        if real.is_dir():
            if not (real / METADATA_FILE).is_file():
                raise InputError(f"{text!r} is a directory that simgauge did not save: pass the file of the vectors.")
            self._plain_inside(real, text)
            return str(real)
        content = content_of(real)
        if content not in READ or (content == "zip" and real.suffix.lower() != ".npz"):
            raise InputError(
                f"{text!r} is {content}: over this server vectors are read from npy, npz, Parquet, Arrow, safetensors, "
                "text and word2vec files and from saved embeddings. Use the command simgauge for others."
            )
        return str(real)

    def with_companions(self, text: str) -> Path:
        """The real place of a file whose ids and card lie beside it, in files whose names begin like its own.

        Raises
        ------
        InputError
            See `place`; or it is a directory, or one of those is no plain file.
        """
        real = self.place(text)
        if not real.is_file():
            raise InputError(f"{text!r} is a directory: pass a file.")
        for entry in _entries(real.parent):
            if entry.name.startswith(real.stem) and entry.is_symlink():
                raise InputError(f"{entry.name!r} beside {text!r} is a link: it is not followed.")
        return real

    def _plain_inside(self, directory: Path, text: str) -> None:
        for entry in _entries(directory):
            if not entry.is_file(follow_symlinks=False):
                raise InputError(f"{text!r} holds {entry.name!r}, which is no plain file: it is not read.")

    def _refused(self, text: str) -> InputError:
        """One answer for what is missing and what lies outside, so that nobody learns what is there."""
        return InputError(f"{text!r} is not there, or lies outside the directory that is served.")


def _entries(directory: Path) -> list[os.DirEntry[str]]:
    """All entries of a directory, with the scan closed, whatever is refused afterwards."""
    with os.scandir(directory) as entries:
        return list(entries)
