"""Gauge groups of the objectives, each against its loss computed before and after: what is called free changes
nothing."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from losses import LOSSES, MORE_LOSSES, Parameters, by_counts, clip, info_nce, on_both_factors, softmax_over_items
from simgauge import Embedding, fix, gauge_transform, random_gauge
from simgauge.auditing.objectives import ALIASES, OBJECTIVES
from simgauge.auditing.training import find_objective
from simgauge.core.gauges.canonical import center_of, centered_sides
from simgauge.core.tables.tables import unit_rows
from simgauge.remedies import CanonicalGauge

USERS, ITEMS, WIDTH = 9, 7, 4
ROUNDING = 1e-11
"""Losses here are sums of at most a thousand terms of order ten."""
MOVED = 1e-3
BIASES = ("none", "items", "users", "both")


def loss_of(name, penalty):
    base = LOSSES.get(name) or MORE_LOSSES[name]
    if penalty == "none":
        return base
    if name == "als-wr":
        return lambda theta, X: base(theta, X) + 0.3 * by_counts(theta, X)
    return lambda theta, X: base(theta, X) + 0.3 * on_both_factors(theta)


def problem(rng, biases="none"):
    X = (rng.random((USERS, ITEMS)) < 0.4) * rng.integers(1, 4, (USERS, ITEMS)).astype(float)
    a = rng.standard_normal(USERS) if biases in ("users", "both") else np.zeros(USERS)
    b = rng.standard_normal(ITEMS) if biases in ("items", "both") else np.zeros(ITEMS)
    return X, Parameters(rng.standard_normal((USERS, WIDTH)), rng.standard_normal((ITEMS, WIDTH)), a, b)


def shifted(theta, side, vector, biases):
    """One vector added to all rows of a side; biases that were trained take up what they can."""
    if side == "items":
        taken_up = theta.P @ vector if biases in ("users", "both") else 0.0
        return theta._replace(Q=theta.Q + vector, a=theta.a - taken_up)
    taken_up = theta.Q @ vector if biases in ("items", "both") else 0.0
    return theta._replace(P=theta.P + vector, b=theta.b - taken_up)


@pytest.mark.parametrize("biases", BIASES)
@pytest.mark.parametrize("name", [*LOSSES, *MORE_LOSSES])
def test_a_shift_is_free_exactly_where_it_is_called_free(rng, name, biases):
    if name in ("unit-sphere", "cosine", "siamese") and biases != "none":
        return
    key, objective = find_objective(name, biases)
    loss = loss_of(key if key in LOSSES and name in LOSSES else name, objective.penalty)
    X, theta = problem(rng, biases)
    for side in ("items", "users"):
        if name == "siamese" and side == "users":
            continue  # there is one table
        moved = shifted(theta, side, rng.standard_normal(WIDTH), biases)
        change = abs(loss(moved, X) - loss(theta, X))
        if side in centered_sides(objective.shifts):
            assert change < ROUNDING * abs(loss(theta, X)), f"{side}"
        else:
            assert change > MOVED, f"{side}"


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "siamese"])
def test_a_linear_gauge_is_free_exactly_where_the_group_is_all_of_it(rng, name):
    _, objective = find_objective(name)
    loss = loss_of(name, objective.penalty)
    X, theta = problem(rng)
    G = random_gauge(WIDTH, 5.0, 1)
    rotation = np.linalg.qr(rng.standard_normal((WIDTH, WIDTH)))[0]
    change = {
        kind: abs(loss(theta._replace(P=theta.P @ np.linalg.inv(M).T, Q=theta.Q @ M), X) - loss(theta, X))
        for kind, M in (("any", G), ("rotation", rotation))
    }
    assert change["rotation"] < ROUNDING * abs(loss(theta, X))
    assert (change["any"] < ROUNDING * abs(loss(theta, X))) == objective.gauge_group.startswith("GL(k)")
    assert change["any"] > MOVED or objective.verdict == "arbitrary"


def test_of_one_encoder_only_rotations_are_free(rng):
    X, theta = problem(rng)
    loss = LOSSES["siamese"]
    rotation = np.linalg.qr(rng.standard_normal((WIDTH, WIDTH)))[0]
    assert abs(loss(theta._replace(Q=theta.Q @ rotation), X) - loss(theta, X)) < ROUNDING
    assert abs(loss(theta._replace(Q=theta.Q @ random_gauge(WIDTH, 2.0, 1)), X) - loss(theta, X)) > MOVED


@pytest.mark.parametrize("biases", BIASES)
@pytest.mark.parametrize("name", ["softmax", "bpr", "warp", "glove", "word2vec", "lmf"])
def test_a_penalty_on_the_tables_fixes_gauge_and_shift_whatever_the_biases(rng, name, biases):
    _, objective = find_objective(name, biases, "factors")
    assert (objective.shifts, objective.possible_shifts, objective.gauge_group) == ("none", "none", "O(k)")
    loss = loss_of(name, "factors")
    X, theta = problem(rng, biases)
    free = find_objective(name, biases, "none")[1]
    assert free.gauge_group.startswith("GL(k)")
    for side in centered_sides(free.shifts):  # the loss alone stays; with the penalty one shift is best
        direction = rng.standard_normal(WIDTH)
        along = [loss(shifted(theta, side, t * direction, biases), X) for t in (-50.0, 0.0, 50.0)]
        assert along[0] > along[1] < along[2]


def test_one_direction_and_both_are_not_the_same(rng):
    """A shift of the items leaves InfoNCE over the items as it is, and not the one that also runs over the users."""
    X, theta = problem(rng)
    moved = shifted(theta, "items", rng.standard_normal(WIDTH), "none")
    assert abs(info_nce(moved, X) - info_nce(theta, X)) < ROUNDING
    assert abs(clip(moved, X) - clip(theta, X)) > MOVED
    assert find_objective("infonce")[0] == "contrastive"
    assert find_objective("symmetric InfoNCE")[0] == "clip"


def cosines(table):
    unit = unit_rows(table)
    return unit @ unit.T


GROUPS = [
    (name, biases)
    for name, biases in itertools.product(OBJECTIVES, (None, *BIASES))
    if OBJECTIVES[name].verdict != "identified"
]


@pytest.mark.parametrize(("name", "biases"), GROUPS)
def test_the_default_gauge_is_invariant_under_the_whole_group(rng, name, biases):
    objective = find_objective(name, biases)[1]
    k = 6
    model = Embedding(rng.standard_normal((30, k)) + 1, users=rng.standard_normal((40, k)) * np.linspace(1, 3, k) + 1)
    shifts = {
        f"{side.removesuffix('s')}_shift": 5 * rng.standard_normal(k)
        for side in centered_sides(objective.possible_shifts)
    }
    moved = gauge_transform(model, random_gauge(k, 30.0, 2), **shifts)
    chosen = [fix(one, objective=name, biases=biases).transform(one).items for one in (model, moved)]
    np.testing.assert_allclose(cosines(chosen[1]), cosines(chosen[0]), atol=1e-9)
    for side in centered_sides(objective.possible_shifts):  # control: without centring that side it does depend on it
        too_little = CanonicalGauge(1.0, center_of(centered_sides(objective.center) - {side}))
        one, two = (cosines(too_little.fit(e).transform(e).items) for e in (model, moved))
        assert np.abs(one - two).max() > 0.1


def test_a_shift_that_no_softmax_sees_moves_no_list_of_the_default_gauge(rng):
    k = 8
    P, Q = rng.standard_normal((300, k)), rng.standard_normal((200, k))
    theta = Parameters(P, Q, np.zeros(300), np.zeros(200))
    shift = np.zeros(k)
    shift[0] = 30.0
    moved = Parameters(P, Q + shift, *theta[2:])
    X = np.eye(300, 200)
    probabilities = [np.exp(t.scores - np.logaddexp.reduce(t.scores, axis=1, keepdims=True)) for t in (theta, moved)]
    assert np.abs(probabilities[1] - probabilities[0]).max() < 1e-13
    assert softmax_over_items(moved, X) == pytest.approx(softmax_over_items(theta, X), rel=1e-13)
    models = [Embedding(t.Q, users=t.P) for t in (theta, moved)]
    chosen = [fix(model, objective="softmax") for model in models]
    assert chosen[0].best_name == "canonical(power=1, center=both)"
    lists = [one.best.neighbors(model, 10)[0] for one, model in zip(chosen, models, strict=True)]
    np.testing.assert_array_equal(lists[0], lists[1])
    users_only = [cosines(CanonicalGauge(1.0, "users").fit(m).transform(m).items) for m in models]
    assert np.abs(users_only[0] - users_only[1]).max() > 1.0  # control


def test_arbitrary_and_identified_objectives_are_told_apart():
    assert find_objective("product")[1].verdict == "arbitrary"
    assert find_objective("dropout")[1].verdict == "arbitrary"
    assert find_objective("factors")[1].verdict == "controlled by the regulariser"
    assert find_objective("unit_sphere")[1].verdict == "identified"
    assert find_objective("normalized-afterwards")[1].verdict == "arbitrary"
    assert find_objective("unknown")[1].verdict == "unknown"
    assert set(ALIASES.values()) <= set(OBJECTIVES)
    assert not set(ALIASES) & set(OBJECTIVES)


def test_every_combination_has_a_reason_in_words():
    for name, biases, penalty in itertools.product(OBJECTIVES, (None, *BIASES, "unknown"), (None, "none", "factors")):
        objective = find_objective(name, biases, penalty)[1]
        assert objective.reason
        assert objective.gauge_group
        assert centered_sides(objective.shifts) <= centered_sides(objective.possible_shifts)
        assert centered_sides(objective.possible_shifts) <= centered_sides(objective.center)
