"""Pairs of things that recur: the variance is that of all products of pairs that share one."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.core.inference.shared_nodes import node_draws

DRAWS = 20_000


def slow_variance(influence, nodes):
    """Over all pairs of pairs, in loops; not less than that of independent pairs."""
    total, own = 0.0, float(np.square(influence).sum())
    for a in range(len(influence)):
        for b in range(len(influence)):
            if a != b:
                total += influence[a] * influence[b] * len(set(nodes[a].tolist()) & set(nodes[b].tolist()))
    return max(total + own, own) / len(influence) ** 2


def graph(rng, n_things, n_pairs):
    left, right = np.triu_indices(n_things, 1)
    chosen = rng.permutation(len(left))[:n_pairs]
    return np.stack([left[chosen], right[chosen]], axis=1)


@pytest.mark.parametrize(("n_things", "n_pairs"), [(6, 12), (40, 30)])
def test_the_variance_is_that_of_all_pairs_that_share_a_thing(rng, n_things, n_pairs):
    nodes = graph(rng, n_things, n_pairs)
    effect = rng.standard_normal(n_things)
    influence = effect[nodes].sum(axis=1) + 0.3 * rng.standard_normal(n_pairs)
    influence -= influence.mean()
    found = node_draws(influence[:, None], nodes, rng, DRAWS).var()
    assert found == pytest.approx(slow_variance(influence, nodes), rel=0.06)


def test_pairs_without_a_common_thing_are_independent(rng):
    influence = rng.standard_normal((50, 1))
    nodes = np.arange(100).reshape(50, 2)
    assert node_draws(influence, nodes, rng, DRAWS).var() == pytest.approx(np.square(influence).mean() / 50, rel=0.06)


def test_a_thing_in_every_pair_moves_them_together(rng):
    nodes = np.stack([np.zeros(50, dtype=np.int64), np.arange(1, 51)], axis=1)
    together = node_draws(np.ones((50, 1)), nodes, rng, DRAWS)
    assert together.std() == pytest.approx(1.0, rel=0.05)
    assert together.std() > 5 / np.sqrt(50), "control: independent pairs"


def test_columns_share_their_draws(rng):
    nodes = graph(rng, 10, 20)
    one = rng.standard_normal((20, 1))
    drawn = node_draws(np.concatenate([one, -3 * one, 0 * one], axis=1), nodes, rng, 50)
    np.testing.assert_allclose(drawn[:, 1], -3 * drawn[:, 0])
    assert (drawn[:, 2] == 0).all()


def test_a_pair_of_a_thing_with_itself_counts_once(rng):
    nodes = np.array([[0, 0], [1, 1], [2, 2]])
    influence = np.array([[1.0], [0.0], [-1.0]])
    assert node_draws(influence, nodes, rng, DRAWS).var() == pytest.approx(2 / 9, rel=0.06)
