"""Which remedies do not know the gauge the embedding came in, and which do: both are asserted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from remedy_problems import WIDTH, two_sides, used
from simgauge import gauge_transform, random_gauge
from simgauge.core.tables.tables import unit_rows
from simgauge.remedies import (
    CSLS,
    AllButTheTop,
    CanonicalGauge,
    Centering,
    Chain,
    LeaveAlone,
    LocalScaling,
    NormDiscounting,
    PopularityWhitening,
    Refit,
    Standardizing,
    Whitening,
)

INVARIANT = [
    CanonicalGauge(0.0),
    CanonicalGauge(1.0),
    CanonicalGauge(1.5, "users"),
    CanonicalGauge(0.5, "both", norm_power=0.5),
    CanonicalGauge(1.0, "items"),
    CanonicalGauge(1.0, user_norm_power=0.0),
    CanonicalGauge(0.75, "both", user_norm_power=0.5),
    Whitening(),
    Whitening(center=False),
    PopularityWhitening(),
    Refit("eigenrec"),
    Chain([CanonicalGauge(1.0, "users"), AllButTheTop()]),
    Chain([CanonicalGauge(1.0), CSLS(k=5)]),
]
DEPENDENT = [
    LeaveAlone(),
    LeaveAlone(metric="dot"),
    Centering(),
    Standardizing(),
    AllButTheTop(),
    NormDiscounting(),
    Whitening(n_components=3),
    Whitening(shrinkage=0.3),
    Whitening(strength=0.5),
    CSLS(k=5),
    LocalScaling(k=5),
]


def similarities(remedy, embedding, interactions):
    """All scores between items under the remedy's own metric or lists."""
    fitted = clone(remedy).fit(embedding, interactions)
    indices, scores = fitted.neighbors(embedding, embedding.n_items - 1)
    table = np.zeros((embedding.n_items, embedding.n_items))
    np.put_along_axis(table, indices, scores, axis=1)
    return table


@pytest.mark.parametrize("remedy", INVARIANT, ids=lambda remedy: remedy.name)
@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 10_000), log_condition=st.floats(0, 3))
def test_these_do_not_depend_on_it(remedy, seed, log_condition):
    rng = np.random.default_rng(seed)
    embedding = two_sides(rng)
    interactions = used(rng, embedding)
    moved = gauge_transform(embedding, random_gauge(WIDTH, 10**log_condition, seed))
    one, two = similarities(remedy, embedding, interactions), similarities(remedy, moved, interactions)
    # rounding times the condition number of the gauge, squared where Gram matrices are formed
    np.testing.assert_allclose(two, one, atol=1e-8 * np.abs(one).max())


@pytest.mark.parametrize("remedy", DEPENDENT, ids=lambda remedy: remedy.name)
def test_these_do(rng, remedy):
    embedding = two_sides(rng)
    interactions = used(rng, embedding)
    moved = gauge_transform(embedding, random_gauge(WIDTH, 10.0, 1))
    one, two = similarities(remedy, embedding, interactions), similarities(remedy, moved, interactions)
    assert np.abs(two - one).max() > 0.1 * np.abs(one).max()


@pytest.mark.parametrize("remedy", [LeaveAlone(), Centering(), AllButTheTop(), Whitening(shrinkage=0.3)])
def test_a_rotation_is_seen_by_none_of_these(rng, remedy):
    embedding = two_sides(rng)
    rotation = np.linalg.qr(rng.standard_normal((WIDTH, WIDTH)))[0]
    one, two = (similarities(remedy, e, None) for e in (embedding, gauge_transform(embedding, rotation)))
    np.testing.assert_allclose(two, one, atol=1e-10)


def test_a_rotation_is_seen_by_standardising(rng):
    """Its docstring says so: the cosines before are the same, those after are not."""
    embedding = two_sides(rng)
    turned = gauge_transform(embedding, np.linalg.qr(rng.standard_normal((WIDTH, WIDTH)))[0])
    before = [unit_rows(e.items) @ unit_rows(e.items).T for e in (embedding, turned)]
    np.testing.assert_allclose(*before, atol=1e-12)
    one, two = (similarities(Standardizing(), e, None) for e in (embedding, turned))
    assert np.abs(one - two).max() > 0.1


def test_centring_users_who_all_agree_on_a_direction_loses_it(rng):
    """Then part of the scores is gone, and it says so; otherwise centring the users only selects another gauge."""
    embedding = two_sides(rng)
    users = embedding.users.copy()
    assert CanonicalGauge(1.0, "users").fit(embedding).predictions_ == "kept"
    users[:, 2] = 1.0
    agreeing = embedding.with_tables(embedding.items, users)
    fitted = CanonicalGauge(1.0, "users").fit(agreeing)
    assert fitted.keeps_predictions is None
    assert fitted.predictions_ == "changed"
    moved = fitted.transform(agreeing)
    assert moved.n_components == WIDTH - 1
    assert np.abs(moved.users @ moved.items.T - users @ embedding.items.T).max() > 0.1
    assert CanonicalGauge(1.0).fit(agreeing).predictions_ == "kept"
    # centred items too: rankings are kept only where no direction is lost
    assert CanonicalGauge(1.0, "both").fit(agreeing).predictions_ == "changed"
    assert CanonicalGauge(1.0, "both").fit(embedding).predictions_ == "rankings kept"
    items_agree = embedding.items.copy()
    items_agree[:, 1] = 1.0  # a user bias: what is lost with it is one constant per user
    biased = embedding.with_tables(items_agree, embedding.users)
    fitted = CanonicalGauge(1.0, "items").fit(biased)
    assert (fitted.keeps_predictions, fitted.predictions_) == (False, "rankings kept")
    moved = fitted.transform(biased)
    gap = moved.users @ moved.items.T - biased.users @ biased.items.T
    assert np.ptp(gap, axis=1).max() < 1e-9
    assert moved.n_components == WIDTH - 1
