"""Block by block gives what the whole table gives: neighbours, ties, zero rows, changed gauges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simgauge.core.gauges.random_gauges import random_gauge_matrix
from simgauge.core.neighbors.streamed_topk import streamed_top_k, streamed_top_k_scaled
from simgauge.core.neighbors.topk import top_k
from simgauge.errors import ParameterError


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(5, 60),
    k=st.integers(1, 4),
    metric=st.sampled_from(["cosine", "dot"]),
    coarse=st.booleans(),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_blocks_give_the_lists_of_the_whole_table(seed, n, k, metric, coarse, dtype):
    rng = np.random.default_rng(seed)
    table = rng.standard_normal((n, 3)).astype(dtype)
    if coarse:
        table = np.round(table)  # many ties, copies and zero rows
    rows = np.sort(rng.choice(n, min(n, 7), replace=False))
    whole = top_k(table, k, metric, rows=rows)
    parts = streamed_top_k(table, rows, k, metric, block_bytes=10 * table[0].nbytes)
    np.testing.assert_array_equal(parts[0], whole[0])
    np.testing.assert_allclose(parts[1], whole[1], rtol=1e-6, atol=1e-6)


def test_a_gauge_is_applied_on_the_way(rng):
    table = rng.standard_normal((200, 4))
    G = random_gauge_matrix(4, 5.0, rng)
    rows = np.arange(0, 200, 9)
    parts = streamed_top_k(table, rows, 5, transform=lambda block: block @ G, block_bytes=1000)
    np.testing.assert_array_equal(parts[0], top_k(table @ G, 5, rows=rows)[0])
    assert (parts[0] != top_k(table, 5, rows=rows)[0]).any()


def test_a_memory_mapped_table(rng, tmp_path):
    table = rng.standard_normal((500, 4)).astype(np.float32)
    np.save(tmp_path / "t.npy", table)
    mapped = np.load(tmp_path / "t.npy", mmap_mode="r")
    rows = np.arange(20)
    parts = streamed_top_k(mapped, rows, 3, block_bytes=1600)
    np.testing.assert_array_equal(parts[0], top_k(table, 3, rows=rows)[0])


def test_queries_from_elsewhere(rng):
    table, queries = rng.standard_normal((300, 4)), rng.standard_normal((40, 4))
    rows = np.arange(0, 40, 3)
    parts = streamed_top_k(table, rows, 4, queries=queries, block_bytes=1500)
    np.testing.assert_array_equal(parts[0], top_k(table, 4, queries=queries[rows])[0])


def test_k_beyond_the_table_is_refused(rng):
    with pytest.raises(ParameterError, match="expected 1 to 4"):
        streamed_top_k(rng.standard_normal((5, 2)), np.array([0]), 5)


@pytest.mark.parametrize("block_bytes", [1000, 1 << 20])
def test_several_scales_of_one_rotation(rng, block_bytes):
    table = rng.standard_normal((150, 4))
    rotation = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    rows = np.arange(0, 150, 11)
    scales = [np.ones(4), np.array([1.0, 3.0, 2.0, 5.0])]
    found = streamed_top_k_scaled(table, rows, 5, rotation, scales, block_bytes=block_bytes)
    for lists, scale in zip(found, scales, strict=True):
        np.testing.assert_array_equal(lists, top_k(table @ rotation * scale, 5, rows=rows)[0])
    np.testing.assert_array_equal(found[0], top_k(table, 5, rows=rows)[0])  # a rotation changes no cosine


def test_a_shift_of_all_rows_is_that_of_the_shifted_table(rng):
    table, shift = rng.standard_normal((60, 4)), 2 * rng.standard_normal(4)
    rotation, scale = np.linalg.qr(rng.standard_normal((4, 4)))[0], np.array([1.0, 2, 3, 4])
    rows = np.array([3, 7])
    found = streamed_top_k_scaled(table, rows, 5, rotation, [scale], block_bytes=800, shift=shift)[0]
    np.testing.assert_array_equal(found, top_k((table + shift) @ rotation * scale, 5, rows=rows)[0])
    assert (found != streamed_top_k_scaled(table, rows, 5, rotation, [scale])[0]).any()
