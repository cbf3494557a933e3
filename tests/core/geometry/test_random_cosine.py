"""Cosines of random pairs: the sums equal the double loop over all pairs."""

from __future__ import annotations

import numpy as np
import pytest

from geometry_problems import skewed_table
from problems import cosines
from simgauge.core.geometry.random_cosine import centered_random_cosine, mean_random_cosine
from simgauge.core.tables import moments as geometry_moments
from simgauge.core.tables.moments import table_moments
from simgauge.errors import ParameterError


def off_diagonal(table):
    return cosines(table)[~np.eye(len(table), dtype=bool)]


def test_the_mean_is_that_of_all_pairs(rng):
    x = skewed_table(rng, 30)
    pairs = off_diagonal(x)
    assert mean_random_cosine(table_moments(x)) == pytest.approx(pairs.mean(), abs=1e-13)
    assert abs(cosines(x).mean() - pairs.mean()) > 0.01  # control: the diagonal is not a pair


def test_centred_cosines_are_those_of_the_centred_rows(rng, monkeypatch):
    monkeypatch.setattr(geometry_moments, "BLOCK_BYTES", 8 * 6 * 7)
    x = skewed_table(rng, 30)
    mean = x.mean(axis=0)
    assert centered_random_cosine(x, mean) == pytest.approx(off_diagonal(x - mean).mean(), abs=1e-13)
    assert mean_random_cosine(table_moments(x)) > 0.1 > abs(centered_random_cosine(x, mean))  # control: it did change


def test_isotropic_directions_have_mean_zero(rng):
    n, k = 3000, 25
    x = rng.standard_normal((n, k))
    assert abs(mean_random_cosine(table_moments(x))) < 5 / n / np.sqrt(k)


def test_zero_rows_are_left_out(rng):
    x = skewed_table(rng, 20)
    padded = np.vstack([x, np.zeros((5, 6))])
    assert mean_random_cosine(table_moments(padded)) == pytest.approx(mean_random_cosine(table_moments(x)))
    at_mean = np.vstack([x, x.mean(axis=0)])
    assert centered_random_cosine(at_mean, x.mean(axis=0)) == pytest.approx(centered_random_cosine(x, x.mean(axis=0)))


def test_rows_all_equal():
    x = np.full((50, 3), 0.1, dtype=np.float32)
    moments = table_moments(x)
    assert mean_random_cosine(moments) == pytest.approx(1)
    assert centered_random_cosine(x, moments.mean) == 0


def test_one_row_has_no_pairs():
    assert mean_random_cosine(table_moments(np.ones((1, 3)))) == 0


def test_wrong_arguments_are_named():
    with pytest.raises(ParameterError, match=r"one number per column, \(3,\)"):
        centered_random_cosine(np.eye(3), np.zeros(2))
