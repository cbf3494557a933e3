"""Swap thresholds: exact against constrained optimisation and brute force, attained by the tying gauge, degenerate
triples."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar

from simgauge.core.bounds.cosine_bounds import cosine_bounds
from simgauge.core.bounds.swap import swap_threshold, tying_gauge
from simgauge.core.bounds.swap_roots import Triples, least_thresholds, swap_thresholds
from simgauge.errors import InputError

EPS = float(np.finfo(np.float64).eps)


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def cosines(rows: np.ndarray, metric: np.ndarray) -> np.ndarray:
    """Of the first row with the others under a metric."""
    lengths = np.sqrt(np.einsum("ij,jk,ik->i", rows, metric, rows))
    return (rows[1:] @ metric @ rows[0]) / lengths[1:] / lengths[0]


def nearer_first(rows: np.ndarray) -> np.ndarray:
    x, y, z = unit(rows)
    return rows if x @ y >= x @ z else rows[[0, 2, 1]]


def random_triple(rng: np.random.Generator, dim: int) -> np.ndarray:
    x, y, z = rng.normal(size=(3, dim))
    kind = rng.integers(5)
    if kind == 1:
        y = x + 0.2 * y
    elif kind == 2:
        y, z = x + 0.3 * y, x + 0.5 * z
    elif kind == 3:
        z = -y + 0.3 * z
    elif kind == 4:
        z = y + 0.3 * z
    return nearer_first(np.stack([x, y, z]))


def optimised(rows: np.ndarray, rng: np.random.Generator, starts: int = 3) -> float:
    """Smallest condition number under which the rows tie, by constrained optimisation over all metrics.

    Q diag(exp(L sin²u)) Qᵀ with Q from the QR decomposition of any matrix is every metric up to scale; L, the logarithm
    of the condition number, is minimised, and the tie is an equality constraint.
    """
    dim = rows.shape[1]

    def tie(parameters: np.ndarray) -> float:
        basis = np.linalg.qr(parameters[: dim * dim].reshape(dim, dim))[0]
        levels = np.exp(parameters[-1] * np.sin(parameters[dim * dim : -1]) ** 2)
        near, far = cosines(rows, basis * levels @ basis.T)
        return float(near - far)

    def log_condition(parameters: np.ndarray) -> float:
        return float(parameters[-1])

    best = np.inf
    for _ in range(starts):
        start = np.append(rng.normal(size=dim * dim + dim), rng.uniform(0.5, 4))
        found = minimize(log_condition, start, method="SLSQP", bounds=[(None, None)] * (len(start) - 1) + [(0, 12)],
                         constraints={"type": "eq", "fun": tie}, options={"maxiter": 200, "ftol": 1e-13})  # fmt: skip
        if abs(tie(found.x)) < 1e-9:
            best = min(best, found.fun)
    return float(np.exp(best))


@pytest.mark.parametrize("dim", [2, 3, 4, 6, 8])
def test_optimisation_over_all_metrics_reaches_the_threshold_and_never_passes_it(rng, dim):
    reached = []
    for _ in range(5 if dim < 6 else 2):
        rows = random_triple(rng, dim)
        (threshold,) = swap_threshold(rows, [[0, 1, 2]])
        if np.isinf(threshold) or threshold > 1e3:
            continue
        found = optimised(rows, rng)
        assert np.log(found) >= np.log(threshold) - 1e-6  # SLSQP ends within 1e-9 of the constraint
        reached.append(np.log(found) / np.log(threshold) - 1)
    assert min(reached) < 1e-6  # other searches end in a local minimum above it


def brute_force_in_the_plane(rows: np.ndarray) -> float:
    """All 2 x 2 metrics up to scale: the angle of the first axis on a grid, refined; κ for each angle by bisection."""

    def least_kappa(angle: float) -> float:
        axis = np.array([np.cos(angle), np.sin(angle)])

        def ahead(log_kappa: float) -> float:
            near, far = cosines(rows, np.eye(2) + np.expm1(log_kappa) * np.outer(axis, axis))
            return near - far

        grid = np.linspace(0, 12, 121)
        values = np.array([ahead(point) for point in grid])
        behind = np.flatnonzero(values < 0)
        if not len(behind):
            return np.inf
        low, high = grid[behind[0] - 1], grid[behind[0]]
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (middle, high) if ahead(middle) >= 0 else (low, middle)
        return float(high)

    angles = np.linspace(0, np.pi, 91)
    values = [least_kappa(angle) for angle in angles]
    best = angles[int(np.argmin(values))]
    if not np.isfinite(min(values)):
        return np.inf
    found = minimize_scalar(least_kappa, bounds=(best - 0.04, best + 0.04), method="bounded", options={"xatol": 1e-10})
    return float(np.exp(min(found.fun, *values)))


def test_in_the_plane_the_threshold_is_that_of_brute_force_over_all_metrics(rng):
    """G = 0 there: h is 0/0 at its peak where x lies between y and z, and nothing swaps on one side of x."""
    finite = 0
    for degrees in [(20, -50), (20, 50), (80, -100), (5, -170), (100, -120), (60, -60.5)]:
        angles = np.radians([0, *degrees])
        rows = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        (threshold,) = swap_threshold(rows, [[0, 1, 2]])
        expected = brute_force_in_the_plane(rows)
        if np.isinf(expected) or threshold > np.exp(12):
            assert threshold > np.exp(11.9) or np.isinf(threshold)
        else:
            assert threshold == pytest.approx(expected, rel=1e-6)
            finite += 1
        assert np.isinf(threshold) == (degrees[1] > 0)
    assert finite >= 4


@pytest.mark.parametrize("lift", [1e-1, 1e-2, 1e-4, 1e-6, 1e-8, 1e-12, 0.0])
@pytest.mark.parametrize(("y", "z"), [(40.0, -70.0), (40.0, 70.0), (80.0, -100.0), (3.0, -3.5)])
def test_thresholds_are_continuous_down_to_coplanar_triples(lift, y, z):
    """z leaves the plane of x and y by an angle `lift`; residuals in long double are the reference."""
    angles = np.radians([y, z])
    rows = np.array(
        [
            [1.0, 0, 0],
            [np.cos(angles[0]), np.sin(angles[0]), 0],
            [np.cos(angles[1]), np.sin(angles[1]) * np.cos(lift), np.sin(angles[1]) * np.sin(lift)],
        ]
    )
    (threshold,) = swap_threshold(rows, [[0, 1, 2]])
    same_side = z > 0
    if lift == 0:
        if same_side:
            assert np.isinf(threshold)
            return
        sinh = (1 / np.tan(angles[0]) - 1 / np.tan(-angles[1])) / 2  # of half the logarithm of κ°
        assert threshold == pytest.approx(np.exp(2 * np.arcsinh(sinh)), rel=1e-9)
        return
    reference = longdouble_threshold(rows)
    assert threshold == pytest.approx(reference, rel=1e-6 if lift < 1e-7 else 1e-9)


def longdouble_threshold(rows: np.ndarray) -> float:
    x, y, z = rows.astype(np.longdouble)
    x, y, z = x / np.sqrt(x @ x), y / np.sqrt(y @ y), z / np.sqrt(z @ z)
    a, b = x @ y, x @ z
    p, q = y - a * x, z - b * x
    Y, Z = p @ p, q @ q
    rest = q - (p @ q) / Y * p
    G = Y * (rest @ rest)

    def h(log_r: np.ndarray) -> np.ndarray:
        r = np.exp(log_r)[:, None]
        w, v = y - r * z, p + r * q
        return 4 * r[:, 0] ** 2 * G / ((v * v).sum(axis=1) * (w * w).sum(axis=1))

    ends = np.array([np.longdouble(0), np.log(Y / Z) / 2])
    best = np.longdouble(0)
    for centre in ends:
        width = np.longdouble(abs(ends[1] - ends[0]) + 1e-3)
        for _ in range(14):
            grid = centre + width * np.linspace(-1, 1, 401).astype(np.longdouble)
            values = h(grid)
            centre, width = grid[int(np.argmax(values))], width / 20
            best = max(best, values.max())
    slant = np.sqrt(np.maximum(1 - best, 0))
    return float((1 + slant) ** 2 / best)


@pytest.mark.parametrize("dim", [2, 3, 5, 8])
def test_the_tying_gauge_ties_to_rounding_and_has_the_threshold_as_condition_number(rng, dim):
    tied = 0
    for _ in range(200):
        rows = random_triple(rng, dim)
        (threshold,) = swap_threshold(rows, [[0, 1, 2]])
        if np.isinf(threshold) or threshold > 1e6:
            continue
        gauge = tying_gauge(rows, [0, 1, 2])
        metric = gauge @ gauge.T
        near, far = cosines(rows, metric)
        assert abs(near - far) <= 200 * EPS * threshold
        assert np.linalg.cond(metric) == pytest.approx(threshold, rel=200 * EPS * threshold)
        beyond = np.eye(dim) + (np.linalg.cond(metric) * 1.001 - 1) * stretched(gauge)
        near, far = cosines(rows, beyond)
        assert far > near - 1e-12  # a little more of the same swaps them, as long as the tie is crossed and not touched
        users = rng.normal(size=(4, dim))
        np.testing.assert_allclose(users @ np.linalg.inv(gauge).T @ (rows @ gauge).T, users @ rows.T, atol=1e-7)
        assert np.array_equal(tying_gauge(rows, [0, 2, 1]), gauge)  # which of the two is nearer does not matter
        tied += 1
    assert tied > 40


def stretched(gauge: np.ndarray) -> np.ndarray:
    _, axes = np.linalg.eigh(gauge)
    return np.outer(axes[:, -1], axes[:, -1])


def test_no_metric_below_the_threshold_swaps_and_random_ones_above_do(rng):
    swapped = 0
    for _ in range(60):
        dim = int(rng.integers(2, 6))
        rows = random_triple(rng, dim)
        (threshold,) = swap_threshold(rows, [[0, 1, 2]])
        kappa = min(threshold * (1 - 1e-9), 1e8)
        for _ in range(60):
            axis = unit(rng.normal(size=dim))
            basis = np.linalg.qr(rng.normal(size=(dim, dim)))[0]
            levels = kappa ** rng.choice([0.0, 1.0, rng.random()], size=dim)
            for metric in (np.eye(dim) + (kappa - 1) * np.outer(axis, axis), (basis * levels) @ basis.T):
                near, far = cosines(rows, metric)
                assert near >= far - 1e-12
            if threshold < 1e4:
                far_metric = np.eye(dim) + (threshold * 30 - 1) * np.outer(axis, axis)
                near, far = cosines(rows, far_metric)
                swapped += near < far
    assert swapped > 100  # control: the attacks find swaps where they exist


def test_threshold_lies_above_the_ratio_of_tangents_and_the_bound_without_roots(rng):
    """Both are lower bounds: the first says which rows to look at, the second for which of them roots are sought."""
    near, far = np.sort(np.tan(rng.uniform(1e-6, np.pi - 1e-6, (2, 20_000)) / 2), axis=0)
    apart = np.concatenate([rng.uniform(0, 2, 10_000), 10.0 ** rng.uniform(-16, 0, 10_000)])
    triples = Triples(near, far, apart, 2 - apart)
    thresholds = swap_thresholds(triples)[0]
    room = 1 + 1e-12
    assert (least_thresholds(triples) <= thresholds * room).all()
    assert (far / near <= thresholds * room).all()
    assert np.median(np.log(thresholds) / np.log(far / near)) > 1.2  # control: the ratio is far from sharp


def test_thresholds_are_those_of_all_roots_of_the_quartic(rng):
    """Reference: every positive root by eigenvalues of companion matrices, and the best of them and of both ends."""
    for _ in range(400):
        x, y, z = unit(random_triple(rng, 3))
        a, b, c = x @ y, x @ z, y @ z
        Y, Z, C = 1 - a * a, 1 - b * b, c - a * b
        G = Y * Z - C * C
        if a - b < 1e-3 or G < 1e-6:
            continue
        roots = np.roots([Z, C - c * Z, 0, -(C - c * Y), -Y])
        r = np.append(roots[(abs(roots.imag) < 1e-9) & (roots.real > 0)].real, [1.0, np.sqrt(Y / Z)])
        h = (4 * r * r * G / ((1 - 2 * c * r + r * r) * (Y + 2 * r * C + r * r * Z))).max()
        slant = np.sqrt(1 - h)
        (found,) = swap_threshold(np.stack([x, y, z]), [[0, 1, 2]])
        assert found == pytest.approx((1 + slant) / (1 - slant), rel=1e-8)


def test_two_local_maxima_are_both_looked_at():
    """Tiny angles on opposite sides: the peaks at r = 1 and at the ratio of the sines compete; each wins somewhere."""
    won = set()
    for lift in 10.0 ** np.linspace(-6, 0, 25):
        y, z = 1e-3, 4e-3
        turn = np.pi + lift
        rows = np.array([[0.0, 0, 1], [y, 0, 1], [z * np.cos(turn), z * np.sin(turn), 1]])
        (found,) = swap_threshold(rows, [[0, 1, 2]])
        reference = longdouble_threshold(rows)
        assert found == pytest.approx(reference, rel=1e-7)
        triples = Triples(*(np.array([value]) for value in (y / 2, z / 2, 1 - np.cos(turn), 1 + np.cos(turn))))
        ratio = swap_thresholds(triples)[1][0]
        won.add(bool(abs(ratio - 1) < 0.1))
    assert won == {True, False}


def test_degenerate_triples():
    x = np.array([1.0, 2.0, -1.0])
    y, z = np.array([1.0, 1.0, 0.0]), np.array([0.0, 1.0, 3.0])
    table = np.stack([x, y, z, 2 * x, -x, 0 * x, 5 * y, -y])
    expected = {
        (0, 1, 1): 1, (0, 1, 6): 1,  # equal rows
        (0, 3, 1): np.inf, (0, 3, 3): 1,  # y in the direction of x keeps cosine 1
        (0, 1, 4): np.inf, (0, 4, 4): 1,  # z opposite to x keeps cosine −1
        (0, 2, 1): 1,  # z is nearer already
        (5, 1, 2): 1,  # a zero centre has cosine 0 with both
        (0, 5, 5): 1,
    }  # fmt: skip
    for triple, threshold in expected.items():
        assert swap_threshold(table, [triple])[0] == threshold, f"{triple}"
    a = y @ x / np.linalg.norm(x) / np.linalg.norm(y)
    assert swap_threshold(table, [(0, 1, 7)])[0] == pytest.approx((1 + a) / (1 - a))  # z = −y
    with pytest.raises(InputError, match="no metric makes rows 3 and 1 equally near to row 0"):
        tying_gauge(table, [0, 3, 1])
    assert np.array_equal(tying_gauge(table, [0, 1, 6]), np.eye(3))


@pytest.mark.parametrize("dim", [3, 64, 768])
@pytest.mark.parametrize("distance", [1.0, 1e-7])
def test_equal_directions_tie_whatever_rounding_makes_of_them(rng, dim, distance):
    """Rows that differ in length alone: after normalising, either may seem nearer by an ulp, with γ = 1 and κ° = ∞."""
    x, y = rng.normal(size=(2, 200, dim))
    y = x + distance * y
    rows = np.stack([x, y, y * rng.uniform(0.01, 50, (200, 1))], axis=1).reshape(-1, dim)
    triples = np.arange(600).reshape(200, 3)
    assert (swap_threshold(rows, triples) == 1).all()
    assert (swap_threshold(rows, triples[:, [0, 2, 1]]) == 1).all()
    farther = rows.copy()
    farther[2::3] += 0.01 * rng.normal(size=(200, dim))
    assert (swap_threshold(farther, triples) != 1).any()  # control: other directions do not tie


def test_a_zero_vector_keeps_cosine_zero_so_the_other_angle_moves_to_it(rng):
    x, y = np.array([1.0, 0.0, 0.0]), np.array([1.0, 0.5, 0.2])
    table = np.stack([x, y, 0 * x, -y])
    (loses,) = swap_threshold(table, [[0, 1, 2]])
    low, _ = cosine_bounds(table, [[0, 1]], loses)
    assert low[0] == pytest.approx(0, abs=1e-12)
    (gains,) = swap_threshold(table, [[0, 2, 3]])
    _, high = cosine_bounds(table, [[0, 3]], gains)
    assert high[0] == pytest.approx(0, abs=1e-12)
    for triple in ([0, 1, 2], [0, 2, 3]):
        gauge = tying_gauge(table, triple)
        moved = table[[0, 1]] @ gauge
        assert moved[0] @ moved[1] == pytest.approx(0, abs=1e-12)


def test_lengths_rotations_and_order_do_not_matter(rng):
    rows = rng.normal(size=(9, 6))
    triples = np.array(list(itertools.permutations(range(9), 3)))
    expected = swap_threshold(rows, triples)
    turned = rows @ np.linalg.qr(rng.normal(size=(6, 6)))[0] * rng.uniform(0.1, 9, (9, 1))
    np.testing.assert_allclose(swap_threshold(turned, triples), expected, rtol=1e-9)
    other_way = swap_threshold(rows, triples[:, [0, 2, 1]])
    assert (np.minimum(expected, other_way) == 1).all()  # one of two is nearer already
    moved = swap_threshold(rows @ np.diag([1, 2, 1, 1, 1, 1.0]), triples)
    inside = (expected > 1) & (moved > 1) & np.isfinite(expected)
    # the log of κ° is a distance to the metrics that tie: a gauge of metric 4 moves it by log 4 at most
    assert (abs(np.log(moved) - np.log(expected))[inside] <= np.log(4) + 1e-9).all()
    assert abs(np.log(moved) - np.log(expected))[inside].max() > 0.1


@pytest.mark.parametrize("bad", [[[0, 1]], [0, 1, 2], [[0, 1, 9]], [[-1, 1, 2]], [[0.0, 1.0, 2.0]]])
def test_bad_triples(bad):
    with pytest.raises(InputError, match="triples"):
        swap_threshold(np.eye(3), bad)
