"""Neighbours by name: each side against all pairs, what every gauge keeps, and who cannot be asked for."""

from __future__ import annotations

import numpy as np
import pytest

from geometry_problems import general_map
from problems import cosines, two_tables
from simgauge.cli.neighbors_text import prediction_sentences
from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError
from simgauge.gauge import canonical_gauge, gauge_transform
from simgauge.neighbors import AS_SHIPPED, compare_neighbors, standard_gauges


@pytest.fixture
def model(rng):
    P, Q = two_tables(rng, 40, 25, 4)
    return Embedding(Q, P, item_names=[f"item {row}" for row in range(25)], user_ids=[f"u{row}" for row in range(40)])


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1)[:, None]


def test_each_side_against_all_pairs(model):
    tables = {
        "items": (cosines(model.items), "item 3", 3),
        "users": (cosines(model.users), "u7", 7),
        "user-items": (unit(model.users) @ unit(model.items).T, "u7", 7),
    }
    for of, (scores, name, row) in tables.items():
        scores = scores.copy()
        if of != "user-items":
            scores[row, row] = -np.inf
        order = np.argsort(-scores[row], kind="stable")[:6]
        found = compare_neighbors({AS_SHIPPED: model}, [name], 6, of=of).lists[0]
        assert found.item == name
        labels = model.user_ids if of == "users" else model.item_ids
        assert list(found.ids) == labels[order].tolist()
        np.testing.assert_allclose(found.scores, scores[row][order], rtol=1e-12)


def test_projected_back_users_are_rows_of_the_predictions_and_items_are_columns(model):
    """The paper projects users (remedy 2); items are the extension. At one α only one side is projected."""
    predicted = model.users @ model.items.T
    gauges = standard_gauges(model, "users")
    rows = cosines(gauges["projected back (α = 0)"].users)
    np.testing.assert_allclose(rows, cosines(predicted), atol=1e-12)
    centred = cosines(gauges["projected back, items centred"].users)
    np.testing.assert_allclose(centred, np.corrcoef(predicted), atol=1e-12)
    columns = cosines(standard_gauges(model)["projected back (α = 1)"].items)
    np.testing.assert_allclose(columns, cosines(predicted.T), atol=1e-12)
    whitened = gauges["whitened users (α = 1)"].users  # control: the same α does not project the users
    np.testing.assert_allclose(whitened.T @ whitened, np.eye(4), atol=1e-12)
    assert np.abs(cosines(whitened) - cosines(predicted)).max() > 0.1


@pytest.mark.parametrize("of", ["items", "users", "user-items"])
def test_only_dot_products_between_the_sides_are_the_same_in_every_gauge(model, rng, of):
    asked = ["item 3"] if of == "items" else ["u7"]
    moved = gauge_transform(model, general_map(rng, 4, 50.0))
    by_dot = compare_neighbors({**standard_gauges(model, of), "moved": moved}, asked, 5, "dot", of=of)
    by_cosine = compare_neighbors({**standard_gauges(model, of), "moved": moved}, asked, 5, of=of)
    assert (len({entry.ids for entry in by_dot.lists}) == 1) == (of == "user-items")
    assert len({entry.ids for entry in by_cosine.lists}) > 1
    assert by_dot.to_dict()["of"] == of


def test_canonical_lists_do_not_depend_on_the_gauge_the_tables_came_in(model, rng):
    moved = gauge_transform(model, general_map(rng, 4, 50.0))
    for of, asked in (("items", "item 3"), ("users", "u7"), ("user-items", "u7")):
        one, two = (compare_neighbors(standard_gauges(e, of), [asked], 5, of=of).lists[1:] for e in (model, moved))
        assert [entry.ids for entry in one] == [entry.ids for entry in two]


def test_numbers_and_texts_are_the_same_user(rng):
    P, Q = two_tables(rng, 10, 8, 3)
    numbered = Embedding(Q, P)
    found = [compare_neighbors({AS_SHIPPED: numbered}, [asked], 3, of="users").lists[0] for asked in (4, "4")]
    assert found[0] == found[1]


def test_who_cannot_be_asked_for_is_told_why(model):
    gauges = {AS_SHIPPED: model}
    with pytest.raises(InputError, match=r"no user has the id 'item 3': .* are 'u0', 'u1', 'u2' and 37 more"):
        compare_neighbors(gauges, ["item 3"], 3, of="users")
    for of in ("users", "user-items"):
        with pytest.raises(InputError, match="has items only: pass them, too"):
            compare_neighbors({AS_SHIPPED: Embedding(model.items)}, [0], 3, of=of)
        with pytest.raises(InputError, match="has items only: pass them, too"):
            standard_gauges(Embedding(model.items), of)
    with pytest.raises(ParameterError, match="of='pairs'"):
        compare_neighbors(gauges, ["u1"], 3, of="pairs")
    for of, most in (("items", 24), ("users", 39), ("user-items", 25)):
        asked = ["item 1"] if of == "items" else ["u1"]
        assert len(compare_neighbors(gauges, asked, most, of=of).lists[0].ids) == most
        with pytest.raises(ParameterError, match=f"k={most + 1}: expected an integer from 1 to {most}"):
            compare_neighbors(gauges, asked, most + 1, of=of)
    fewer = Embedding(model.items, model.users[:5])
    with pytest.raises(InputError, match="pass gauges of one model"):
        compare_neighbors({"a": model, "b": fewer}, ["u1"], 3, of="users")


@pytest.mark.parametrize("metric", ["cosine", "dot"])
def test_a_zero_vector_has_no_neighbours(model, metric):
    items, users = model.items.copy(), model.users.copy()
    items[0], users[1] = 0, 0
    silent = Embedding(items, users)
    for of, asked in (("items", 0), ("users", 1), ("user-items", 1)):
        with pytest.raises(InputError, match=f"{asked} has a zero vector: .* so it has no nearest neighbours"):
            compare_neighbors({AS_SHIPPED: silent}, [asked], 3, metric, of=of)
        assert compare_neighbors({AS_SHIPPED: silent}, [2], 3, metric, of=of).lists  # control
    with pytest.raises(InputError, match="a zero vector in the gauge 'other'"):
        compare_neighbors({"other": canonical_gauge(silent, 1.0)}, [0], 3, metric)


def test_centred_items_keep_rankings_and_not_predictions_and_this_is_said(model):
    """Control: centred users keep every score here, and the columns that keep scores are not called moved."""
    users = compare_neighbors(standard_gauges(model, "users"), ["u7"], 5, of="users")
    kept = {shift.gauge: shift for shift in users.shifts}
    centred = kept.pop("projected back, items centred")
    assert centred.rankings_only, "centred items move the scores of a user by one constant"
    assert centred.difference > 0.01 > 1e-10 > centred.beyond_constants
    assert not any(shift.rankings_only for shift in kept.values()), "the other columns keep every score"
    assert max(shift.difference for shift in kept.values()) < 1e-10
    first, second = prediction_sentences(users)
    assert "the columns but “projected back, items centred”" in first
    assert "has other predictions" in second
    items = compare_neighbors(standard_gauges(model), ["item 3"], 5)
    assert max(shift.difference for shift in items.shifts) < 1e-10
    (only,) = prediction_sentences(items)
    assert "of these columns" in only


def test_centred_users_that_lose_a_bias_of_the_items_are_no_gauge_of_the_same_rankings(rng):
    """A column of ones among the users carries a bias of the items, and centring takes it away."""
    P, Q = two_tables(rng, 40, 25, 4)
    P[:, 0] = 1.0
    found = compare_neighbors(standard_gauges(Embedding(Q, P)), [3], 5)
    centred = found.shifts[-1]
    assert (centred.gauge, centred.rankings_only) == ("projected back, users centred", False)
    assert centred.beyond_constants > 0.01
    assert found.prediction_difference == centred.difference
    assert "of these columns" in prediction_sentences(found)[0]


@pytest.mark.parametrize("metric", ["cosine", "dot"])
@pytest.mark.parametrize("of", ["items", "users", "user-items"])
def test_zero_vectors_are_in_no_list_and_are_named(model, metric, of):
    """Longest lists: a list of all candidates is the one in which a zero vector cannot hide."""
    items, users = np.array(model.items), np.array(model.users)
    items[[4, 9]] = 0
    users[[0, 5]] = 0
    whole = Embedding(items, users, item_ids=model.item_ids, user_ids=model.user_ids, item_names=model.item_names)
    asked = "item 3" if of == "items" else "u7"
    zero = ("u0", "u5") if of == "users" else ("item 4", "item 9")
    most = {"items": 22, "users": 37, "user-items": 23}[of]
    found = compare_neighbors({AS_SHIPPED: whole}, [asked], most, metric, of=of)
    assert found.zero_vectors == zero
    assert not set(found.lists[0].names) & set(zero)
    assert f"2 {'users have' if of == 'users' else 'items have'} a zero vector ('{zero[0]}', '{zero[1]}')" in found.note
    assert found.to_dict()["zero_vectors"] == list(zero)
    sides = {"items": (items, items), "users": (users, users), "user-items": (users, items)}[of]
    row = 3 if of == "items" else 7
    lengths = np.linalg.norm(sides[1], axis=1) if metric == "cosine" else np.ones(len(sides[1]))
    scores = sides[1] @ sides[0][row] / np.maximum(lengths, 1e-9)
    own = {row} if of != "user-items" else set()
    order = [place for place in np.argsort(-scores) if sides[1][place].any() and place not in own]
    labels = model.user_ids if of == "users" else model.item_ids
    assert list(found.lists[0].ids) == labels[order].tolist()
    with pytest.raises(ParameterError, match=f"from 1 to {most}, as there are {most + len(own)} candidates"):
        compare_neighbors({AS_SHIPPED: whole}, [asked], most + 1, of=of)
    control = compare_neighbors({AS_SHIPPED: model}, [asked], 3, metric, of=of)
    assert (control.zero_vectors, control.note) == ((), "")


def test_a_row_that_a_gauge_shifts_from_zero_is_in_no_list_either(model):
    """Centred, a zero vector is minus the mean: near to whatever is far from the mean, and a finding of nothing."""
    items = np.array(model.items)
    items[4] = 0
    whole = Embedding(items, model.users)
    gauges = {AS_SHIPPED: whole, "centred": whole.with_tables(items - items.mean(axis=0), model.users)}
    found = compare_neighbors(gauges, [3], 23)
    assert all(4 not in entry.ids for entry in found.lists)
    assert found.zero_vectors == ("4",)


def test_arguments_of_the_wrong_kind_are_named(model):
    for gauges, text in ((model, "gauges is of type Embedding"), ([model], "gauges is of type list")):
        with pytest.raises(InputError, match=f"{text}: expected embeddings by name"):
            compare_neighbors(gauges, [3], 3)
    with pytest.raises(InputError, match=r"gauges\[.a.\] is of type ndarray: expected embeddings"):
        compare_neighbors({"a": model.items}, [3], 3)
    for items in ("item 3", 3, {"item 3": 1}):
        with pytest.raises(InputError, match=r"items is of type .*: expected a list of names or ids"):
            compare_neighbors({AS_SHIPPED: model}, items, 3)
    with pytest.raises(InputError, match="items is of type list: expected a list of names or ids, one or more"):
        compare_neighbors({AS_SHIPPED: model}, [], 3)
