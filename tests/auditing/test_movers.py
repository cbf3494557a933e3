"""Who moved between two models, and what of it is gauge: none of a change of gauge, some of a change of the model."""

from __future__ import annotations

import numpy as np
import pytest

from problems import two_tables
from simgauge import Embedding, gauge_transform, random_gauge
from simgauge.auditing.movers import movers


@pytest.fixture
def model(rng):
    P, Q = two_tables(rng, 120, 80, 6)
    return Embedding(Q, P, item_ids=[f"i{n}" for n in range(80)])


def test_a_change_of_gauge_moves_nobody_in_the_gauge_that_both_determine(model, rng):
    other = gauge_transform(model, random_gauge(6, 30.0, rng=1))
    found = movers(model, other, 5, 100, rng)
    assert found.shipped.mean() < 0.9, "control: the cosines as shipped are others"
    assert found.canonical.min() == 1.0
    assert len(found.moved(10)) == 0
    assert len(found.only_gauge(10)) == 10
    assert np.all(np.diff(found.canonical[found.only_gauge(10)] - found.shipped[found.only_gauge(10)]) <= 0)


def test_without_users_the_whitened_gauge_tells(model, rng):
    alone = Embedding(model.items, item_ids=model.item_ids)
    other = gauge_transform(alone, random_gauge(6, 30.0, rng=1))
    found = movers(alone, other, 5, 100, rng)
    assert found.gauge == "whitened"
    assert found.canonical.min() == 1.0
    assert found.shipped.mean() < 0.9


def test_an_item_that_moved_is_named_first(model, rng):
    items = model.items.copy()
    items[17] = -items[17]
    order = rng.permutation(80)
    other = Embedding(items[order], model.users, item_ids=model.item_ids[order])
    found = movers(model, other, 5, 100, rng)
    assert found.rows[found.moved(3)][0] == 17
    assert found.canonical[17] < 0.5
    assert 17 not in found.lists[0][17]


def test_zero_vectors_and_items_of_one_model_alone_are_left_out(model, rng):
    items = model.items.copy()
    items[3] = 0
    other = Embedding(items[:70], model.users, item_ids=model.item_ids[:70])
    found = movers(model, other, 5, 100, rng)
    assert found.n_shared == 69
    assert 3 not in found.rows
    apart = Embedding(items, model.users, item_ids=[f"j{n}" for n in range(80)])
    assert movers(model, apart, 5, 100, rng) is None
