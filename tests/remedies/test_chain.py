"""Composition: our Chain, and scikit-learn's Pipeline, which carries interactions as its y."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from remedy_problems import two_sides, used
from simgauge import Embedding
from simgauge.remedies import (
    CSLS,
    CanonicalGauge,
    Centering,
    Chain,
    NormDiscounting,
    PopularityWhitening,
    Refit,
    Whitening,
)


def test_a_chain_is_its_steps_one_after_the_other(rng):
    embedding = two_sides(rng)
    interactions = used(rng, embedding)
    first = CanonicalGauge(1.0, "users").fit_transform(embedding)
    second = PopularityWhitening(0.5).fit_transform(first, interactions)
    chained = Chain([CanonicalGauge(1.0, "users"), PopularityWhitening(0.5)]).fit_transform(embedding, interactions)
    np.testing.assert_array_equal(chained.items, second.items)
    np.testing.assert_array_equal(chained.users, second.users)
    done = chained.provenance["remedy"]
    assert done["name"] == "popularity whitening(exponent=0.5)"
    assert done["after"]["name"] == "canonical(power=1, center=users)"


def test_scikit_learn_pipelines_work_with_interactions_as_y(rng):
    embedding = two_sides(rng)
    interactions = used(rng, embedding)
    pipeline = make_pipeline(Centering(), PopularityWhitening(), Whitening(center=False))
    moved = pipeline.fit(embedding, interactions).transform(embedding)
    expected = Chain([Centering(), PopularityWhitening(), Whitening(center=False)]).fit_transform(
        embedding, interactions
    )
    np.testing.assert_array_equal(moved.items, expected.items)
    np.testing.assert_array_equal(moved.users, expected.users)
    np.testing.assert_array_equal(pipeline.fit_transform(embedding, interactions).items, moved.items)
    plain = make_pipeline(Centering(), Whitening()).fit(embedding).transform(embedding)
    np.testing.assert_allclose(plain.items, Whitening().fit_transform(embedding).items, atol=1e-12)
    assert pipeline.get_params()["popularitywhitening__exponent"] == 1.0


def test_what_a_chain_says_of_itself():
    chain = Chain([CanonicalGauge(1.0), NormDiscounting()])
    assert (chain.needs_users, chain.needs_interactions, chain.keeps_predictions) == (True, True, False)
    assert chain.metric == "dot"
    assert Chain([CanonicalGauge(1.0), CSLS()]).keeps_predictions is True
    assert Chain([CanonicalGauge(1.0, "users"), CSLS()]).keeps_predictions is None
    assert not Chain([Refit(), CanonicalGauge(1.0, "users")]).needs_users  # the refit brings its own
    assert Chain([CanonicalGauge(1.0), Refit()]).needs_users


def test_a_refit_brings_users_to_an_embedding_that_has_none(rng):
    embedding = two_sides(rng)
    interactions = used(rng, embedding)
    items_only = Embedding(embedding.items, item_ids=embedding.item_ids)
    moved = Chain([Refit("none"), CanonicalGauge(1.0, "users")]).fit_transform(items_only, interactions)
    predicted = Refit("none").fit_transform(items_only, interactions)
    scores = predicted.users @ predicted.items.T
    cosines = np.corrcoef(scores.T)
    unit = moved.items / np.linalg.norm(moved.items, axis=1, keepdims=True)
    np.testing.assert_allclose(unit @ unit.T, cosines, atol=1e-9)


def test_neighbour_level_last_step_searches_what_the_others_made(rng):
    embedding = two_sides(rng)
    chain = Chain([CanonicalGauge(1.0), CSLS(k=4)]).fit(embedding)
    moved = CanonicalGauge(1.0).fit_transform(embedding)
    expected = CSLS(k=4).fit(moved).neighbors(moved, 5)
    for one, two in zip(chain.neighbors(embedding, 5), expected, strict=True):
        np.testing.assert_array_equal(one, two)
    shipped = CSLS(k=4).fit(embedding).neighbors(embedding, 5)[0]
    assert (shipped != expected[0]).any()  # control


@pytest.mark.parametrize("steps", [[Centering()], (Centering(), Whitening())])
def test_lists_and_tuples_of_steps(rng, steps):
    assert Chain(steps).fit(two_sides(rng)).name.startswith("centering")
