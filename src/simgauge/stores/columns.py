"""Ids and vectors from what a store returns, checked: one row a vector, all of one width, finite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simgauge.errors import InputError


def stored_columns(
    table: pa.Table, id_column: str, vector: str, where: str
) -> tuple[NDArray[Any], NDArray[np.float32]]:
    """Ids (n,) and vectors (n, k) of an Arrow table.

    Raises
    ------
    InputError
        A column is missing or holds something else; vectors of unequal width, or missing ones.
    """
    for name in (id_column, vector):
        if name not in table.column_names:
            raise InputError(f"{where} has no column {name!r}; it has {', '.join(table.column_names)}.")
    values = table[vector].combine_chunks()
    if isinstance(values, pa.ChunkedArray):
        values = pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], table.schema.field(vector).type)
    kind = values.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        raise InputError(f"{where}: column {vector!r} holds {kind}, not vectors. Name the column with --vector.")
    if values.null_count:
        raise InputError(f"{where}: {values.null_count} of {len(values)} rows have no vector in {vector!r}.")
    flat = values.flatten().to_numpy(zero_copy_only=False)
    width = len(flat) // max(1, len(values))
    if not pa.types.is_fixed_size_list(kind):
        lengths = np.diff(values.offsets.to_numpy(zero_copy_only=False))
        if len(lengths) and (lengths != lengths[0]).any():
            raise InputError(
                f"{where}: vectors in {vector!r} have between {lengths.min()} and {lengths.max()} components."
            )
    return as_ids_of_store(table[id_column].to_pylist()), np.asarray(flat, dtype=np.float32).reshape(len(values), width)


def as_ids_of_store(ids: Sequence[Any]) -> NDArray[Any]:
    """int64 where all are integers, text otherwise."""
    if all(isinstance(label, int) and not isinstance(label, bool) for label in ids):
        return np.array(ids, dtype=np.int64)
    return np.array([str(label) for label in ids], dtype=object)
