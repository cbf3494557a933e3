"""Ids to row numbers, batch by batch: what is kept per event is four bytes, never a Python object."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simgauge.errors import InputError

WHOLE_NUMBER = r"^(0|-?[1-9][0-9]*)(\.0*)?$"
"""Without leading zeros; 1.0 is how a table with missing values, or a spreadsheet, writes 1."""

ROWS_PER_ENCODING = 1 << 21
"""Events that share one dictionary before it is merged into the others: merging costs every distinct id again."""


class Coder:
    """Collects a column of ids in batches; `finish` gives the sorted distinct ids and the row number of each event.

    Parameters
    ----------
    role : str
        "user" or "item", for messages.
    meaning : {"integer", "float", "text", "untyped"}
        What the source knows of the column. "untyped" (text files) and "float" (integers that passed through a
        table with missing values) become integers when every id is one.

    Examples
    --------
    >>> coder = Coder("item", "untyped")
    >>> coder.add(pa.array(["10", "9", None, "10"]))
    >>> coder.finish()
    (array([ 1,  0, -1,  1], dtype=int32), array([ 9, 10]))
    """

    def __init__(self, role: str, meaning: str) -> None:
        self.role = role
        self.meaning = meaning
        self._chunks: list[pa.DictionaryArray] = []
        self._waiting: list[pa.Array] = []

    def add(self, ids: pa.Array) -> None:
        """Take the ids of the next events, null where there is none."""
        if self.meaning == "float":
            ids = pc.if_else(pc.is_nan(ids), pa.scalar(None, ids.type), ids)
        self._waiting.append(ids)
        if sum(map(len, self._waiting)) >= ROWS_PER_ENCODING:
            self._encode()

    def finish(self) -> tuple[NDArray[np.int32], NDArray[Any]]:
        """Row number of every event (-1 where the id is missing) and the distinct ids, ascending.

        Raises
        ------
        InputError
            Fractions in a column of floating-point numbers.
        """
        self._encode()
        if not self._chunks:
            return np.empty(0, np.int32), np.empty(0, np.int64)
        unified = pa.chunked_array(self._chunks).unify_dictionaries()
        self._chunks = []
        distinct = unified.chunk(0).dictionary
        ids, rank = self._ids(distinct)
        rank = np.append(rank, -1).astype(np.int32)  # missing: code -1 picks the last entry
        codes = np.empty(len(unified), dtype=np.int32)
        start = 0
        for chunk in unified.chunks:
            codes[start : start + len(chunk)] = rank[chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
            start += len(chunk)
        return codes, ids

    def _encode(self) -> None:
        if self._waiting:
            self._chunks += pa.chunked_array(self._waiting).dictionary_encode().chunks
            self._waiting = []

    def _ids(self, distinct: pa.Array) -> tuple[NDArray[Any], NDArray[np.int64]]:
        integers = as_integers(distinct, self.meaning, self.role)
        if integers is not None:
            return np.unique(integers, return_inverse=True)
        order = pc.array_sort_indices(distinct).to_numpy()
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        return np.array(distinct.take(pa.array(order)).to_pylist(), dtype=object), rank


def as_integers(ids: pa.Array, meaning: str, role: str) -> NDArray[np.int64] | None:
    """The ids as int64, or None where they are text; `meaning` as for `Coder`.

    Raises
    ------
    InputError
        Fractions in a column of floating-point numbers.

    Examples
    --------
    >>> as_integers(pa.array(["7", " 12", "7.0"]), "untyped", "item")
    array([ 7, 12,  7])
    >>> as_integers(pa.array(["7", "18446744073709551617"]), "untyped", "item") is None
    True
    >>> as_integers(pa.array(["7", "007"]), "untyped", "item") is None
    True
    """
    if meaning == "float":
        return _from_floats(ids.to_numpy(zero_copy_only=False), role)
    if meaning == "untyped":
        trimmed = pc.utf8_trim_whitespace(ids)
        whole = len(trimmed) > 0 and pc.all(pc.match_substring_regex(trimmed, WHOLE_NUMBER)).as_py()
        return _from_digits(trimmed) if whole else None
    return ids.to_numpy(zero_copy_only=False).astype(np.int64) if pa.types.is_integer(ids.type) else None


def _from_digits(digits: pa.Array) -> NDArray[np.int64] | None:
    """As numbers; None where one does not fit into 64 bits with sign, so that all stay text."""
    try:
        whole = pc.replace_substring_regex(digits, r"\.0*$", "")
        return np.asarray(whole.cast(pa.int64()).to_numpy(zero_copy_only=False), dtype=np.int64)
    except pa.ArrowInvalid:
        return None


def _from_floats(values: NDArray[np.float64], role: str) -> NDArray[np.int64]:
    bad = ~np.isfinite(values) | (values != np.floor(values)) | (np.abs(values) > 2.0**53)
    if bad.any():
        raise InputError(
            f"{role} ids are stored as floating-point numbers and {float(values[bad][0])} is no exact integer. Store "
            "the ids as integers or as text."
        )
    return values.astype(np.int64)
