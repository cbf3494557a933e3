"""Angles and directions around a row, against long double; the same and the opposite direction in spite of rounding."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.core.bounds.directions import directions

EPS = float(np.finfo(np.float64).eps)


def around_first(table: np.ndarray):
    """Directions of all other rows around the first."""
    return directions(lambda rows: table[rows], np.array([0]), np.arange(1, len(table))[None])


@pytest.mark.parametrize("size", [1e-8, 1e-3, 1.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_angles_near_zero_and_near_a_half_turn_keep_their_digits(rng, size, sign):
    x = rng.normal(size=5)
    others = sign * (x + size * rng.normal(size=(20, 5)))
    found = around_first(np.concatenate([[x], others]))
    wide, rows = x.astype(np.longdouble), others.astype(np.longdouble)
    u, v = wide / np.sqrt(wide @ wide), rows / np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    apart, along = (np.sqrt(((v + turn * u) ** 2).sum(axis=1)) for turn in (-1, 1))
    np.testing.assert_allclose(found.tangents[0], (apart / along).astype(np.float64), rtol=16 * EPS * (1 + 1 / size))
    side = v - (v @ u)[:, None] * u
    side /= np.sqrt((side * side).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(found.sides[0], side.astype(np.float64), atol=16 * EPS * (1 + 1 / size))


@pytest.mark.parametrize("dim", [3, 64, 768])
def test_the_same_and_the_opposite_direction_are_exact_whatever_rounding_makes_of_them(rng, dim):
    differ = 0
    for x in rng.normal(size=(40, dim)):
        length = rng.uniform(0.01, 50)
        table = np.stack([x, length * x, -length * x])
        assert around_first(table).tangents.tolist() == [[0.0, np.inf]]
        unit = table / np.linalg.norm(table, axis=1, keepdims=True)
        differ += bool((unit[0] != unit[1]).any())
    assert differ > 5  # the case is there: normalising leaves the directions some ulp apart


def test_a_zero_row_is_at_a_right_angle_and_has_no_direction():
    found = around_first(np.array([[1.0, 2.0], [0.0, 0.0], [-2.0, 1.0]]))
    assert found.tangents[0].tolist() == pytest.approx([1.0, 1.0])
    assert found.defined.tolist() == [[False, True]]
    zero_centre = around_first(np.array([[0.0, 0.0], [1.0, 0.0]]))
    assert (zero_centre.tangents.tolist(), zero_centre.defined.tolist()) == ([[1.0]], [[False]])
