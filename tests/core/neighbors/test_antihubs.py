"""Antihubs from a sample: the range holds the full share, whatever the hubness, and is a point for all lists."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import gammaln
from scipy.stats import hypergeom

from simgauge.core.neighbors.antihubs import _hypergeometric, antihub_bounds
from simgauge.core.neighbors.shared_places import resolved_top_k, shared_places


def places_of(table, k, rows):
    return shared_places(table, table[rows], resolved_top_k(table, rows, k), k, rows)


@pytest.mark.parametrize("dimension", [3, 30])
@pytest.mark.parametrize("offset", [0.0, 2.0])
@pytest.mark.parametrize("size", [200, 700])
def test_the_full_share_is_in_the_range(rng, dimension, offset, size):
    table = rng.standard_normal((1500, dimension)) * np.geomspace(1, 0.2, dimension) + offset
    everything = antihub_bounds(places_of(table, 10, np.arange(1500)), 1500, rng)
    assert everything.least == everything.most
    for _ in range(3):
        rows = np.sort(rng.choice(1500, size, replace=False))
        found = antihub_bounds(places_of(table, 10, rows), 1500, rng)
        assert found.least <= everything.least <= found.most
        unseen = np.mean(places_of(table, 10, rows).lists_with() == 0)
        assert found.most <= unseen + 1e-12
        if size == 200:  # the control: what no sampled list holds is far too much
            assert unseen > everything.least + 0.1


def test_a_table_of_few_hubs_is_known_from_a_sample(rng):
    """Where most items are in no list at all, the least share says so."""
    centre = 20 * np.eye(300)[0]
    table = np.vstack([centre + 0.1 * rng.standard_normal((40, 300)), centre + 3 * rng.standard_normal((1460, 300))])
    rows = np.sort(rng.choice(1500, 700, replace=False))
    found = antihub_bounds(places_of(table, 10, rows), 1500, rng)
    full = antihub_bounds(places_of(table, 10, np.arange(1500)), 1500, rng).least
    assert full > 0.5
    assert 0.3 < found.least <= full <= found.most


def test_too_few_lists_say_nothing(rng):
    table = rng.standard_normal((100, 4))
    found = antihub_bounds(places_of(table, 5, np.arange(10)), 100, rng)
    assert found == (0.0, 1.0)


def test_the_chance_of_being_seen_is_hypergeometric():
    chance = _hypergeometric(gammaln, np.arange(5), np.arange(30), 12, 40)
    expected = hypergeom.pmf(np.arange(5)[:, None], 40, np.arange(30)[None, :], 12)
    np.testing.assert_allclose(chance, expected, atol=1e-12)
