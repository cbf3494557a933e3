"""Random gauges: Haar rotations, log-uniform scales, and matrices that are no gauge."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from simgauge.core.gauges.random_gauges import check_gauge_matrix, random_axes, random_gauge_matrix
from simgauge.errors import ParameterError


def test_axes_are_haar_rotations(rng):
    """No direction and no sign is preferred: an entry of a Haar matrix is a coordinate of a uniform point on the
    sphere."""
    draws = np.array([random_axes(3, rng)[0] for _ in range(2000)])
    np.testing.assert_allclose(np.einsum("nij,nkj->nik", draws, draws), np.tile(np.eye(3), (2000, 1, 1)), atol=1e-14)
    for entry in draws.reshape(2000, 9).T:  # uniform on [-1, 1] in three dimensions, by Archimedes
        assert stats.kstest(entry, stats.uniform(-1, 2).cdf).pvalue > 1e-4
    unfixed = np.array([np.linalg.qr(rng.standard_normal((3, 3)))[0][0, 0] for _ in range(2000)])
    assert stats.kstest(unfixed, stats.uniform(-1, 2).cdf).pvalue < 1e-9, "control: Householder QR as it comes"


def test_exponents_reach_both_ends_and_are_uniform_between(rng):
    draws = np.array([random_axes(4, rng)[1] for _ in range(2000)])
    assert (draws.min(axis=1) == 0).all()
    assert (draws.max(axis=1) == 1).all()
    inner = np.sort(draws, axis=1)[:, 1:3].ravel()
    assert stats.kstest(inner, stats.uniform(0, 1).cdf).pvalue > 1e-4


def test_the_condition_number_is_the_one_asked_for_and_volumes_stay(rng):
    for condition in (1.0, 30.0, 1e4):
        G = random_gauge_matrix(5, condition, rng)
        assert np.linalg.cond(G) == pytest.approx(condition)
        assert abs(np.linalg.det(G)) == pytest.approx(1.0)
    assert abs(random_gauge_matrix(1, 1.0, rng)[0, 0]) == pytest.approx(1.0)


def test_a_gauge_must_be_invertible_to_rounding():
    good = np.diag([1.0, 1e-15])
    np.testing.assert_array_equal(check_gauge_matrix(good, 2), good)
    with pytest.raises(ParameterError, match="singular to rounding"):
        check_gauge_matrix(np.diag([1.0, 1e-17]), 2)
    for shape in ((2, 3), (3, 3), (4,)):
        with pytest.raises(ParameterError, match="expected \\(2, 2\\)"):
            check_gauge_matrix(np.ones(shape), 2)
