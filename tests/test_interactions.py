"""The record keeps its promises: canonical, frozen, aligned by id, and the same after a trip to disk."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from simgauge.errors import InputError
from simgauge.interactions import Interactions


@pytest.fixture
def seen() -> Interactions:
    return Interactions(
        sparse.csr_array([[1.0, 0.0, 2.0], [0.0, 3.0, 1.0]]),
        user_ids=["ann", "bob"],
        item_ids=[10, 20, 30],
        item_names=["tea", "milk", "<b>rum</b>"],
        report={"rows_read": 4},
    )


def test_properties(seen: Interactions) -> None:
    assert (seen.n_users, seen.n_items, seen.nnz) == (2, 3, 4)
    assert seen.item_counts.tolist() == [1, 1, 2]
    assert seen.user_counts.tolist() == [2, 2]
    assert repr(seen) == "Interactions(2 users, 3 items, 4 pairs, float64)"
    assert repr(Interactions([[1.0]])) == "Interactions(1 user, 1 item, 1 pair, float64)"


def test_item_counts_are_distinct_users_not_weights() -> None:
    events = sparse.coo_array(([5.0, 7.0, 1.0], ([0, 0, 1], [0, 0, 1])), shape=(2, 2))
    assert Interactions(events).item_counts.tolist() == [1, 1]
    assert Interactions(events).matrix[0, 0] == 12.0


def test_stored_zeros_and_duplicates_go_and_the_argument_is_not_changed() -> None:
    given_matrix = sparse.csr_array((np.array([1.0, 0.0, 2.0]), np.array([1, 0, 1]), np.array([0, 3])), shape=(1, 2))
    found = Interactions(given_matrix)
    assert found.matrix.toarray().tolist() == [[0.0, 3.0]]
    assert found.nnz == 1
    assert given_matrix.nnz == 3
    assert given_matrix.data.flags.writeable


def test_arrays_are_read_only_and_products_still_work(seen: Interactions) -> None:
    with pytest.raises(ValueError, match="read-only"):
        seen.matrix.data[0] = 9.0
    assert (seen.matrix @ np.ones(3)).tolist() == [3.0, 4.0]
    assert (seen.matrix.T @ np.ones(2)).tolist() == [1.0, 3.0, 3.0]
    assert seen.matrix[:, [2]].toarray().tolist() == [[2.0], [1.0]]


@pytest.mark.parametrize(
    ("dtype", "kept"), [("float32", "float32"), ("float64", "float64"), ("int8", "float64"), ("bool", "float64")]
)
def test_dtype(dtype: str, kept: str) -> None:
    assert Interactions(np.eye(2, dtype=dtype)).matrix.dtype == kept


@pytest.mark.parametrize(
    ("matrix", "text"),
    [
        ([[1.0, np.nan]], "1 weights are NaN or infinite .first: user 0, item 1, weight nan"),
        ([[1.0], [np.inf]], "1 weights are NaN or infinite .first: user 1, item 0, weight inf"),
        ([[1.0, -2.0]], "1 weights are negative .first: user 0, item 1, weight -2.0"),
        ([[0.0]], "empty, shape .1, 1. with 0 entries"),
        (sparse.csr_array((np.array([0.0]), np.array([0]), np.array([0, 1])), shape=(1, 1)), "every weight is zero"),
        (np.zeros((0, 3)), "empty, shape .0, 3."),
        ([1.0, 2.0], "received shape .2,."),
        ([["a"]], "expected numbers"),
        (np.eye(2) * 1j, "expected numbers"),
        (sparse.csr_array(np.eye(2) * 1j), "must be real numbers"),
        (sparse.coo_array(np.ones(3)), "expected two dimensions"),
    ],
)
def test_bad_weights(matrix: object, text: str) -> None:
    with pytest.raises(InputError, match=text):
        Interactions(matrix)


@pytest.mark.parametrize("kind", ["csr", "csc"])
def test_indices_outside_the_matrix_are_refused_not_followed(kind: str) -> None:
    matrix = sparse.eye_array(3, format=kind)
    matrix.indices[1] = 2_000_000_000
    with pytest.raises(InputError, match="damaged sparse matrix"):
        Interactions(matrix)


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ({"item_ids": [1, 1]}, "item_ids: 1 labels are duplicates"),
        ({"user_ids": ["a"]}, "user_ids: 1 labels for 2 rows"),
        ({"item_names": ["x"]}, "item_names: 1 names for 2 items"),
    ],
)
def test_bad_labels(labels: dict[str, list[object]], text: str) -> None:
    with pytest.raises(InputError, match=text):
        Interactions(np.eye(2), **labels)


def test_align_reorders_subsets_and_adds_empty_columns(seen: Interactions) -> None:
    aligned = seen.align([30, 99, 10])
    assert aligned.matrix.toarray().tolist() == [[2.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    assert aligned.item_ids.tolist() == [30, 99, 10]
    assert aligned.item_names is not None
    assert aligned.item_names.tolist() == ["<b>rum</b>", "99", "tea"]
    assert aligned.report["aligned"]["items"] == {"wanted": 3, "shared": 2, "without_interactions": 1, "left_out": 1}
    assert aligned.report["rows_read"] == 4
    assert aligned.user_ids.tolist() == ["ann", "bob"]


def test_align_keeps_users_that_lose_all_items(seen: Interactions) -> None:
    assert seen.align([20]).matrix.toarray().tolist() == [[0.0], [3.0]]


def test_align_users_too(seen: Interactions) -> None:
    aligned = seen.align([10, 30], user_ids=["zoe", "ann"])
    assert aligned.matrix.toarray().tolist() == [[0.0, 0.0], [1.0, 2.0]]
    assert aligned.report["aligned"]["users"]["shared"] == 1


def test_align_compares_numbers_and_text_as_text(seen: Interactions) -> None:
    assert seen.align(["20", "10"]).matrix.toarray().tolist() == [[0.0, 1.0], [3.0, 0.0]]


def test_align_without_a_shared_id(seen: Interactions) -> None:
    with pytest.raises(InputError, match=r"none of the 2 ids wanted .1, 2. occurs among the 3 .*10, 20, 30"):
        seen.align([1, 2])


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_align_equals_dense_look_up(data: st.DataObject) -> None:
    n_users, n_items = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 6))
    seed = data.draw(st.integers(0, 2**32 - 1))
    dense = np.random.default_rng(seed).integers(0, 3, size=(n_users, n_items)).astype(float)
    dense[0, 0] = 1.0
    wanted = data.draw(st.permutations(range(-2, n_items)))[: data.draw(st.integers(1, n_items + 2))]
    if 0 not in wanted:
        wanted = [*wanted, 0]
    expected = np.array([[dense[user, item] if item >= 0 else 0.0 for item in wanted] for user in range(n_users)])
    assert np.array_equal(Interactions(dense).align(wanted).matrix.toarray(), expected)


def test_save_and_load_are_inverse(seen: Interactions, tmp_path: Path) -> None:
    loaded = Interactions.load(seen.save(tmp_path / "seen"))
    for name in ("data", "indices", "indptr"):
        assert np.array_equal(getattr(loaded.matrix, name), getattr(seen.matrix, name))
    assert loaded.user_ids.tolist() == ["ann", "bob"]
    assert loaded.item_ids.tolist() == [10, 20, 30]
    assert loaded.item_ids.dtype == np.int64
    assert loaded.item_names is not None
    assert loaded.item_names.tolist() == ["tea", "milk", "<b>rum</b>"]
    assert dict(loaded.report) == {"rows_read": 4}
    assert Interactions.load(Interactions(np.eye(2, dtype=np.float32)).save(tmp_path / "plain")).item_names is None


def test_save_replaces_its_own_directory_only(seen: Interactions, tmp_path: Path) -> None:
    seen.save(tmp_path / "seen")
    Interactions(np.eye(4)).save(tmp_path / "seen")
    assert Interactions.load(tmp_path / "seen").n_users == 4
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("keep")
    with pytest.raises(InputError, match="was not written by simgauge"):
        seen.save(tmp_path / "mine")


def test_load_of_damaged_directories(seen: Interactions, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"interactions\.json is missing"):
        Interactions.load(tmp_path)
    directory = seen.save(tmp_path / "seen")
    matrix = directory / "matrix.npz"
    whole = matrix.read_bytes()
    matrix.write_bytes(whole[:-20])
    with pytest.raises(InputError, match="was cut off or altered"):
        Interactions.load(directory)
    matrix.write_bytes(whole)
    (directory / "items.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match="was cut off or altered"):
        Interactions.load(directory)
    metadata = json.loads((directory / "interactions.json").read_text())
    (directory / "interactions.json").write_text(json.dumps({**metadata, "format_version": 99}))
    with pytest.raises(InputError, match="newer than this simgauge"):
        Interactions.load(directory)
    (directory / "interactions.json").write_text("{")
    with pytest.raises(InputError, match="damaged"):
        Interactions.load(directory)
