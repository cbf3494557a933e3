"""Cuts by time against slow sorts of each user's events."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.core.scores.time_cuts import common_cut, first_times, user_cuts


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 0.9])
def test_a_common_cut_leaves_the_share_after_it(rng, share):
    times = rng.permutation(200).astype(float)
    assert (times > common_cut(times, share)).mean() == pytest.approx(share)
    with_gaps = np.concatenate([times, np.full(40, np.nan)])
    assert common_cut(with_gaps, share) == common_cut(times, share)
    tied = np.repeat([1.0, 2.0, 3.0], 100)
    assert (tied > common_cut(tied, share)).mean() <= share + 1e-12, "what happened at the cut lies before it"


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_each_user_has_the_latest_share_of_items_after_the_cut(rng, share):
    users, items = rng.integers(0, 12, 300), rng.integers(0, 15, 300)
    times = rng.permutation(300).astype(float)
    times[rng.random(300) < 0.1] = np.nan
    keys, first = first_times(users, items, times, 15)
    cuts = user_cuts(keys // 15, first, 12, share)
    for user in range(12):
        own = {}
        for item, time in zip(items[users == user].tolist(), times[users == user].tolist(), strict=True):
            if np.isfinite(time):
                own[item] = min(time, own.get(item, np.inf))
        ordered = sorted(own.values())
        held = min(int(np.floor(share * len(ordered) + 0.5)), len(ordered) - 1)
        assert sum(time > cuts[user] for time in own.values()) == held
        assert cuts[user] == ordered[len(ordered) - held - 1]


def test_users_without_times_and_with_one_item_lose_nothing():
    assert user_cuts(np.array([0, 1]), np.array([np.nan, 3.0]), 3, 0.5).tolist() == [np.inf, 3.0, np.inf]
