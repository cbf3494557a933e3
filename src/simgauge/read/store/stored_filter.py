"""Rare users and items left out of pairs on disk, to a fixed point: what `merge.keep_frequent` does in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from simgauge.core.tables.row_parts import LocalParts
from simgauge.read.store.stored_pairs import USERS_FILE, PairsWriter

Mask = NDArray[np.bool_]


def frequent(matrix: LocalParts, min_user_count: int, min_item_count: int) -> tuple[Mask, Mask, int]:
    """Masks of the users and items that stay, and after how many rounds nothing changed any more; a pass a round.

    Examples
    --------
    >>> from scipy import sparse
    >>> users, items, rounds = frequent(LocalParts([sparse.csr_array([[1.0, 1.0], [0.0, 1.0]])]), 1, 2)
    >>> users, items
    (array([ True,  True]), array([False,  True]))
    """
    users, items = (np.ones(length, dtype=bool) for length in matrix.shape)
    rounds, left = -1, -1
    while True:
        counted = list(matrix.map(_counts, users, items))
        by_user = np.concatenate([counts for counts, _ in counted])
        by_item = sum((counts for _, counts in counted), np.zeros(len(items), dtype=np.int64))
        total = int(by_user.sum())
        if total == left:
            return users, items, rounds
        rounds, left = rounds + 1, total
        users, items = by_user >= min_user_count, by_item >= min_item_count


def copy_frequent(matrix: LocalParts, source: Path, users: Mask, items: Mask, writer: PairsWriter) -> NDArray[np.int64]:
    """Write the pairs of the users and items that stay; returns the number of pairs of each item that stays."""
    codes = (np.cumsum(items) - 1).astype(np.int32)
    item_counts = np.zeros(int(items.sum()), dtype=np.int64)
    first = 0
    for part, ids in zip(matrix.parts, _ids_by_part(matrix, source), strict=True):
        kept = users[first : first + part.shape[0]]
        first += part.shape[0]
        stay = _staying(part, kept, items)
        counts = _per_row(part, stay)[kept]
        indices = codes[part.indices[stay]]
        np.add.at(item_counts, indices, 1)
        writer.add(ids.filter(pa.array(kept)), counts, indices, part.data[stay])
    writer.finish()
    return item_counts


def _counts(part: Any, first_row: int, users: Mask, items: Mask) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    stay = _staying(part, users[first_row : first_row + part.shape[0]], items)
    by_item = np.bincount(part.indices[stay], minlength=part.shape[1])
    return _per_row(part, stay), by_item.astype(np.int64)


def _staying(part: Any, users: Mask, items: Mask) -> Mask:
    return np.asarray(np.repeat(users, np.diff(part.indptr)) & items[part.indices])


def _per_row(part: Any, stay: Mask) -> NDArray[np.int64]:
    ends = np.concatenate(([0], np.cumsum(stay, dtype=np.int64)))
    return np.asarray(np.diff(ends[part.indptr]))


def _ids_by_part(matrix: LocalParts, source: Path) -> Iterator[pa.Array]:
    with pq.ParquetFile(source / USERS_FILE) as file:
        batches = (batch.column(0) for batch in file.iter_batches())
        held: list[pa.Array] = []
        for part in matrix.parts:
            while sum(map(len, held)) < part.shape[0]:
                held.append(next(batches))
            joined = pa.concat_arrays(held)
            yield joined[: part.shape[0]]
            held = [joined[part.shape[0] :]]
