"""One table of vectors with what was found beside it, and how it is to be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.core.tables.arrays import numpy_dtype
from simgauge.read.vectors.reading import ROW_NUMBERS, Reading
from simgauge.storage.hashing import sha256_of_file
from simgauge.wording import some_of

UNIT = 1e-5
"""Largest deviation from length one of float32 rows that were divided by their lengths."""
LARGEST_HASHED = 1 << 30
"""Files above this size are known by name and size only; hashing them would be a pass over the disk of its own."""


@dataclass
class VectorTable:
    """Vectors with what was found beside them; `origin` is what the provenance keeps."""

    vectors: Any
    ids: NDArray[Any] | None = None
    names: NDArray[Any] | None = None
    origin: dict[str, Any] = field(default_factory=dict)
    other_side: VectorTable | None = None
    """The users' table, where one file holds both and both were recognised."""
    has_columns: bool = False
    """Whether ids and names may be columns of the same table."""


@dataclass(frozen=True)
class Options:
    """Options for reading one table: its side, columns given by the caller, and the conventions of text."""

    side: str = "item"
    ids: Any = None
    names: Any = None
    both: bool = False
    text: Mapping[str, Any] = field(default_factory=dict)

    @property
    def on_bad_row(self) -> str:
        """ "error" or "drop"."""
        return str(self.text.get("on_bad_row", "error"))


def vector_table(
    vectors: Any,
    origin: Mapping[str, Any],
    where: str,
    *,
    ids: Any = None,
    names: Any = None,
    ids_from: str = ROW_NUMBERS,
    names_from: str = "none",
    dtype: str | None = None,
    left_out: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
) -> VectorTable:
    """A table with the record of what was understood in its origin."""
    shape = tuple(np.shape(vectors))
    held = getattr(vectors, "dtype", None)
    held = numpy_dtype(np.asarray(vectors)) if held is None else held
    stored = dtype or (held.name if isinstance(held, np.dtype) else str(held).removeprefix("torch."))
    reading = Reading(
        shape[0] if shape else 0,
        shape[1] if len(shape) > 1 else 0,
        stored,
        where,
        ids_from,
        names_from,
        left_out,
        (*notes, *byte_notes(stored)),
    )
    return VectorTable(vectors, ids, names, {**origin, **reading.to_dict()})


def byte_notes(dtype: str) -> tuple[str, ...]:
    """Notes on vectors that are stored as bytes.

    Examples
    --------
    >>> byte_notes("float32")
    ()
    """
    if dtype != "uint8":
        return ()
    return (
        "unsigned bytes are read as the numbers 0 to 255: if they are quantised with a zero point, subtract it first "
        "((x - zero_point) * scale), and if they are packed bits, unpack them (np.unpackbits(x, axis=1))",
    )


def unit_notes(vectors: NDArray[Any]) -> tuple[str, ...]:
    """Notes on an index whose rows have length one, which may have made them so."""
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1)
    if len(norms) and np.abs(norms - 1).max() < UNIT:
        return ("all rows have length one: an index for cosines stores them so, and the lengths they had are lost",)
    return ()


def bad_row_notes(rejected: list[str]) -> tuple[str, ...]:
    """Notes on the number of rows that were left out, and where the first ones stand.

    Examples
    --------
    >>> bad_row_notes(["line 4", ""])
    ("2 bad lines left out: 'line 4', ...",)
    """
    if not rejected:
        return ()
    named = [place for place in rejected if place]
    more = ", ..." if len(named) < len(rejected) and len(named) <= 3 else ""
    noun = "line" if len(rejected) == 1 else "lines"
    return (f"{len(rejected)} bad {noun} left out" + (f": {some_of(named)}{more}" if named else ""),)


def origin_of(paths: list[Path], content: str) -> dict[str, Any]:
    """Origin for the provenance: names of the files, never where they lay."""
    described = []
    for path in paths:
        size = path.stat().st_size
        entry: dict[str, Any] = {"file": path.name, "bytes": size}
        if size <= LARGEST_HASHED:
            entry["sha256"] = sha256_of_file(path)
        described.append(entry)
    return {"format": content, **(described[0] if len(described) == 1 else {"files": described})}
