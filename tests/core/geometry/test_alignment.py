"""Maps between latent spaces: what they are by definition, that predictions stay, and which way round is wrong."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

from simgauge.core.geometry.alignment import linear_onto, rotation_onto
from simgauge.core.neighbors.topk import top_k
from simgauge.errors import InputError

EPS = np.finfo(np.float64).eps


@pytest.fixture
def pair(rng):
    """Old items and users, and the same model in another gauge."""
    items, users = rng.standard_normal((200, 6)), rng.standard_normal((90, 6))
    G = rng.standard_normal((6, 6))
    return items, users, items @ G, users @ np.linalg.inv(G).T


def test_rotation_is_scipys(pair):
    items, _, new, _ = pair
    found = rotation_onto(new, items)
    expected, _ = scipy.linalg.orthogonal_procrustes(new, items)
    np.testing.assert_allclose(found.item_matrix, expected, atol=1e-12)
    np.testing.assert_allclose(found.item_matrix.T @ found.item_matrix, np.eye(6), atol=1e-12)
    assert found.condition_number == 1.0


def test_linear_undoes_any_gauge_and_keeps_predictions(pair):
    items, users, new, new_users = pair
    found = linear_onto(new, items)
    np.testing.assert_allclose(new @ found.item_matrix, items, atol=1e-10)
    np.testing.assert_allclose(new_users @ found.user_matrix, users, atol=1e-10)
    before = new_users @ new.T
    after = (new_users @ found.user_matrix) @ (new @ found.item_matrix).T
    assert np.abs(after - before).max() <= 100 * EPS * found.condition_number * np.abs(before).max()


def test_least_squares_by_a_slow_reference(rng):
    old, new = rng.standard_normal((60, 5)), rng.standard_normal((60, 5))
    expected = np.linalg.lstsq(new, old, rcond=None)[0]
    np.testing.assert_allclose(linear_onto(new, old).item_matrix, expected, atol=1e-12)


def test_a_new_item_enters_by_h_and_a_new_user_by_the_inverse_and_not_the_other_way_round(pair, rng):
    """Items and users of the new model that the old index has not seen; each map is right for its side only."""
    items, users, new, new_users = pair
    found = linear_onto(new[:150], items[:150])
    late_items = new[150:]
    nearest = top_k(items, 1, "cosine", late_items @ found.item_matrix)[0][:, 0]
    assert (nearest == np.arange(150, 200)).all()
    wrong = top_k(items, 1, "cosine", late_items @ found.user_matrix)[0][:, 0]  # control
    assert (wrong == np.arange(150, 200)).mean() < 0.5
    lists = top_k(items, 10, "dot", users)[0]
    right = top_k(items, 10, "dot", new_users @ found.user_matrix)[0]
    np.testing.assert_array_equal(right, lists)
    crossed = top_k(items, 10, "dot", new_users @ found.item_matrix)[0]  # control
    assert (crossed == lists).mean() < 0.5


def test_unequal_widths(pair):
    items, users, _, _ = pair
    narrow, narrow_users = items[:, :4], users[:, :4]
    for found in (rotation_onto(narrow, items), linear_onto(narrow, items)):
        before = narrow_users @ narrow.T
        after = (narrow_users @ found.user_matrix) @ (narrow @ found.item_matrix).T
        np.testing.assert_allclose(after, before, atol=1e-10)
    for fit in (rotation_onto, linear_onto):
        with pytest.raises(InputError, match="filled up with 2 columns of zeros"):
            fit(items, narrow)


def test_shared_rows_that_do_not_fix_the_map_are_refused(pair, rng):
    items, _, new, _ = pair
    with pytest.raises(InputError, match="5 shared rows span 5 of the 6 directions"):
        linear_onto(new[:5], items[:5])
    flat = rng.standard_normal((40, 3)) @ rng.standard_normal((3, 6))
    with pytest.raises(InputError, match="span 3 of the 6"):
        linear_onto(flat, items[:40])
    with pytest.raises(InputError, match="more than float64 tables can undo"):
        linear_onto(items[:40], flat)
