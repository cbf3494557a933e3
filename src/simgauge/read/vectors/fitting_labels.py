"""Whether labels fit the rows that they are given for, and what went wrong where they do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from simgauge.errors import InputError
from simgauge.labels import says_positions
from simgauge.read.vectors.vector_table import VectorTable

NOUNS = {"ids": "labels", "user_ids": "labels", "names": "names"}


def check_labels(given: Any, labels: Any, table: VectorTable, other: VectorTable | None, role: str) -> None:
    """Refuse labels of another number than the rows, with the likely cause.

    Raises
    ------
    InputError
        The other table has that many rows, or the first line of the file of labels was taken for a header, or for a
        label.
    """
    if given is None or labels is None or says_positions(labels) or not np.ndim(table.vectors):
        return
    n_labels, n_rows = len(labels), len(table.vectors)
    if n_labels == n_rows:
        return
    side = "user_ids" if role == "user_ids" else f"item_{role}"
    text = f"{side}: {n_labels} {NOUNS[role]} for {n_rows} {'rows' if role != 'names' else 'items'}"
    if other is not None and len(other.vectors) == n_labels:
        raise InputError(
            f"{text}; the other table has {n_labels} rows: were the two swapped? The first table is the items', the "
            f"one "
            "after --users (users=) the users'."
        )
    raise InputError(f"{text}: {_cause(given, n_labels - n_rows, labels)}")


def _cause(given: Any, surplus: int, labels: Any) -> str:
    name = _file_of(given)
    first = "" if name is None else _first_line(name)
    if name is not None and surplus == -1 and first and first != str(labels[0]):
        return (
            f"the first line of {name.name} ({first!r}) was taken for a header. If it is a label, pass the file with "
            f"the "
            "suffix .txt, which is one label a line without a header; else one label is missing."
        )
    if name is not None and surplus == 1 and first == str(labels[0]):
        return (
            f"the first line of {name.name} ({first!r}) was taken for a label. If it is a header, remove that line or "
            f"pass {name.name}:{first} from a .csv or .tsv file; else there is one label too many."
        )
    return "pass exactly one per row."


def _file_of(given: Any) -> Path | None:
    if not isinstance(given, (str, Path)):
        return None
    whole, left = Path(given), Path(str(given).rpartition(":")[0])
    return whole if whole.is_file() else left if left.is_file() else None


def _first_line(path: Path) -> str:
    """The first line of a text file; empty where it is none."""
    with path.open("rb") as file:
        line = file.readline(4096)
    try:
        return line.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        return ""
