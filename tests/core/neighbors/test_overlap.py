"""Overlap of neighbour lists against Python sets."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.core.neighbors import overlap
from simgauge.core.neighbors.overlap import neighbor_overlap
from simgauge.errors import InputError


def random_lists(rng, n, k, rows):
    return np.array([rng.choice(n, k, replace=False) for _ in range(rows)])


@pytest.mark.parametrize(("n", "k"), [(8, 5), (30, 1), (10, 10)])
def test_it_is_the_size_of_the_common_set(rng, monkeypatch, n, k):
    monkeypatch.setattr(overlap, "LISTS_PER_BLOCK", 7)
    a, b = random_lists(rng, n, k, 40), random_lists(rng, n, k, 40)
    brute = [len(set(x) & set(y)) / k for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    found = neighbor_overlap(a, b)
    np.testing.assert_allclose(found.per_row, brute)
    assert found.mean == pytest.approx(np.mean(brute))
    assert found.identical == np.mean(np.array(brute) == 1)


def test_order_does_not_matter_and_it_is_symmetric(rng):
    a, b = random_lists(rng, 20, 6, 30), random_lists(rng, 20, 6, 30)
    np.testing.assert_array_equal(neighbor_overlap(a, b).per_row, neighbor_overlap(b, a[:, ::-1]).per_row)
    assert neighbor_overlap(a, a[:, ::-1]).identical == 1
    assert neighbor_overlap(a, np.roll(a, 1, axis=0)).mean < 1  # control


def test_random_lists_share_k_over_n(rng):
    found = neighbor_overlap(random_lists(rng, 50, 5, 4000), random_lists(rng, 50, 5, 4000))
    assert found.mean == pytest.approx(0.1, abs=0.01)


def test_bad_lists():
    with pytest.raises(InputError, match=r"shapes \(1, 2\) and \(1, 3\)"):
        neighbor_overlap([[1, 2]], [[1, 2, 3]])
    with pytest.raises(InputError, match="indices_b: the list of row 1 names a neighbour twice"):
        neighbor_overlap([[1, 2], [1, 2]], [[1, 2], [3, 3]])
