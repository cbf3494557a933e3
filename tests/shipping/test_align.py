"""align: two trainings in one space, scored on items that did not fit the map, with controls that must fail."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge import Embedding, InputError, ParameterError, gauge_transform, random_gauge, top_k
from simgauge.remedies import load_remedy
from simgauge.shipping.align import align
from simgauge.shipping.apply import apply

EPS = float(np.finfo(np.float64).eps)


@pytest.fixture
def old(rng):
    scale = np.geomspace(1, 0.1, 8)
    return Embedding(
        rng.standard_normal((300, 8)) * scale, users=rng.standard_normal((200, 8)) * scale[::-1],
        item_ids=[f"i{row}" for row in range(300)], user_ids=[f"u{row}" for row in range(200)],
    )  # fmt: skip


def test_another_gauge_of_the_same_model_is_brought_back_whole(old):
    moved = gauge_transform(old, random_gauge(8, 10.0, rng=1))
    found = align(old, moved, k=5)
    assert found.aligned.itself_first == 1.0
    assert found.aligned.lists_kept > 0.999
    assert found.own_lists_kept == 1.0
    assert found.as_trained.itself_first < 0.2  # control: as they came, the vectors are strangers
    assert found.predictions_kept <= 1e-10
    assert found.users_kept == 1.0
    np.testing.assert_allclose(found.new.items, found.old.items, atol=1e-8)


@pytest.mark.parametrize("method", ["rotation", "linear"])
@pytest.mark.parametrize("power", [1.0, None])
def test_predictions_are_kept_to_the_promised_tolerance(old, rng, method, power):
    noisy = Embedding(
        old.items + 0.05 * rng.standard_normal(old.items.shape),
        users=old.users,
        item_ids=old.item_ids,
        user_ids=old.user_ids,
    )
    found = align(old, gauge_transform(noisy, random_gauge(8, 30.0)), method=method, power=power, k=5)
    assert found.predictions_kept <= 1e6 * EPS * found.condition_number
    if method == "rotation":
        assert found.condition_number == 1.0
        assert found.own_lists_kept == 1.0
    if power is not None or method == "linear":  # a rotation cannot undo a gauge, a canonical form or a linear map can
        assert found.aligned.itself_first > 0.95


def test_another_model_is_not_made_the_same(old, rng):
    """Control: nothing is shared but the names."""
    other = Embedding(rng.standard_normal((300, 8)), users=rng.standard_normal((200, 8)), item_ids=old.item_ids)
    for method in ("rotation", "linear"):
        found = align(old, other, method=method, k=5)
        assert found.aligned.itself_first < 0.1
        assert found.aligned.lists_kept < 0.2


def test_items_that_moved_are_named(old):
    items = old.items.copy()
    items[[3, 40]] = -items[[3, 40]]
    names = [f"name {row}" for row in range(300)]
    first = Embedding(old.items, users=old.users, item_ids=old.item_ids, item_names=names)
    found = align(first, Embedding(items, users=old.users, item_ids=old.item_ids), power=None, k=5, rng=3)
    movers = {name for name, _ in found.movers[:2]}
    assert movers <= {f"name {row}" for row in range(300)}
    order = [name for name, _ in found.movers]
    for row in (3, 40):
        if f"name {row}" in order:
            assert order.index(f"name {row}") < 2


def test_maps_take_vectors_that_come_later(old, tmp_path):
    moved = gauge_transform(old, random_gauge(8, 10.0, rng=1))
    found = align(old, moved, method="linear", k=5)
    path = found.new_map.save(tmp_path / "map.safetensors")
    np.testing.assert_allclose(load_remedy(path).transform_items(moved.items[:7]), found.new.items[:7], atol=1e-8)
    users = apply(path, moved.users, side="users")
    np.testing.assert_allclose(users.items @ found.new.items.T, moved.users @ moved.items.T, rtol=1e-6, atol=1e-8)


def test_single_tables_are_turned_as_they_are(rng):
    table = rng.standard_normal((200, 5))
    R = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    found = align(table, table @ R, k=5)
    assert found.gauge == "as they are"
    assert found.aligned.itself_first == 1.0
    assert found.predictions_kept is None


def test_bad_input(old, rng):
    with pytest.raises(InputError, match="share 0 items"):
        align(old, Embedding(old.items, item_ids=[f"x{row}" for row in range(300)]))
    with pytest.raises(InputError, match="needs the users of both"):
        align(old, Embedding(old.items, item_ids=old.item_ids), power=0.5)
    with pytest.raises(ParameterError, match="method='affine'"):
        align(old, old, method="affine")
    wide = Embedding(rng.standard_normal((300, 12)), users=rng.standard_normal((200, 12)), item_ids=old.item_ids)
    with pytest.raises(InputError, match="cannot hold its predictions"):
        align(old, wide)


@pytest.mark.parametrize("method", ["rotation", "linear"])
def test_new_items_and_new_users_enter_the_old_index_each_by_its_own_side(old, tmp_path, method):
    """Rows of the new model that no map has seen, by the saved map, in the index of the old one.

    Control: moved by the other side they do not find what they should.
    """
    moved = gauge_transform(old, random_gauge(8, 30.0, rng=1))
    known = Embedding(moved.items[:250], users=moved.users[:150], item_ids=old.item_ids[:250])
    power = None if method == "linear" else 1.0
    found = align(old, known if power is None else moved, method=method, power=power, k=5)
    path = found.new_map.save(tmp_path / "map.safetensors")
    index = found.old.items
    own = np.arange(250, 300)
    late = {side: apply(path, moved.items[250:], side=side).items for side in ("items", "users")}
    first = {side: top_k(index, 1, "cosine", rows)[0][:, 0] for side, rows in late.items()}
    assert (first["items"] == own).all()
    assert (first["users"] == own).mean() < 0.5, "control: items by the side of the users"
    expected = top_k(old.items, 10, "dot", old.users[150:])[0]
    asked = {side: apply(path, moved.users[150:], side=side).items for side in ("items", "users")}
    lists = {side: top_k(index, 10, "dot", rows)[0] for side, rows in asked.items()}
    np.testing.assert_array_equal(lists["users"], expected)
    assert (lists["items"] == expected).mean() < 0.7, "control: users by the side of the items"


def test_a_narrower_model_keeps_its_predictions_in_the_wider_space(old, rng):
    narrow = Embedding(old.items[:, :5], users=old.users[:, :5], item_ids=old.item_ids, user_ids=old.user_ids)
    for method in ("rotation", "linear"):
        found = align(old, narrow, method=method, k=5)
        assert found.new.n_components == 8
        assert found.predictions_kept < 1e-10
    assert found.as_trained is None


def test_a_wider_model_widens_the_index_or_is_truncated_at_a_cost(old, rng):
    wide = Embedding(
        np.hstack([old.items, rng.standard_normal((300, 3))]),
        users=np.hstack([old.users, 0.3 * rng.standard_normal((200, 3))]),
        item_ids=old.item_ids, user_ids=old.user_ids,
    )  # fmt: skip
    with pytest.raises(InputError, match="wider='widen'"):
        align(old, wide, k=5)
    widened = align(old, wide, wider="widen", k=5)
    assert widened.predictions_kept < 1e-10
    assert widened.own_lists_kept == 1.0
    assert widened.old.n_components == 11
    np.testing.assert_allclose(widened.old.users @ widened.old.items.T, old.users @ old.items.T, atol=1e-10)
    np.testing.assert_allclose(widened.old_map.transform_items(old.items), widened.old.items, atol=1e-10)
    cut = align(old, wide, wider="truncate", k=5)
    assert (cut.old.n_components, cut.new.n_components) == (8, 8)
    assert 0.2 < cut.own_lists_kept < 1.0, "what fewer columns cost the new model"
    assert cut.predictions_kept > 0.01
    same = align(old, old, wider="truncate", k=5)
    assert same.own_lists_kept == 1.0, "control: as wide, nothing is cut"


def test_shared_items_must_span_the_new_model(old, rng):
    """Sixty shared items without the last three directions fix no map of them."""
    flat = old.items.copy()
    flat[:60, 5:] = 0
    part = Embedding(flat, users=old.users, item_ids=[*old.item_ids[:60], *(f"x{row}" for row in range(240))])
    for method in ("rotation", "linear"):
        with pytest.raises(InputError, match="span 5 of the 8 directions"):
            align(old, part, method=method, power=None, k=5)
    whole = Embedding(flat * ([1] * 5 + [0] * 3), item_ids=part.item_ids)
    control = align(Embedding(flat, item_ids=old.item_ids), whole, k=5)
    assert control.n_shared == 60, "columns that are zero in all rows are no reason to refuse"
