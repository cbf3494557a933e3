"""calibrate: probabilities that hold on pairs held apart, intervals that cover, and transfer that is tested."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from simgauge import InputError
from simgauge.shipping.calibrate import calibrate, expected_error


def pairs_of(rng, n, curve):
    """Pairs at random angles; similar with the probability that the curve gives to their cosine."""
    turn = rng.uniform(0, np.pi, n)
    table = np.zeros((2 * n, 2))
    table[:n, 0], table[n:, 0], table[n:, 1] = 1.0, np.cos(turn), np.sin(turn)
    return table, np.arange(n), np.arange(n, 2 * n), rng.random(n) < curve(np.cos(turn))


def logistic(cosine):
    return 1 / (1 + np.exp(-6 * (cosine - 0.2)))


def test_the_map_is_isotonic_regression_and_finds_the_curve(rng):
    table, left, right, similar = pairs_of(rng, 3_000, logistic)
    found = calibrate(table, left, right, similar)
    assert (np.diff(found.probabilities) >= 0).all()
    cosines = (table[left] * table[right]).sum(1)
    expected = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(cosines, similar).predict(found.cosines)
    np.testing.assert_allclose(found.probabilities, expected)
    grid = np.linspace(-0.8, 0.8, 9)
    assert np.abs(found.predict(grid) - logistic(grid)).max() < 0.15
    assert abs(found.threshold(0.5) - 0.2) < 0.1
    assert found.threshold(1.1) is None
    assert found.error.value < 0.05


def test_intervals_hold_the_curve_at_least_as_often_as_they_say(rng):
    inside = []
    for _ in range(25):
        found = calibrate(*pairs_of(rng, 400, logistic), n_resamples=10, rng=rng)
        middle = np.abs(found.cosines) < 0.7
        truth = logistic(found.cosines[middle])
        inside.append(((found.low[middle] <= truth) & (truth <= found.high[middle])).mean())
    assert np.mean(inside) > 0.95


def test_a_map_that_does_not_transfer_is_called_so(rng):
    table, left, right, similar = pairs_of(rng, 1_000, logistic)
    flipped = similar.copy()
    flipped[500:] = rng.random(500) < 0.3  # the other group knows nothing of the cosine
    group = np.repeat(["docs", "queries"], 500)
    found = calibrate(table, left, right, flipped, group=group)
    assert found.transfers is False
    assert "does not transfer" in found.summary
    same = calibrate(table, left, right, similar, group=group)  # control
    assert same.transfers is True


def test_the_error_by_a_slow_reference(rng):
    predicted, truth = rng.random(1_000), rng.random(1_000) < 0.4
    edges = np.quantile(predicted, np.linspace(0, 1, 11))
    total = 0.0
    for number in range(10):
        last = number == 9
        inside = (predicted >= edges[number]) & (
            (predicted <= edges[number + 1]) if last else (predicted < edges[number + 1])
        )
        total += inside.sum() * abs(predicted[inside].mean() - truth[inside].mean())
    assert abs(expected_error(predicted, truth.astype(float)) - total / 1_000) < 1e-9
    assert expected_error(np.full(50, 0.5), np.ones(50)) == 0.5


def test_bad_input(rng):
    table, left, right, similar = pairs_of(rng, 100, logistic)
    for arguments, text in (
        ((left, right, similar * 2.0), "one 0 or 1"),
        ((left[:9], right[:9], similar[:9]), "at least 20"),
        ((left, right[:50], similar), "one each per pair"),
        ((left, right, np.ones(100)), "of both kinds"),
        ((left + 1_000, right, similar), "none of the"),
    ):
        with pytest.raises(InputError, match=text):
            calibrate(table, *arguments)
    with pytest.raises(InputError, match="two kinds"):
        calibrate(table, left, right, similar, group=["a"] * 100)
