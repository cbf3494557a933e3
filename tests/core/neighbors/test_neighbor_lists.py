"""Neighbour lists: what is refused, and that good ones pass unchanged."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.core.neighbors.neighbor_lists import as_neighbor_lists
from simgauge.errors import InputError, ParameterError


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, ">i8", np.int64])
def test_whole_numbers_of_any_width_pass(dtype):
    lists = as_neighbor_lists(np.array([[0, 2], [1, 0]], dtype=dtype), n_rows=3)
    assert lists.dtype == np.int64
    assert lists.tolist() == [[0, 2], [1, 0]]


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ([1, 2], r"shape \(n_queries, k\), received shape \(2,\)"),
        (np.empty((0, 3), dtype=int), r"shape \(0, 3\)"),
        ([[0.0, 1.0]], "whole numbers .* float64"),
        ([[0, -1]], r"0\.\.2, received -1\.\.0.*fewer than k"),
        ([[0, 3]], r"0\.\.2, received 0\.\.3"),
    ],
)
def test_bad_lists_are_refused(lists, message):
    with pytest.raises(InputError, match=message):
        as_neighbor_lists(lists, n_rows=3)


def test_bad_number_of_rows():
    with pytest.raises(ParameterError, match="n_rows=0"):
        as_neighbor_lists([[0]], n_rows=0)
