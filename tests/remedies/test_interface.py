"""What every remedy promises: parameters, clones, one map for all vectors, predictions kept where it says so."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

import simgauge.remedies as remedies
from remedy_problems import N_ITEMS, N_USERS, REMEDIES, two_sides, used
from simgauge import Embedding
from simgauge.core.neighbors.topk import top_k
from simgauge.errors import InputError, ParameterError
from simgauge.remedies import CSLS, CanonicalGauge, Chain, LocalScaling, NormDiscounting, Refit, Remedy, Whitening

every = pytest.mark.parametrize("remedy", REMEDIES, ids=lambda remedy: remedy.name)
TOLERANCE = {np.float64: 1e-9, np.float32: 2e-3}


def is_refit(remedy):
    return remedy.provides_users


@pytest.fixture
def embedding(rng):
    return two_sides(rng)


@pytest.fixture
def interactions(rng, embedding):
    return used(rng, embedding)


def test_every_public_remedy_is_in_the_list():
    kinds = {value for value in vars(remedies).values() if inspect.isclass(value) and issubclass(value, Remedy)}
    assert kinds - {Remedy} == {type(remedy) for remedy in REMEDIES}


@every
def test_constructor_only_stores_and_clones_are_equal(remedy):
    for name, value in remedy.get_params(deep=False).items():
        assert getattr(remedy, name) is value
    copy = clone(remedy)
    assert copy is not remedy
    assert copy.name == remedy.name
    with pytest.raises(NotFittedError):
        copy.transform(Embedding(np.eye(3)))
    assert set(vars(copy)) == set(inspect.signature(type(remedy)).parameters)


def test_names_tell_candidates_apart():
    assert len({remedy.name for remedy in REMEDIES}) == len(REMEDIES)
    assert CanonicalGauge(1, "users").name == "canonical(power=1, center=users)"


@every
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_transform_keeps_rows_ids_and_dtype_and_says_what_was_done(rng, remedy, dtype):
    embedding = two_sides(rng, dtype)
    result = clone(remedy).fit_transform(embedding, used(rng, embedding))
    assert result.items.dtype == dtype
    np.testing.assert_array_equal(result.item_ids, embedding.item_ids)
    done = result.provenance["remedy"]
    assert done["metric"] == remedy.metric
    assert done["predictions"] in ("kept", "rankings kept", "changed")
    if not is_refit(remedy):
        assert (result.n_items, result.n_users) == (N_ITEMS, N_USERS)
        np.testing.assert_array_equal(result.user_ids, embedding.user_ids)


@every
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_predictions_are_kept_exactly_where_it_says_so(rng, remedy, dtype):
    embedding = two_sides(rng, dtype)
    fitted = clone(remedy).fit(embedding, used(rng, embedding))
    if remedy.keeps_predictions is not None:
        assert fitted.keeps_predictions_ == remedy.keeps_predictions
    assert fitted.keeps_predictions_ == (fitted.predictions_ == "kept")
    if is_refit(remedy):
        assert fitted.predictions_ == "changed"
        return
    moved = fitted.transform(embedding)
    before = embedding.users.astype(float) @ embedding.items.T.astype(float)
    shift = moved.users.astype(float) @ moved.items.T.astype(float) - before
    per_user = shift - shift.mean(axis=1, keepdims=True)
    tolerance = TOLERANCE[dtype] * np.abs(before).max()
    assert (np.abs(shift).max() < tolerance) == (fitted.predictions_ == "kept")
    assert (np.abs(per_user).max() < tolerance) == (fitted.predictions_ in ("kept", "rankings kept"))


@every
def test_the_same_map_for_other_vectors(embedding, interactions, remedy):
    fitted = clone(remedy).fit(embedding, interactions)
    if is_refit(remedy):
        with pytest.raises(InputError, match="no map for vectors of the old model"):
            fitted.transform_items(embedding.items)
        return
    moved = fitted.transform(embedding).items
    part = fitted.transform_items(embedding.items[5:9].tolist())
    if isinstance(remedy, NormDiscounting):  # vectors without an id have no popularity: direction only
        moved = moved / np.linalg.norm(moved, axis=1, keepdims=True)
    np.testing.assert_allclose(part, moved[5:9], atol=1e-12)
    rest = Embedding(embedding.items[5:9], embedding.users, item_ids=embedding.item_ids[5:9])
    if not isinstance(remedy, NormDiscounting):
        np.testing.assert_allclose(fitted.transform(rest).items, moved[5:9], atol=1e-12)
    with pytest.raises(InputError, match="fitted on vectors of width 6, received width 5"):
        fitted.transform_items(np.ones((2, 5)))
    with pytest.raises(InputError, match="fitted on vectors of width 6, received width 5"):
        fitted.neighbors(Embedding(np.ones((N_ITEMS, 5))), 2)


@every
def test_neighbours_are_those_of_the_result(embedding, interactions, remedy):
    fitted = clone(remedy).fit(embedding, interactions)
    indices, scores = fitted.neighbors(embedding, 4)
    assert indices.shape == scores.shape == (N_ITEMS, 4)
    assert not (indices == np.arange(N_ITEMS)[:, None]).any()
    assert (np.diff(scores, axis=1) <= 0).all()
    some = fitted.neighbors(embedding, 4, rows=[7, 2])
    np.testing.assert_array_equal(some[0], indices[[7, 2]])
    np.testing.assert_array_equal(some[1], scores[[7, 2]])
    last = remedy.steps[-1] if isinstance(remedy, Chain) else remedy
    if not isinstance(last, (CSLS, LocalScaling)):
        expected = top_k(fitted.transform(embedding).items, 4, remedy.metric)
        np.testing.assert_array_equal(indices, expected[0])


@every
def test_queries_are_moved_like_items(embedding, interactions, remedy):
    fitted = clone(remedy).fit(embedding, interactions)
    if is_refit(remedy):
        return
    indices, scores = fitted.neighbors(embedding, 3, queries=embedding.items[:8])
    last = remedy.steps[-1] if isinstance(remedy, Chain) else remedy
    if remedy.metric == "cosine" and not isinstance(last, (CSLS, LocalScaling)):
        np.testing.assert_array_equal(indices[:, 0], np.arange(8))  # each finds itself
        np.testing.assert_allclose(scores[:, 0], 1, atol=1e-12)
    np.testing.assert_array_equal(
        fitted.neighbors(embedding, 3, rows=[4], queries=embedding.items[:8])[0], indices[[4]]
    )


@every
def test_what_is_missing_is_named(embedding, interactions, remedy):
    one_table = Embedding(embedding.items, item_ids=embedding.item_ids)
    if remedy.needs_users:
        with pytest.raises(InputError, match=r"needs both tables.*pass a sample of the other side.*as users"):
            clone(remedy).fit(one_table, interactions)
    else:
        clone(remedy).fit(one_table, interactions)
    if remedy.needs_interactions:
        with pytest.raises(InputError, match="needs interactions, and none were passed"):
            clone(remedy).fit(embedding)
        with pytest.raises(InputError, match=r"pass interactions\.align\(embedding\.item_ids\)"):
            clone(remedy).fit(embedding, interactions.align(embedding.item_ids[::-1]))
    else:
        clone(remedy).fit(embedding)


@every
def test_a_table_is_moved_as_the_items_of_an_embedding_are(embedding, remedy):
    if remedy.needs_users or remedy.needs_interactions:
        with pytest.raises(InputError, match="needs"):
            clone(remedy).fit(embedding.items)
        return
    fitted = clone(remedy).fit(embedding.items)
    moved = fitted.transform(embedding.items)
    assert isinstance(moved, np.ndarray)
    np.testing.assert_array_equal(moved, fitted.transform(Embedding(embedding.items)).items)
    assert fitted.get_feature_names_out().shape == (moved.shape[1],)


def test_frames_in_frames_out_and_names_of_columns_are_checked(embedding):
    frame = pd.DataFrame(embedding.items, columns=[f"v{j}" for j in range(6)], index=[f"i{n}" for n in range(N_ITEMS)])
    fitted = Whitening().set_output(transform="pandas").fit(frame)
    moved = fitted.transform(frame)
    assert moved.index.tolist() == frame.index.tolist()
    assert moved.columns.tolist() == [f"whitening{j}" for j in range(6)]
    np.testing.assert_array_equal(moved.to_numpy(), fitted.transform(Embedding(embedding.items)).items)
    assert isinstance(fitted.transform(embedding), Embedding)  # an embedding keeps its users, whatever set_output says
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.transform(frame.rename(columns={"v0": "w0"}))


def test_a_pipeline_of_scikit_learn_takes_tables(embedding):
    moved = make_pipeline(remedies.Centering(), Whitening(center=False)).fit_transform(embedding.items)
    np.testing.assert_allclose(moved.T @ moved / N_ITEMS, np.eye(6), atol=1e-8)


@pytest.mark.parametrize(
    ("remedy", "message"),
    [
        (remedies.LeaveAlone("euclidean"), "expected 'cosine' or 'dot'"),
        (CanonicalGauge(float("nan")), "power=nan"),
        (CanonicalGauge(9), "power=9"),
        (CanonicalGauge(center="item"), "center='item'"),
        (CanonicalGauge(norm_power=1.1), r"norm_power=1\.1"),
        (Whitening(n_components=7), "n_components=7: expected an integer from 1 to 6"),
        (Whitening(n_components=2.0), r"n_components=2\.0"),
        (Whitening(shrinkage=2), "shrinkage=2"),
        (remedies.PopularityWhitening(5), "exponent=5"),
        (remedies.AllButTheTop(6), "n_remove=6"),
        (NormDiscounting(2), "strength=2"),
        (CSLS(k=0), "k=0"),
        (LocalScaling("LS"), "method='LS'"),
        (Refit("ips"), "weighting='ips'"),
        (Refit(penalty="l1"), "penalty='l1'"),
        (Refit(l2=-1), "l2=-1"),
        (Refit(penalty="dropout", l2=1.0), "takes a rate, not l2"),
        (Refit(rate=0.5), r"rate=0\.5 is for penalty 'dropout'"),
        (Refit(n_components=41), "n_components=41: expected an integer from 1 to 40, for 90 users and 40 items"),
        (Refit(power=7), "power=7"),
        (Chain([]), "a list of one or more remedies"),
        (Chain(["whitening"]), "expected remedies, received str"),
        (Chain([CSLS(), Whitening()]), "put it last"),
    ],
)
def test_parameters_are_checked_when_fitted(embedding, interactions, remedy, message):
    with pytest.raises(ParameterError, match=message):
        remedy.fit(embedding, interactions)
