"""Average over random metrics in closed form: against draws of the metrics it speaks of."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.core.bounds.average_metric import metric_precision, stays_ahead
from simgauge.core.gauges.random_gauges import random_axes
from simgauge.errors import InputError, ParameterError


def cosines_of(rows, metric_root, pairs):
    moved = rows @ metric_root
    moved = moved / np.linalg.norm(moved, axis=1, keepdims=True)
    return np.einsum("ij,ij->i", moved[pairs[:, 0]], moved[pairs[:, 1]])


def triples_with_near_ties(rng, dim, n=150):
    """Row x, and two rows at similar angles: whether they swap is open."""
    x, y, z = rng.normal(size=(3, n, dim))
    y, z = x + y, x + rng.uniform(0.9, 1.15, (n, 1)) * z
    rows = np.stack([x, y, z], axis=1).reshape(-1, dim)
    return rows, np.arange(3 * n).reshape(n, 3)


def test_probability_and_spread_against_draws_of_random_axes(rng):
    dim, kappa, draws = 64, 10.0, 1500
    rows, triples = triples_with_near_ties(rng, dim)
    exponents = random_axes(dim, rng)[1]
    w = kappa**exponents
    precision = metric_precision(w)
    ahead, transformed = np.zeros(len(triples)), []
    for _ in range(draws):
        root = random_axes(dim, rng)[0] * np.sqrt(w)
        near, far = cosines_of(rows, root, triples[:, [0, 1]]), cosines_of(rows, root, triples[:, [0, 2]])
        ahead += near > far
        transformed.append(np.arctanh(near))
    found = stays_ahead(rows, triples, precision)
    gap = found - ahead / draws
    assert abs(gap.mean()) < 0.004
    assert np.abs(gap).mean() < 0.012  # of which draws alone give √(p(1 − p)/1500), up to .01
    assert found.min() < 0.2
    assert found.max() > 0.9
    sd = np.std(transformed, axis=0).mean()
    assert 0.95 < 1 / np.sqrt(precision) / sd < 1.01  # low by 1 to 3 % at 64 components
    plain = stays_ahead(rows, triples, precision * 4)  # control: half the spread is clearly wrong
    assert np.abs(plain - ahead / draws).mean() > 0.03


@pytest.mark.parametrize("dim", [5, 40])
def test_gaussian_metrics_scatter_by_their_columns_alone(rng, dim):
    columns, draws = 30, 3000
    rows, triples = triples_with_near_ties(rng, dim, n=40)
    ahead, transformed = np.zeros(len(triples)), []
    for _ in range(draws):
        G = rng.normal(size=(dim, columns))
        near, far = cosines_of(rows, G, triples[:, [0, 1]]), cosines_of(rows, G, triples[:, [0, 2]])
        ahead += near > far
        transformed.append(np.arctanh(near))
    found = stays_ahead(rows, triples, columns - 1.5)
    assert np.abs(found - ahead / draws).mean() < 0.012
    assert np.std(transformed, axis=0).mean() * np.sqrt(columns - 1.5) == pytest.approx(1, abs=0.03)


def test_order_ties_and_certainty(rng):
    rows = rng.normal(size=(6, 5))
    rows[4], rows[5] = 2 * rows[0], 0
    triples = np.array([[0, 1, 2], [0, 2, 1], [3, 1, 2]])
    found = stays_ahead(rows, triples, 20.0)
    assert found[0] + found[1] == pytest.approx(1)
    assert stays_ahead(rows, [[0, 1, 1]], 20.0)[0] == 0.5
    assert stays_ahead(rows, [[0, 4, 1], [0, 1, 4]], 20.0).tolist() == [1.0, 0.0]
    assert set(stays_ahead(rows, triples, np.inf)) <= {0.0, 1.0}
    turned = rows @ np.linalg.qr(rng.normal(size=(5, 5)))[0] * 3
    np.testing.assert_allclose(stays_ahead(turned, triples, 20.0), found, atol=1e-12)


@pytest.mark.parametrize("dim", [3, 64, 768])
def test_equal_directions_tie_whatever_rounding_makes_of_them(rng, dim):
    """After normalising, cosines of rows in one direction are 1 but for some ulp, to either side."""
    rows = rng.normal(size=(100, 1, dim)) * rng.uniform(0.01, 50, (100, 3, 1))
    triples = np.arange(300).reshape(100, 3)
    assert (stays_ahead(rows.reshape(-1, dim), triples, 20.0) == 0.5).all()
    rows[:, 1:] *= -1
    assert (stays_ahead(rows.reshape(-1, dim), triples, 20.0) == 0.5).all(), "both opposite"
    rows[:, 1] *= -1
    assert (stays_ahead(rows.reshape(-1, dim), triples, 20.0) == 1.0).all(), "control: the one before its opposite"


def test_precision_of_eigenvalues():
    assert metric_precision([2.0, 2.0, 2.0]) == np.inf
    assert metric_precision(np.array([1.0, 2.0, 3.0, 4.0]) * 1e200) == pytest.approx(30)
    for bad in ([], [1.0, -1.0], [1.0, np.inf], [[1.0]]):
        with pytest.raises(ParameterError, match="eigenvalues"):
            metric_precision(bad)


def test_bad_input():
    with pytest.raises(ParameterError, match="precision"):
        stays_ahead(np.eye(3), [[0, 1, 2]], 0.0)
    with pytest.raises(InputError, match="triples"):
        stays_ahead(np.eye(3), [[0, 1, 5]], 3.0)
