"""Whitening gives the identity as covariance, its users' side keeps what it should, and the top is really gone."""

from __future__ import annotations

import numpy as np
import pytest

from problems import two_tables
from simgauge.core.gauges.whitening import removal_of_top, whitening_from_axes
from simgauge.core.tables.principal_axes import principal_axes
from simgauge.errors import ParameterError


def test_covariance_becomes_the_identity_and_dot_products_move_by_a_constant(rng):
    P, Q = two_tables(rng)
    gauge = whitening_from_axes(principal_axes(Q))
    white, users = gauge.apply_items(Q), gauge.apply_users(P)
    np.testing.assert_allclose(np.cov(white.T, bias=True), np.eye(6), atol=1e-12)
    shift = users @ white.T - P @ Q.T
    np.testing.assert_allclose(shift, shift[:, :1] @ np.ones((1, 20)), atol=1e-11)


@pytest.mark.parametrize("shrinkage", [0.1, 1.0])
def test_shrinkage_is_the_whitening_of_the_shrunk_covariance(rng, shrinkage):
    Q = two_tables(rng)[1]
    white = whitening_from_axes(principal_axes(Q), shrinkage=shrinkage).apply_items(Q)
    C = np.cov(Q.T, bias=True)
    target = (1 - shrinkage) * C + shrinkage * np.trace(C) / 6 * np.eye(6)
    rows = Q - Q.mean(axis=0)
    np.testing.assert_allclose(white @ white.T, rows @ np.linalg.inv(target) @ rows.T, atol=1e-10)


def test_strength_zero_only_rotates_and_one_half_is_half_way(rng):
    Q = two_tables(rng)[1]
    rows = Q - Q.mean(axis=0)
    rotated = whitening_from_axes(principal_axes(Q), strength=0.0).apply_items(Q)
    np.testing.assert_allclose(rotated @ rotated.T, rows @ rows.T, atol=1e-11)
    half = whitening_from_axes(principal_axes(Q), strength=0.5).apply_items(Q)
    np.testing.assert_allclose(np.cov(half.T, bias=True), np.diag(np.sqrt(principal_axes(Q).variances)), atol=1e-11)


def test_n_components_keeps_the_first(rng):
    Q = two_tables(rng)[1]
    axes = principal_axes(Q)
    np.testing.assert_allclose(
        whitening_from_axes(axes, 2).apply_items(Q), whitening_from_axes(axes).apply_items(Q)[:, :2], atol=1e-12
    )


def test_removal_leaves_nothing_along_the_top_and_everything_else(rng):
    Q = two_tables(rng)[1]
    axes = principal_axes(Q)
    left = removal_of_top(axes, 2).apply_items(Q)
    np.testing.assert_allclose(left @ axes.axes[:, :2], 0, atol=1e-12)
    np.testing.assert_allclose(left @ axes.axes[:, 2:], (Q - Q.mean(axis=0)) @ axes.axes[:, 2:], atol=1e-12)
    np.testing.assert_allclose(removal_of_top(axes, 0).apply_items(Q), Q - Q.mean(axis=0), atol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda axes: whitening_from_axes(axes, shrinkage=-0.1), "shrinkage=-0.1"),
        (lambda axes: whitening_from_axes(axes, shrinkage=float("nan")), "shrinkage=nan"),
        (lambda axes: whitening_from_axes(axes, strength=2), "strength=2"),
        (lambda axes: whitening_from_axes(axes, 7), "n_components=7: expected 1 to 6"),
        (lambda axes: removal_of_top(axes, 6), "n_remove=6: expected an integer from 0 to 5"),
        (lambda axes: removal_of_top(axes, 1.5), "n_remove=1.5"),
    ],
)
def test_parameters_out_of_range_are_named(rng, call, message):
    with pytest.raises(ParameterError, match=message):
        call(principal_axes(two_tables(rng)[1]))


def test_strength_zero_keeps_the_width_where_the_rank_is_lower(rng):
    """A rotation loses nothing and adds nothing, so a table of rank two stays as wide as it is."""
    table = rng.standard_normal((30, 2)) @ rng.standard_normal((2, 5))
    axes = principal_axes(table)
    assert whitening_from_axes(axes, strength=0.0).apply_items(table).shape == (30, 5)
    assert whitening_from_axes(axes, shrinkage=0.1).apply_items(table).shape == (30, 5)
    assert whitening_from_axes(axes).apply_items(table).shape == (30, 2), "control: whitening divides by what is there"
    assert whitening_from_axes(axes, 1, strength=0.0).apply_items(table).shape == (30, 1)
