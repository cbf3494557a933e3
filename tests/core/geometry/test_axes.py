"""Contributions of single columns: they add up, and a planted rogue dimension is found."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from geometry_problems import skewed_table
from simgauge.core.geometry.axes import axis_shares
from simgauge.core.geometry.random_cosine import mean_random_cosine
from simgauge.core.tables.moments import table_moments


def contributions_by_pairs(table):
    """Timkey and van Schijndel, eq. 2: u_j v_j / (|u| |v|), averaged over pairs of different rows."""
    rows = []
    for u, v in itertools.permutations(table, 2):
        rows.append(u * v / (np.linalg.norm(u) * np.linalg.norm(v)))
    return np.mean(rows, axis=0)


def test_contributions_are_the_mean_over_all_pairs_and_add_up(rng):
    x = skewed_table(rng, 25)
    moments = table_moments(x)
    shares = axis_shares(moments)
    np.testing.assert_allclose(shares.cosine_contribution, contributions_by_pairs(x), atol=1e-13)
    assert shares.cosine_contribution.sum() == pytest.approx(mean_random_cosine(moments), abs=1e-13)
    np.testing.assert_allclose(shares.variance_share, x.var(axis=0) / x.var(axis=0).sum(), rtol=1e-11)
    assert shares.variance_share.sum() == pytest.approx(1)


def test_a_planted_rogue_dimension_is_found(rng):
    x = rng.standard_normal((400, 50))
    plain = axis_shares(table_moments(x))
    x[:, 7] += 40
    x[:, 9] *= 10
    shares = axis_shares(table_moments(x))
    assert shares.by_cosine(1).tolist() == [7]
    assert shares.by_variance(1).tolist() == [9]
    assert shares.top_cosine_contribution > 0.8
    assert shares.top_variance_excess == pytest.approx((100 / 149 - 1 / 50) / (1 - 1 / 50), rel=0.2)
    assert plain.top_variance_excess < 0.01  # control
    assert plain.top_cosine_contribution < 0.01


@pytest.mark.parametrize("k", [2, 10, 50])
def test_the_excess_goes_from_equal_columns_to_one_column_whatever_k(k):
    signs = np.array([[1.0, -1.0]]).repeat(10, axis=1).T
    equal, one = signs * np.ones(k), signs * (np.arange(k) == k - 1)
    assert axis_shares(table_moments(equal)).top_variance_excess == pytest.approx(0, abs=1e-12)
    assert axis_shares(table_moments(one)).top_variance_excess == pytest.approx(1)
    both = signs * (np.arange(k) < 2)
    assert axis_shares(table_moments(both)).top_variance_excess == pytest.approx((k / 2 - 1) / (k - 1))


def test_degenerate_tables():
    constant = axis_shares(table_moments(np.full((20, 3), 0.1)))
    np.testing.assert_array_equal(constant.variance_share, 0)
    np.testing.assert_allclose(constant.cosine_contribution, 1 / 3)
    single = axis_shares(table_moments(np.ones((1, 3))))
    np.testing.assert_array_equal(single.cosine_contribution, 0)
    assert single.top_variance_excess == 0
    assert axis_shares(table_moments(np.eye(3)[:, :1])).top_variance_excess == 0
