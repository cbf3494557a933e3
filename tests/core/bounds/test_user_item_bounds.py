"""Cosine of a user and an item with their dot product kept: no metric passes the bounds, one attains each."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from simgauge.core.bounds.attaining_gauge import attaining_gauge
from simgauge.core.bounds.cosine_bounds import cosine_bounds
from simgauge.core.tables.row_parts import LocalParts
from simgauge.errors import InputError

EPS = float(np.finfo(np.float64).eps)
PAIR = np.array([[0, 0]])


def cosine(p, q, metric=None):
    metric = np.eye(len(p)) if metric is None else metric
    return float(p @ q / np.sqrt((p @ np.linalg.solve(metric, p)) * (q @ metric @ q)))


def bounds(p, q, kappa):
    (low,), (high,) = cosine_bounds(q[None], PAIR, kappa, users=p[None], sides="user-item")
    return low, high


def random_metric(rng, dim, kappa):
    basis = np.linalg.qr(rng.normal(size=(dim, dim)))[0]
    levels = kappa ** rng.choice([0.0, 1.0, rng.random()], size=dim)
    return (basis * levels) @ basis.T


@pytest.mark.parametrize("kappa", [1.5, 9.0, 400.0])
@pytest.mark.parametrize("dim", [2, 3, 4, 8])
def test_random_metrics_never_pass_the_bounds(rng, dim, kappa):
    for spread in (0.2, 1.0, 5.0):
        p = rng.normal(size=dim)
        q = rng.choice([-1, 1]) * p + spread * rng.normal(size=dim)
        low, high = bounds(p, q, kappa)
        reached = [cosine(p, q, random_metric(rng, dim, kappa)) for _ in range(300)]
        assert low - 1e-12 <= min(reached)
        assert max(reached) <= high + 1e-12
        assert low < cosine(p, q) < high
        if dim == 2:  # control: in the plane random metrics come close, so the attack can succeed
            assert max(reached) - min(reached) > 0.8 * (high - low)


@pytest.mark.parametrize("dim", [2, 3, 5, 8])
def test_optimised_metrics_reach_the_bounds_and_never_pass_them(rng, dim):
    """The reduction from more dimensions to two is attacked here: all axes and levels are free."""
    kappa = 6.0
    for _ in range(3):
        p, q = rng.normal(size=(2, dim))
        low, high = bounds(p, q, kappa)

        def moved(parameters, p=p, q=q):
            basis = np.linalg.qr(parameters[: dim * dim].reshape(dim, dim))[0]
            levels = np.exp(np.log(kappa) * np.sin(parameters[dim * dim :]) ** 2)
            return cosine(p, q, (basis * levels) @ basis.T)

        for sign, bound in ((1, low), (-1, high)):
            found = min(
                minimize(lambda x, sign=sign: sign * moved(x), rng.normal(size=dim * dim + dim), method="BFGS").fun
                for _ in range(3)
            )
            assert found >= sign * bound - 1e-12
            assert found == pytest.approx(sign * bound, abs=1e-4)


def test_bounds_are_the_tangent_formula(rng):
    kappa = 3.0
    for angle in (0.05, 0.7, 1.5):
        p, q = np.array([1.0, 0.0]), np.array([np.cos(angle), np.sin(angle)])
        low, high = bounds(p, q, kappa)
        tangent = np.tan(np.pi / 4 + angle / 2)
        assert low == pytest.approx(np.cos(2 * (np.arctan(tangent * np.sqrt(kappa)) - np.pi / 4)), abs=1e-14)
        closest = max(2 * (np.arctan(tangent / np.sqrt(kappa)) - np.pi / 4), 0.0)
        assert high == pytest.approx(np.cos(closest), abs=1e-14)
    clipped = (1 + np.sin(0.7)) / (1 - np.sin(0.7))
    p, q = np.array([1.0, 0.0]), np.array([np.cos(0.7), np.sin(0.7)])
    assert bounds(p, q, clipped * 1.001)[1] == 1
    assert bounds(p, q, clipped * 0.99)[1] < 1


@pytest.mark.parametrize("side", ["low", "high"])
@pytest.mark.parametrize("sides", ["user-item", "users"])
@pytest.mark.parametrize("kappa", [1.0, 2.0, 50.0])
def test_attaining_gauge_makes_the_cosine_the_bound_and_keeps_predictions(rng, side, sides, kappa):
    users, items = rng.normal(size=(5, 4)), rng.normal(size=(6, 4))
    items[0], items[1] = 2 * users[0], -3 * users[0]  # parallel and antiparallel
    pairs = [(p, q) for p in range(5) for q in range(5 if sides == "users" else 6)]
    low, high = cosine_bounds(items, pairs, kappa, users=users, sides=sides)
    for pair, bound in zip(pairs, low if side == "low" else high, strict=True):
        gauge = attaining_gauge(items, pair, kappa, side, users=users, sides=sides)
        moved_items, moved_users = items @ gauge, users @ np.linalg.inv(gauge).T
        first, second = moved_users[pair[0]], (moved_users if sides == "users" else moved_items)[pair[1]]
        assert cosine(first, second) == pytest.approx(bound, abs=1e-12)
        assert np.linalg.cond(gauge @ gauge.T) <= kappa * (1 + 1e-9)
        np.testing.assert_allclose(moved_users @ moved_items.T, users @ items.T, atol=1e-11)


def test_cosines_of_users_have_the_bounds_of_items(rng):
    """M⁻¹ has the condition number of M, so the same theorem holds on the other side, in both groups."""
    users = rng.normal(size=(7, 5))
    pairs = np.stack(np.triu_indices(7, 1), axis=1)
    for group in ("linear", "diagonal"):
        expected = cosine_bounds(users, pairs, 4.0, group)
        found = cosine_bounds(np.eye(5), pairs, 4.0, group, users=users, sides="users")
        assert np.array_equal(found, expected)
    gauge = attaining_gauge(np.eye(5), [0, 1], 4.0, "low", "diagonal", users=users, sides="users")
    moved = users @ np.linalg.inv(gauge).T
    assert cosine(moved[0], moved[1]) == pytest.approx(cosine_bounds(users, [[0, 1]], 4.0, "diagonal")[0][0], abs=1e-12)


@pytest.mark.parametrize("kappa", [1.0, 3.0, 1e12, np.inf])
def test_signs_stay_and_orthogonal_stays_orthogonal(rng, kappa):
    users, items = rng.normal(size=(40, 6)), rng.normal(size=(40, 6))
    items[0], users[0] = [1, 1, 0, 0, 0, 0], [1, -1, 0, 0, 0, 0]
    users[1] = 0
    pairs = np.stack([np.arange(40)] * 2, axis=1)
    low, high = cosine_bounds(items, pairs, kappa, users=users, sides="user-item")
    exact = np.einsum("ij,ij->i", users, items)
    assert (low[:2] == 0).all()
    assert (high[:2] == 0).all()
    assert (low <= high).all()
    positive, negative = exact > 1e-9, exact < -1e-9
    assert (low[positive] >= 0).all()
    assert (high[negative] <= 0).all()
    if np.isfinite(kappa):
        assert (low[positive] > 0).all()
    else:
        assert (low[positive] == 0).all()
        assert (high[positive] == 1).all()
        assert (low[negative] == -1).all()
    mirrored = cosine_bounds(-items, pairs, kappa, users=users, sides="user-item")
    np.testing.assert_allclose(mirrored, (-high, -low), atol=1e-15)


def test_condition_number_one_gives_the_cosine_and_more_only_widens(rng):
    users, items = rng.normal(size=(50, 7)), rng.normal(size=(50, 7))
    pairs = np.stack([np.arange(50)] * 2, axis=1)
    low, high = cosine_bounds(items, pairs, 1.0, users=users, sides="user-item")
    exact = [cosine(p, q) for p, q in zip(users, items, strict=True)]
    np.testing.assert_allclose(low, exact, atol=1e-14)
    np.testing.assert_allclose(high, exact, atol=1e-14)
    for kappa in (1.1, 2.0, 1e3, 1e12):
        wider = cosine_bounds(items, pairs, kappa, users=users, sides="user-item")
        assert (wider[0] <= low + 1e-15).all()
        assert (wider[1] >= high - 1e-15).all()
        low, high = wider
    assert (high[low > 0] > 1 - 1e-9).all()


def test_parallel_vectors_move_unless_there_is_one_component():
    for dim, expected in ((1, 1.0), (3, 2 * 2 / 5)):
        p = np.ones((1, dim))
        low, high = cosine_bounds(2 * p, PAIR, 4.0, users=p, sides="user-item")
        assert low[0] == pytest.approx(expected)
        assert high[0] == pytest.approx(1)


def test_tensors_parts_and_float32(rng):
    torch = pytest.importorskip("torch", reason="the torch extra is not installed")
    users, items = rng.normal(size=(30, 5)).astype(np.float32), rng.normal(size=(40, 5)).astype(np.float32)
    pairs = np.stack([rng.integers(0, 30, 60), rng.integers(0, 40, 60)], axis=1)
    expected = cosine_bounds(items.astype(np.float64), pairs, 5.0, users=users.astype(np.float64), sides="user-item")
    for left, right in (
        (users, items),
        (torch.tensor(users), torch.tensor(items)),
        (LocalParts([users]), LocalParts([items])),
    ):
        found = cosine_bounds(right, pairs, 5.0, users=left, sides="user-item")
        np.testing.assert_allclose(found, expected, atol=1e-14)
    with pytest.raises(InputError, match="bring both to one place"):
        cosine_bounds(items, pairs, 5.0, users=torch.tensor(users), sides="user-item")
