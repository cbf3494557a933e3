"""Models by name, on the rows that all of them have."""

from __future__ import annotations

import numpy as np

from simgauge.embedding import Embedding
from simgauge.evaluation.models import named_models, on_common_rows


def test_rows_follow_their_ids_on_both_sides(rng):
    items, users = rng.standard_normal((6, 2)), rng.standard_normal((5, 2))
    first = Embedding(items, users, list("abcdef"), list("vwxyz"))
    order, kept = rng.permutation(6), [3, 1, 2]
    other = Embedding(items[order], users[kept], np.array(list("abcdef"))[order], np.array(list("vwxyz"))[kept])
    found, notes = on_common_rows(named_models({"one": first, "two": [other, first]}))
    for own in found.values():
        for model in own:
            np.testing.assert_array_equal(model.items, items)
            np.testing.assert_array_equal(model.users, users[1:4])
            assert model.user_ids.tolist() == list("wxy")
    assert notes == ["compared on the 3 users that all models have"]


def test_a_model_alone_stays_as_it_is():
    one = Embedding(np.eye(3))
    found, notes = on_common_rows(named_models(one))
    assert found["model"][0] is one
    assert notes == []


def test_users_of_some_models_only_are_left_out():
    one, two = Embedding(np.eye(3), np.eye(3)), Embedding(np.eye(3))
    found, _ = on_common_rows(named_models({"one": one, "two": two}))
    assert found["one"][0].users is None
