"""align: two trainings in one space, scored on items that did not fit the map, with controls that must fail."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge import Embedding, InputError, ParameterError, gauge_transform, random_gauge
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
