"""What turns one table into another: each relation by construction, its nearest impostor as control, chance, bad
input."""

from __future__ import annotations

import numpy as np
import pytest

from geometry_problems import general_map, rotation, skewed_table
from simgauge.core.geometry import relations, row_pairs
from simgauge.core.geometry.relations import relation
from simgauge.core.geometry.row_pairs import PickedRows, RowPairs

K = 12


def related(a, b, seed=0):
    rows = np.arange(len(a))
    return relation(RowPairs(PickedRows(a, rows), PickedRows(b, rows)), np.random.default_rng(seed))


def unit(x):
    return x / np.linalg.norm(x, axis=1)[:, None]


def codes(x):
    low, high = x.min(), x.max()
    return np.round((x - low) / (high - low) * 255)


def maps(rng):
    R, G, d = rotation(rng, K), general_map(rng, K, 50.0), 3 * rng.standard_normal(K)
    return {
        "identical": lambda x: x.copy(),
        "scale": lambda x: 3.7 * x,
        "rotation": lambda x: x @ R,
        "rotation + scale": lambda x: 0.2 * x @ R,
        "row lengths": unit,
        "rotation + row lengths": lambda x: unit(x) @ R,
        "shift": lambda x: x + d,
        "scale + shift": lambda x: 100 * x + d,
        "rotation + shift": lambda x: x @ R + d,
        "rotation + scale + shift": lambda x: 5 * x @ R + d,
        "linear gauge": lambda x: x @ G,
        "linear gauge + shift": lambda x: x @ G + d,
        "truncation": lambda x: x[:, : K // 2],
        "truncation + shift": lambda x: (x @ R)[:, : K // 2] + 1,
        "linear map + truncation": lambda x: (x @ G)[:, : K // 2],
        "permutation": lambda x: x[np.random.default_rng(1).permutation(len(x))],
    }


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", maps(np.random.default_rng(0)))
def test_every_relation_is_named_in_both_directions(rng, name, dtype):
    a = skewed_table(rng, 200, K).astype(dtype)
    b = maps(rng)[name](a.astype(float)).astype(dtype)
    there, back = related(a, b), related(b, a)
    assert there.name == back.name == name
    if "scale" in name:
        assert there.map.factor == pytest.approx(1 / back.map.factor, rel=1e-5)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", maps(np.random.default_rng(0)))
def test_one_row_that_moves_a_little_breaks_every_relation(rng, name, dtype):
    """Control: the change is 1e-3 of one row of 200, well below what a mean over the table shows."""
    a = skewed_table(rng, 200, K).astype(dtype)
    b = maps(rng)[name](a.astype(float))
    b[17] += 1e-3 * np.linalg.norm(b[17]) * rotation(rng, b.shape[1])[0]
    assert related(a, b.astype(dtype)).name == "different"


@pytest.mark.parametrize("name", ["shift", "linear gauge", "rotation"])
def test_rows_that_no_map_was_fitted_to_are_tested_too(rng, name, monkeypatch):
    monkeypatch.setattr(relations, "SAMPLE_ROWS", 10)
    monkeypatch.setattr(row_pairs, "BLOCK_BYTES", 8 * 2 * K * 64)
    a = skewed_table(rng, 3_000, K)
    b = maps(rng)[name](a)
    assert related(a, b).name == name
    b[123, 0] += 1e-3
    assert all(related(a, b, seed).name == "different" for seed in range(5))


def test_a_table_that_is_nearly_flat_is_still_recognised(rng):
    """Directions 1e-7 of the strongest: a rotation fitted by products of tables alone would miss by 1e-9."""
    a = rng.standard_normal((300, K)) * np.geomspace(1, 1e-7, K)
    assert related(a, a @ rotation(rng, K)).name == "rotation"
    assert related(a, a @ general_map(rng, K, 10)).name == "linear gauge"


@pytest.mark.parametrize("k", [2, 3])
def test_other_widths_may_hold_the_same_vectors(rng, k):
    a = skewed_table(rng, 40, k)
    assert related(a, np.hstack([a, np.zeros((40, 2))])).name == "rotation"
    assert related(np.hstack([a, np.zeros((40, 2))]), 2 * a).name == "rotation + scale"


@pytest.mark.parametrize("stored", [lambda x: x.astype(np.float16), codes], ids=["float16", "codes"])
@pytest.mark.parametrize("turned", [False, True])
def test_quantised_tables_are_named_with_what_else_was_done(rng, stored, turned):
    a = skewed_table(rng, 300, K)
    b = stored(a @ rotation(rng, K) if turned else a).astype(np.float32)
    expected = [*(["rotation"] if turned else []), *(["scale", "shift"] if stored is codes else []), "quantisation"]
    assert related(a, b).name == related(b, a).name == " + ".join(expected)
    b[5, 3] += 0.05 * np.ptp(b)  # control: far more than a step
    assert related(a, b).name == "different"


def test_a_copy_in_another_dtype_is_another_precision(rng):
    a = skewed_table(rng, 50, K)
    assert related(a, a.astype(np.float32)).parts == ("quantisation",)
    assert related(a.astype(np.float32), a.astype(np.float32).astype(np.float64)).exact


@pytest.mark.parametrize("n", [3, K, K + 1])
def test_too_few_rows_to_tell_a_linear_map_are_not_called_one(rng, n):
    """Any n <= k + 1 rows are an affine map of any others; every other relation can still be told."""
    a, b = rng.standard_normal((n, K)), rng.standard_normal((n, K))
    found = related(a, b)
    assert (found.name, found.chance) == ("undetermined", 0.0)
    expected = "linear gauge" if n > K else "undetermined"  # without a shift one row more than directions tells
    assert related(a, a @ general_map(rng, K)).name == expected
    for name in ("identical", "scale", "rotation", "row lengths", "shift", "truncation"):
        assert related(a, maps(rng)[name](a)).name == name
    assert related(a, a[::-1].copy()).name == "permutation"
    assert related(a, a * np.geomspace(1, 9, K)).name == "linear gauge"  # k free numbers, n k equations


@pytest.mark.parametrize("n", [K + 2, 2 * K, 10 * K])
def test_unrelated_tables_are_different_and_leave_what_chance_leaves(n):
    left = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        found = related(rng.standard_normal((n, K)), rng.standard_normal((n, K)))
        assert found.name == "different"
        left.append(found.left_over)
    assert found.chance == pytest.approx(1 - K / (n - 1))
    assert np.mean(left) == pytest.approx(found.chance, abs=4 * np.std(left) / np.sqrt(40))


def test_near_equal_norms_in_many_dimensions_are_not_a_quantised_rotation(rng):
    """Few vectors of many dimensions are nearly orthogonal, so nearly rotations of each other: coarse rounding must not
    make that a relation."""
    a, b = (np.round(3 * rng.standard_normal((8, 500))) for _ in range(2))
    assert related(a, b).name == "undetermined"


TABLES = {
    "gaussian": lambda g, n, k: g.standard_normal((n, k)),
    "float32": lambda g, n, k: g.standard_normal((n, k)).astype(np.float32),
    "float16": lambda g, n, k: g.standard_normal((n, k)).astype(np.float16).astype(np.float32),
    "signs": lambda g, n, k: np.sign(g.standard_normal((n, k))),
    "counts": lambda g, n, k: g.poisson(1.0, (n, k)).astype(np.float32),
    "codes": lambda g, n, k: np.round(30 * g.standard_normal((n, k))).clip(-127, 127),
    "heavy tails": lambda g, n, k: g.standard_cauchy((n, k)),
    "far from the origin": lambda g, n, k: g.standard_normal((n, k)) + 50,
    "low rank": lambda g, n, k: g.standard_normal((n, k // 3)) @ g.standard_normal((k // 3, k)),
    "weak columns": lambda g, n, k: g.standard_normal((n, k)) * np.geomspace(1, 1e-5, k),
    "uneven rows": lambda g, n, k: g.standard_normal((n, k)) * g.lognormal(0, 2, (n, 1)),
}


@pytest.mark.parametrize("kind", TABLES)
def test_unrelated_tables_of_every_kind_are_not_related(kind):
    """Few rows and many: constant columns, coarse grids and rows of unlike size must not make a relation."""
    for seed, n in enumerate([5, 8, 13, 14, 20, 40, 80, 200]):
        g = np.random.default_rng(seed)
        for other in ("gaussian", "float16", kind):
            a, b = TABLES[kind](g, n, K), TABLES[other](g, n, K)
            assert related(a, b).name in ("different", "undetermined"), f"{n} {other}"
            assert related(b, a).name in ("different", "undetermined"), f"{n} {other}"


@pytest.mark.parametrize("kind", TABLES)
def test_related_tables_of_every_kind_are_related(rng, kind):
    known = maps(rng)
    for seed, name in enumerate(known):
        a = TABLES[kind](np.random.default_rng(seed), 150, K)
        found = related(a, known[name](a.astype(float)).astype(a.dtype))
        assert found.name not in ("different", "undetermined"), f"{name}"
        assert len(found.parts) <= name.count(" + ") + 1  # nothing that was not done, though less may do


def test_copies_of_rows_count_in_a_permutation(rng):
    a = np.repeat(skewed_table(rng, 20, K), 2, axis=0)
    b = a[rng.permutation(40)]
    assert related(a, b).name == "permutation"
    b[0] = b[np.flatnonzero((b != b[0]).any(axis=1))[0]]  # the same rows in other numbers
    assert related(a, b).name == "different"


def test_signs_zero_rows_and_large_numbers(rng):
    a = skewed_table(rng, 100, K)
    a[7] = 0
    assert related(a, -a).map.factor == -1.0
    assert related(a, a * rng.lognormal(size=(100, 1))).name == "row lengths"
    with_row = a.copy()
    with_row[7] = 1
    assert related(a, with_row).name == "different"
    assert related(a * 1e200, 3 * a * 1e200).name == "scale"
    assert related(a, -unit(np.where(a == 0, 1, a))).name == "different"  # the zero row again, and antiparallel rows


def test_constant_tables_are_shifts_of_each_other(rng):
    a, b = np.ones((9, 3)), np.tile(rng.standard_normal(3), (9, 1))
    assert related(a, a).name == "identical"
    assert related(a, b).name in ("rotation + scale", "rotation + row lengths", "shift")
