"""Recall against counting by hand, and a split that keeps validation users apart."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from simgauge.cosine_training.evaluation import recall_at_k, validation_split


def test_recall_is_what_counting_gives(rng):
    users, items = rng.standard_normal((8, 3)), rng.standard_normal((12, 3))
    both = rng.random((8, 12))
    training, held = sp.csr_array((both < 0.2) * 1.0), sp.csr_array((both > 0.7) * 1.0)
    expected = []
    for user in range(8):
        wanted = set(held[[user]].indices)
        order = [int(i) for i in np.argsort(-(items @ users[user])) if i not in set(training[[user]].indices)]
        if wanted:
            expected.append(len(wanted & set(order[:4])) / len(wanted))
    np.testing.assert_allclose(recall_at_k(users, items, training, held, 4), expected)


def test_only_validation_users_lose_interactions(rng):
    matrix = sp.csr_array((rng.random((50, 40)) < 0.3).astype(np.float32))
    split = validation_split(matrix, 0.3, 0.2, rng)
    chosen = np.flatnonzero(np.diff(split.held_out.indptr))
    assert 10 <= len(chosen) <= 15
    assert abs(split.training + split.held_out - matrix).nnz == 0
    assert split.training.multiply(split.held_out).nnz == 0
    others = np.setdiff1d(np.arange(50), chosen)
    assert abs(split.training[others] - matrix[others]).nnz == 0
