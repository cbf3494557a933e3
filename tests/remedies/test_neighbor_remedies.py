"""Neighbour-level remedies against brute force, with duplicates, ties, few items, and as tables for a store."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge import Embedding
from simgauge.core.neighbors.topk import top_k
from simgauge.core.tables.tables import unit_rows
from simgauge.errors import InputError, ParameterError
from simgauge.remedies import CSLS, LocalScaling

ALL = [CSLS(k=6), LocalScaling("nicdm", k=6), LocalScaling("exponential", k=6)]
every = pytest.mark.parametrize("remedy", ALL, ids=lambda remedy: remedy.name)


def brute_force(remedy, items, queries):
    """Scores of every query with every item, from the definitions, with plain loops over all pairs."""
    X, Y = unit_rows(queries), unit_rows(items)
    same = queries is items

    def around(vector, own):
        others = [y for j, y in enumerate(Y) if j != own]
        cosines = sorted((float(vector @ y) for y in others), reverse=True)[: remedy.k]
        if isinstance(remedy, CSLS):
            return np.mean(cosines)
        distances = [np.sqrt(max(0, 2 - 2 * c)) for c in cosines]
        return distances[-1] if remedy.method == "exponential" else np.mean(distances)

    of_items = [around(y, j) for j, y in enumerate(Y)]
    of_queries = of_items if same else [around(x, None) for x in X]
    scores = np.empty((len(X), len(Y)))
    for i, x in enumerate(X):
        for j, y in enumerate(Y):
            if isinstance(remedy, CSLS):
                scores[i, j] = 2 * (x @ y) - of_queries[i] - of_items[j]
            elif remedy.method == "exponential":
                scores[i, j] = np.exp(-np.sum((x - y) ** 2) / (of_queries[i] * of_items[j]))
            else:
                scores[i, j] = -np.sqrt(np.sum((x - y) ** 2) / (of_queries[i] * of_items[j]))
    if same:
        np.fill_diagonal(scores, -np.inf)
    return scores


@every
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_lists_are_those_of_the_definition(rng, remedy, dtype):
    items = (rng.standard_normal((60, 5)) + 0.5).astype(dtype)
    embedding = Embedding(items)
    indices, scores = remedy.fit(embedding).neighbors(embedding, 7)
    table = items.astype(float)
    expected = brute_force(remedy, table, table)
    tolerance = 1e-7 if dtype == np.float64 else 2e-5
    np.testing.assert_allclose(scores, -np.sort(-expected, axis=1)[:, :7], atol=tolerance)
    np.testing.assert_allclose(np.take_along_axis(expected, indices, 1), scores, atol=tolerance)
    plain = top_k(items, 7)[0]
    assert (plain != indices).any()  # control: cosine gives other lists


@every
def test_queries_from_outside(rng, remedy):
    items, queries = rng.standard_normal((50, 5)) + 0.5, rng.standard_normal((9, 5))
    embedding = Embedding(items)
    indices, scores = remedy.fit(embedding).neighbors(embedding, 4, queries=queries)
    expected = brute_force(remedy, items, queries)
    np.testing.assert_array_equal(indices, np.argsort(-expected, axis=1)[:, :4])
    np.testing.assert_allclose(scores, -np.sort(-expected, axis=1)[:, :4], atol=1e-7)


@every
def test_tables_for_a_store_give_the_same_lists(rng, remedy):
    embedding = Embedding(rng.standard_normal((50, 5)) + 0.5)
    searched, asked = remedy.fit(embedding).index_tables(embedding)
    assert searched.shape == asked.shape == (50, 6)
    dots = asked @ searched.T
    np.fill_diagonal(dots, -np.inf)
    np.testing.assert_array_equal(np.argsort(-dots, axis=1)[:, :5], remedy.neighbors(embedding, 5)[0])


@every
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_duplicates_and_zero_rows_give_finite_scores(rng, remedy, dtype):
    items = rng.standard_normal((30, 4)).astype(dtype)
    items[:12] = items[0]  # more copies than the surroundings hold
    items[20] = 0
    embedding = Embedding(items)
    indices, scores = remedy.fit(embedding).neighbors(embedding, 5)
    assert np.isfinite(scores).all()
    assert (indices != np.arange(30)[:, None]).all()
    assert set(indices[3]) <= set(range(12))


def test_an_item_that_is_not_nearest_to_itself_is_still_the_one_left_out():
    """In a crowd, r(x) is large, and a neighbour outside of it can score higher with x than x itself does."""
    crowd = np.tile([1.0, 0.0, 0.0], (3, 1)) + 0.01 * np.eye(3)
    outside = np.array([[0.75, 0.66, 0.0]])
    others = np.tile([0.75, -0.66, 0.0], (40, 1)) + 0.01 * np.random.default_rng(0).standard_normal((40, 3))
    items = np.vstack([crowd, outside, others])
    embedding, remedy = Embedding(items), CSLS(k=43)
    searched, asked = remedy.fit(embedding).index_tables(embedding)
    assert (asked @ searched.T)[0].argmax() == 3  # what the data was made for
    indices, scores = remedy.neighbors(embedding, 4)
    expected = brute_force(remedy, items, items)
    np.testing.assert_allclose(scores, -np.sort(-expected, axis=1)[:, :4], atol=1e-12)
    assert (indices != np.arange(44)[:, None]).all()
    assert indices[0, 0] == 3


@every
def test_few_items(rng, remedy):
    embedding = Embedding(rng.standard_normal((3, 4)))
    assert remedy.fit(embedding).neighbors(embedding, 2)[0].shape == (3, 2)
    with pytest.raises(ParameterError, match="k=3: expected 1 to 2"):
        remedy.neighbors(embedding, 3)
    with pytest.raises(InputError, match="pass 2 items or more"):
        remedy.fit(Embedding(np.ones((1, 4))))


@every
def test_other_items_than_those_it_was_fitted_on(rng, remedy):
    embedding = Embedding(rng.standard_normal((20, 4)))
    remedy.fit(embedding)
    with pytest.raises(InputError, match="fitted on 20 items, received 19"):
        remedy.neighbors(Embedding(embedding.items[:19]), 3)
