"""The elimination of demands against a dense null space."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

from simgauge.deep.demands import Demands
from simgauge.deep.solving import solve


def random_demands(rng: np.random.Generator) -> tuple[Demands, np.ndarray]:
    """Random equations, and the same as rows of a matrix whose null space is wanted."""
    demands = Demands()
    ids = demands.new((int(rng.integers(3, 14)),))
    rows = []

    def row(**parts):
        made = np.zeros(demands.count)
        for unknown, factor in parts["of"]:
            made[unknown] += factor
        rows.append(made)

    for _ in range(rng.integers(1, 12)):
        a, b, c = rng.choice(ids, 3)
        kind = rng.integers(5)
        if kind == 0:
            demands.fix(np.array([a]), "because")
            row(of=[(a, 1)])
        elif kind in (1, 2):
            sign = 1 if kind == 1 else -1
            demands.equal(np.array([a]), np.array([b]), sign)
            row(of=[(a, 1), (b, -sign)])
        elif kind == 3:
            demands.add(np.array([a]), np.array([b]), np.array([c]))
            row(of=[(a, 1), (b, 1), (c, -1)])
        else:
            demands.multiply(np.array([a]), 2.0, np.array([b]))
            row(of=[(a, 2), (b, -1)])
    row(of=[(0, 1)])
    return demands, np.array(rows)


@pytest.mark.parametrize("seed", range(200))
def test_combinations_span_the_null_space(seed):
    """Theorem: the columns of the solution are a basis of all logarithms that meet every demand."""
    demands, matrix = random_demands(np.random.default_rng(seed))
    solution = solve(demands)
    basis = solution.of(np.arange(demands.count)).toarray()
    basis = basis[:, np.abs(basis).sum(axis=0) > 0]
    np.testing.assert_allclose(matrix @ basis, 0, atol=1e-12)
    expected = scipy.linalg.null_space(matrix, rcond=1e-10).shape[1]
    assert np.linalg.matrix_rank(basis) == basis.shape[1] == expected


def test_ties_ignore_what_is_fixed():
    demands = Demands()
    a, b, c = demands.new((3,))
    demands.equal(np.array([a]), np.array([b]))
    demands.fix(np.array([a]), "because")
    demands.fix(np.array([c]), "for another reason")
    solution = solve(demands)
    assert (solution.members[[a, b, c]] == 0).all()
    assert solution.ties[a] == solution.ties[b] != solution.ties[c]


def test_a_graph_of_a_million_unknowns_is_solved_at_once():
    demands = Demands()
    first, second = demands.new((500_000,)), demands.new((500_000,))
    demands.equal(first, second, -1)
    solution = solve(demands)
    assert (solution.signs[first] == -solution.signs[second]).all()
    assert len(np.unique(solution.members)) == 500_001
