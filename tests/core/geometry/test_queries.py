"""Queries from elsewhere stand out; queries like the rows do not."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.core.geometry.queries import query_fit
from simgauge.errors import InputError, ParameterError


def test_queries_like_the_rows_fall_out_as_often_as_the_quantile_says(rng):
    best = rng.normal(0.7, 0.1, 50_000)
    fit = query_fit(best[:20_000], best[20_000:], quantile=0.05)
    assert fit.out_share == pytest.approx(0.05, abs=0.006)
    assert fit.median_query == pytest.approx(fit.median_row, abs=0.01)


def test_queries_from_elsewhere_stand_out(rng):
    rows, queries = rng.normal(0.7, 0.05, 1000), np.r_[rng.normal(0.7, 0.05, 90), np.full(10, 0.1)]
    fit = query_fit(queries, rows)
    assert {*range(90, 100)} <= set(fit.positions)
    assert 0.1 <= fit.out_share < 0.15
    assert query_fit(queries[:90], rows).out_share < 0.05  # control
    assert fit.cutoff == np.quantile(rows, 0.01)


def test_the_farthest_comes_first():
    assert query_fit(np.array([0.2, 0.9, 0.1]), np.array([0.5, 0.6])).positions.tolist() == [2, 0]


def test_bad_input():
    with pytest.raises(ParameterError, match="quantile=1"):
        query_fit(np.ones(2), np.ones(2), quantile=1)
    with pytest.raises(InputError, match="one best similarity per query"):
        query_fit(np.ones((2, 2)), np.ones(2))
