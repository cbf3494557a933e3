"""Samples of rows: the interval of a balance covers, in every gauge, and is as wide as the derivation says."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge import random_gauge
from simgauge.core.gauges.balance import gauge_balance
from simgauge.core.gauges.sampled_gram import sampled_balance_factor, spectrum_edges

KINDS = {
    "normal": lambda rng, n, k: rng.standard_normal((n, k)),
    "t": lambda rng, n, k: rng.standard_normal((n, k)) * np.sqrt(3 / rng.chisquare(5, size=(n, 1))),
    "log-normal": lambda rng, n, k: rng.standard_normal((n, k)) * rng.lognormal(sigma=1.0, size=(n, 1)) / np.e,
}
"""Rows with second moments I, by how their lengths spread."""


@pytest.mark.parametrize("truth", [1.0, 4.0])
@pytest.mark.parametrize("per_component", [3, 6, 16])
@pytest.mark.parametrize("kind", KINDS)
def test_the_interval_covers_the_balance_of_all_rows(rng, kind, per_component, truth):
    k, covered, narrow = 16, 0, 0
    for _ in range(20):
        item_gram = np.diag(np.logspace(0, -1.5, k))
        G = random_gauge(k, np.sqrt(truth), int(rng.integers(1000)))
        M = G @ G.T  # balances: M C_P M = C_Q
        inverse = np.linalg.inv(M)
        root = np.linalg.cholesky(inverse @ item_gram @ inverse)
        rows = KINDS[kind](rng, per_component * k, k) @ root.T
        gram = rows.T @ rows
        kappa, factor = gauge_balance(gram, item_gram).condition_number, sampled_balance_factor(rows, gram)
        covered += kappa / factor <= truth <= kappa * factor
        narrow += kappa / 1.05 <= truth <= kappa * 1.05
    assert covered == 20
    assert narrow < 20  # control: the figure alone does not cover


def test_edges_are_those_of_large_random_matrices(rng):
    """Unequal weights: eigenvalues drawn, and the edges from the formula."""
    n, k = 3_000, 600
    weights = rng.lognormal(sigma=0.5, size=n)
    weights /= weights.sum()
    z = rng.standard_normal((n, k))
    drawn = np.linalg.eigvalsh((z * weights[:, None]).T @ z)
    low, high = spectrum_edges(weights, k)
    assert (drawn[0], drawn[-1]) == (pytest.approx(low, rel=0.03), pytest.approx(high, rel=0.03))


def test_equal_weights_give_marchenko_and_pastur():
    for n, k in ((100, 25), (1_000, 10), (130, 64)):
        root = np.sqrt(k / n)
        assert spectrum_edges(np.full(n, 1 / n), k) == (pytest.approx((1 - root) ** 2), pytest.approx((1 + root) ** 2))


def test_the_factor_is_the_same_in_every_gauge_and_counts_are_repeated_rows(rng):
    rows = KINDS["t"](rng, 90, 5)
    factor = sampled_balance_factor(rows, rows.T @ rows)
    moved = rows @ random_gauge(5, 20.0)
    assert sampled_balance_factor(moved, moved.T @ moved) == pytest.approx(factor, rel=1e-6)
    counts = rng.integers(1, 5, 90).astype(float)
    scaled = rows * np.sqrt(counts)[:, None]
    weighted = sampled_balance_factor(rows, scaled.T @ scaled, counts)
    assert weighted == pytest.approx(sampled_balance_factor(scaled, scaled.T @ scaled), rel=1e-9)


def test_what_a_sample_cannot_tell(rng):
    rows = rng.standard_normal((40, 20))
    assert sampled_balance_factor(rows, rows.T @ rows) == np.inf
    alone = rng.standard_normal((60, 4))
    alone[:, 3] = 0
    alone[7, 3] = 5.0
    assert sampled_balance_factor(alone, alone.T @ alone) == np.inf
    assert sampled_balance_factor(alone[:, :3], alone[:, :3].T @ alone[:, :3]) < 3
