"""Borders that lists do not cross, and directions that two parts share."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.core.geometry.row_sources import row_sources, shared_directions
from simgauge.core.neighbors.topk import top_k


def random_lists(rng, sizes, k=8):
    """Lists of parts that know nothing of each other, in random order within each."""
    starts = np.cumsum([0, *sizes])
    return np.concatenate(
        [rng.integers(start, start + size, (size, k)) for start, size in zip(starts, sizes, strict=False)]
    )


@pytest.mark.parametrize("sizes", [(500,), (300, 200), (100, 400), (200, 150, 250)])
def test_borders_are_those_of_the_parts(rng, sizes):
    found = row_sources(np.arange(sum(sizes)), random_lists(rng, sizes), sum(sizes))
    assert found.borders == tuple(np.cumsum(sizes)[:-1])
    assert (found.cross_ratio == 0) == (len(sizes) > 1)


def test_a_few_links_across_are_allowed_and_many_are_not(rng):
    lists = random_lists(rng, (300, 300))
    few, many = lists.copy(), lists.copy()
    few[:4, 0] = 500
    many[:100, :2] = rng.integers(300, 600, (100, 2))
    assert row_sources(np.arange(600), few, 600).borders == (300,)
    assert row_sources(np.arange(600), many, 600).borders == ()


def test_a_part_that_hardly_holds_together_is_a_sorted_table(rng):
    lists = random_lists(rng, (200, 200, 200))
    lists[200:264, 0] = rng.integers(400, 600, 64)  # 4 % of what a random order would have between the last two parts
    assert row_sources(np.arange(600), lists, 600).borders == ()
    lists[200:400, 1:3] = rng.integers(400, 600, (200, 2))
    assert row_sources(np.arange(600), lists, 600).borders == (200,)


def test_tables_sorted_by_subject_have_no_borders(rng):
    chain = np.sort(rng.uniform(0, 6 * np.pi, 900))
    curve = np.stack([np.cos(chain), np.sin(chain), 0.3 * chain], axis=1)
    assert row_sources(np.arange(900), top_k(curve, 10)[0], 900).borders == ()
    many = random_lists(rng, (60,) * 15)
    assert row_sources(np.arange(900), many, 900).borders == ()
    assert row_sources(np.arange(10), rng.integers(10, size=(10, 3)), 10).borders == ()


def test_a_rotation_shares_no_directions_and_a_sample_does(rng):
    rows = rng.standard_normal((1200, 24)) * np.geomspace(1, 0.05, 24)
    turn = np.linalg.qr(rng.standard_normal((24, 24)))[0]
    same, halves = shared_directions(rows[:500], rows[500:])
    turned, _ = shared_directions(rows[:500], rows[500:] @ turn)
    assert same > 0.9
    assert halves > 0.9
    assert abs(turned) < 0.2
    assert shared_directions(rows[:500] @ turn, rows[500:] @ turn)[0] == pytest.approx(same, abs=1e-9)
    isotropic = rng.standard_normal((400, 24))
    assert shared_directions(isotropic[:200], isotropic[200:])[1] < 0.3  # nothing to tell them by
