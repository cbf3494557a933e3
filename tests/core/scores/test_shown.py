"""Coverage, Gini and novelty of lists against slow definitions, with controls."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.core.scores.shown import shown_items, user_shares
from simgauge.errors import InputError


def slow(lists, n_items, shares):
    """Item by item; Gini as half the relative mean difference of all pairs."""
    counts = [sum(item in row for row in lists.tolist()) for item in range(n_items)]
    total = sum(counts)
    differences = sum(abs(a - b) for a in counts for b in counts)
    bits = [-np.log2(shares[item]) for row in lists.tolist() for item in row if item >= 0]
    return sum(c > 0 for c in counts) / n_items, differences / (2 * n_items * total), float(np.mean(bits))


@pytest.mark.parametrize("seed", range(5))
def test_the_measures_are_those_of_the_definitions(seed):
    rng = np.random.default_rng(seed)
    lists = np.array([rng.permutation(30)[:6] for _ in range(12)])
    lists[3, 4:] = -1
    shares = rng.uniform(0.01, 1.0, 30)
    found = shown_items(lists, 30, shares)
    assert found[:3] == pytest.approx(slow(lists, 30, shares), rel=30 * np.finfo(float).eps)
    assert found.n_lists == 12


def test_equal_lists_and_one_list_for_all_are_the_two_ends():
    even = np.array([[(row + step) % 20 for step in range(1, 6)] for row in range(20)])
    same = np.tile(np.arange(5), (20, 1))
    assert shown_items(even, 20)[:2] == (1.0, 0.0)
    assert shown_items(same, 20)[:2] == (0.25, pytest.approx(0.75))
    assert shown_items(same, 20).novelty is None


def test_novelty_sees_popularity_where_coverage_does_not():
    shares = np.where(np.arange(20) < 10, 0.5, 0.01)
    popular, rare = np.tile(np.arange(5), (4, 1)), np.tile(np.arange(15, 20), (4, 1))
    one, other = shown_items(popular, 20, shares), shown_items(rare, 20, shares)
    assert (one.novelty, other.novelty) == (1.0, pytest.approx(-np.log2(0.01)))
    assert one[:2] == other[:2], "control: the other two measures do not tell them apart"


def test_bad_lists_and_shares():
    with pytest.raises(InputError, match="hold no items"):
        shown_items(np.full((2, 3), -1), 5)
    for shares in (np.zeros(5), np.ones(4), np.full(5, 1.5), np.full(5, np.nan)):
        with pytest.raises(InputError, match="expected 5 numbers above 0"):
            shown_items(np.zeros((1, 1), dtype=int), 5, shares)


def test_shares_never_leave_their_range():
    assert user_shares(np.array([0, 3, 9]), 9).tolist() == [1 / 9, 1 / 3, 1.0]
    assert user_shares(np.array([0, 12]), 9).max() == 1.0, "popularity of more users than are in the data"
    assert user_shares(np.zeros(2, dtype=int), 0).tolist() == [1.0, 1.0]
