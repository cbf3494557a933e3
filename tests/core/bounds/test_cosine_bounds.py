"""Bounds of the cosine: theorems, slow references (all corners, multi-start optimisation, random metrics), controls."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import minimize

from simgauge.core.bounds.attaining_gauge import attaining_gauge
from simgauge.core.bounds.cosine_bounds import cosine_bounds
from simgauge.core.bounds.diagonal import diagonal_bounds
from simgauge.errors import InputError, ParameterError

ROUNDING = 1e-12  # float64, at most 16 terms, condition numbers up to 100
KAPPAS = (1.0, 1.5, 10.0, 1e3)
PAIR = np.array([[0, 1]])


def cosine(x: np.ndarray, y: np.ndarray, metric: np.ndarray | None = None) -> float:
    metric = np.eye(len(x)) if metric is None else metric
    return float(x @ metric @ y / np.sqrt((x @ metric @ x) * (y @ metric @ y)))


def corner_cosines(x: np.ndarray, y: np.ndarray, kappa: float) -> np.ndarray:
    corners = np.array(list(itertools.product([1.0, kappa], repeat=len(x))))
    return (corners @ (x * y)) / np.sqrt((corners @ (x * x)) * (corners @ (y * y)))


def optimised(x: np.ndarray, y: np.ndarray, kappa: float, sign: float, rng: np.random.Generator) -> float:
    """Multi-start L-BFGS over log d in its box: the largest sign·cosine found, with d = 1 or κ among the starts."""

    def loss(t: np.ndarray) -> tuple[float, np.ndarray]:
        d = np.exp(t)
        a, c, m = d * x * x, d * y * y, d * x * y
        value = m.sum() / np.sqrt(a.sum() * c.sum())
        slope = m / np.sqrt(a.sum() * c.sum()) - value * 0.5 * (a / a.sum() + c / c.sum())
        return -sign * value, -sign * slope

    top = np.log(kappa)
    starts = [rng.uniform(0, top, len(x)) for _ in range(4)] + [rng.integers(0, 2, len(x)) * top for _ in range(4)]
    options = {"ftol": 1e-15, "gtol": 1e-12, "maxiter": 2000}
    return max(
        -minimize(loss, s, jac=True, bounds=[(0, top)] * len(x), method="L-BFGS-B", options=options).fun for s in starts
    )


def kinds_of_pairs(rng: np.random.Generator, k: int) -> list[tuple[np.ndarray, np.ndarray]]:
    x, y = rng.normal(size=(2, k))
    sparse = (x * rng.integers(0, 2, k), y * rng.integers(0, 2, k))
    small_integers = tuple(rng.integers(-2, 3, (2, k)).astype(float))
    near = (x, x + 0.1 * y)
    pairs = [(x, y), (abs(x), abs(y)), (abs(x), -abs(y)), sparse, small_integers, near]
    return [(first, second) for first, second in pairs if first.any() and second.any()]


@pytest.mark.parametrize("kappa", KAPPAS)
def test_positive_maximum_equals_the_best_of_all_corners(rng, kappa):
    checked = 0
    for k in [1, 2, 3, 5, 8, 10] * 2:
        for x, y in kinds_of_pairs(rng, k):
            (low,), (high,) = cosine_bounds([x, y], PAIR, kappa, "diagonal")
            corners, product = corner_cosines(x, y, kappa), x * y
            assert low <= corners.min() + ROUNDING
            assert high >= corners.max() - ROUNDING
            if np.where(product > 0, kappa * product, product).sum() > 1e-9:
                assert high == pytest.approx(corners.max(), abs=ROUNDING)
                checked += 1
            if np.where(product < 0, kappa * product, product).sum() < -1e-9:
                assert low == pytest.approx(corners.min(), abs=ROUNDING)
    assert checked > 20


@pytest.mark.parametrize("kappa", [1.5, 10.0, 1e3])
def test_optimisation_reaches_the_diagonal_bounds_and_never_passes_them(rng, kappa):
    for k in (2, 5, 12):
        for x, y in kinds_of_pairs(rng, k):
            (low,), (high,) = cosine_bounds([x, y], PAIR, kappa, "diagonal")
            found_high, found_low = optimised(x, y, kappa, 1.0, rng), -optimised(x, y, kappa, -1.0, rng)
            assert found_high <= high + ROUNDING
            assert found_low >= low - ROUNDING
            assert found_high == pytest.approx(high, abs=1e-6)
            assert found_low == pytest.approx(low, abs=1e-6)


def test_minimum_of_equal_signs_is_not_at_a_corner_in_general(rng):
    """Control: the corners alone would overstate the minimum, so the convex search is needed."""
    gaps = []
    for _ in range(20):
        x, y = abs(rng.normal(size=(2, 6)))
        (low,), _ = cosine_bounds([x, y], PAIR, 3.0, "diagonal")
        gaps.append(corner_cosines(x, y, 3.0).min() - low)
    assert min(gaps) >= -ROUNDING
    assert max(gaps) > 1e-3


@pytest.mark.parametrize("kappa", [1.5, 10.0, 1000.0])
def test_minimum_in_the_plane_is_that_of_all_ratios_of_two_weights(rng, kappa):
    """Rows of positive entries with ratios far apart: there the whole window of axes is entered before any is left."""
    ratios = kappa ** np.linspace(-1, 1, 20_001)
    for x, y in np.exp(2 * rng.normal(size=(60, 2, 2))):
        low, _ = cosine_bounds(np.stack([x, y]), [[0, 1]], kappa, group="diagonal")
        dot, xx, yy = (u[0] * v[0] + ratios * u[1] * v[1] for u, v in ((x, y), (x, x), (y, y)))
        reference = (dot / np.sqrt(xx * yy)).min()
        assert low[0] <= reference + 1e-12
        assert low[0] == pytest.approx(reference, rel=1e-6)


def test_minimum_against_a_fine_search_over_the_one_parameter_form(rng):
    """1 / min over s of max over d of Σd(s·a + c/s) / (2Σdm), with a dense grid of s, refined."""
    kappa = 20.0
    for _ in range(10):
        x, y = abs(rng.normal(size=(2, 30)))
        (low,), _ = cosine_bounds([x, y], PAIR, kappa, "diagonal")
        a, c, m = x * x, y * y, x * y

        def inner(s, a=a, c=c, m=m):
            cost = s[:, None] * a + c / s[:, None]
            order = np.argsort(-cost / m, axis=1)
            cost, weight = (
                np.take_along_axis(cost, order, 1),
                np.take_along_axis(np.broadcast_to(m, cost.shape), order, 1),
            )
            top = kappa * np.cumsum(cost, 1) + cost.sum(1, keepdims=True) - np.cumsum(cost, 1)
            below = kappa * np.cumsum(weight, 1) + weight.sum(1, keepdims=True) - np.cumsum(weight, 1)
            return (top / below / 2).max(axis=1)

        left, right = 0.01, 100.0
        for _ in range(6):
            grid = np.geomspace(left, right, 401)
            best = int(inner(grid).argmin())
            left, right = grid[max(best - 1, 0)], grid[min(best + 1, 400)]
        assert low == pytest.approx(1 / inner(grid).min(), abs=1e-9)


@pytest.mark.parametrize("group", ["linear", "diagonal"])
@pytest.mark.parametrize("side", ["low", "high"])
def test_attaining_gauge_makes_the_cosine_the_bound_and_keeps_predictions(rng, group, side):
    items, users, kappa = rng.normal(size=(6, 5)), rng.normal(size=(4, 5)), 7.0
    pairs = np.stack(np.triu_indices(6, 1), axis=1)
    low, high = cosine_bounds(items, pairs, kappa, group)
    bound = low if side == "low" else high
    for pair, expected in zip(pairs, bound, strict=True):
        gauge = attaining_gauge(items, pair, kappa, side, group)
        moved, moved_users = items @ gauge, users @ np.linalg.inv(gauge).T
        assert cosine(*moved[pair]) == pytest.approx(expected, abs=ROUNDING)
        assert np.linalg.cond(gauge @ gauge.T) <= kappa * (1 + 1e-9)
        assert np.allclose(moved_users @ moved.T, users @ items.T, atol=1e-11)


@pytest.mark.parametrize("kappa", [1.5, 9.0, 400.0])
def test_random_metrics_never_pass_the_linear_bound(rng, kappa):
    for k in (2, 3, 8):
        x, y = rng.normal(size=(2, k))
        (low,), (high,) = cosine_bounds([x, y], PAIR, kappa)
        reached = []
        for _ in range(300):
            basis = np.linalg.qr(rng.normal(size=(k, k)))[0]
            levels = kappa ** rng.choice([0.0, 1.0, rng.random()], size=k)
            reached.append(cosine(x, y, basis * levels @ basis.T))
        assert low - ROUNDING <= min(reached)
        assert max(reached) <= high + ROUNDING
        if k == 2:  # in two dimensions random metrics come close, so the test above can fail
            assert high - max(reached) < 0.1 * (high - low)
            assert min(reached) - low < 0.1 * (high - low)


def test_linear_bound_is_the_half_angle_formula():
    x, angle, kappa = np.array([1.0, 0.0]), 1.1, 5.0
    y = np.array([np.cos(angle), np.sin(angle)])
    low, high = cosine_bounds([x, y], PAIR, kappa)
    assert low[0] == pytest.approx(np.cos(2 * np.arctan(np.tan(angle / 2) * np.sqrt(kappa))), abs=1e-15)
    assert high[0] == pytest.approx(np.cos(2 * np.arctan(np.tan(angle / 2) / np.sqrt(kappa))), abs=1e-15)


@pytest.mark.parametrize("angle", [1e-3, 1e-6, 1e-7])
def test_small_angles_keep_their_relative_accuracy(angle):
    """1 − cos is t²/(1 + t²)·2 with t = tan(φ/2)·√κ; the arc cosine of the cosine would lose φ = 1e-7 altogether."""
    rows = np.array([[1.0, 0.0], [np.cos(angle), np.sin(angle)]])
    low, _ = cosine_bounds(rows, PAIR, 1e8)
    t = np.tan(angle / 2) * 1e4
    assert 1 - low[0] == pytest.approx(2 * t * t / (1 + t * t), rel=1e-6)


vectors = hnp.arrays(
    np.float64, st.tuples(st.just(2), st.integers(1, 7)), elements=st.floats(-10, 10).map(lambda v: round(v, 2))
)


@settings(max_examples=60, deadline=None)
@given(vectors, st.floats(1, 1e4), st.floats(1, 1e4))
def test_laws(rows, first, second):
    """Bounds contain the cosine, grow with κ, are attained, diagonal lies within linear, and rows may be rescaled."""
    smaller, larger = sorted((first, second))
    tolerance = 1e-10  # κ up to 1e4
    bounds = {}
    for group in ("linear", "diagonal"):
        low, high, _, _ = cosine_bounds(rows, PAIR, smaller, group, return_metric=True)
        wider_low, wider_high = cosine_bounds(rows, PAIR, larger, group)
        exact = cosine(*rows) if rows.any(axis=1).all() else 0.0
        assert low[0] - tolerance <= exact <= high[0] + tolerance
        assert wider_low[0] <= low[0] + tolerance
        assert wider_high[0] >= high[0] - tolerance
        scaled = cosine_bounds(rows * [[1e-3], [50.0]], PAIR, smaller, group)
        assert np.allclose(scaled, (low, high), atol=tolerance)
        limit_low, limit_high = cosine_bounds(rows, PAIR, np.inf, group)
        assert limit_low[0] <= wider_low[0] + tolerance
        assert limit_high[0] >= wider_high[0] - tolerance
        bounds[group] = (low[0], high[0])
    assert bounds["linear"][0] <= bounds["diagonal"][0] + tolerance
    assert bounds["linear"][1] >= bounds["diagonal"][1] - tolerance


@settings(max_examples=50, deadline=None)
@given(vectors, st.floats(1, 1e4))
def test_swapping_and_negating_mirror_the_bounds(rows, kappa):
    for group in ("linear", "diagonal"):
        low, high = cosine_bounds(rows, PAIR, kappa, group)
        swapped = cosine_bounds(rows, PAIR[:, ::-1], kappa, group)
        mirrored = cosine_bounds(rows * [[1.0], [-1.0]], PAIR, kappa, group)
        assert np.allclose(swapped, (low, high), atol=1e-10)
        assert np.allclose(mirrored, (-high, -low), atol=1e-10)


@pytest.mark.parametrize("group", ["linear", "diagonal"])
def test_condition_number_one_gives_the_cosine_twice(rng, group):
    rows = rng.normal(size=(50, 12))
    pairs = rng.integers(0, 50, (200, 2))
    low, high = cosine_bounds(rows, pairs, 1.0, group)
    expected = [cosine(rows[i], rows[j]) for i, j in pairs]
    assert np.allclose(low, expected, atol=1e-14)
    assert np.array_equal(low, high)


def test_unbounded_mixed_signs_and_cassels():
    rows = np.array([[1.0, 2.0, 4.0], [2.0, 2.0, 1.0], [2.0, -2.0, 1.0]])
    low, high = cosine_bounds(rows, [[0, 1], [0, 2]], np.inf, "diagonal")
    ratios = rows[0] / rows[1]
    assert low[0] == pytest.approx(2 * np.sqrt(ratios.min() * ratios.max()) / (ratios.min() + ratios.max()))
    assert high[0] == 1
    assert (low[1], high[1]) == (-1, 1)
    assert np.array_equal(cosine_bounds(rows, [[0, 1]], np.inf), [[-1], [1]])


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        ([1, 0, 2], [3, 0, 1], "cassels"),  # an axis where both are zero does not count
        ([1, 0, 2], [3, 1, 1], (0, 1)),  # an axis where one is zero can be made to dominate
        ([1, 0, 2], [-3, 1, -1], (-1, 0)),
        ([1, 0], [0, 1], (0, 0)),  # disjoint supports stay orthogonal
        ([1, 0, 1], [1, 1, -1], (-1, 1)),
        ([0, 0], [1, 1], (0, 0)),  # zero vector: defined as 0
    ],
)
def test_zero_entries_under_unbounded_diagonal_metrics(x, y, expected):
    rows = np.array([x, y], dtype=float)
    (low,), (high,) = cosine_bounds(rows, PAIR, np.inf, "diagonal")
    if expected == "cassels":
        expected = (2 * np.sqrt(2 / 3) / (1 / 3 + 2), 1)
    assert (low, high) == pytest.approx(expected, abs=1e-15)
    far = cosine_bounds(rows, PAIR, 1e12, "diagonal")
    assert np.ravel(far) == pytest.approx(expected, abs=1e-5)  # the limit, not only a limit from one side


@pytest.mark.parametrize("group", ["linear", "diagonal"])
@pytest.mark.parametrize("kappa", [1.0, 50.0, np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_parallel_vectors_and_zero_vectors_stay(rng, group, kappa, dtype):
    x = rng.normal(size=9)
    rows = np.stack([x, 3 * x, -7 * x, 0 * x]).astype(dtype)
    low, high = cosine_bounds(rows, [[0, 1], [0, 2], [0, 3], [3, 3], [1, 1]], kappa, group)
    tolerance = 1e-10 if dtype is np.float32 else 1e-14  # 3x is rounded to the dtype of the table
    assert low == pytest.approx([1, -1, 0, 0, 1], abs=tolerance)
    assert high == pytest.approx([1, -1, 0, 0, 1], abs=tolerance)


def test_float32_agrees_with_float64_of_the_same_numbers(rng):
    rows = rng.normal(size=(30, 16)).astype(np.float32)
    pairs = rng.integers(0, 30, (100, 2))
    for group in ("linear", "diagonal"):
        single, double = (cosine_bounds(t, pairs, 10.0, group) for t in (rows, rows.astype(np.float64)))
        assert single[0].dtype == np.float64
        assert np.array_equal(single, double)


def test_many_pairs_over_several_blocks_equal_one_by_one(rng, monkeypatch):
    monkeypatch.setattr("simgauge.core.bounds.cosine_bounds.ENTRIES_PER_BLOCK", 64)
    rows = rng.normal(size=(20, 8))
    rows[::3] = abs(rows[::3])
    rows[4] = 0
    pairs = rng.integers(0, 20, (100, 2))
    for group in ("linear", "diagonal"):
        together = cosine_bounds(rows, pairs, 30.0, group, return_metric=True)
        for i, pair in enumerate(pairs):
            alone = cosine_bounds(rows, [pair], 30.0, group, return_metric=True)
            for whole, part in zip(together, alone, strict=True):
                assert whole[i] == pytest.approx(part[0], abs=1e-12)


def test_extreme_ratios_and_condition_numbers_stay_finite(rng):
    rows = rng.normal(size=(40, 6)) * 10.0 ** rng.integers(-150, 150, (40, 6))
    pairs = rng.integers(0, 40, (200, 2))
    for group in ("linear", "diagonal"):
        for kappa in (1e16, 1e300):
            low, high = cosine_bounds(rows, pairs, kappa, group)
            assert np.isfinite(low).all()
            assert (low <= high + 1e-12).all()
            assert (abs(np.stack([low, high])) <= 1).all()


def test_metrics_lie_in_the_box(rng):
    x, y = rng.normal(size=(2, 300, 9))
    x, y = (t / np.linalg.norm(t, axis=1, keepdims=True) for t in (x, y))
    for part in diagonal_bounds(abs(x), abs(y), 17.0)[2:] + diagonal_bounds(x, y, 17.0)[2:]:
        assert part.min() >= 1
        assert part.max() <= 17


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([[0, 2]], "0..1"),
        ([[-1, 0]], "0..1"),
        ([0, 1], "shape"),
        ([[0.0, 1.0]], "integers"),
        ([["a", "b"]], "integers"),
    ],
)
def test_bad_pairs(pairs, message):
    with pytest.raises(InputError, match=message):
        cosine_bounds(np.eye(2), pairs, 2.0)


@pytest.mark.parametrize("kappa", [0.5, -1, np.nan, None, "many"])
def test_bad_condition_number(kappa):
    with pytest.raises(ParameterError, match="expected a number >= 1"):
        cosine_bounds(np.eye(2), PAIR, kappa)


def test_other_bad_input():
    with pytest.raises(ParameterError, match="'linear', 'diagonal'"):
        cosine_bounds(np.eye(2), PAIR, 2.0, "orthogonal")
    with pytest.raises(ParameterError, match="approached"):
        cosine_bounds(np.eye(2), PAIR, np.inf, return_metric=True)
    with pytest.raises(ParameterError, match="'low', 'high'"):
        attaining_gauge(np.eye(2), [0, 1], 2.0, "left")
    with pytest.raises(InputError, match="two row indices"):
        attaining_gauge(np.eye(2), [0, 1, 1], 2.0)
    with pytest.raises(InputError, match="NaN"):
        cosine_bounds([[1.0, np.nan]], [[0, 0]], 2.0)
    for sides in ("users", "user-item"):
        with pytest.raises(InputError, match="pass the user vectors too"):
            cosine_bounds(np.eye(2), PAIR, 2.0, sides=sides)
    with pytest.raises(ParameterError, match="'items', 'users', 'user-item'"):
        cosine_bounds(np.eye(2), PAIR, 2.0, users=np.eye(2), sides="both")
    with pytest.raises(ParameterError, match="group='linear' only"):
        cosine_bounds(np.eye(2), PAIR, 2.0, "diagonal", users=np.eye(2), sides="user-item")
    with pytest.raises(InputError, match="users have 3 components, items 2"):
        cosine_bounds(np.eye(2), PAIR, 2.0, users=np.eye(3), sides="user-item")
    with pytest.raises(InputError, match=r"0\.\.1; received 4\.\.4"):
        cosine_bounds(np.eye(2), [[1, 4]], 2.0, users=np.ones((9, 2)), sides="user-item")
    with pytest.raises(InputError, match=r"0\.\.1; received 4\.\.4"):
        cosine_bounds(np.ones((9, 2)), [[4, 1]], 2.0, users=np.eye(2), sides="user-item")
    low, high = cosine_bounds(np.eye(2), [], 2.0)
    assert low.shape == high.shape == (0,)
