"""Intervals cover the truth as often as they say, and shrink to a point when all rows were looked at."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from simgauge.core.inference.intervals import jackknife_interval, mean_interval, proportion_interval
from simgauge.errors import ParameterError

RUNS = 400
SLACK = 3.5 * np.sqrt(0.95 * 0.05 / RUNS)  # three and a half standard errors of the coverage itself


def coverage(truth, draw):
    return np.mean([low <= truth <= high for _, low, high in (draw() for _ in range(RUNS))])


@pytest.mark.parametrize("method", ["normal", "percentile", "bca"])
def test_means_are_covered(rng, method):
    def draw():
        return mean_interval(rng.gamma(4.0, 1.0, 100), rng, method=method, n_resamples=300)

    assert coverage(4.0, draw) == pytest.approx(0.95, abs=SLACK + 0.01)  # a hundred skewed values: a point is conceded


def test_a_sample_of_most_rows_is_covered_by_the_smaller_interval(rng):
    values = rng.gamma(4.0, 1.0, 400)
    samples = [rng.choice(values, 300, replace=False) for _ in range(RUNS)]
    known, ignored = iter(samples), iter(samples)
    with_size = coverage(values.mean(), lambda: mean_interval(next(known), rng, population=400))
    without = coverage(values.mean(), lambda: mean_interval(next(ignored), rng))
    assert with_size == pytest.approx(0.95, abs=SLACK)
    assert without > 0.99  # control: twice as wide as need be


@pytest.mark.parametrize(("share", "n"), [(0.5, 60), (0.1, 150)])
def test_shares_are_covered(rng, share, n):
    def draw():
        return proportion_interval(int(rng.binomial(n, share)), n)

    assert coverage(share, draw) == pytest.approx(0.95, abs=SLACK + 0.015)  # counts are discrete


def test_shares_of_a_finite_table_are_covered(rng):
    marks = np.arange(400) < 60

    def draw():
        return proportion_interval(int(rng.choice(marks, 300, replace=False).sum()), 300, population=400)

    assert coverage(0.15, draw) == pytest.approx(0.95, abs=SLACK + 0.015)
    known, ignored = proportion_interval(450, 3000, population=4000), proportion_interval(450, 3000)
    assert known.high - known.low == pytest.approx((ignored.high - ignored.low) / 2, rel=0.01)  # √(1 − 3/4)


def test_ratios_are_covered_by_the_jackknife(rng):
    def draw():
        x = rng.gamma(4.0, 1.0, 200)
        y = 2 * x + rng.normal(0, 1, 200)
        return jackknife_interval(lambda rows: y[rows].sum() / x[rows].sum(), 200, rng)

    assert coverage(2.0, draw) == pytest.approx(0.95, abs=SLACK + 0.01)


@pytest.mark.parametrize(("successes", "n"), [(0, 20), (3, 20), (20, 20), (500, 1000), (1, 1)])
@pytest.mark.parametrize("confidence", [0.5, 0.95])
def test_wilson_is_that_of_scipy(successes, n, confidence):
    found = proportion_interval(successes, n, confidence=confidence)
    reference = stats.binomtest(successes, n).proportion_ci(confidence, method="wilson")
    np.testing.assert_allclose(found, [successes / n, reference.low, reference.high], atol=1e-12)


def test_jackknife_of_a_mean_is_its_standard_error(rng):
    values = rng.standard_normal(2000)
    jack = jackknife_interval(lambda rows: float(values[rows].mean()), 2000, rng, groups=2000)
    normal = mean_interval(values, rng)
    np.testing.assert_allclose(jack, normal, atol=1e-10)


def test_all_rows_looked_at_is_a_point():
    values, rng = np.arange(5.0), np.random.default_rng(0)
    for method in ("normal", "percentile", "bca"):
        assert mean_interval(values, rng, method=method, population=5) == (2, 2, 2)
    assert proportion_interval(2, 5, population=5) == (0.4, 0.4, 0.4)
    assert jackknife_interval(lambda rows: float(len(rows)), 5, rng, groups=5, population=5) == (5, 5, 5)


@pytest.mark.parametrize("method", ["normal", "percentile", "bca"])
def test_equal_values_are_a_point(rng, method):
    assert mean_interval(np.full(9, 0.3), rng, method=method) == pytest.approx((0.3, 0.3, 0.3))


def test_the_seed_decides():
    values = np.random.default_rng(3).standard_normal(50)
    draws = [mean_interval(values, np.random.default_rng(seed), method="percentile") for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]


def test_bca_leans_towards_the_long_tail(rng):
    values = rng.lognormal(0, 1.2, 60)
    bca, plain = (mean_interval(values, np.random.default_rng(0), method=m) for m in ("bca", "percentile"))
    assert bca.high > plain.high


def test_bad_parameters(rng):
    with pytest.raises(ParameterError, match="confidence=95"):
        mean_interval(np.ones(5), rng, confidence=95)
    with pytest.raises(ParameterError, match=r"1 sampled row\(s\)"):
        mean_interval(np.ones(1), rng)
    with pytest.raises(ParameterError, match="population=4: expected at least the 5"):
        mean_interval(np.ones(5), rng, population=4)
    with pytest.raises(ParameterError, match="method='student'"):
        mean_interval(np.ones(5), rng, method="student")
    with pytest.raises(ParameterError, match="successes=6"):
        proportion_interval(6, 5)
    with pytest.raises(ParameterError, match=r"0 sampled row\(s\)"):
        proportion_interval(0, 0)
    with pytest.raises(ParameterError, match="groups=2"):
        jackknife_interval(float, 9, rng, groups=2)
