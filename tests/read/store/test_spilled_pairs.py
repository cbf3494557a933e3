"""Sorted events are cut between pairs whatever the batches, and merged into parts whatever their sizes."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy import sparse

from simgauge.core.tables.row_parts import LocalParts
from simgauge.read.events.merge import keep_frequent
from simgauge.read.store.spilled_pairs import _cut_between_pairs
from simgauge.read.store.stored_filter import frequent
from simgauge.read.store.stored_pairs import PairsWriter, map_parts


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_no_pair_lies_in_two_tables(rng, size: int, text: bool) -> None:
    users, items = rng.integers(0, 6, 200), rng.integers(0, 4, 200)
    users[50:120], items[50:120] = 3, 2  # longer than many batches
    order = np.lexsort((items, users))
    names = [f"u{user}" for user in users[order]] if text else users[order]
    events = pa.table({"u": names, "code": items[order].astype(np.int32), "w": np.arange(200.0)})
    batches = events.combine_chunks().to_batches(max_chunksize=size)
    tables = list(_cut_between_pairs(iter(batches)))
    assert pa.concat_tables(tables).combine_chunks() == events.combine_chunks()
    pairs = [set(zip(table["u"].to_pylist(), table["code"].to_pylist(), strict=True)) for table in tables]
    assert not any(before & after for before, after in pairwise(pairs))
    assert size > 7 or len(tables) > 5  # the control: not simply everything at once


@pytest.mark.parametrize("limit", [1, 5, 64, 10_000])
@pytest.mark.parametrize("step", [1, 3, 50, 500])
def test_parts_hold_what_was_written_whatever_came_at_a_time(tmp_path: Path, rng, step: int, limit: int) -> None:
    matrix = sparse.random_array((60, 9), density=0.4, format="csr", rng=rng)
    rows = np.repeat(np.arange(60), np.diff(matrix.indptr))
    with PairsWriter(tmp_path, np.float64, pa.int64(), limit) as writer:
        for start in range(0, matrix.nnz, step):
            piece = slice(start, start + step)
            ids, counts = np.unique(rows[piece], return_counts=True)
            writer.add(pa.array(ids), counts, matrix.indices[piece], matrix.data[piece])
        writer.finish()
    parts = map_parts(tmp_path, 9, writer.parts, np.float64)
    present = matrix[np.diff(matrix.indptr) > 0]
    for name in ("indptr", "indices", "data"):
        np.testing.assert_array_equal(getattr(LocalParts(parts).gather(), name), getattr(present, name))
    assert [part.n_pairs for part in writer.parts] == [part.nnz for part in parts]
    assert all(limit <= part.nnz < limit + 9 for part in parts[:-1])


@pytest.mark.parametrize("minimums", [(1, 1), (3, 1), (2, 6), (5, 12), (99, 1)])
def test_rare_users_and_items_as_in_memory(rng, minimums: tuple[int, int]) -> None:
    matrix = sparse.random_array((60, 30), density=0.12, format="csr", rng=rng)
    parts = LocalParts([matrix[:20], matrix[20:21], matrix[21:]])
    users, items, rounds = frequent(parts, *minimums)
    expected = keep_frequent(matrix, *minimums)
    np.testing.assert_array_equal(users, expected[0])
    np.testing.assert_array_equal(items, expected[1])
    assert rounds == expected[2]
