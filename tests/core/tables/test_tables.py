"""Tables of vectors: what is converted, what is refused, norms without overflow."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.core.tables.tables import as_table, row_norms, unit_rows
from simgauge.errors import InputError


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (np.float32, np.float32),
        (np.float64, np.float64),
        (np.float16, np.float32),
        (">f8", np.float64),
        (">f4", np.float32),
        (np.int8, np.float32),
        (np.int64, np.float64),
        (bool, np.float32),
    ],
)
def test_numbers_become_native_floats(given, kept):
    table = as_table(np.array([[1, 0], [1, 1]], dtype=given))
    assert table.dtype == kept
    assert table.dtype.isnative
    np.testing.assert_array_equal(table, [[1, 0], [1, 1]])


def test_good_tables_are_not_copied(tmp_path):
    table = np.ones((4, 3), dtype=np.float32)
    assert as_table(table) is table
    np.save(tmp_path / "t.npy", table)
    mapped = np.load(tmp_path / "t.npy", mmap_mode="r")
    assert np.shares_memory(as_table(mapped), mapped)
    strided = np.ones((4, 6))[:, ::2]
    assert as_table(strided).flags.c_contiguous


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        (np.ones(3), "1 dimension"),
        (np.ones((2, 2, 2)), "3 dimension"),
        (np.ones((0, 3)), "empty"),
        (np.ones((3, 0)), "empty"),
        ([[1.0], [1.0, 2.0]], "unequal length"),
        (np.array([["a", "b"]]), "dtype"),
        (np.array([[1 + 2j]]), "dtype"),
        (np.array([[1.0, np.nan], [np.inf, 0.0]]), "2 of 2 rows hold NaN or infinite values"),
        (np.array([[None, 1.0]], dtype=object), "dtype object"),
    ],
)
def test_other_things_are_refused(bad, text):
    with pytest.raises(InputError, match=text):
        as_table(bad, "items")


def test_the_first_bad_row_is_named_across_blocks(monkeypatch):
    monkeypatch.setattr("simgauge.core.tables.tables.ROWS_PER_BLOCK", 4)
    table = np.zeros((20, 2))
    table[13, 1] = np.nan
    with pytest.raises(InputError, match="first: row 13"):
        as_table(table)


@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e300])
def test_norms_survive_extreme_scales(scale):
    table = np.array([[3.0, 4.0], [0.0, 0.0]]) * scale
    np.testing.assert_allclose(row_norms(table), [5.0 * scale, 0.0], rtol=1e-15)
    np.testing.assert_allclose(unit_rows(table), [[0.6, 0.8], [0, 0]], rtol=1e-15)


def test_tiny_single_precision_rows_become_unit_rows():
    table = np.array([[3e-42, 4e-42]], dtype=np.float32)
    np.testing.assert_allclose(np.linalg.norm(unit_rows(table)), 1.0, rtol=1e-6)
    assert unit_rows(table).dtype == np.float32


def test_norms_are_exact_where_squares_lose_their_last_bits():
    """Squares of 1e-156 are subnormal: not zero, but with few bits left."""
    for power in range(-165, -130):
        scale = 10.0**power
        table = np.array([[3.0, 4.0]]) * scale
        np.testing.assert_allclose(row_norms(table), 5.0 * scale, rtol=4 * np.finfo(np.float64).eps)
