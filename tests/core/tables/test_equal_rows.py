"""Rows that are the same: against comparing all pairs, also where hashes collide, for arrays and tensors."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.core.neighbors.exact_lists import Copies
from simgauge.core.tables import equal_rows
from simgauge.core.tables.equal_rows import first_equal
from tensor_problems import devices, tensor


def slow_first_equal(table):
    return [next(j for j in range(len(table)) if (table[j] == table[i]).all()) for i in range(len(table))]


@pytest.fixture(params=["numpy", *devices()])
def place(request):
    return np.asarray if request.param == "numpy" else lambda table: tensor(table, request.param)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equal_to_comparing_all_pairs_with_both_zeros(rng, place, dtype):
    table = rng.integers(0, 2, (400, 6)).astype(dtype)
    table[table == 0] *= rng.choice([1.0, -1.0], int((table == 0).sum())).astype(dtype)
    assert np.signbit(table).any()
    np.testing.assert_array_equal(first_equal(place(table)), slow_first_equal(table))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_that_differ_in_one_bit_differ(rng, place, dtype):
    row = rng.standard_normal(5).astype(dtype)
    table = np.tile(row, (11, 1))
    for column in range(5):
        table[2 * column + 1, column] = np.nextafter(row[column], dtype(9))
    np.testing.assert_array_equal(first_equal(place(table)), slow_first_equal(table))


def test_a_collision_of_hashes_is_no_copy(rng, place, monkeypatch):
    table = rng.integers(0, 3, (60, 2)).astype(float)
    monkeypatch.setattr(equal_rows, "row_hashes", lambda table: np.zeros(len(table), dtype=np.int64))
    np.testing.assert_array_equal(first_equal(place(table)), slow_first_equal(table))


def test_hashes_alone_tell_rows_apart(rng, place):
    """One hash a row, or the comparison would do the work; short float32 numbers have many zero bits."""
    table = rng.integers(-50, 50, (20_000, 4)).astype(np.float32)
    hashes = equal_rows.row_hashes(place(table))
    assert len(np.unique(hashes)) == len(np.unique(table, axis=0))


def test_groups_hold_their_lowest_rows(rng):
    table = rng.integers(0, 2, (200, 3)).astype(float)
    copies = Copies.of(table, 5)
    first = np.array(slow_first_equal(table))
    np.testing.assert_array_equal(copies.first, np.unique(first))
    rows, counts = copies.members_of(np.array([3, 0]))
    expected = [np.flatnonzero(first == copies.first[group])[:5] for group in (3, 0)]
    np.testing.assert_array_equal(rows, np.concatenate(expected))
    np.testing.assert_array_equal(counts, [len(part) for part in expected])
    assert [len(part) for part in copies.members_of(np.array([], dtype=int))] == [0, 0]
