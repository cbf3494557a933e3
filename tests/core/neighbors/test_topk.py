"""Exact neighbours against double loops; ties, also at the end of a list; zero rows; blocks; bad parameters."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simgauge.core.neighbors import candidate_search, exact_lists
from simgauge.core.neighbors.topk import iter_top_k, top_k
from simgauge.errors import InputError, ParameterError


def slow_top_k(vectors, k, metric, queries=None, rows=None):
    """Exact sums (fsum) pair by pair, rounded to the dtype of the result, sorted in Python by (-score, index)."""
    table = np.asarray(vectors)
    asked = table if queries is None else np.asarray(queries)
    dtype = np.promote_types(table.dtype, asked.dtype)
    lists = []
    for q in range(len(asked)) if rows is None else rows:
        scored = []
        for j in range(len(table)):
            if queries is None and j == q:
                continue
            score = _score(asked[q].tolist(), table[j].tolist(), metric)
            scored.append((-float(dtype.type(score)), j))
        lists.append(sorted(scored)[:k])
    return np.array([[j for _, j in one] for one in lists]), np.array([[-s for s, _ in one] for one in lists])


def _score(x, y, metric):
    dot = math.fsum(a * b for a, b in zip(x, y, strict=True))
    if metric == "dot":
        return dot
    norms = math.sqrt(math.fsum(a * a for a in x)) * math.sqrt(math.fsum(b * b for b in y))
    return dot / norms if norms else 0.0


@pytest.mark.parametrize("metric", ["cosine", "dot"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("own", [True, False])
def test_equal_to_the_double_loop(rng, metric, dtype, own):
    table = rng.standard_normal((90, 7)).astype(dtype)
    queries = None if own else rng.standard_normal((20, 7)).astype(dtype)
    indices, scores = top_k(table, 6, metric, queries)
    expected, expected_scores = slow_top_k(table, 6, metric, queries)
    np.testing.assert_array_equal(indices, expected)
    np.testing.assert_allclose(scores, expected_scores, rtol=0, atol=30 * np.finfo(dtype).eps)
    assert indices.dtype == np.int64
    assert scores.dtype == dtype


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_ties_go_to_the_lower_index_also_at_the_end_of_a_list(data):
    # entries 0, 1, 2 in two dimensions: nearly every score is tied with many others
    n = data.draw(st.integers(3, 40))
    table = np.array(data.draw(st.lists(st.tuples(*[st.integers(0, 2)] * 2), min_size=n, max_size=n)), dtype=np.float32)
    k = data.draw(st.integers(1, n - 1))
    indices, scores = top_k(table, k, "dot")
    expected, expected_scores = slow_top_k(table, k, "dot")
    np.testing.assert_array_equal(indices, expected)
    np.testing.assert_array_equal(scores, expected_scores)


@pytest.mark.parametrize("backend", ["faiss", "numpy"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_many_copies_at_the_end_of_every_list(rng, monkeypatch, backend, dtype):
    monkeypatch.setattr(candidate_search, "FAISS_QUERY_VALUES", 0)
    monkeypatch.setattr(candidate_search, "FAISS_FROM", 0 if backend == "faiss" else math.inf)
    table = np.repeat(rng.standard_normal((6, 5)), 40, axis=0)[rng.permutation(240)].astype(dtype)
    table[17] = table[200] = 0.0
    indices, scores = top_k(table, 10)
    for row in range(len(table)):
        same = np.flatnonzero((table == table[row]).all(axis=1))
        if table[row].any():
            np.testing.assert_array_equal(indices[row], same[same != row][:10])
        else:
            np.testing.assert_array_equal(indices[row], np.arange(10))
            assert not scores[row].any()


def highest_index_first(queries, table, k):
    """A search that keeps its contract and picks the worst candidates among ties."""
    scores = queries @ table.T
    indices = len(table) - 1 - np.argsort(-scores[:, ::-1], axis=1, kind="stable")[:, :k]
    return np.take_along_axis(scores, indices, axis=1), indices


def test_the_second_search_is_what_breaks_ties_rightly(rng, monkeypatch):
    table = np.repeat(rng.standard_normal((3, 5)), 60, axis=0)[rng.permutation(180)].astype(np.float32)
    right = top_k(table, 4)[0]
    monkeypatch.setattr(exact_lists, "largest_products", highest_index_first)
    np.testing.assert_array_equal(top_k(table, 4)[0], right)
    monkeypatch.setattr(exact_lists.Search, "doubt", lambda _, rows: np.full(len(rows), -1.0))
    assert (top_k(table, 4)[0] != right).mean() > 0.5


def test_float64_differences_below_float32_resolution_decide(rng):
    base = rng.standard_normal(16)
    table = np.concatenate([base + 1e-11 * rng.standard_normal((40, 16)), rng.standard_normal((50, 16))])
    np.testing.assert_array_equal(top_k(table, 5, "dot")[0], slow_top_k(table, 5, "dot")[0])


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_magnitudes_beyond_float32_squares(rng, scale):
    table = rng.standard_normal((50, 4)) * scale
    np.testing.assert_array_equal(top_k(table, 3, "dot")[0], slow_top_k(table, 3, "dot")[0])
    np.testing.assert_array_equal(top_k(table, 3)[0], slow_top_k(table, 3, "cosine")[0])
    np.testing.assert_array_equal(
        top_k((table * 1e-12).astype("f4"), 3)[0], slow_top_k((table * 1e-12).astype("f4"), 3, "cosine")[0]
    )


def test_rows_are_a_sample_of_the_full_answer(rng):
    table = rng.standard_normal((60, 5)).astype(np.float32)
    rows = [59, 0, 7, 7]
    for got, full in zip(top_k(table, 4, rows=rows), top_k(table, 4), strict=True):
        np.testing.assert_array_equal(got, full[rows])


def test_pieces_are_the_full_answer(rng):
    table = rng.standard_normal((25, 5))
    pieces = list(iter_top_k(table, 4, "dot", rows_per_step=7))
    np.testing.assert_array_equal(np.concatenate([p[0] for p in pieces]), np.arange(25))
    np.testing.assert_array_equal(np.concatenate([p[1] for p in pieces]), top_k(table, 4, "dot")[0])


def test_the_tiled_numpy_search_and_faiss_agree(rng, monkeypatch):
    monkeypatch.setattr(candidate_search, "COLUMNS", 64)
    monkeypatch.setattr(candidate_search, "QUERIES", 37)
    table = rng.standard_normal((500, 8)).astype(np.float32)
    monkeypatch.setattr(candidate_search, "FAISS_QUERY_VALUES", 0)
    answers = []
    for threshold in (0, math.inf):
        monkeypatch.setattr(candidate_search, "FAISS_FROM", threshold)
        answers.append(top_k(table, 9))
    np.testing.assert_array_equal(answers[0][0], answers[1][0])
    np.testing.assert_array_equal(answers[0][1], answers[1][1])


def test_faiss_is_left_to_many_queries(rng, monkeypatch):
    table = rng.standard_normal((3000, 64)).astype(np.float32)
    asked = []
    monkeypatch.setattr(candidate_search, "FAISS_FROM", 0)
    monkeypatch.setattr(candidate_search, "_faiss", lambda: asked.append(True))
    top_k(table, 3, rows=np.arange(1999))
    assert not asked
    top_k(table, 3, rows=np.arange(2000))
    assert asked


def test_all_rows_equal_and_the_smallest_tables():
    indices, scores = top_k(np.ones((30, 3)), 2)
    np.testing.assert_array_equal(indices[:3], [[1, 2], [0, 2], [0, 1]])
    np.testing.assert_allclose(scores, 1.0, rtol=0, atol=4e-16)
    np.testing.assert_array_equal(top_k(np.eye(2), 1)[0], [[1], [0]])
    np.testing.assert_array_equal(top_k([[2.0]], 1, queries=[[-1.0]])[1], [[-1.0]])


def test_bad_parameters_say_what_is_accepted():
    table = np.eye(3)
    with pytest.raises(ParameterError, match="k=3: expected an integer from 1 to 2"):
        top_k(table, 3)
    with pytest.raises(ParameterError, match="k=4: expected an integer from 1 to 3"):
        top_k(table, 4, queries=table)
    for k in (0, -1, 1.5):
        with pytest.raises(ParameterError, match="expected an integer"):
            top_k(table, k)
    with pytest.raises(ParameterError, match="1 to 0"):
        top_k([[1.0]], 1)
    with pytest.raises(ParameterError, match="metric='l2'"):
        top_k(table, 1, "l2")
    with pytest.raises(ParameterError, match="0 to 2; received 0 to 3"):
        top_k(table, 1, rows=[0, 3])
    with pytest.raises(ParameterError, match="list of integers"):
        top_k(table, 1, rows=[0.5])
    with pytest.raises(ParameterError, match="rows_per_step"):
        iter_top_k(table, 1, rows_per_step=0)
    with pytest.raises(InputError, match="queries have 2 components, vectors 3"):
        top_k(table, 1, queries=[[1.0, 2.0]])
    with pytest.raises(InputError, match="NaN"):
        top_k([[1.0, np.nan], [0.0, 1.0]], 1)


MAPPED = """
import resource, sys
import numpy as np
from simgauge.core.neighbors.topk import iter_top_k, top_k
path, metric, rows = sys.argv[1], sys.argv[2], np.arange(0, 500_000, 5_000)
table = np.memmap(path, dtype=np.float32, mode="r", shape=(500_000, 64))
top_k(np.asarray(table[:9_000]), 5, metric, rows=rows[:1])  # what a first search loads counts for none
used = 1024 * int(next(line for line in open("/proc/self/status") if line.startswith("VmData")).split()[1])
resource.setrlimit(resource.RLIMIT_DATA, (used + (100 << 20),) * 2)
lists = [indices for _, indices, _ in iter_top_k(table, 5, metric, rows=rows, rows_per_step=30)]
np.save(path + ".lists.npy", np.concatenate(lists))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of private memory are those of Linux")
@pytest.mark.parametrize("metric", ["dot", "cosine"])
def test_lists_of_a_mapped_table_within_a_memory_limit(rng, tmp_path, metric):
    """100 MiB for the lists of a table of 128 MB by "dot"; "cosine" needs a float32 copy of it, and is the control."""
    path = tmp_path / "table"
    table = rng.standard_normal((500_000, 64), dtype=np.float32)
    table.tofile(path)
    done = subprocess.run(
        [sys.executable, "-c", MAPPED, str(path), metric], capture_output=True, text=True, check=False
    )
    if metric == "cosine":
        assert "MemoryError" in done.stderr
        return
    assert done.returncode == 0, f"{done.stderr}"
    found = np.load(f"{path}.lists.npy")
    scores = table[::5000] @ table.T
    scores[np.arange(100), np.arange(0, 500_000, 5_000)] = -np.inf
    np.testing.assert_array_equal(found[:, 0], scores.argmax(axis=1))
    assert found.shape == (100, 5)


def test_no_rows_give_empty_lists():
    indices, scores = top_k(np.eye(3), 2, rows=[])
    assert indices.shape == scores.shape == (0, 2)


def test_faiss_is_not_loaded_by_import_or_by_small_searches():
    code = (
        "import sys, numpy as np; from simgauge.core.neighbors.topk import top_k; top_k(np.eye(3), 1); "
        "sys.exit('faiss' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
