"""Lists of unseen items against a sort of all scores."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from simgauge.core.scores import unseen
from simgauge.core.scores.unseen import unseen_top_k


@pytest.mark.parametrize("metric", ["dot", "cosine"])
def test_lists_are_those_of_a_full_sort(rng, metric, monkeypatch):
    users, items = rng.standard_normal((25, 4)), rng.standard_normal((60, 4)) * rng.lognormal(size=(60, 1))
    items[7] = items[31]  # a tie
    seen = sparse.csr_array((rng.random((25, 60)) < 0.3).astype(float))
    table = items / np.linalg.norm(items, axis=1, keepdims=True) if metric == "cosine" else items
    expected = []
    for user in range(25):
        scores = users[user] @ table.T
        own = [item for item in np.argsort(-scores, kind="stable").tolist() if seen[user, item] == 0]
        expected.append(own[:9])
    assert unseen_top_k(users, items, seen, 9, metric).tolist() == expected
    monkeypatch.setattr(unseen, "SCORES_PER_BLOCK", 130)
    assert unseen_top_k(users, items, seen, 9, metric).tolist() == expected
    nothing = sparse.csr_array((25, 60))
    assert unseen_top_k(users, items, nothing, 9, metric).tolist() != expected, "control: what was seen is in the way"


def test_whoever_has_seen_nearly_everything_gets_a_short_list():
    seen = sparse.csr_array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    found = unseen_top_k(np.ones((2, 1)), np.ones((3, 1)), seen, 3, "dot")
    assert found.tolist() == [[2, -1, -1], [-1, -1, -1]]
    assert unseen_top_k(np.ones((1, 1)), np.ones((3, 1)), sparse.csr_array((1, 3)), 2, "dot").tolist() == [[0, 1]]
