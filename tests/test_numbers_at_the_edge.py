"""Degenerate and extreme tables: JSON never holds NaN or infinity, and a scale changes no answer."""

from __future__ import annotations

import json
import math
import warnings

import numpy as np
import pytest

from simgauge import Embedding, audit, canonical_gauge, compare, fix
from simgauge.errors import InputError, SimgaugeError
from simgauge.evidence import PairJudgements
from simgauge.neighbors import compare_neighbors, standard_gauges

RNG = np.random.default_rng(0)
ITEMS, USERS = RNG.standard_normal((60, 8)), RNG.standard_normal((80, 8)) + 0.5
NAIVE = RNG.standard_normal((200, 50)), RNG.standard_normal((30, 50))
RAMP = np.outer(RNG.standard_normal(60), np.arange(1.0, 6))
SMALLEST = float(np.nextafter(0.0, 1.0))

TABLES = {
    "a sample of 30 users in 50 components": NAIVE,
    "two items": (ITEMS[:2], USERS),
    "two items, one table": (ITEMS[:2], None),
    "two users": (ITEMS, USERS[:2]),
    "one user": (ITEMS, USERS[:1]),
    "one component": (ITEMS[:, :1], USERS[:, :1]),
    "subnormal rows": (np.vstack([ITEMS, np.full((3, 8), SMALLEST)]), USERS),
    "subnormal rows of float32": (np.vstack([ITEMS, np.full((3, 8), 1e-45)]).astype(np.float32), USERS),
    "nothing but subnormal rows": (SMALLEST * RNG.integers(1, 9, (60, 3)), None),
    "zero rows": (np.vstack([ITEMS, np.zeros((5, 8))]), USERS),
    "zero users": (ITEMS, np.zeros((10, 8))),
    "equal rows": (np.ones((60, 4)), np.ones((9, 4))),
    "rank one": (RAMP, RAMP),
    "zero columns": (np.hstack([ITEMS, np.zeros((60, 2))]), np.hstack([USERS, np.zeros((80, 2))])),
    "wider than long": (RNG.standard_normal((5, 40)), RNG.standard_normal((6, 40))),
    "sides far apart in scale": (ITEMS * 1e200, USERS * 1e-200),
    "float64 near its largest": (ITEMS * 1e300, USERS),
    "float32 near its largest": ((ITEMS * 1e37).astype(np.float32), USERS.astype(np.float32)),
    "float32 near its smallest": ((ITEMS * 1e-38).astype(np.float32), USERS.astype(np.float32)),
}


def not_finite(value: object, place: str = "") -> list[str]:
    """Where in a JSON value a number is NaN or infinite."""
    if isinstance(value, float):
        return [] if math.isfinite(value) else [place]
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    return [found for key, part in parts for found in not_finite(part, f"{place}/{key}")]


def test_the_walk_sees_what_json_must_not_hold() -> None:
    assert not_finite({"a": [1.0, {"b": float("nan")}], "c": float("inf")}) == ["/a/1/b", "/c"]


def commands(model: Embedding):
    """What users do with a table."""
    k = min(5, model.n_items - 1)
    yield "audit", lambda: audit(model, k=k)
    yield "fix", lambda: fix(model)
    if model.n_items >= 40:
        evidence = PairJudgements(np.arange(20), np.arange(20, 40), np.random.default_rng(1).random(20))
        yield "fix by evidence", lambda: fix(model, evidence, n_resamples=100)
    yield "neighbors", lambda: compare_neighbors(standard_gauges(model), [0], k)
    twice = Embedding(np.asarray(model.items)[:, ::-1].copy(), item_ids="positions")
    yield "compare", lambda: compare(model, twice, k=k)


@pytest.mark.parametrize("name", TABLES)
def test_json_holds_finite_numbers_or_the_table_is_refused(name) -> None:
    items, users = TABLES[name]
    model = Embedding(items, users, item_ids="positions")
    answered = []
    for command, call in commands(model):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of rank and alignment; a NaN on the way is no error
            try:
                found = call().to_dict()
            except SimgaugeError:
                continue
        answered.append(command)
        assert not_finite(found) == [], f"{command}"
        json.dumps(found, allow_nan=False)
    assert "audit" in answered


LARGEST = (np.finfo(np.float64).max / 640) ** 0.5
"""Sums of squares of larger entries are refused."""
SCALES = [1e-300, 1e-150, 1e-60, 1e-3, 1e60, 1e150, 1e300]


def value_of(scale: float, finding: str = "side_means") -> float:
    two = 2.0 ** round(math.log2(scale))  # a power of two rounds nothing
    return audit(Embedding(ITEMS * two, USERS * two), k=5)[finding].value


@pytest.mark.parametrize("scale", SCALES)
def test_the_distance_of_the_means_does_not_know_the_scale(scale) -> None:
    one = value_of(1.0)
    assert one > 0.01
    assert value_of(scale) == pytest.approx(one, rel=1e-12)


def test_the_distance_of_the_means_by_its_definition() -> None:
    apart = ((USERS.mean(0) - ITEMS.mean(0)) ** 2).sum()
    spreads = [((table - table.mean(0)) ** 2).sum() / len(table) for table in (USERS, ITEMS)]
    by_chance = spreads[0] / len(USERS) + spreads[1] / len(ITEMS)
    assert value_of(1.0) == pytest.approx((apart - by_chance) / (apart + sum(spreads)), rel=1e-12)
    moved = audit(Embedding(ITEMS * 2.0**600, USERS), k=5)["side_means"]  # control: one side alone scaled is another
    own = ((ITEMS.mean(0) ** 2).sum() - spreads[1] / 60) / ((ITEMS**2).sum() / 60)
    assert moved.value == pytest.approx(max(own, 0.0), abs=1e-12)
    assert f"users {np.linalg.norm(USERS.mean(0)):.3g}" in moved.summary


@pytest.mark.parametrize("scale", SCALES)
def test_fix_and_canonical_gauges_at_any_scale_are_those_at_scale_one_or_refused(scale) -> None:
    two = 2.0 ** round(math.log2(scale))
    model, other = Embedding(ITEMS, USERS), Embedding(ITEMS * two, USERS / two)
    largest = max(two * ITEMS.max(), USERS.max() / two)
    for call in (
        lambda one: canonical_gauge(one, 1.0).items,
        lambda one: canonical_gauge(one, 0.5, "users").items,
        lambda one: fix(one).transform(one).items,
    ):
        expected = call(model)
        if largest > LARGEST:
            with pytest.raises(InputError, match="whose squares leave the range of float64"):
                call(other)
            continue
        found = call(other)
        np.testing.assert_allclose(found @ found.T, expected @ expected.T, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("scale", SCALES)
def test_compare_at_any_scale(scale) -> None:
    two = 2.0 ** round(math.log2(scale))
    changed = ITEMS @ np.diag(np.arange(1.0, 9.0))
    one, scaled = (
        compare(Embedding(ITEMS * by, item_ids="positions"), Embedding(changed * by, item_ids="positions"), k=5)
        for by in (1.0, two)
    )
    for name in ("cka", "procrustes_similarity", "canonical_agreement", "neighbor_overlap"):
        assert getattr(scaled, name) == pytest.approx(getattr(one, name), rel=1e-9), f"{name}"
    assert scaled.relation == one.relation
    assert one.cka < 0.99
