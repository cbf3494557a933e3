"""Deviations by a shared draw have the variance of the draw, without the noise of the units."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.core.inference.shared_draw import luck_of_draw


def halves(rng, n_drawn, effect, noise):
    """Contributions of size `effect` in each half, known with independent noise."""
    whole = effect * rng.standard_normal(n_drawn)
    return np.stack([whole / 2 + noise * rng.standard_normal(n_drawn) for _ in range(2)])[:, :, None]


@pytest.mark.parametrize("noise", [0.0, 0.5, 2.0])
def test_the_variance_is_that_of_the_draw_whatever_the_noise_of_the_units(rng, noise):
    parts = halves(rng, 20_000, 1.0, noise)
    found = luck_of_draw(parts, rng, 400).std() / np.sqrt(20_000)
    assert found == pytest.approx(1.0, abs=0.15)
    squares = np.sqrt(np.square(parts.sum(axis=0)).mean())
    assert noise == 0 or squares > found + 0.15, "control: the squares hold the noise too"


def test_noise_alone_is_no_luck_and_draws_are_paired(rng):
    alone = halves(rng, 5000, 0.0, 1.0)
    assert luck_of_draw(alone, rng, 300).std() < 0.3 * np.sqrt(np.square(alone.sum(axis=0)).sum())
    one = halves(rng, 50, 1.0, 0.0)
    drawn = luck_of_draw(np.concatenate([one, 2 * one, 0 * one], axis=2), rng, 100)
    np.testing.assert_allclose(drawn[:, 1], 2 * drawn[:, 0])
    assert (drawn[:, 2] == 0).all()
