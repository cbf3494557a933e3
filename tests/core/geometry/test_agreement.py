"""Agreement of two tables: n x n formulas, scipy's Procrustes and QR as references; gauges as theorems."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.spatial

from geometry_problems import general_map, rotation, skewed_table
from simgauge.core.geometry.agreement import canonical_agreement, cross_moments, linear_cka, procrustes
from simgauge.core.tables import moments as geometry_moments
from simgauge.errors import InputError


@pytest.fixture
def tables(rng):
    a = skewed_table(rng, 60, 6)
    return a, a[:, :4] @ rng.standard_normal((4, 5)) + 2 * rng.standard_normal((60, 5)) + 3


def cka_by_kernels(a, b, center=True):
    """Kornblith et al., eqs. 2 and 4: HSIC of the n x n matrices; rsatoolbox and netrep call it the cosine of RDMs."""
    n = len(a)
    H = np.eye(n) - (np.ones((n, n)) / n if center else 0)
    K, L = H @ a @ a.T @ H, H @ b @ b.T @ H
    return np.trace(K @ L) / np.sqrt(np.trace(K @ K) * np.trace(L @ L))


def test_cka_is_the_alignment_of_the_kernels(tables, monkeypatch):
    monkeypatch.setattr(geometry_moments, "BLOCK_BYTES", 8 * 11 * 7)
    a, b = tables
    assert linear_cka(cross_moments(a, b)) == pytest.approx(cka_by_kernels(a, b), rel=1e-11)
    assert cka_by_kernels(a, b) != pytest.approx(cka_by_kernels(a, b, False), rel=1e-3)  # control: centring matters


def test_arc_cosine_of_cka_is_the_distance_of_netrep(tables):
    a, b = (t - t.mean(axis=0) for t in tables)
    K, L = a @ a.T, b @ b.T
    angle = np.arccos(np.sum(K * L) / np.sqrt(np.sum(K * K) * np.sum(L * L)))
    assert np.arccos(linear_cka(cross_moments(*tables))) == pytest.approx(angle)


def test_procrustes_is_that_of_scipy(tables):
    a, b = tables[0][:, :5], tables[1]
    result = procrustes(cross_moments(a, b))
    disparity = scipy.spatial.procrustes(a, b)[2]
    assert 1 - result.similarity**2 == pytest.approx(disparity, abs=1e-12)


def test_procrustes_distance_is_attained_and_no_rotation_is_nearer(tables, rng):
    a, b = (t - t.mean(axis=0) for t in (tables[0][:, :5], tables[1]))
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    u, _, vt = np.linalg.svd(b.T @ a)
    result = procrustes(cross_moments(a, b))
    assert np.linalg.norm(a - b @ (u @ vt)) == pytest.approx(result.distance, abs=1e-10)
    assert np.cos(result.angle) == pytest.approx(result.similarity)
    for _ in range(200):
        assert np.linalg.norm(a - b @ rotation(rng, 5)) >= result.distance


def test_the_angle_obeys_the_triangle_inequality(rng):
    for _ in range(50):
        x, y, z = (rng.standard_normal((10, 3)) for _ in range(3))
        side = [procrustes(cross_moments(p, q)).angle for p, q in ((x, z), (x, y), (y, z))]
        assert side[0] <= side[1] + side[2] + 1e-9


def test_canonical_correlations_by_qr(tables):
    a, b = (np.linalg.qr(t - t.mean(axis=0))[0] for t in tables)
    expected = np.sum(np.linalg.svd(a.T @ b, compute_uv=False) ** 2) / 5
    assert canonical_agreement(cross_moments(*tables)) == pytest.approx(expected, rel=1e-10)


def measures(a, b):
    moments = cross_moments(a, b)
    return np.array([linear_cka(moments), procrustes(moments).similarity, canonical_agreement(moments)])


def test_rotation_scale_and_shift_of_either_table_leave_everything_alone(tables, rng):
    a, b = tables
    before = measures(a, b)
    np.testing.assert_allclose(
        measures(3 * a @ rotation(rng, 6) - 7, 0.2 * b @ rotation(rng, 5) + 5), before, rtol=1e-9
    )
    np.testing.assert_allclose(measures(b, a), before, rtol=1e-10)
    np.testing.assert_allclose(measures(a, -2 * a @ rotation(rng, 6) + 1), 1, atol=1e-10)


def test_a_change_of_gauge_moves_cka_and_procrustes_but_not_canonical_agreement(tables, rng):
    a, b = tables
    G = general_map(rng, 6, condition=300)
    before, after = measures(a, b), measures(a @ G, b)
    assert (np.abs(before - after)[:2] > 0.02).all()
    assert after[2] == pytest.approx(before[2], rel=1e-9)
    itself = measures(a, a @ G)
    assert (itself[:2] < 0.99).all()
    assert itself[2] == pytest.approx(1, abs=1e-9)  # one model in two gauges


def test_unrelated_tables_agree_little(rng):
    a, b = rng.standard_normal((4000, 5)), rng.standard_normal((4000, 5))
    assert (measures(a, b) < [0.02, 0.1, 0.02]).all()


def test_a_table_without_full_rank_is_compared_in_its_own_space(rng):
    a = rng.standard_normal((200, 3))
    wide = a @ rng.standard_normal((3, 8))
    assert canonical_agreement(cross_moments(a, wide)) == pytest.approx(1, abs=1e-9)


def test_float32_and_memory_maps(tables, tmp_path):
    a, b = (t.astype(np.float32) for t in tables)
    np.save(tmp_path / "a.npy", a)
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    np.testing.assert_array_equal(measures(mapped, b), measures(a, b))
    np.testing.assert_allclose(measures(a, b), measures(*tables), rtol=1e-5)


def test_nothing_to_compare_is_an_error(tables):
    a, b = tables
    with pytest.raises(InputError, match="received 60 and 59 rows"):
        cross_moments(a, b[:-1])
    with pytest.raises(InputError, match="second table has no variation"):
        cross_moments(a, np.full_like(b, 0.1))
    with pytest.raises(InputError, match="first table has no variation"):
        cross_moments(np.zeros_like(a), b)
