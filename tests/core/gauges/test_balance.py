"""Balance of two tables: the stationarity of a penalty on both factors, invariances, controls, real factors."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from simgauge.core.bounds.cosine_bounds import cosine_bounds
from simgauge.core.gauges.balance import gauge_balance
from simgauge.errors import InputError


def balance_of(users: np.ndarray, items: np.ndarray):
    users, items = users.astype(np.float64), items.astype(np.float64)
    return gauge_balance(users.T @ users, items.T @ items)


def orthogonal(rng: np.random.Generator, k: int) -> np.ndarray:
    return np.linalg.qr(rng.normal(size=(k, k)))[0]


@pytest.fixture
def spectrum(rng):
    left, values, right = np.linalg.svd(rng.normal(size=(60, 40)) * np.geomspace(4, 0.1, 40), full_matrices=False)
    return left[:, :6], values[:6] * np.geomspace(4, 1, 6), right[:6].T


def test_penalised_factors_are_balanced_in_any_rotation_and_scale(spectrum, rng):
    left, values, right = spectrum
    root = np.sqrt(values - 0.5 * values[-1])
    rotation = orthogonal(rng, 6)
    for dtype in (np.float64, np.float32):
        found = balance_of((3 * left * root @ rotation).astype(dtype), (right * root @ rotation).astype(dtype))
        assert found.verdict == "balanced"
        assert found.condition_number == pytest.approx(1, abs=1e-5)
        assert found.scale == pytest.approx(9, rel=1e-5)
        assert found.commutator < 1e-6
        assert found.distance < 1e-6


@pytest.mark.parametrize("strengths", [(0.3, 0.3), (0.9, 0.1)])
def test_converged_alternating_least_squares_balances_by_the_strengths(rng, strengths):
    """The theorem on a loss without closed form: λ_P PᵀP = λ_Q QᵀQ at a stationary point, weights and all."""
    target, weight = rng.normal(size=(30, 4)) @ rng.normal(size=(4, 25)), rng.uniform(0.5, 2, (30, 25))
    users, items = rng.normal(size=(30, 3)), rng.normal(size=(25, 3))

    def half_step(fixed, values, weights, strength):
        gram = np.einsum("ij,jf,jg->ifg", weights, fixed, fixed) + strength * np.eye(3)
        return np.linalg.solve(gram, np.einsum("ij,ij,jf->if", weights, values, fixed)[..., None])[..., 0]

    early = None
    for step in range(3000):
        users = half_step(items, target, weight, strengths[0])
        items = half_step(users, target.T, weight.T, strengths[1])
        early = balance_of(users, items) if step == 0 else early
    found = balance_of(users, items)
    assert found.condition_number == pytest.approx(1, abs=1e-4)
    assert found.scale == pytest.approx(strengths[1] / strengths[0], rel=1e-3)
    assert early.condition_number > 1.1  # control: one sweep is not enough


def test_condition_number_is_that_of_the_balancing_metric(rng):
    """Reference by matrix square roots: M = C_P⁻¹ # C_Q solves M C_P M = C_Q."""
    users, items = rng.normal(size=(2, 50, 5)) * rng.uniform(0.2, 3, (2, 1, 5))
    items = items @ rng.normal(size=(5, 5))
    first, second = users.T @ users, items.T @ items
    root = np.real(sqrtm(first))
    metric = np.linalg.inv(root) @ np.real(sqrtm(root @ second @ root)) @ np.linalg.inv(root)
    assert np.allclose(metric @ first @ metric, second)
    found = gauge_balance(first, second)
    assert found.condition_number == pytest.approx(np.linalg.cond(metric), rel=1e-9)
    assert found.scale == pytest.approx((np.linalg.det(first) / np.linalg.det(second)) ** (1 / 5), rel=1e-9)


def test_condition_number_bounds_the_cosines_in_the_balanced_gauge(rng):
    users, items = rng.normal(size=(40, 4)), rng.normal(size=(12, 4)) @ rng.normal(size=(4, 4))
    found = balance_of(users, items)
    r_users, (qr_items, r_items) = np.linalg.qr(users, mode="r"), np.linalg.qr(items)
    _, values, right = np.linalg.svd(r_users @ r_items.T)
    balanced = qr_items @ right.T * np.sqrt(values)
    pairs = np.stack(np.triu_indices(12, 1), axis=1)
    low, high = cosine_bounds(items, pairs, found.condition_number)
    unit = balanced / np.linalg.norm(balanced, axis=1, keepdims=True)
    cosines = np.einsum("ij,ij->i", unit[pairs[:, 0]], unit[pairs[:, 1]])
    assert (cosines >= low - 1e-9).all()
    assert (cosines <= high + 1e-9).all()


def test_invariant_to_rotation_and_scale_but_not_to_other_gauges(rng):
    users, items = rng.normal(size=(50, 5)), rng.normal(size=(70, 5))
    before = balance_of(users, items)
    turn = orthogonal(rng, 5)
    after = balance_of(7 * users @ turn, items @ turn / 3)
    assert after.condition_number == pytest.approx(before.condition_number, rel=1e-9)
    assert after.commutator == pytest.approx(before.commutator, rel=1e-7)
    assert after.distance == pytest.approx(before.distance, rel=1e-7)
    assert after.scale == pytest.approx(441 * before.scale, rel=1e-9)
    gauge = turn * np.geomspace(1, 3, 5) @ orthogonal(rng, 5)
    moved = balance_of(users @ gauge, items @ np.linalg.inv(gauge).T)
    assert moved.condition_number > 1.5 * before.condition_number


@pytest.mark.parametrize("condition", [1.5, 3.0, 10.0])
def test_a_gauge_away_from_balance_is_seen_at_its_size(spectrum, rng, condition):
    left, values, right = spectrum
    gauge = orthogonal(rng, 6) * np.geomspace(1, condition, 6) @ orthogonal(rng, 6)
    root = np.sqrt(values)
    found = balance_of(left * root @ gauge, right * root @ np.linalg.inv(gauge).T)
    assert found.condition_number == pytest.approx(condition**2, rel=1e-6)
    assert found.verdict == "unbalanced"


def test_spectral_solutions_commute_and_only_eq_2_is_balanced(spectrum, rng):
    left, values, right = spectrum
    shrink, rotation = np.sqrt(1 - 0.1 / values**2), orthogonal(rng, 6)
    users, items = left * values * shrink @ rotation, right * shrink @ rotation  # "weights"
    found = balance_of(users.astype(np.float32), items.astype(np.float32))
    assert found.verdict == "commuting"
    assert found.condition_number == pytest.approx(values[0] / values[-1], rel=1e-3)
    encoder = right * shrink @ rotation
    full_test = balance_of(encoder, items)
    assert full_test.verdict == "balanced"


def test_directions_that_vanish_in_both_tables_do_not_count(spectrum, rng):
    left, values, right = spectrum
    root, rotation = np.sqrt(np.maximum(values - values[3], 0)), orthogonal(rng, 6)
    found = balance_of((left * root @ rotation).astype(np.float32), (right * root @ rotation).astype(np.float32))
    assert found.rank == 3
    assert found.verdict == "balanced"


def test_a_direction_in_one_table_only_is_infinitely_far(rng):
    users, items = rng.normal(size=(2, 50, 4))
    items[:, 2] = 0
    found = balance_of(users, items)
    assert found.condition_number == np.inf
    assert found.verdict == "unbalanced"
    assert np.isnan(found.scale)


def test_real_factors(shared_data):
    """Weakly penalised ALS (regularisation small against its iterations) is far from balance; BPR is near, once its
    bias column is out."""
    als = [np.load(shared_data / "ml-small-als" / f"{side}_factors.npy") for side in ("user", "item")]
    assert balance_of(*als).verdict == "unbalanced"
    bpr = [np.load(shared_data / "ml-100k-bpr" / f"{side}_embeddings.npy") for side in ("user", "item")]
    assert balance_of(*bpr).verdict == "unbalanced"
    assert balance_of(*(table[:, :-1] for table in bpr)).verdict == "near balance"


def test_trained_als_reaches_balance_with_iterations(shared_data):
    als = pytest.importorskip("implicit.als", reason="implicit is not installed")
    sparse = pytest.importorskip("scipy.sparse")
    rating = np.loadtxt(shared_data / "ml-100k" / "u.data", dtype=int)
    liked = rating[rating[:, 2] >= 4]
    likes = sparse.csr_matrix((np.ones(len(liked), np.float32), (liked[:, 0] - 1, liked[:, 1] - 1)))
    found = {}
    for strength, iterations in ((0.05, 5), (10.0, 5), (10.0, 30)):
        model = als.AlternatingLeastSquares(
            factors=16, regularization=strength, iterations=iterations, random_state=1, num_threads=1, use_gpu=False
        )
        model.fit(likes, show_progress=False)
        found[strength, iterations] = balance_of(model.user_factors, model.item_factors)
    assert found[0.05, 5].verdict == "unbalanced"
    assert found[10.0, 5].verdict == "near balance"
    assert found[10.0, 30].verdict == "balanced"


@pytest.mark.parametrize(
    ("users", "items", "message"),
    [
        (np.eye(2), np.eye(3), "same size"),
        (np.ones((2, 3)), np.eye(3), "symmetric"),
        (np.array([[1.0, 1.0], [0.0, 1.0]]), np.eye(2), "symmetric"),
        (-np.eye(2), np.eye(2), "semi-definite"),
        (np.zeros((2, 2)), np.eye(2), "not zero"),
        ([[np.nan]], [[1.0]], "NaN"),
    ],
)
def test_bad_grams(users, items, message):
    with pytest.raises(InputError, match=message):
        gauge_balance(users, items)


def test_the_commutator_is_relative_to_the_largest_there_can_be():
    """‖[C_P, C_Q]‖ / (√2 ‖C_P‖ ‖C_Q‖): one half for two projections at 45 degrees."""
    diagonal = np.diag([1.0, 0.0])
    for angle in (np.pi / 4, 0.3, 0.0):
        direction = np.array([np.cos(angle), np.sin(angle)])
        found = gauge_balance(7 * diagonal, 3 * np.outer(direction, direction))
        assert found.commutator == pytest.approx(abs(np.sin(2 * angle)) / 2, abs=1e-15)
        assert found.distance == pytest.approx(np.sqrt(1 - np.cos(angle) ** 4), abs=1e-12)
