"""Neighbours of tensors: the lists of NumPy tables to the last tie, on the device, with little brought to the host."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from simgauge.core.bounds.certificates import neighbor_certificate
from simgauge.core.neighbors import candidate_search, exact_lists
from simgauge.core.neighbors.topk import iter_top_k, top_k
from simgauge.core.tables import tensor_precision
from simgauge.core.tables.arrays import to_host
from simgauge.core.tables.row_parts import LocalParts
from simgauge.core.tables.tensor_precision import row_sums
from simgauge.errors import InputError
from tensor_problems import REASON, devices, tensor, watched_copies

torch = pytest.importorskip("torch", reason=REASON)

on_each_device = pytest.mark.parametrize("device", devices())
in_both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])
by_both_metrics = pytest.mark.parametrize("metric", ["cosine", "dot"])


@pytest.fixture
def small_tiles(monkeypatch):
    """Several tiles in both directions, the last ones narrower than k."""
    for name, size in (("QUERIES", 37), ("COLUMNS", 64), ("DEVICE_QUERIES", 37), ("DEVICE_COLUMNS", 64)):
        monkeypatch.setattr(candidate_search, name, size)
    monkeypatch.setattr(exact_lists, "WORK_BYTES", 1 << 12)


def assert_same_lists(got, expected, dtype, width):
    """Scores to the rounding of their sums and divisions; equal lists."""
    np.testing.assert_array_equal(got[0], expected[0])
    largest = np.abs(expected[1]).max(initial=1.0)
    np.testing.assert_allclose(got[1], expected[1], rtol=0, atol=(width + 4) * np.finfo(dtype).eps * largest)
    assert (got[0].dtype, got[1].dtype) == (np.int64, dtype)
    assert isinstance(got[1], np.ndarray)


@pytest.mark.usefixtures("small_tiles")
@on_each_device
@in_both_dtypes
@by_both_metrics
@pytest.mark.parametrize("own", [True, False])
def test_lists_of_a_tensor_are_those_of_the_array(rng, device, dtype, metric, own):
    table = rng.standard_normal((260, 9)).astype(dtype)
    queries = None if own else rng.standard_normal((50, 9)).astype(dtype)
    asked = None if own else tensor(queries, device)
    expected = top_k(table, 12, metric, queries)
    assert_same_lists(top_k(tensor(table, device), 12, metric, asked), expected, dtype, 9)
    rows = [40, 3, 3]
    got = top_k(tensor(table, device), 12, metric, asked, rows=rows)
    assert_same_lists(got, (expected[0][rows], expected[1][rows]), dtype, 9)
    pieces = list(iter_top_k(tensor(table, device), 12, metric, asked, rows_per_step=101))
    np.testing.assert_array_equal(np.concatenate([piece[1] for piece in pieces]), expected[0])


@pytest.mark.usefixtures("small_tiles")
@on_each_device
@in_both_dtypes
@by_both_metrics
def test_ties_copies_and_zero_rows_by_index(rng, device, dtype, metric):
    small = rng.integers(-1, 2, (300, 3)).astype(dtype)  # 27 different rows, zero among them
    copies = np.repeat(rng.standard_normal((7, 5)), 40, axis=0)[rng.permutation(280)].astype(dtype)
    copies[[3, 90, 91]] = 0.0
    for table in (small, copies):
        for k in (1, 10, 60):
            got, expected = top_k(tensor(table, device), k, metric), top_k(table, k, metric)
            np.testing.assert_array_equal(got[0], expected[0])


@pytest.mark.usefixtures("small_tiles")
@on_each_device
def test_without_the_second_search_the_ties_are_wrong(rng, device, monkeypatch):
    """Control: it is `resolve` that makes the lists above right."""
    table = np.repeat(rng.standard_normal((7, 5)), 40, axis=0)[rng.permutation(280)]
    expected = top_k(table, 10)[0]
    unsure = exact_lists.Search.doubt
    monkeypatch.setattr(exact_lists.Search, "doubt", lambda self, rows: unsure(self, rows) - 10.0)
    assert (top_k(tensor(table, device), 10)[0] != expected).any()


@on_each_device
def test_equal_rows_get_equal_scores_at_any_address(rng, device):
    """A device may add up rows in an order that depends on where they start; widths are odd here."""
    for width in (1, 2, 3, 7, 33, 101):
        row = rng.standard_normal(width)
        table = np.concatenate([np.tile(row, (50, 1)), rng.standard_normal((9, width))])
        _, scores = top_k(tensor(table, device), 57, "dot", rows=[0, 17])
        copies = scores[np.abs(scores - row @ row) <= 1e-12 * (row @ row)]
        assert len(copies) >= 2 * 49
        assert len(np.unique(copies)) == 1
        sums = to_host(row_sums(tensor(table, device)))
        np.testing.assert_allclose(sums, [math.fsum(one) for one in table], rtol=0, atol=1e-14 * width)


@on_each_device
@in_both_dtypes
def test_certificates_of_a_tensor_are_those_of_the_array(rng, device, dtype):
    table = rng.standard_normal((200, 6)).astype(dtype)
    table[7], table[30] = 0.0, 2 * table[31]
    for each in (False, True):
        got = neighbor_certificate(tensor(table, device), 5, per_neighbor=each)
        expected = neighbor_certificate(table, 5, per_neighbor=each)
        assert isinstance(got, np.ndarray)
        # directions are 2 eps apart at worst after scaling; tangents here are above 1e-2, or exactly 0
        np.testing.assert_allclose(got, expected, rtol=1e4 * np.finfo(np.float64).eps)


@on_each_device
@by_both_metrics
def test_the_table_stays_where_it_is(rng, device, metric, monkeypatch):
    table = tensor(rng.standard_normal((3000, 100)).astype(np.float32), device)
    table[1000:1400] = table[200]  # lists that have to be resolved
    with watched_copies(monkeypatch, largest=3000 * (10 + 7)):
        top_k(table, 10, metric)
        top_k(table, 10, metric, table[:50])
        if metric == "cosine":
            neighbor_certificate(table, 5, rows=np.arange(100))
        with pytest.raises(AssertionError, match="shape"):  # the control: the watch sees a table
            np.asarray(table)


@on_each_device
def test_products_are_those_of_float32_whatever_is_switched_on(rng, device, monkeypatch):
    """TF32, bfloat16 and autocast would leave out right candidates; gradients would keep every tile alive."""
    table = torch.nn.Parameter(tensor(rng.standard_normal((300, 8)).astype(np.float32), device))
    expected = top_k(table.detach(), 5)
    seen, search = [], torch.topk

    def spy(tile, *args, **kwargs):
        seen.append((torch.backends.cuda.matmul.fp32_precision, torch.backends.mkldnn.matmul.fp32_precision))
        assert tile.dtype == torch.float32
        assert not tile.requires_grad
        return search(tile, *args, **kwargs)

    monkeypatch.setattr(torch, "topk", spy)
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        with torch.autocast(device, dtype=torch.bfloat16):
            got = top_k(table, 5)
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)
    assert set(seen) == {("ieee", "ieee")}
    np.testing.assert_array_equal(got[0], expected[0])


def test_older_torch_has_one_setting_for_all_devices():
    """Before 2.9 there is no `fp32_precision`; a stand-in of that torch."""
    now = ["high"]
    old = SimpleNamespace(
        backends=SimpleNamespace(cuda=SimpleNamespace(matmul=object()), mkldnn=SimpleNamespace(matmul=object())),
        get_float32_matmul_precision=lambda: now[-1],
        set_float32_matmul_precision=now.append,
    )
    with tensor_precision._float32_as_it_is(old):
        assert now[-1] == "highest"
    assert now[-1] == "high"


@on_each_device
def test_tables_in_two_places_are_refused(rng, device):
    table = rng.standard_normal((20, 3))
    with pytest.raises(InputError, match=r"tensor on .*queries: a NumPy array.*torch\.as_tensor"):
        top_k(tensor(table, device), 2, queries=table)
    with pytest.raises(InputError, match=r"vectors: a NumPy array.*queries: a tensor"):
        top_k(table, 2, queries=tensor(table, device))
    with pytest.raises(InputError, match="in parts"):
        top_k(LocalParts([table]), 2)
    with pytest.raises(InputError, match="NaN"):
        top_k(tensor([[1.0, np.nan], [0.0, 1.0]], device), 1)
