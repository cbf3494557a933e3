"""Merging equals a dictionary of lists; frequent users and items are the largest set that meets both bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from simgauge.errors import InputError, ParameterError
from simgauge.read.events.merge import RULES, keep_frequent, merge_events

EVENTS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 4), st.floats(0, 9), st.integers(0, 3)), min_size=1, max_size=30
)


def slow_merge(events: list[tuple[int, int, float, int]], rule: str, timed: bool) -> np.ndarray:
    groups: dict[tuple[int, int], list[tuple[int, int, float]]] = {}
    for place, (user, item, weight, time) in enumerate(events):
        groups.setdefault((user, item), []).append((time if timed else 0, place, weight))
    dense = np.zeros((4, 5))
    for pair, group in groups.items():
        weights = [weight for _, _, weight in (sorted(group) if rule == "last" else group)]
        dense[pair] = {
            "sum": sum(weights),
            "max": max(weights),
            "mean": sum(weights) / len(weights),
            "last": weights[-1],
            "count": len(weights),
        }[rule]
    return dense


@settings(max_examples=60, deadline=None)
@given(EVENTS, st.sampled_from([rule for rule in RULES if rule != "error"]), st.booleans())
def test_merge_equals_a_dictionary(events: list[tuple[int, int, float, int]], rule: str, timed: bool) -> None:
    users, items, weights, times = (np.array(column) for column in zip(*events, strict=True))
    pairs, merged = merge_events(
        users.astype(np.int32),
        items.astype(np.int32),
        weights.astype(float),
        (4, 5),
        rule,
        times.astype(float) if timed else None,
    )
    assert np.allclose(pairs.toarray(), slow_merge(events, rule, timed), rtol=1e-12, atol=0)
    assert merged == len(events) - len({event[:2] for event in events})
    assert pairs.has_sorted_indices
    assert pairs.indices.dtype == np.int32


def test_rules_differ_where_they_should() -> None:
    zeros = np.zeros(2, np.int32)
    found = {
        rule: merge_events(zeros, zeros, np.array([3.0, 1.0]), (1, 1), rule)[0][0, 0]
        for rule in RULES
        if rule != "error"
    }
    assert found == {"sum": 4.0, "max": 3.0, "mean": 2.0, "last": 1.0, "count": 2.0}


def test_times_count_also_where_the_events_are_in_order() -> None:
    zeros, weights = np.zeros(2, np.int32), np.array([3.0, 1.0])
    assert merge_events(zeros, zeros, weights, (1, 1), "last", np.array([2.0, 1.0]))[0][0, 0] == 3.0


def test_without_weights_every_event_counts_one() -> None:
    users, items = np.array([0, 0], np.int32), np.array([1, 1], np.int32)
    assert merge_events(users, items, None, (1, 2))[0].toarray().tolist() == [[0.0, 2.0]]
    assert merge_events(users, items, None, (1, 2), "max")[0].toarray().tolist() == [[0.0, 1.0]]


def test_repeats_can_be_refused() -> None:
    users, items = np.array([0, 1, 0], np.int32), np.array([1, 1, 1], np.int32)
    with pytest.raises(InputError, match=r"1 events repeat a user-item pair .first: user row 0, item column 1"):
        merge_events(users, items, None, (2, 2), "error")
    assert merge_events(users[:2], items[:2], None, (2, 2), "error")[1] == 0
    with pytest.raises(ParameterError, match="expected one of 'sum'"):
        merge_events(users, items, None, (2, 2), "average")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 4))
def test_keep_frequent_is_the_largest_set_that_meets_both_bounds(seed: int, min_user: int, min_item: int) -> None:
    dense = np.random.default_rng(seed).random((7, 6)) < 0.5
    users, items, _ = keep_frequent(sparse.csr_array(dense.astype(float)), min_user, min_item)
    left, keep_users, keep_items = dense.copy(), np.ones(7, bool), np.ones(6, bool)
    for _ in range(20):  # one at a time, in another order than the implementation
        keep_items &= left.sum(axis=0) >= min_item
        left[:, ~keep_items] = False
        keep_users &= left.sum(axis=1) >= min_user
        left[~keep_users] = False
    assert users.tolist() == keep_users.tolist()
    assert items.tolist() == keep_items.tolist()


def test_one_round_is_not_enough() -> None:
    """A chain in which each removal causes the next."""
    chain = sparse.csr_array(np.eye(6) + np.eye(6, k=1))
    users, items, rounds = keep_frequent(chain, 2, 2)
    assert not users.any()
    assert not items.any()
    assert rounds > 1
