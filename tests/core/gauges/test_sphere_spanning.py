"""Spanning condition on the sphere: known ranks, a slow reference, tables on a quadric as control, both routes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simgauge.core.gauges import sphere_spanning as module
from simgauge.core.gauges.sphere_spanning import sphere_spanning
from simgauge.errors import InputError


def reference_rank(table: np.ndarray) -> int:
    unit = table[table.any(axis=1)]
    unit = unit / np.linalg.norm(unit, axis=1, keepdims=True)
    return int(np.linalg.matrix_rank(np.einsum("ni,nj->nij", unit, unit).reshape(len(unit), -1)))


def on_a_quadric(rng: np.random.Generator, n: int, k: int) -> np.ndarray:
    """Rows with x0² = x1² + … in a random basis: full rank as a table, yet b S b = 0 for one S ≠ 0."""
    table = rng.normal(size=(n, k))
    table[:, 0] = np.linalg.norm(table[:, 1:], axis=1) * rng.choice([-1, 1], n)
    return table @ rng.normal(size=(k, k))


@pytest.fixture
def iterative(monkeypatch):
    monkeypatch.setattr(module, "LARGEST_EXACT", 0)


@pytest.mark.parametrize(("n", "rank", "spans"), [(9, 9, False), (10, 10, True), (50, 10, True)])
def test_four_dimensions_need_ten_rows(rng, n, rank, spans):
    found = sphere_spanning(rng.normal(size=(n, 4)))
    assert (found.spans, found.needed, found.rank, found.exact) == (spans, 10, rank, True)
    assert (found.margin > 0) == spans


def test_a_spanning_table_leaves_no_other_gauge_and_a_short_one_does(rng):
    """The theorem: b S b = 1 for all unit rows has S = I only, iff the rank is full."""
    for n, unique in ((9, False), (12, True)):
        unit = rng.normal(size=(n, 4))
        unit /= np.linalg.norm(unit, axis=1, keepdims=True)
        system = np.einsum("ni,nj->nij", unit, unit)[:, *np.triu_indices(4)]
        system[:, [i != j for i, j in zip(*np.triu_indices(4), strict=True)]] *= 2
        null = np.linalg.svd(system)[2][np.linalg.matrix_rank(system) :]
        assert (len(null) == 0) == unique == sphere_spanning(unit).spans
        if not unique:
            other = np.zeros((4, 4))
            other[np.triu_indices(4)] = null[0]
            metric = np.eye(4) + 0.1 * (other + np.triu(other, 1).T)
            gauge = np.linalg.cholesky(metric)
            assert np.allclose(np.linalg.norm(unit @ gauge, axis=1), 1)  # still on the sphere, cosines changed
            assert not np.allclose(metric, np.eye(4))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.integers(1, 40), st.integers(0, 10_000), st.booleans())
def test_exact_rank_equals_the_reference(k, n, seed, integers):
    rng = np.random.default_rng(seed)
    table = rng.integers(-1, 2, (n, k)).astype(float) if integers else rng.normal(size=(n, k))
    found = sphere_spanning(table)
    rank = reference_rank(table) if table.any() else 0
    assert found.rank == rank
    assert found.spans == (rank == k * (k + 1) // 2)


def test_quadric_is_one_short_and_the_row_sample_is_not_trusted(rng):
    table = on_a_quadric(rng, 300, 5)
    found = sphere_spanning(table)
    assert (found.spans, found.rank) == (False, 14)
    table[250] = rng.normal(size=5)  # one row off the quadric, outside of most samples
    found = sphere_spanning(table)
    assert (found.spans, found.rank) == (True, 15)


def test_rows_may_be_rescaled_rotated_and_zero(rng):
    table = rng.normal(size=(30, 5)) @ np.diag([1, 1e-2, 1, 1e2, 1]) * rng.uniform(0.01, 100, (30, 1))
    table[4] = 0
    for dtype in (np.float32, np.float64):
        assert sphere_spanning(table.astype(dtype)).spans
    flat = table.copy()
    flat[:, 2] = flat[:, 1]
    found = sphere_spanning(flat)
    assert (found.spans, found.rank, found.margin) == (False, 10, 0.0)  # a table of 4 directions spans Sym(4) at best


def test_float32_rounding_does_not_fill_the_rank(rng):
    assert sphere_spanning(on_a_quadric(rng, 2000, 10).astype(np.float32)).rank == 54


@pytest.mark.usefixtures("iterative")
@pytest.mark.parametrize("k", [2, 3, 5, 12, 20])
def test_randomised_test_agrees_with_the_exact_one(rng, k):
    needed = k * (k + 1) // 2
    for n in (needed + 2 * k + 4, 4 * needed):
        spanning = sphere_spanning(rng.normal(size=(n, k)), rng=rng)
        assert (spanning.spans, spanning.rank, spanning.exact) == (True, needed, False)
        for dtype in (np.float32, np.float64):
            short = sphere_spanning(on_a_quadric(rng, n, k).astype(dtype), rng=rng)
            assert (short.spans, short.rank) == (False, None)


@pytest.mark.usefixtures("iterative")
def test_few_rows_or_directions_are_settled_without_iterating(rng):
    assert sphere_spanning(rng.normal(size=(200, 20)))[:2] == (False, 210)
    flat = rng.normal(size=(500, 19)) @ rng.normal(size=(19, 20))
    assert sphere_spanning(flat).spans is False


@pytest.mark.usefixtures("iterative")
def test_undecided_is_said(rng, monkeypatch):
    monkeypatch.setattr(module, "MOST_STEPS", 8)
    assert sphere_spanning(rng.normal(size=(60, 10))).spans is None
    monkeypatch.setattr(module, "LARGEST_ITERATIVE", 9)
    assert sphere_spanning(rng.normal(size=(60, 10)))[2:] == (None, None, False)


def test_sixty_four_components_by_the_randomised_test(rng):
    found = sphere_spanning(rng.normal(size=(4500, 64)).astype(np.float32))
    assert (found.spans, found.needed, found.exact) == (True, 2080, False)
    assert sphere_spanning(on_a_quadric(rng, 4500, 64)).spans is False


def test_no_rows_left_and_bad_tables():
    assert sphere_spanning(np.zeros((5, 3)))[:3] == (False, 6, 0)
    with pytest.raises(InputError, match="two-dimensional"):
        sphere_spanning([1.0, 2.0])


@pytest.mark.usefixtures("iterative")
def test_spanning_is_claimed_after_as_many_steps_as_the_bound_asks(rng, monkeypatch):
    """Kuczyński and Woźniakowski: the chance of error after j steps is at most 1.648 √n exp(−ε^½ (2j − 1))."""
    steps = []
    call = module._SpanOperator.__call__
    monkeypatch.setattr(module._SpanOperator, "__call__", lambda self, vector: (steps.append(1), call(self, vector))[1])
    early = 0
    for _ in range(6):
        steps.clear()
        found = sphere_spanning(rng.normal(size=(1400, 24)), rng=rng)
        n, j = found.needed - 1, len(steps)
        asked = np.log(1.648 * np.sqrt(n) / 1e-9)
        assert found.spans
        assert found.margin * (2 * j - 1) >= asked
        early += found.margin * (2 * (j - 10) - 1) < asked
    assert early == 6, "and not ten steps, one look, later than that"
