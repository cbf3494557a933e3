"""Single files that a command writes: one of ours is replaced, anything else of that name stays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from simgauge.errors import InputError
from simgauge.storage.atomic import atomic_file


def carries(path: Path, signs: Sequence[bytes]) -> bool:
    """Whether a file holds every one of these texts, by which what we write is known."""
    content = path.read_bytes()
    return all(sign in content for sign in signs)


def refuse_foreign(path: str | Path, signs: Sequence[bytes]) -> None:
    """Raise where a file is that does not carry the signs; an empty one may be replaced.

    Raises
    ------
    InputError
        It is somebody else's.
    """
    target = Path(path)
    if target.is_file() and target.stat().st_size and not carries(target, signs):
        raise InputError(
            f"{target} exists, and simgauge did not write it: it is left as it is. Move it away, or choose "
            "another name."
        )


def write_own_file(path: str | Path, content: str | bytes, signs: Sequence[bytes]) -> None:
    """Write a file atomically, in place of nothing or of one that carries the same signs.

    Parameters
    ----------
    path : path
    content : str or bytes
        Text is written as UTF-8.
    signs : sequence of bytes
        Texts that every file of this kind holds.

    Raises
    ------
    InputError
        A file of this name is somebody else's; it cannot be written; its disk is full.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_own_file(f"{folder}/a.md", "verdict: ok", [b"verdict:"])
    ...     write_own_file(f"{folder}/a.md", "verdict: warn", [b"verdict:"])
    ...     Path(folder, "a.md").read_text()
    'verdict: warn'
    """
    refuse_foreign(path, signs)
    data = content.encode("utf-8") if isinstance(content, str) else content
    with atomic_file(path) as temporary:
        temporary.write_bytes(data)
