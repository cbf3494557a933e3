"""The card of shipped vectors as text: stored as a comment, as metadata or in a file beside them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from simgauge.errors import InputError
from simgauge.storage.atomic import write_text
from simgauge.storage.hashing import sha256_of_file

KEY = "simgauge"
"""Name of the card among the metadata of a table or collection."""


def card_text(card: Mapping[str, Any]) -> str:
    """JSON on one line."""
    return json.dumps(dict(card), ensure_ascii=True, allow_nan=False, sort_keys=True)


def write_card(path: Path, card: Mapping[str, Any], files: Iterable[Path]) -> None:
    """The card of files, written last: with their hashes, so that an export that was killed midway is known."""
    hashes = {file.name: sha256_of_file(file) for file in files}
    write_text(path, card_text({**card, "files": hashes}) + "\n")


def read_card(path: Path) -> dict[str, Any] | None:
    """The card beside files; None where there is none.

    Raises
    ------
    InputError
        A file is not the one that the card was written for.
    """
    try:
        card = card_of(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None
    for name, expected in ({} if card is None else card.get("files", {})).items():
        file = path.with_name(name)
        if not file.is_file() or sha256_of_file(file) != expected:
            raise InputError(
                f"{file} is not the file that {path.name} was written for: an export did not finish, or the file was "
                "altered. Repeat the export."
            )
    return card


def card_of(text: Any) -> dict[str, Any] | None:
    """The card in a text, None where the text is somebody else's.

    Examples
    --------
    >>> card_of('{"format": "simgauge", "n_rows": 2}')["n_rows"]
    2
    >>> card_of("the items of the shop") is None
    True
    """
    try:
        found = json.loads(text) if isinstance(text, str | bytes) else None
    except ValueError:
        return None
    return found if isinstance(found, dict) and found.get("format") == "simgauge" else None
