"""Spread of norms."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.core.geometry.norms import QUANTILES, norm_spread
from simgauge.core.tables.moments import table_moments


def test_values_are_those_of_numpy(rng):
    norms = rng.lognormal(0, 0.5, 500)
    spread = norm_spread(norms)
    assert spread.cv == pytest.approx(norms.std() / norms.mean())
    np.testing.assert_allclose(spread.quantiles, [np.quantile(norms, q) for q in QUANTILES])
    assert norm_spread(3 * norms).cv == pytest.approx(spread.cv)
    assert norm_spread(3 + norms).cv < spread.cv  # control


def test_unit_rows_have_no_spread(rng):
    x = rng.standard_normal((100, 8))
    x /= np.linalg.norm(x, axis=1)[:, None]
    assert norm_spread(table_moments(x).norms).cv < 1e-15


def test_zero_rows_are_counted():
    spread = norm_spread(np.array([0.0, 0.0, 2.0, 2.0]))
    assert spread.n_zero == 2
    assert spread.cv == 1
    assert norm_spread(np.zeros(3)).cv == 0
