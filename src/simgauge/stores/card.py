"""The card of shipped vectors as text: stored as a comment, as metadata or in a file beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from simgauge.errors import InputError
from simgauge.storage.atomic import atomic_file, write_text
from simgauge.storage.hashing import sha256_of_file

KEY = "simgauge"
"""Name of the card among the metadata of a table or collection."""
BEFORE = "before"
"""Key of the card of the files that an export is about to replace."""


def card_text(card: Mapping[str, Any]) -> str:
    """JSON on one line."""
    return json.dumps(dict(card), ensure_ascii=True, allow_nan=False, sort_keys=True)


@contextmanager
def exchanged_files(path: Path, card: Mapping[str, Any], files: Sequence[Path]) -> Iterator[list[Path]]:
    """Yield temporary paths for the files of an export; on success they replace `files`, with the card at `path`.

    The new card is written first, with the card before it inside. So whenever the process ends, the card says of the
    files that are there whether they are the old ones, the new ones or (where there are several) some of each.

    Raises
    ------
    InputError
        A file of these names is none of an export's; nothing was written.
    """
    before = _replaceable(path, files)
    with ExitStack() as stack:
        temporaries = [stack.enter_context(atomic_file(file)) for file in files]
        yield temporaries
        hashes = {file.name: sha256_of_file(new) for file, new in zip(files, temporaries, strict=True)}
        whole = {**card, "files": hashes}
        write_text(path, card_text(whole if before is None else {**whole, BEFORE: before}) + "\n")
    if before is not None:
        write_text(path, card_text(whole) + "\n")


def read_card(path: Path) -> dict[str, Any] | None:
    """The card of the files that lie beside it; None where there is none.

    Raises
    ------
    InputError
        A file is not the one that the card was written for.
    """
    cards = _cards_at(path)
    if not cards:
        return None
    found = _hashes([path.with_name(name) for name in cards[0].get("files", {})])
    for card in cards:
        if card.get("files", {}) == found:
            return card
    other = next(name for name, expected in cards[0]["files"].items() if found.get(name) != expected)
    raise InputError(
        f"{path.with_name(other)} is not the file that {path.name} was written for: an export did not finish, or the "
        "file was altered. Move it away, and repeat the export."
    )


def _replaceable(path: Path, files: Sequence[Path]) -> dict[str, Any] | None:
    """The card of what is there; raises where a file is not as an export left it."""
    cards = _cards_at(path)
    found = _hashes(files)
    foreign = [file for file in files if file.exists() and not any(_wrote(card, file, found) for card in cards)]
    if path.exists() and not cards:
        foreign.append(path)
    if foreign:
        raise InputError(
            f"{foreign[0]} exists, and is not as an export of simgauge left it: it stays as it is. Move it "
            "away, or choose another name."
        )
    return next((card for card in cards if card.get("files", {}) == found), cards[-1] if cards else None)


def _wrote(card: Mapping[str, Any], file: Path, found: Mapping[str, str]) -> bool:
    return file.name in found and card.get("files", {}).get(file.name) == found[file.name]


def _hashes(files: Sequence[Path]) -> dict[str, str]:
    return {file.name: sha256_of_file(file) for file in files if file.is_file()}


def _cards_at(path: Path) -> list[dict[str, Any]]:
    """The card, and the one before it where an export was cut short."""
    try:
        card = card_of(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return []
    if card is None:
        return []
    before = card.pop(BEFORE, None)
    return [card] if before is None else [card, before]


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
