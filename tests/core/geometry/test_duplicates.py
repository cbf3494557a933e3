"""Copies: exact ones against a dictionary of rows, near ones against all pairs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geometry_problems import nearest, skewed_table
from problems import cosines
from simgauge.core.geometry.duplicates import exact_duplicates, near_duplicates
from simgauge.core.tables import equal_rows
from simgauge.errors import InputError, ParameterError


def labels_by_dictionary(table):
    first = {}
    return np.array([first.setdefault(tuple(row), i) for i, row in enumerate(table.tolist())])


@given(
    arrays(np.float32, st.tuples(st.integers(1, 30), st.integers(1, 3)), elements=st.sampled_from([-1.0, 0, -0.0, 2]))
)
def test_labels_are_the_first_equal_row(table):
    np.testing.assert_array_equal(exact_duplicates(table).labels, labels_by_dictionary(table))


def test_rows_with_one_hash_are_still_told_apart(rng, monkeypatch):
    """The worst hash there is: every row collides, the answer is the same."""
    x = rng.integers(0, 2, (50, 3)).astype(float)
    monkeypatch.setattr(equal_rows, "row_hashes", lambda table: np.zeros(len(table), dtype=np.int64))
    np.testing.assert_array_equal(exact_duplicates(x).labels, labels_by_dictionary(x))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_hashes_of_different_rows_differ(rng, dtype):
    x = np.vstack([rng.standard_normal((20_000, 3)), rng.integers(-50, 50, (20_000, 3))]).astype(dtype)
    distinct = len(np.unique(x, axis=0))
    assert len(np.unique(equal_rows.row_hashes(x))) == distinct
    swapped = np.vstack([x[:100], x[:100, ::-1]])
    assert len(np.unique(equal_rows.row_hashes(swapped))) == 200  # the order of the entries counts


def test_counts_of_planted_copies(rng):
    x = rng.standard_normal((100, 4)).astype(np.float32)
    x[[10, 20, 30]] = x[5]
    x[60] = x[50]
    found = exact_duplicates(x)
    assert (found.n_rows_in_groups, found.n_groups) == (6, 2)
    assert found.pairs.tolist() == [[5, 10], [5, 20], [5, 30], [50, 60]]
    assert exact_duplicates(x, max_examples=1).pairs.tolist() == [[5, 10]]
    x[60, 0] = np.nextafter(x[60, 0], np.float32(np.inf))
    assert exact_duplicates(x).n_groups == 1  # control: one bit is enough


def test_near_duplicates_are_the_components_of_all_close_pairs(rng):
    x = skewed_table(rng, 60)
    indices, scores = nearest(x, 59)
    found = near_duplicates(indices, scores, 60, threshold=0.93, max_examples=10_000)
    close = np.argwhere(np.triu(cosines(x), 1) >= 0.93)
    assert len(close) > 5
    assert {tuple(p) for p in found.pairs.tolist()} == {tuple(p) for p in close.tolist()}
    labels = np.arange(60)
    for _ in range(60):  # slow propagation of the smallest label
        for i, j in close:
            labels[[i, j]] = min(labels[i], labels[j])
    np.testing.assert_array_equal(found.labels, labels)
    assert near_duplicates(indices, scores, 60, threshold=1.1).n_groups == 0


def test_examples_are_the_closest_pairs_first():
    indices = np.array([[1], [0], [3], [2]])
    scores = np.array([[0.991], [0.991], [0.999], [0.999]])
    assert near_duplicates(indices, scores, 4, max_examples=2).pairs.tolist() == [[2, 3], [0, 1]]


def test_a_sample_of_queries_says_which_rows_it_is():
    indices, scores = np.array([[3], [0]]), np.array([[0.995], [0.5]])
    found = near_duplicates(indices, scores, 5, rows=np.array([1, 4]))
    assert found.pairs.tolist() == [[1, 3]]
    with pytest.raises(ParameterError, match="2 lists for 5 rows: say with rows="):
        near_duplicates(indices, scores, 5)
    with pytest.raises(InputError, match="one row position per list"):
        near_duplicates(indices, scores, 5, rows=np.array([1]))
    with pytest.raises(InputError, match=r"0\.\.4"):
        near_duplicates(indices, scores, 5, rows=np.array([1, 5]))


def test_bad_scores():
    with pytest.raises(InputError, match=r"scores of shape \(1, 2\)"):
        near_duplicates([[1], [0]], np.ones((1, 2)), 2)
    with pytest.raises(ParameterError, match="threshold=nan"):
        near_duplicates([[1], [0]], np.ones((2, 1)), 2, threshold=float("nan"))
