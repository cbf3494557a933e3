"""What was understood of a table of vectors: a frozen record, and the one sentence that says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simgauge.wording import counted

ROW_NUMBERS = "row numbers, counted from 0"
"""What is said where no ids were found or none are wanted."""


@dataclass(frozen=True)
class Reading:
    """Rows, components and where everything came from, in words; part of ``provenance["sources"]``."""

    rows: int
    components: int
    dtype: str
    """Type of the numbers as they are stored: "float32", "uint8", "text"."""
    vectors: str
    """Where the numbers were: "columns v0 … v7 (8)", "tensor emb.weight"."""
    ids: str = ROW_NUMBERS
    names: str = "none"
    left_out: tuple[str, ...] = ()
    """Columns, keys and rows that were not used, each with the reason."""
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; what is empty is left out."""
        entries: dict[str, Any] = {
            "rows": self.rows,
            "components": self.components,
            "dtype": self.dtype,
            "vectors": self.vectors,
            "ids": self.ids,
            "names": self.names,
        }
        if self.left_out:
            entries["left_out"] = list(self.left_out)
        if self.notes:
            entries["notes"] = list(self.notes)
        return entries


def reading_line(side: str, source: Mapping[str, Any]) -> str:
    """One sentence on an entry of ``provenance["sources"]``: what was read of that side, and what was not.

    Examples
    --------
    >>> reading_line("items", {"file": "x.csv", **Reading(60, 8, "text", "columns v0 … v7", "column id").to_dict()})
    'items: 60 rows x 8 components (text) from columns v0 … v7 of x.csv; ids from column id.'
    """
    place = str(source.get("file") or source.get("saved_in") or "")
    if not place and "files" in source:
        place = f"{source['files'][0]['file']} and {counted(len(source['files']) - 1, 'more file')}"
    if "rows" not in source:
        return f"{side}: read from {place or source.get('format', 'memory')}."
    size = f"{counted(source['rows'], 'row')} x {counted(source['components'], 'component')} ({source['dtype']})"
    start = f"{side}: {size} from {source['vectors']}" + (f" of {place}" if place else "")
    ids, names = str(source["ids"]), str(source["names"])
    clauses = [start, f"ids: {ids}" if ids.startswith(ROW_NUMBERS) else f"ids from {ids}"]
    if names != "none":
        clauses.append(f"names from {names}")
    if source.get("left_out"):
        clauses.append(f"left out: {', '.join(source['left_out'])}")
    clauses += source.get("notes", [])
    return "; ".join(clauses) + "."


def span(names: list[str]) -> str:
    """Some columns in words: all of a few, the first and the last of many.

    Examples
    --------
    >>> span(["emb"]), span(["v0", "v1", "v2", "v3"]), span(["x", "y"])
    ('column emb', 'columns v0 … v3', 'columns x, y')
    """
    shown = [name if name.strip() else "''" for name in names]
    if len(shown) == 1:
        return f"column {shown[0]}"
    return f"columns {', '.join(shown)}" if len(shown) <= 3 else f"columns {shown[0]} … {shown[-1]}"
