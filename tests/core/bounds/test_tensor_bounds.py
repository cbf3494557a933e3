"""Bounds of cosines of tensors: those of NumPy tables; only the asked pairs, and of "diagonal" their rows, cross
over."""

from __future__ import annotations

import numpy as np
import pytest

import simgauge.core.bounds.cosine_bounds as bounds
from simgauge.core.bounds.attaining_gauge import attaining_gauge
from simgauge.core.bounds.cosine_bounds import cosine_bounds
from simgauge.errors import InputError
from tensor_problems import REASON, devices, tensor, watched_copies

torch = pytest.importorskip("torch", reason=REASON)

on_each_device = pytest.mark.parametrize("device", devices())
of_both_groups = pytest.mark.parametrize("group", ["linear", "diagonal"])

EPS = float(np.finfo(np.float64).eps)


@pytest.fixture
def table(rng):
    vectors = rng.standard_normal((60, 7))
    vectors[1], vectors[2], vectors[3], vectors[4] = 2 * vectors[0], -vectors[0], 0.0, np.abs(vectors[0])
    return vectors


@pytest.fixture
def pairs(rng):
    some = rng.integers(0, 60, (300, 2))
    return np.concatenate([[[0, 1], [0, 2], [0, 3], [3, 3], [5, 5], [4, 6]], some])


@on_each_device
@of_both_groups
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kappa", [1.0, 4.0, 1e6, np.inf])
def test_bounds_of_a_tensor_are_those_of_the_array(table, pairs, device, group, dtype, kappa, monkeypatch):
    monkeypatch.setattr(bounds, "ENTRIES_PER_BLOCK", 7 * 40)  # several blocks
    monkeypatch.setattr(bounds, "DEVICE_ENTRIES_PER_BLOCK", 7 * 40)
    table = table.astype(dtype)
    expected = cosine_bounds(table, pairs, kappa, group)
    for got, want in zip(cosine_bounds(tensor(table, device), pairs, kappa, group), expected, strict=True):
        # both are computed in float64 from unit rows that agree to an eps; "diagonal" is right to about κ·eps
        accuracy = 64 * EPS * (1 if group == "linear" or np.isinf(kappa) else kappa)
        np.testing.assert_allclose(got, want, rtol=0, atol=accuracy)
        assert isinstance(got, np.ndarray)
    assert (expected[1] - expected[0] > 0.01).any() == (kappa > 1)


@on_each_device
@of_both_groups
def test_an_attaining_gauge_attains_the_bound(table, device, group):
    for side, place in (("low", 0), ("high", 1)):
        bound = cosine_bounds(tensor(table, device), [[5, 6]], 9.0, group)[place][0]
        gauge = attaining_gauge(tensor(table, device), [5, 6], 9.0, side, group)
        moved = table[[5, 6]] @ gauge
        cosine = moved[0] @ moved[1] / np.linalg.norm(moved[0]) / np.linalg.norm(moved[1])
        assert cosine == pytest.approx(bound, abs=64 * EPS)
        plain = table[5] @ table[6] / np.linalg.norm(table[5]) / np.linalg.norm(table[6])
        assert abs(cosine - plain) > 0.01  # the control: the gauge does something


@on_each_device
@of_both_groups
def test_only_the_asked_pairs_cross_over(rng, device, group, monkeypatch):
    table = tensor(rng.standard_normal((5000, 8)), device)
    with watched_copies(monkeypatch, largest=5000):  # 100 pairs of 8 components, and never the table
        low, high = cosine_bounds(table, rng.integers(0, 5000, (100, 2)), 4.0, group)
    assert (low < high).all()
    with (
        watched_copies(monkeypatch, largest=100 * 8 - 1),
        pytest.raises(AssertionError) if group == "diagonal" else watched_copies(monkeypatch, largest=200),
    ):  # "diagonal" takes the rows of the pairs to the host, "linear" norms and cosines only
        cosine_bounds(table, rng.integers(0, 5000, (100, 2)), 4.0, group)


@on_each_device
def test_bad_pairs_of_a_tensor(table, device):
    with pytest.raises(InputError, match=r"must lie in 0\.\.59"):
        cosine_bounds(tensor(table, device), [[0, 60]], 2.0)
