"""What a cell of text holds: a number, a list of numbers, or neither; and columns of them as arrays."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")
COMMA_NUMBER = re.compile(r"\s*[-+]?\d*,\d+([eE][-+]?\d+)?\s*")
LIST_OPENING = re.compile(r"\s*(array\(|tensor\(|np\.array\()?\s*[\[({]")
SEPARATORS = re.compile(r"[\s,;|]+")
WRAPPING = re.compile(r"^\s*(?:array|tensor|np\.array)?[\s\[({]*|[\s\])}]*(?:,\s*dtype=[\w.']+\s*\)?)?\s*$")
MISSING_NUMBERS = ("nan", "NaN", "NAN", "-nan", "NA", "N/A", "null", "NULL", "None")
"""What stands in text where a number is missing."""
TOO_LONG = "..."
"""What NumPy prints in the middle of a vector that it shortens."""


def is_number_text(cell: str) -> bool:
    """Whether the cell is a number, possibly with a decimal comma; NaN and infinity are numbers too.

    Examples
    --------
    >>> [is_number_text(cell) for cell in ("-1.5e3", "0,25", " 7", "nan", "1_0", "seven", "")]
    [True, True, True, True, False, False, False]
    """
    return bool(NUMBER.fullmatch(cell) or COMMA_NUMBER.fullmatch(cell)) or cell.strip().lstrip("+-").casefold() in (
        "nan",
        "inf",
        "infinity",
    )


def is_list_text(cell: str) -> bool:
    """Whether the cell is a list of two or more numbers, as JSON, NumPy, Python or Postgres write it.

    Examples
    --------
    >>> [is_list_text(cell) for cell in ("[0.1, 2]", "[0.1 2.]", "{1,2}", "0.1 0.2", "a b", "['x']", "(7)")]
    [True, True, True, True, False, False, False]
    """
    opened = LIST_OPENING.match(cell) is not None
    numbers = SEPARATORS.split(WRAPPING.sub("", cell)) if opened or " " in cell.strip() or "|" in cell else []
    numbers = [number for number in numbers if number not in ("", TOO_LONG)]
    return len(numbers) > 1 and all(is_number_text(number) for number in numbers[:50])


def list_of(cell: str) -> NDArray[np.float64] | None:
    """The numbers of a list; None when it is none, or is shortened.

    Examples
    --------
    >>> list_of("[ 0.5 -1.e0\\n 2.]"), list_of("[1.0 ... 2.0]"), list_of("[[1, 2], [3, 4]]")
    (array([ 0.5, -1. ,  2. ]), None, None)
    """
    inner = WRAPPING.sub("", cell)
    if any(bracket in inner for bracket in "[](){}"):
        return None
    try:
        return np.array([number for number in SEPARATORS.split(inner) if number], dtype=np.float64)
    except ValueError:
        return None


def numbers_of(values: pa.Array, decimal: str = ".") -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """A column as float64, and which entries are missing or no numbers.

    Examples
    --------
    >>> numbers_of(pa.array(["1", " 2.5", "", "x", "nan"]))
    (array([1. , 2.5, nan, nan, nan]), array([False, False,  True,  True,  True]))
    """
    if pa.types.is_null(values.type):
        return np.full(len(values), np.nan), np.ones(len(values), dtype=bool)
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        found = np.asarray(pc.cast(values, pa.float64(), safe=False).to_numpy(zero_copy_only=False))
        if not values.null_count:
            return found, np.zeros(len(found), dtype=bool)
        return found, values.is_null().to_numpy(zero_copy_only=False)
    if decimal != ".":
        values = pc.replace_substring(values, decimal, ".")
    try:
        numbers = pc.cast(values, pa.float64())
    except pa.ArrowInvalid:
        trimmed = pc.utf8_trim_whitespace(values)
        clean = pc.if_else(
            pc.match_substring_regex(trimmed, f"^(?:{_PATTERN})$"), trimmed, pa.scalar(None, values.type)
        )
        numbers = pc.cast(clean, pa.float64())
    found = np.asarray(numbers.to_numpy(zero_copy_only=False), dtype=np.float64)
    return found, np.isnan(found)  # in text, "nan" stands for what is missing


_PATTERN = r"(?i)[-+]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[-+]?[0-9]+)?|nan|inf|infinity)"


def stacked(cells: list[Any]) -> tuple[list[NDArray[np.float64] | None], int | None]:
    """Lists of text as arrays, and the position of the first that is none."""
    found = [None if cell is None else list_of(cell) for cell in cells]
    bad = next((position for position, vector in enumerate(found) if vector is None or not len(vector)), None)
    return found, bad
