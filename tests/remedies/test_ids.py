"""Ids of two sources meet by one rule in every remedy: 7 and "7" are the same item, in any order; another is not."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

from remedy_problems import REMEDIES, two_sides, used
from simgauge import Embedding, Interactions
from simgauge.errors import InputError
from simgauge.remedies import Chain, NormDiscounting
from simgauge.remedies.neighbor_remedy import NeighborRemedy

every = pytest.mark.parametrize("remedy", REMEDIES, ids=lambda remedy: remedy.name)
NUMBERS = np.arange(100, 140)


def with_ids(embedding, ids, rows=slice(None)):
    return Embedding(embedding.items[rows], embedding.users, item_ids=ids, user_ids=embedding.user_ids)


@pytest.fixture
def plain(rng):
    return two_sides(rng)


def fitted(rng, remedy, embedding):
    return clone(remedy).fit(embedding, Interactions(used(rng, embedding).matrix, item_ids=embedding.item_ids))


def knows_items(remedy):
    """Whether it learnt something of single items, and not only a map."""
    steps = remedy.steps if isinstance(remedy, Chain) else [remedy]
    return any(isinstance(step, (NeighborRemedy, NormDiscounting)) or step.provides_users for step in steps)


def assert_same(remedy, one, other, order):
    """The result for `other`, whose rows are those of `one` in this order, is that for `one`."""
    np.testing.assert_allclose(remedy.transform(other).items, remedy.transform(one).items[order], atol=1e-12)
    (first, scores), (second, again) = (remedy.neighbors(embedding, 3) for embedding in (one, other))
    np.testing.assert_allclose(again, scores[order], atol=1e-12)
    np.testing.assert_array_equal(order[second], first[order])


@every
@pytest.mark.parametrize("fitted_on_text", [True, False])
def test_numbers_and_text_are_the_same_ids(rng, plain, remedy, fitted_on_text):
    numbers, text = with_ids(plain, NUMBERS), with_ids(plain, NUMBERS.astype(str).astype(object))
    first, second = (text, numbers) if fitted_on_text else (numbers, text)
    assert_same(fitted(rng, remedy, first), first, second, np.arange(40))


@every
def test_the_order_of_the_items_does_not_matter(rng, plain, remedy):
    order = rng.permutation(40)
    assert_same(fitted(rng, remedy, plain), plain, with_ids(plain, plain.item_ids[order], order), order)


@every
def test_other_items_are_refused_where_single_items_are_known(rng, plain, remedy):
    """A map of vectors serves any items; what was learnt of single items says nothing of others."""
    known = fitted(rng, remedy, plain)
    strangers = with_ids(plain, [f"other{number}" for number in range(40)])
    if not knows_items(remedy):
        np.testing.assert_array_equal(known.transform(strangers).items, known.transform(plain).items)
        return
    with pytest.raises(InputError, match="other0"):
        known.neighbors(strangers, 3)


@every
@pytest.mark.parametrize("text_side", ["embedding", "interactions"])
def test_interactions_of_the_same_items_are_taken_as_numbers_or_text(rng, plain, remedy, text_side):
    ids = {
        side: NUMBERS.astype(str).astype(object) if side == text_side else NUMBERS
        for side in ("embedding", "interactions")
    }
    matrix = used(rng, plain).matrix
    embedding = with_ids(plain, ids["embedding"])
    one = clone(remedy).fit(embedding, Interactions(matrix, item_ids=ids["interactions"])).transform(embedding)
    two = clone(remedy).fit(embedding, Interactions(matrix, item_ids=ids["embedding"])).transform(embedding)
    np.testing.assert_array_equal(one.items, two.items)


def test_interactions_in_another_order_are_refused(rng, plain):
    order = rng.permutation(40)
    with pytest.raises(InputError, match="in another order"):
        NormDiscounting().fit(plain, Interactions(used(rng, plain).matrix, item_ids=plain.item_ids[order]))


def test_some_new_items_count_as_average_and_are_no_reason_to_stop(rng, plain):
    known = fitted(rng, NormDiscounting(0.5), plain)
    mixed = [*plain.item_ids[:20], *(f"new{number}" for number in range(20))]
    norms = np.linalg.norm(known.transform(with_ids(plain, mixed)).items, axis=1)
    np.testing.assert_allclose(norms[:20], known.scale_[:20])
    np.testing.assert_allclose(norms[20:], 1.0)
