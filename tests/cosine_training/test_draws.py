"""Items are drawn as often as a power of their counts says."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.cosine_training.draws import ItemDraws


@pytest.mark.parametrize("exponent", [0.0, 0.75, 1.0])
def test_frequencies(exponent):
    counts = np.array([0, 1, 4, 100])
    draws = ItemDraws(counts, exponent, np.random.default_rng(0))
    expected = np.maximum(counts, 1.0) ** exponent
    expected /= expected.sum()
    seen = np.bincount(draws.draw(100_000), minlength=4) / 100_000
    np.testing.assert_allclose(draws.probabilities, expected)
    np.testing.assert_allclose(seen, expected, atol=4 * np.sqrt(0.25 / 100_000))
