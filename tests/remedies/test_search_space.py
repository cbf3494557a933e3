"""Ladders and steps: every place makes a remedy, steps change one number, ranks fit the data."""

from __future__ import annotations

import numpy as np
import pytest

from remedy_problems import two_sides, used
from simgauge import Embedding, Interactions
from simgauge.remedies import search_space
from simgauge.remedies.search_space import refit_ranks, search_families


@pytest.fixture
def embedding(rng):
    return two_sides(rng)


@pytest.mark.parametrize("two_tables", [True, False])
def test_every_place_makes_another_remedy_and_the_coarse_ones_fit(rng, embedding, two_tables):
    interactions = used(rng, embedding)
    if not two_tables:
        embedding = Embedding(embedding.items, item_ids=embedding.item_ids)
    families = search_families(embedding, interactions)
    assert {"propensity", "damping"} < {family.name for family in families}
    for family in families:
        names = [place.remedy().name for place in family.start()]
        assert len(set(names)) == len(names) > 1
        for place in family.start():
            moved = place.remedy().fit(embedding, interactions).transform(embedding)
            assert moved.n_items == embedding.n_items
    assert all("refit" not in place.remedy().name for place in search_families(embedding)[0].start())


def test_a_step_changes_one_parameter_by_one_rung_or_to_any_value_without_an_order(embedding):
    (family,) = search_families(embedding)
    for place in family.start():
        here = place.remedy().get_params()
        for near in family.near(place):
            there = near.remedy().get_params()
            changed = [name for name in here if here[name] != there[name]]
            assert len(changed) == 1
            ladder = family.ladders[changed[0]]
            apart = abs(ladder.index(here[changed[0]]) - ladder.index(there[changed[0]]))
            assert apart == 1 or changed == ["center"]
        assert sum(near.remedy().center != here["center"] for near in family.near(place)) == 3
        assert all(place in list(family.near(near)) for near in family.near(place))  # and there is a way back


def test_ranks_go_beyond_that_of_the_embedding_as_far_as_the_data(monkeypatch):
    def ranks(k, n_users, n_items):
        return refit_ranks(Embedding(np.ones((n_items, k))), Interactions(np.ones((n_users, n_items))))

    assert ranks(64, 400, 300) == (256, 128, 64, 32, 16)
    assert ranks(64, 100, 300) == (64, 32, 16)  # 128 would be more than the users
    assert ranks(300, 400, 320) == (300, 150, 75)
    assert ranks(64, 40, 300) == (40, 20, 10)
    assert ranks(1, 5, 5) == (4, 2, 1)
    monkeypatch.setattr(search_space, "MAX_REFIT_NUMBERS", 130 * 300)
    assert ranks(64, 400, 300) == (128, 64, 32, 16)  # vectors of rank 256 would be too large
