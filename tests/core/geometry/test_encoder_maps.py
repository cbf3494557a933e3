"""Maps between encoders: each against the problem that it solves, by another way, with a control that must fail."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize

from simgauge.core.geometry.encoder_maps import PENALTIES, PairedRows, row_rank

EPS = float(np.finfo(np.float64).eps)


@pytest.fixture
def pairs(rng):
    """60 rows in five and in three columns, related and noisy."""
    new = rng.standard_normal((60, 5)) * [3, 2, 1, 1, 0.5]
    return PairedRows.of(new, new @ rng.standard_normal((5, 3)) + 0.3 * rng.standard_normal((60, 3)))


@pytest.mark.parametrize("penalty", PENALTIES)
def test_linear_is_ridge_regression_of_old_on_new(pairs, penalty):
    """By stacked least squares: rows of √λ I with targets of zero."""
    strength = penalty * (pairs.new**2).sum() / 5
    stacked = np.vstack([pairs.new, np.sqrt(strength) * np.eye(5)])
    expected = np.linalg.lstsq(stacked, np.vstack([pairs.old, np.zeros((5, 3))]), rcond=None)[0]
    np.testing.assert_allclose(pairs.linear(penalty), expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("penalty", PENALTIES)
def test_anchored_gives_the_old_vector_with_the_same_products_with_the_anchors(pairs, rng, penalty):
    """Vector by vector: the ridge solution y of ``O y = N x``, where the rows of N and O are the anchors."""
    asked = rng.standard_normal(5)
    strength = penalty * (pairs.old**2).sum() / 3
    stacked = np.vstack([pairs.old, np.sqrt(strength) * np.eye(3)])
    expected = np.linalg.lstsq(stacked, np.r_[pairs.new @ asked, np.zeros(3)], rcond=None)[0]
    np.testing.assert_allclose(asked @ pairs.anchored(penalty), expected, rtol=1e-8, atol=1e-10)


def test_penalties_are_free_of_scale_and_size(pairs):
    """Ten times the rows, each a hundred times as long: the same map. Control: a penalty in plain numbers is not."""
    more = PairedRows.of(np.tile(100 * pairs.new, (10, 1)), np.tile(pairs.old, (10, 1)))
    np.testing.assert_allclose(100 * more.linear(0.3), pairs.linear(0.3), rtol=1e-9)
    np.testing.assert_allclose(more.anchored(0.3) / 100, pairs.anchored(0.3), rtol=1e-9)
    plain = np.linalg.solve(more.new.T @ more.new + 18 * np.eye(5), more.new.T @ more.old)
    assert np.abs(100 * plain - pairs.linear(0.3)).max() > 0.01


@pytest.mark.parametrize(("wide", "narrow"), [(5, 3), (3, 5), (4, 4)])
def test_rotation_is_procrustes_of_tables_filled_up_with_zeros(rng, wide, narrow):
    """Against the solver of scipy on the filled-up tables: products with old rows are the same."""
    new, old = rng.standard_normal((60, wide)), rng.standard_normal((60, narrow))
    H = PairedRows.of(new, old).rotation()
    full = max(wide, narrow)
    filled = [np.pad(table, ((0, 0), (0, full - table.shape[1]))) for table in (new, old)]
    R = _best_rotation(*filled)
    np.testing.assert_allclose(new @ H @ old.T, filled[0] @ R @ filled[1].T, atol=1e-8)
    gram = H @ H.T if wide <= narrow else H.T @ H
    np.testing.assert_allclose(gram, np.eye(min(wide, narrow)), atol=1e-12)


def _best_rotation(new, old):
    import scipy.linalg

    return scipy.linalg.orthogonal_procrustes(new, old)[0]


def test_no_orthogonal_map_comes_nearer_than_the_rotation(rng):
    """By descent from random starts over all rotations of three columns. Control: those starts are further away."""
    new = rng.standard_normal((40, 3))
    old = new @ np.linalg.qr(rng.standard_normal((3, 3)))[0] + 0.2 * rng.standard_normal((40, 3))
    best = np.linalg.norm(new @ PairedRows.of(new, old).rotation() - old)

    def distance(free):
        skew = np.array([[0, free[0], free[1]], [-free[0], 0, free[2]], [-free[1], -free[2], 0]])
        import scipy.linalg

        turned = scipy.linalg.expm(skew) * ([1, 1, 1] if free.size == 3 else [1, 1, -1])
        return np.linalg.norm(new @ turned - old)

    starts = [rng.standard_normal(size) for size in (3, 4) for _ in range(5)]
    found = [scipy.optimize.minimize(distance, start).fun for start in starts]
    assert min(found) >= best * (1 - 1e-6)
    assert min(found) <= best * (1 + 1e-4), "the search comes as near as the formula"
    assert min(distance(start) for start in starts) > best * 1.01


def test_without_a_penalty_directions_that_rows_lack_are_mapped_to_nothing(rng):
    new = np.pad(rng.standard_normal((30, 3)), ((0, 0), (0, 2)))
    H = PairedRows.of(new, rng.standard_normal((30, 4))).linear(0.0)
    assert np.array_equal(H[3:], np.zeros((2, 4)))
    assert np.abs(H[:3]).min() > 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rank_of_rows(rng, dtype):
    table = (rng.standard_normal((40, 3)) @ rng.standard_normal((3, 8))).astype(dtype)
    assert row_rank(table) == 3
    assert row_rank(table[:2]) == 2, "fewer rows than directions"
    assert row_rank((table + 1e-3 * rng.standard_normal((40, 8))).astype(dtype)) == 8
