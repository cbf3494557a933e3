"""Held-out co-use: against plain loops, and the split keeps every interaction exactly once."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from problems import sparse_counts
from simgauge.core.scores.pair_recall import holdout_split, pair_recall
from simgauge.errors import InputError


def loops(neighbors, training, held_out, weights):
    values = []
    for user in range(training.shape[0]):
        used, later = training[user].nonzero()[-1], held_out[user].nonzero()[-1]
        pairs = [(i, j) for i in used for j in later]
        if pairs and sum(weights[j] for _, j in pairs) > 0:
            values.append(sum(weights[j] * (j in neighbors[i]) for i, j in pairs) / sum(weights[j] for _, j in pairs))
    return np.mean(values)


@pytest.mark.parametrize("weighted", [False, True])
def test_recall_is_what_plain_loops_count(rng, weighted):
    X = sparse_counts(rng)
    training, held_out = holdout_split(X, 0.3, rng)
    neighbors = np.array([rng.choice(np.delete(np.arange(30), i), 4, replace=False) for i in range(30)])
    neighbors[3, 2:] = -1
    weights = rng.random(30) if weighted else np.ones(30)
    result = pair_recall(neighbors, training, held_out, weights if weighted else None)
    expected = loops([set(row) for row in neighbors], training.toarray(), held_out.toarray(), weights)
    assert result.mean == pytest.approx(expected, rel=1e-12)


def test_perfect_and_useless_lists_have_recall_one_and_zero():
    training, held_out = sp.csr_matrix(np.eye(4)), sp.csr_matrix(np.roll(np.eye(4), 1, axis=1))
    perfect = np.array([[1], [2], [3], [0]])
    assert pair_recall(perfect, training, held_out).mean == 1.0
    assert pair_recall(np.array([[2], [3], [0], [1]]), training, held_out).mean == 0.0


def test_the_split_keeps_everything_once_and_trains_on_everybody(rng):
    X = sparse_counts(rng)
    training, held_out = holdout_split(X, 0.3, np.random.default_rng(1))
    np.testing.assert_array_equal((training + held_out).toarray(), X.toarray())
    assert training.multiply(held_out).nnz == 0
    sizes = np.diff(X.indptr)
    np.testing.assert_array_equal(np.diff(held_out.indptr), np.minimum(np.floor(0.3 * sizes + 0.5), sizes - 1))
    again = holdout_split(X, 0.3, np.random.default_rng(1))[1]
    np.testing.assert_array_equal(held_out.toarray(), again.toarray())
    other = holdout_split(X, 0.3, np.random.default_rng(2))[1]
    assert (held_out.toarray() != other.toarray()).any()


def test_shapes_must_agree():
    with pytest.raises(InputError, match="one column per row"):
        pair_recall(np.zeros((3, 1), dtype=int), sp.csr_matrix((2, 4)), sp.csr_matrix((2, 4)))
