"""What the columns of a table hold, from their first rows: numbers, lists, text, and what the numbers look like."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simgauge.errors import InputError
from simgauge.read.vectors.cells import COMMA_NUMBER, is_list_text, is_number_text, numbers_of
from simgauge.read.vectors.column_table import ColumnTable

MOST_ROWS = 1000
MOST_CELLS = 100_000
"""Rows that are examined: a thousand, in wide tables fewer."""
FEWEST_ROWS = 30
TEXT_ROWS = 100
"""Cells of text whose form is examined."""
MISSING = ("na", "n/a", "#n/a", "null", "none", "nan", "-", "?")
"""What people write where a number is missing; it does not make a column one of text."""
COUNTING_ROWS = 4
"""Whole numbers that go up by one over this many rows count the rows."""


@dataclass(frozen=True)
class ColumnFacts:
    """One column, as far as its first rows tell."""

    position: int
    name: str
    kind: str
    """ "number", "list", "text", "empty", or Arrow's type where it is none of these."""
    whole: bool = False
    """Whole numbers throughout: stored as integers, or written without a point."""
    distinct: bool = False
    constant: bool = False
    counting: bool = False
    """k, k + 1, k + 2, … row by row."""
    first: int | None = None
    """The first value of whole numbers."""
    largest: float = 0.0
    """Largest magnitude of the numbers."""
    width: int | None = None
    """Length of the lists, None where they differ."""
    commas: bool = False
    """Whether the numbers are written with decimal commas."""

    @property
    def shown(self) -> str:
        """The name in messages."""
        return self.name if self.name.strip() else "''"


def facts_of(table: ColumnTable) -> list[ColumnFacts]:
    """Facts of all columns of a table.

    Raises
    ------
    InputError
        The table has no rows.
    """
    n_rows = max(FEWEST_ROWS, min(MOST_ROWS, MOST_CELLS // max(1, len(table.names))))
    arrays = table.sample(n_rows)
    if not any(map(len, arrays)):
        raise InputError(f"{table.label} holds no rows. Pass a table with at least one vector.")
    return [
        _fact(position, name, kind, array, table.decimal)
        for position, (name, kind, array) in enumerate(zip(table.names, table.types, arrays, strict=True))
    ]


def _fact(position: int, name: str, kind: pa.DataType, array: pa.Array, decimal: str) -> ColumnFacts:
    if pa.types.is_null(kind) or (len(array) and array.null_count == len(array)):
        return ColumnFacts(position, name, "empty")
    if _is_text(kind):
        return _text_fact(position, name, array, decimal)
    if is_list(kind):
        return _list_fact(position, name, kind, array)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _number_fact(position, name, array, "number", stored_whole=pa.types.is_integer(kind))
    if pa.types.is_decimal(kind):
        return _number_fact(position, name, array, "number", stored_whole=kind.scale == 0)
    return ColumnFacts(position, name, str(kind))


def is_list(kind: pa.DataType) -> bool:
    """Whether the type is a list of any sort."""
    return any(test(kind) for test in (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list))


def _is_text(kind: pa.DataType) -> bool:
    views = pa.types.is_string_view(kind) if hasattr(pa.types, "is_string_view") else False
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or views


def _text_fact(position: int, name: str, array: pa.Array, decimal: str) -> ColumnFacts:
    """Numbers where most filled cells are; so an empty cell, or one wrong cell, leaves a column what it is."""
    if decimal == "." and not _is_whole_text(array[0].as_py()):
        try:
            values = array.cast(pa.float64()).to_numpy(zero_copy_only=False)
        except pa.ArrowInvalid:
            pass
        else:  # what nearly all columns of a wide table are, known without looking at each cell
            if values[0] % 1 > 0:
                return ColumnFacts(position, name, "number", constant=bool((values == values[0]).all()))
    filled = [cell for cell in array.to_pylist() if cell is not None and cell.strip()]
    if not filled:
        return ColumnFacts(position, name, "empty")
    cells = [cell for cell in filled if cell.strip().casefold() not in MISSING][:TEXT_ROWS] or filled[:TEXT_ROWS]
    numbers = sum(map(is_number_text, cells))
    if 2 * numbers > len(cells):
        commas = sum(COMMA_NUMBER.fullmatch(cell) is not None for cell in cells)
        if decimal == "." and 2 * commas > numbers:
            return ColumnFacts(position, name, "number", commas=True)
        whole = all(_is_whole_text(cell) for cell in cells if is_number_text(cell))
        return _number_fact(position, name, array, "number", stored_whole=whole, decimal=decimal)
    if 2 * sum(map(is_list_text, cells)) > len(cells):
        return ColumnFacts(position, name, "list")
    values = array.to_pylist()
    return ColumnFacts(position, name, "text", distinct=len(set(values)) == len(values))


def _is_whole_text(cell: str | None) -> bool:
    return cell is None or re.fullmatch(r"\s*-?\d+\s*", cell) is not None


def _number_fact(
    position: int, name: str, array: pa.Array, kind: str, *, stored_whole: bool, decimal: str = "."
) -> ColumnFacts:
    values, missing = numbers_of(array, decimal)
    present: NDArray[Any] = values[~missing]
    finite = present[np.isfinite(present)]
    largest = float(np.abs(finite).max(initial=0.0))
    if not len(finite):
        return ColumnFacts(position, name, kind, largest=largest)
    constant = bool((finite == finite[0]).all())
    # floating-point columns hold ids too where a table with missing values has passed
    whole = stored_whole or bool((finite == np.floor(finite)).all())
    if not whole:
        return ColumnFacts(position, name, kind, constant=constant, largest=largest)
    keys = array.to_pylist() if stored_whole else present.tolist()  # as written: beyond 2**53 floats coincide
    distinct = len(set(keys)) == len(keys)
    counting = len(finite) >= COUNTING_ROWS and bool((np.diff(present) == 1).all())
    first = int(finite[0])
    return ColumnFacts(position, name, kind, stored_whole, distinct, constant, counting, first, largest)


def _list_fact(position: int, name: str, kind: Any, array: pa.Array) -> ColumnFacts:
    inner = kind.value_type
    if not (pa.types.is_integer(inner) or pa.types.is_floating(inner) or pa.types.is_null(inner)):
        return ColumnFacts(position, name, str(kind))
    lengths = {len(value) for value in array if value.is_valid}
    return ColumnFacts(position, name, "list", width=lengths.pop() if len(lengths) == 1 else None)
