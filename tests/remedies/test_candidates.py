"""The default grid: what can be fitted is in it, nothing twice, counts as stated; baselines beside it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

from problems import cosines
from remedy_problems import two_sides, used
from simgauge import Embedding, Interactions
from simgauge.core.closed_form.raw_similarity import column_cosine_lists, ease_weights
from simgauge.errors import InputError, ParameterError, RankWarning
from simgauge.remedies import (
    EaseWeights,
    LeaveAlone,
    PopularityWhitening,
    RawColumns,
    Whitening,
    candidates,
    canonical,
    default_candidates,
    default_references,
)


@pytest.mark.parametrize(("two_tables", "with_interactions", "count"), [(1, 0, 56), (1, 1, 85), (0, 0, 18), (0, 1, 47)])
def test_every_default_candidate_fits_and_they_differ(rng, two_tables, with_interactions, count):
    embedding = two_sides(rng)
    interactions = used(rng, embedding) if with_interactions else None
    if not two_tables:
        embedding = Embedding(embedding.items, item_ids=embedding.item_ids)
    grid = default_candidates(embedding, interactions)
    assert len(grid) == count
    assert isinstance(grid[0], LeaveAlone)
    assert len({remedy.name for remedy in grid}) == count
    scores = []
    for remedy in grid:
        indices, values = remedy.fit(embedding, interactions).neighbors(embedding, embedding.n_items - 1)
        table = np.zeros((embedding.n_items, embedding.n_items))
        np.put_along_axis(table, indices, values, axis=1)
        scores.append(table)
    for one in range(count):
        for two in range(one):
            assert np.abs(scores[one] - scores[two]).max() > 1e-9, f"{grid[one].name} equals {grid[two].name}"


def test_canonical_forms_are_computed_once(rng, monkeypatch):
    calls = []
    original = canonical.weighed_core

    def counting(users, items, center, user_norm_power):
        calls.append(center)
        return original(users, items, center, user_norm_power)

    monkeypatch.setattr(canonical, "weighed_core", counting)
    embedding = two_sides(rng)
    for remedy in default_candidates(embedding):
        clone(remedy).fit(embedding)
    assert sorted(calls) == ["both", "items", "none", "users"]  # items: whether centring the users loses a direction


def test_very_many_items_leave_out_what_searches_for_all_of_them(rng, monkeypatch):
    monkeypatch.setattr(candidates, "MAX_NEIGHBOR_ITEMS", 39)
    assert len(default_candidates(two_sides(rng))) == 51


def test_one_column_and_two(rng):
    for width in (1, 2):
        embedding = Embedding(rng.standard_normal((12, width)), users=rng.standard_normal((9, width)) + 1)
        for remedy in default_candidates(embedding):
            if width > 1 or "users" not in remedy.name:
                assert remedy.fit(embedding).transform(embedding).n_items == 12


def test_singular_covariance_is_said_and_loses_nothing(rng):
    table = rng.standard_normal((30, 4))
    embedding = Embedding(np.hstack([table, table[:, :1], np.full((30, 1), 3.0)]))
    with pytest.warns(RankWarning, match="spread over 4 of 6 directions.*Pass a shrinkage"):
        white = Whitening().fit(embedding)
    np.testing.assert_allclose(
        cosines(white.transform(embedding).items), cosines(Whitening().fit_transform(Embedding(table)).items), atol=1e-9
    )
    assert white.predictions_ == "rankings kept"
    shrunk = Whitening(shrinkage=0.1).fit_transform(embedding)
    assert shrunk.n_components == 6
    with pytest.raises(InputError, match="all 5 rows are the same vector"):
        Whitening().fit(Embedding(np.ones((5, 2))))


def test_popularity_weights_that_miss_directions_change_predictions(rng):
    embedding = Embedding(rng.standard_normal((20, 6)), users=rng.standard_normal((8, 6)))
    X = np.zeros((3, 20))
    X[:, :4] = 1
    with pytest.warns(RankWarning, match="spread over 3 of 6"):
        fitted = PopularityWhitening().fit(embedding, Interactions(X))
    assert fitted.predictions_ == "changed"


def test_baselines_need_no_vectors(rng):
    embedding = two_sides(rng)
    interactions = used(rng, embedding)
    other = Embedding(rng.standard_normal((40, 3)), item_ids=embedding.item_ids)
    for reference in default_references(interactions):
        lists = clone(reference).fit(embedding, interactions).neighbors(embedding, 5)
        again = clone(reference).fit(other, interactions).neighbors(other, 5, rows=[3, 1])
        np.testing.assert_array_equal(again[0], lists[0][[3, 1]])
        assert not hasattr(reference, "transform")
    columns = cosines(interactions.matrix.toarray().T)
    np.fill_diagonal(columns, -np.inf)
    scores = RawColumns().fit(embedding, interactions).neighbors(embedding, 5)[1]
    np.testing.assert_allclose(scores, -np.sort(-columns, axis=1)[:, :5], atol=1e-13)


def test_baselines_name_bad_input(rng):
    embedding = two_sides(rng)
    interactions = used(rng, embedding)
    with pytest.raises(InputError, match="needs interactions, and none were passed"):
        RawColumns().fit(embedding)
    with pytest.raises(ParameterError, match="l2=0: expected None or a finite number > 0"):
        EaseWeights(0).fit(embedding, interactions)
    with pytest.raises(ParameterError, match="strength=0: expected a finite number > 0"):
        EaseWeights(strength=0).fit(embedding, interactions)
    with pytest.raises(ParameterError, match="norm_power=2"):
        RawColumns(norm_power=2).fit(embedding, interactions)
    with pytest.raises(ParameterError, match="user_exponent=3"):
        RawColumns(user_exponent=3).fit(embedding, interactions)
    with pytest.raises(InputError, match="fitted on 40 items, not 3"):
        RawColumns().fit(embedding, interactions).neighbors(Embedding(np.eye(3)), 1)


def test_baselines_hand_their_parameters_on_and_say_them(rng):
    embedding = two_sides(rng)
    interactions = used(rng, embedding)
    rows = np.arange(40)
    raw = RawColumns(user_exponent=0.5, norm_power=0.4).fit(embedding, interactions).neighbors(embedding, 5)
    np.testing.assert_array_equal(raw[1], column_cosine_lists(interactions.matrix, 5, rows, 0.5, 0.4)[1])
    ease = EaseWeights(item_exponent=0.5, user_exponent=0.25, strength=10.0).fit(embedding, interactions)
    np.testing.assert_array_equal(ease.weights_, ease_weights(interactions.matrix, None, 0.5, 0.25, 10.0))
    assert [EaseWeights(l2=2.0, strength=3.0).name, ease.name] == [
        "EASE weights(l2=2)", "EASE weights(item_exponent=0.5, user_exponent=0.25, strength=10)"
    ]  # fmt: skip


def test_candidates_without_numbers_to_search_over(rng):
    embedding = two_sides(rng)
    interactions = used(rng, embedding)
    names = [remedy.name for remedy in candidates.single_candidates(embedding, interactions)]
    assert names[0] == "leave alone(dot)"
    assert not any("canonical" in name or "refit" in name or "csls" in name.lower() for name in names)
    wider = candidates.single_candidates(embedding, interactions, vectors_only=False)
    assert len(wider) == len(names) + 5


def test_ease_is_left_out_where_there_are_very_many_items(rng, monkeypatch):
    monkeypatch.setattr(candidates, "MAX_EASE_ITEMS", 39)
    interactions = used(rng, two_sides(rng))
    assert [type(reference) for reference in default_references(interactions)] == [RawColumns, RawColumns]
