"""Neighbours proven for every named gauge: none leaves at any α between the points of the grid, in any way that is
tried."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.core.bounds import named_gauges
from simgauge.core.bounds.named_gauges import certified_along_gauges
from simgauge.core.gauges.canonical import canonical_core, power_map
from simgauge.core.tables.row_parts import LocalParts
from simgauge.errors import InputError, ParameterError


def clustered_pair(rng, n_items=120, width=6, spread=0.5):
    centres = rng.normal(size=(n_items // 6, width))
    items = np.repeat(centres, 6, axis=0) + spread * rng.normal(size=(n_items, width))
    users = rng.normal(size=(200, width)) * np.array([6.0, 4, 3, 2, 1.5, 1])[:width]
    return items, users


def lists_at(items, users, alpha, k, rows, center="none"):
    """Reference: the lists at one α from plain cosines in float64."""
    Z = power_map(canonical_core(users, items, center), alpha).apply_items(items)
    unit = Z / np.linalg.norm(Z, axis=1, keepdims=True)
    cosines = unit[rows] @ unit.T
    cosines[np.arange(len(rows)), rows] = -np.inf
    return np.argsort(-cosines, axis=1, kind="stable")[:, :k]


def in_lists(neighbors, lists):
    return (neighbors[:, :, None] == lists[:, None, :]).any(axis=2)


@pytest.mark.parametrize("center", ["none", "users", "both"])
def test_proven_neighbours_are_in_the_list_at_every_power(rng, center):
    items, users = clustered_pair(rng)
    users = users + 2.0
    k, rows = 5, np.arange(len(items))
    found = certified_along_gauges(items, users, k, center=center, points=41, gap=0.0)
    assert found.center == center
    stayed = np.ones_like(found.seen)
    for alpha in np.concatenate([np.linspace(0, 1, 41), rng.uniform(0, 1, 300)]):
        stayed &= in_lists(found.neighbors, lists_at(items, users, alpha, k, rows, center))
    assert (stayed[found.proven]).all()
    assert not stayed[~found.seen].any()
    assert 0.1 < found.proven.mean() < found.seen.mean() < 0.95
    assert found.proven.mean() <= stayed.mean() <= found.seen.mean()  # the interval holds what a far finer grid finds


def test_neighbours_that_are_only_seen_can_leave_between_the_points(rng, monkeypatch):
    """Control: on a coarse grid some neighbours seen at every point are gone in between, and none of them was
    proven."""
    monkeypatch.setattr(named_gauges, "GRIDS", (3,))
    left_between = 0
    for _ in range(6):
        items, users = clustered_pair(rng, spread=0.9)
        rows = np.arange(len(items))
        found = certified_along_gauges(items, users, 5, points=3)
        stayed = np.ones_like(found.seen)
        for alpha in np.linspace(0, 1, 101):
            stayed &= in_lists(found.neighbors, lists_at(items, users, alpha, 5, rows))
        left_between += int((found.seen & ~stayed).sum())
        assert stayed[found.proven].all()
    assert left_between > 5


def test_finer_grids_prove_more_and_see_less(rng):
    items, users = clustered_pair(rng)
    found = certified_along_gauges(items, users, 5, gap=0.0)
    proven = [step.proven for step in found.refinements]
    seen = [step.seen for step in found.refinements]
    assert [step.points for step in found.refinements] == [21, 41, 81, 161, 321]
    assert proven == sorted(proven)
    assert seen == sorted(seen, reverse=True)
    assert proven[-1] > proven[0]
    assert seen[-1] - proven[-1] < 0.05
    wide = certified_along_gauges(items, users, 5, gap=0.3)
    assert wide.points == 21
    assert wide.refinements[0] == found.refinements[0]


def test_one_grid_equals_certificates_of_every_point(rng):
    """Reference: κ° at each of 21 points by `neighbor_certificate`, and the cover of [0, 1] by stretches, point by
    point."""
    from simgauge.core.bounds.certificates import neighbor_certificate

    items, users = clustered_pair(rng, n_items=60)
    k = 4
    core = canonical_core(users, items)
    log_ratio = np.log(core.singular_values[0] / core.singular_values[-1])
    found = certified_along_gauges(items, users, k, points=21)
    assert found.condition_number == pytest.approx(np.exp(2 * log_ratio))
    half = np.full((21, *found.seen.shape), 0.0)
    for number, alpha in enumerate(np.linspace(0, 1, 21)):
        Z = power_map(core, alpha).apply_items(items)
        exact = neighbor_certificate(Z, k, per_neighbor=True, return_pairs=True)
        for row in range(len(items)):
            for place, neighbor in enumerate(found.neighbors[row]):
                where = np.flatnonzero(exact.neighbors[row] == neighbor)
                if len(where):
                    half[number, row, place] = np.log(exact.thresholds[row, where[0]]) / (2 * log_ratio)
    half = np.minimum(half, named_gauges.BEYOND * 0.025)
    covered = (half[:-1] + half[1:] > 0.05).all(axis=0) & found.seen
    assert (covered == found.proven).mean() > 0.998  # but for stretches that meet within rounding
    by_half_steps = (half >= 0.025).all(axis=0)  # the plain criterion: every certificate exceeds (s_1/s_r)^h
    assert (by_half_steps <= found.proven).mean() > 0.998


def test_the_gauge_in_which_the_tables_came_does_not_matter(rng):
    items, users = clustered_pair(rng)
    G = rng.normal(size=(6, 6))
    expected = certified_along_gauges(items, users, 5, points=21)
    moved = certified_along_gauges(items @ G, users @ np.linalg.inv(G).T, 5, points=21)
    assert (moved.neighbors == expected.neighbors).mean() > 0.99
    assert (moved.proven == expected.proven).mean() > 0.99
    plain = certified_along_gauges(items @ G, users, 5, points=21)  # control: another model
    assert (plain.proven == expected.proven).mean() < 0.95


def test_samples_parts_and_blocks(rng, monkeypatch):
    items, users = clustered_pair(rng)
    rows = np.array([3, 50, 119])
    expected = certified_along_gauges(items, users, 5, points=41, gap=0.0)
    parts = LocalParts([items[:40], items[40:]])
    for table in (items, parts):
        sample = certified_along_gauges(table, users, 5, rows=rows, points=41, gap=0.0)
        assert np.array_equal(sample.proven, expected.proven[rows])
    monkeypatch.setattr(named_gauges, "IN_MEMORY", 0)
    again = certified_along_gauges(items.astype(np.float32), users, 5, rows=rows, points=41, gap=0.0)
    assert (again.proven == expected.proven[rows]).mean() > 0.9


def test_equal_singular_values_make_all_gauges_one(rng):
    items = np.linalg.qr(rng.normal(size=(40, 3)))[0]
    users = np.linalg.qr(rng.normal(size=(50, 3)))[0]
    found = certified_along_gauges(items, users, 4)
    assert found.condition_number == pytest.approx(1)
    assert found.proven.all()
    assert found.points == 21


def test_fewer_rows_than_components_low_rank_and_equal_rows(rng):
    few = certified_along_gauges(rng.normal(size=(5, 9)), rng.normal(size=(30, 9)), 2)
    assert few.rank == 5
    # five rows of rank five are orthogonal when whitened: every neighbour ties there, and nothing is proven
    assert not few.proven.any()
    thin = certified_along_gauges(rng.normal(size=(30, 2)) @ rng.normal(size=(2, 9)), rng.normal(size=(30, 9)), 3)
    assert thin.rank == 2
    equal = certified_along_gauges(np.ones((8, 3)), rng.normal(size=(9, 3)), 2)
    assert equal.rank == 1
    assert not equal.proven.any()  # equal rows tie: which two of seven are listed is nobody's choice
    one = certified_along_gauges(rng.normal(size=(30, 4)), rng.normal(size=(1, 4)), 3)
    assert one.rank == 1


def test_bad_input(rng):
    items, users = rng.normal(size=(20, 3)), rng.normal(size=(9, 3))
    with pytest.raises(ParameterError, match="points=20: expected one of 21, 41"):
        certified_along_gauges(items, users, 3, points=20)
    with pytest.raises(ParameterError, match="gap"):
        certified_along_gauges(items, users, 3, gap=-1.0)
    with pytest.raises(ParameterError, match="center"):
        certified_along_gauges(items, users, 3, center="rows")
    with pytest.raises(ParameterError, match="from 1 to 19"):
        certified_along_gauges(items, users, 20)
    with pytest.raises(InputError, match="zero"):
        certified_along_gauges(items, 0 * users, 3)
    with pytest.raises(InputError, match="one row"):
        certified_along_gauges(items[:1], users, 1)
