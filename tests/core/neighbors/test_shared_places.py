"""Places at a tie are shared: no row is a hub because of its number, and float32 and float64 agree."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from simgauge.core.neighbors import shared_places as module
from simgauge.core.neighbors.hubness import _raw_moments_of_all, k_occurrence, k_skewness, k_skewness_of_places
from simgauge.core.neighbors.shared_places import Places, resolved_top_k, shared_places
from simgauge.core.neighbors.topk import top_k
from simgauge.errors import ParameterError


def places_of(table, k, rows=None):
    rows = np.arange(len(table)) if rows is None else rows
    return shared_places(table, table[rows], resolved_top_k(table, rows, k), k, rows)


def slow_occurrence(table, k):
    """Every query's places, ties shared, one pair at a time."""
    unit = table.astype(float) / np.linalg.norm(table.astype(float), axis=1, keepdims=True)
    held = np.zeros(len(table))
    for i in range(len(table)):
        scores = np.round(unit @ unit[i], 12)
        others = [j for j in range(len(table)) if j != i]
        last = sorted(scores[others], reverse=True)[k - 1]
        above = [j for j in others if scores[j] > last]
        tied = [j for j in others if scores[j] == last]
        held[above] += 1
        held[tied] += (k - len(above)) / len(tied)
    return held


def test_equal_to_the_slow_reference_on_binary_vectors_full_of_ties(rng):
    table = rng.integers(0, 2, (70, 6)).astype(np.float32)
    table = table[table.any(axis=1)]
    held = places_of(table, 5).occurrence()
    np.testing.assert_allclose(held, slow_occurrence(table, 5), atol=1e-9)
    assert held.sum() == pytest.approx(5 * len(table))
    control = k_occurrence(top_k(table, 5)[0], len(table))  # the lowest rows of every tie
    assert np.abs(control - held).max() > 5


def test_equal_rows_are_no_hubs(rng):
    table = np.vstack([np.ones((280, 8)), rng.standard_normal((300, 8))])
    places = places_of(table, 10)
    held = places.occurrence()
    np.testing.assert_allclose(held[:280], held[0])
    assert abs(k_skewness(held)) < 1
    assert k_skewness(k_occurrence(top_k(table, 10)[0], 580)) > 5  # the ten lowest rows, without sharing
    assert k_skewness_of_places(places, 580) == pytest.approx(k_skewness(held))


def test_hubness_does_not_depend_on_the_dtype(rng):
    table = (1 + 1e-4 * rng.standard_normal((400, 12))).astype(np.float32)  # cosines that agree to 8 digits
    narrow, wide = (k_skewness_of_places(places_of(t, 10), 400) for t in (table, table.astype(np.float64)))
    assert narrow == pytest.approx(wide, abs=1e-9)
    control = k_skewness(k_occurrence(top_k(table, 10)[0], 400))
    assert control > wide + 1


def test_without_ties_it_is_the_count_of_the_lists(rng):
    table = rng.standard_normal((120, 9)).astype(np.float32)
    np.testing.assert_array_equal(places_of(table, 7).occurrence(), k_occurrence(top_k(table, 7)[0], 120))
    few = rng.standard_normal((6, 4))
    np.testing.assert_array_equal(places_of(few, 5).occurrence(), np.full(6, 5.0))  # k = n - 1: everybody


def test_moments_of_weights_from_a_sample_are_unbiased(rng):
    """Over all samples of 4 of 7 queries the mean estimate is the moment over all 7, ties and all."""
    weight = rng.uniform(0.1, 1.0, (7, 5)) * (rng.random((7, 5)) < 0.7)
    query, item = np.nonzero(weight)
    places = Places(query, item, weight[query, item], 7, 5)
    estimates = []
    for rows in combinations(range(7), 4):
        chosen = np.isin(np.arange(7), rows)
        estimates.append(_raw_moments_of_all(places.power_sums(chosen), 4, 7))
    total = weight.sum(axis=0)
    expected = [np.mean(total), np.mean(total**2), np.mean(total**3)]
    np.testing.assert_allclose(np.mean(estimates, axis=0), expected, rtol=1e-12)


def test_too_many_ties_are_sampled_evenly(rng, monkeypatch):
    table = np.ones((300, 4)) * rng.uniform(0.5, 2, (300, 1))
    monkeypatch.setattr(module, "MAX_PLACES", 20_000)
    places = places_of(table, 5)
    assert 1 < places.n_queries <= 75
    np.testing.assert_allclose(np.bincount(places.query, places.weight), 5.0)
    monkeypatch.setattr(module, "TIED_WORK", 300 * 4 * 30)
    assert places_of(table, 5).n_queries <= 30
    with pytest.raises(ParameterError, match="length of the lists"):
        shared_places(table, table, top_k(table, 2), 3)
