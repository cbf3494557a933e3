"""Splits by user and by time."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from simgauge.core.scores.splits import latest_split, sample_for_each_user, user_split


@pytest.fixture
def interactions(rng):
    return sparse.csr_array((rng.random((40, 25)) < 0.3).astype(float))


def test_held_out_users_are_unknown_to_training(interactions, rng):
    split = user_split(interactions, 0.25, rng)
    trained, asked, looked = (np.diff(part.indptr) > 0 for part in split)
    assert not (trained & asked).any()
    assert (asked == looked).all()
    assert asked.sum() == 10
    total = split.training + split.used + split.later
    assert (abs(total - interactions)).nnz == 0


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_users_with_one_interaction_are_never_held_out(share):
    X = sparse.csr_array(np.eye(6) + np.diag([1.0] * 3 + [0] * 2, 1))
    alone = np.diff(X.indptr) == 1
    for seed in range(20):
        split = user_split(X, share, np.random.default_rng(seed))
        assert (np.diff(split.training.indptr)[alone] == 1).all(), "what they used is trained on"
        assert split.used.nnz == split.later.nnz == max(1, round(share * 3)), "one of the two items asks for the other"


def test_someone_is_always_trained_on(rng):
    everyone = sparse.csr_array(np.ones((6, 2)))
    assert user_split(everyone, 0.99, rng).training.nnz == 2
    assert user_split(everyone, 0.01, rng).training.nnz == 10, "and someone is always held out"


def test_what_is_held_out_is_strictly_later(interactions, rng):
    times = rng.integers(0, 8, interactions.nnz).astype(float)  # many ties, in no order
    training, held = latest_split(interactions, times, 0.3)
    stamped = sparse.csr_array(
        (times + 1, interactions.indices, interactions.indptr), shape=interactions.shape
    ).toarray()
    assert held.nnz > 0
    assert (abs(training + held - interactions)).nnz == 0
    for user in range(40):
        early, late = (stamped[user, part[[user]].indices] for part in (training, held))
        assert len(late) == 0 or early.max() < late.min()


def test_equal_times_hold_nothing_out_and_unknown_times_are_trained_on(interactions):
    assert latest_split(interactions, np.zeros(interactions.nnz), 0.3)[1].nnz == 0
    times = np.arange(interactions.nnz, dtype=float)
    times[::2] = np.nan
    held = latest_split(interactions, times, 0.5)[1]
    marked = sparse.csr_array((np.isnan(times) + 1.0, interactions.indices, interactions.indptr), shape=(40, 25))
    assert held.nnz > 0
    assert (marked.multiply(held).data == 1).all()


def test_a_sample_of_queries_leaves_users_independent(rng):
    """What a user's items are worth is known; does the spread of the mean over samples agree with that over users?"""
    used = sparse.csr_array((rng.random((400, 60)) < 0.3).astype(float))
    worth = (rng.random(60) < 0.5).astype(float)

    def mean_and_error(part):
        scores = (part @ worth)[np.diff(part.indptr) > 0] / np.diff(part.indptr)[np.diff(part.indptr) > 0]
        return scores.mean(), scores.std() / np.sqrt(len(scores))

    def shared(seed):
        part = used.copy()
        chosen = np.random.default_rng(seed).choice(60, 8, replace=False)
        part.data = part.data * np.isin(part.indices, chosen)
        part.eliminate_zeros()
        return part

    own = np.array([mean_and_error(sample_for_each_user(used, 20, np.random.default_rng(seed))) for seed in range(150)])
    together = np.array([mean_and_error(shared(seed)) for seed in range(150)])
    assert own[:, 0].mean() == pytest.approx(mean_and_error(used)[0], abs=4 * own[:, 0].std() / np.sqrt(150))
    assert own[:, 0].std() < 1.2 * own[:, 1].mean()
    assert together[:, 0].std() > 3 * together[:, 1].mean(), "control: the same items for all users"


def test_a_sample_that_is_large_enough_is_everything(interactions, rng):
    assert (sample_for_each_user(interactions, 25, rng) != interactions).nnz == 0
