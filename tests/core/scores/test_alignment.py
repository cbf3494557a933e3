"""Alignment: half by theorem for rows that belong to others, far above for those that belong, biases of no effect."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy import sparse
from scipy.special import stdtrit

from simgauge.core.scores.alignment import (
    Swaps,
    alignment_units,
    pairs_used_together,
    swap_interval,
    swapped_pairs,
)


def planted(rng, n_users=120, n_items=60, k=4, noise=0.0):
    """Tables, and interactions that are the largest scores of every user."""
    P, Q = rng.standard_normal((n_users, k)), rng.standard_normal((n_items, k))
    scores = P @ Q.T + noise * rng.standard_normal((n_users, n_items))
    return P, Q, sparse.csr_array((scores > np.quantile(scores, 0.85, axis=1, keepdims=True)).astype(float))


def dot(P, Q):
    return lambda users, items: np.einsum("ij,ij->i", P[users], Q[items])


def test_swaps_are_pairs_whose_exchange_never_happened_and_keep_both_marginals(rng):
    X = planted(rng)[2]
    swaps = swapped_pairs(X, rng)
    dense = X.toarray() > 0
    assert len(swaps.users) > 100
    assert dense[swaps.users, swaps.items].all()
    assert dense[swaps.other_users, swaps.other_items].all()
    assert not dense[swaps.users, swaps.other_items].any()
    assert not dense[swaps.other_users, swaps.items].any()
    drawn = swaps.users * X.shape[1] + swaps.items, swaps.other_users * X.shape[1] + swaps.other_items
    assert len(np.unique(np.concatenate(drawn))) == 2 * len(swaps.users), "no pair is drawn twice"


def test_many_pairs_are_sampled_and_full_matrices_have_no_swap(rng):
    assert len(swapped_pairs(sparse.csr_array(np.eye(500)), rng, n_pairs=100).users) == 50
    assert len(swapped_pairs(sparse.csr_array(np.ones((5, 5))), rng).users) == 0


def test_theorem_over_all_orders_of_the_rows_the_mean_is_exactly_one_half(rng):
    P, Q, X = planted(rng, n_users=9, n_items=6)
    Q[3] = Q[2]  # ties
    swaps = swapped_pairs(X, rng)
    means = [alignment_units(dot(P, Q[list(order)]), swaps).mean() for order in permutations(range(6))]
    assert np.mean(means) == pytest.approx(0.5, abs=1e-12)
    assert max(means) > 0.75, "control: single orders do differ"


def test_biases_and_popularity_tell_nothing(rng):
    X = planted(rng)[2]
    swaps = swapped_pairs(X, rng)
    activity, popularity = X.sum(axis=1), X.sum(axis=0)
    assert (alignment_units(lambda u, i: activity[u] + popularity[i], swaps) == 0.5).all()
    assert (alignment_units(lambda u, i: (1 + activity[u]) * popularity[i], swaps) == 0.5).all()
    spoiled = swaps._replace(other_items=rng.integers(0, 60, len(swaps.users)))
    units = alignment_units(lambda u, i: activity[u] + popularity[i], spoiled)
    assert units.mean() == pytest.approx(0.5), "cancels in every couple, whatever the items"


def test_rows_that_belong_stand_out_and_biases_do_not_hide_it(rng):
    P, Q, X = planted(rng)
    swaps = swapped_pairs(X, rng)
    bias = 10 * rng.standard_normal(60)
    right = swap_interval(alignment_units(dot(P, Q), swaps), swaps)
    assert right.low > 0.9
    biased = np.column_stack([Q, bias]), np.column_stack([P, np.ones(len(P))])
    assert alignment_units(dot(biased[1], biased[0]), swaps).mean() > 0.55
    shifted = swap_interval(alignment_units(dot(P, np.roll(Q, 1, axis=0)), swaps), swaps)
    assert shifted.low < 0.52


def error_by_loops(units, swaps):
    """The standard error as it is defined: a product of deviations for every member that two couples share."""
    deviations = units - units.mean()
    members = [
        {("user", u), ("user", v), ("item", i), ("item", j)}
        for u, i, v, j in zip(*(side.tolist() for side in swaps), strict=True)
    ]
    total = sum(
        deviations[a] * deviations[b] * (1 if a == b else len(members[a] & members[b]))
        for a in range(len(units))
        for b in range(len(units))
    )
    return np.sqrt(total) / len(units)


def test_interval_equals_the_double_loop_and_is_wider_than_for_independent_couples(rng):
    couples = Swaps(*(rng.integers(low, high, 60) for low, high in ((0, 6), (0, 5), (6, 12), (5, 10))))
    units = (couples.users % 2 + rng.random(60)) / 2  # couples of one user are alike
    found = swap_interval(units, couples)
    half = (found.high - found.low) / 2 / stdtrit(59, 0.975)
    assert half == pytest.approx(error_by_loops(units, couples), rel=1e-12)
    assert half > 1.2 * units.std() / np.sqrt(60)


def test_rows_in_random_order_pass_as_rarely_as_the_level_says(rng):
    passed = 0
    for _ in range(200):
        P, Q, X = planted(rng, n_users=60, n_items=40, k=3)
        swaps = swapped_pairs(X, rng)
        units = alignment_units(dot(P, Q[rng.permutation(40)]), swaps)
        passed += swap_interval(units, swaps).low > 0.52
    assert passed <= 10, "at most 2.5 % of 200 are expected above one half, fewer above .52"


def test_pairs_used_together_are_of_one_user_and_of_two_items(rng):
    X = planted(rng)[2]
    together = pairs_used_together(X, rng, n_pairs=300)
    co_used = (X.T @ X).toarray() > 0
    left, right = together.nonzero()
    assert (left != right).all()
    assert co_used[left, right].all()
    assert (together != together.T).nnz == 0
    assert 300 < together.nnz <= 600
    alone = sparse.csr_array(np.eye(4))
    assert pairs_used_together(alone, rng).nnz == 0
