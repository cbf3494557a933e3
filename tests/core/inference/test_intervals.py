"""Intervals cover the truth as often as they say, and shrink to a point when all rows were looked at."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from simgauge.core.inference.intervals import (
    jackknife_interval,
    mean_interval,
    proportion_interval,
    quantile_interval,
    share_below_interval,
    share_interval,
)
from simgauge.errors import ParameterError

RUNS = 400
SLACK = 3.5 * np.sqrt(0.95 * 0.05 / RUNS)  # three and a half standard errors of the coverage itself


def coverage(truth, draw):
    return np.mean([low <= truth <= high for _, low, high in (draw() for _ in range(RUNS))])


def test_means_are_covered(rng):
    def draw():
        return mean_interval(rng.gamma(4.0, 1.0, 100))

    assert coverage(4.0, draw) == pytest.approx(0.95, abs=SLACK + 0.01)  # a hundred skewed values: a point is conceded


def test_a_sample_of_most_rows_is_covered_by_the_smaller_interval(rng):
    values = rng.gamma(4.0, 1.0, 400)
    samples = [rng.choice(values, 300, replace=False) for _ in range(RUNS)]
    known, ignored = iter(samples), iter(samples)
    with_size = coverage(values.mean(), lambda: mean_interval(next(known), population=400))
    without = coverage(values.mean(), lambda: mean_interval(next(ignored)))
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
def test_wilson_is_that_of_scipy(successes, n):
    found = proportion_interval(successes, n)
    reference = stats.binomtest(successes, n).proportion_ci(0.95, method="wilson")
    np.testing.assert_allclose(found, [successes / n, reference.low, reference.high], atol=1e-12)


def test_jackknife_of_a_mean_is_its_standard_error(rng):
    values = rng.standard_normal(2000)
    jack = jackknife_interval(lambda rows: float(values[rows].mean()), 2000, rng, groups=2000)
    normal = mean_interval(values)
    np.testing.assert_allclose(jack, normal, atol=1e-10)


def test_all_rows_looked_at_is_a_point():
    values, rng = np.arange(5.0), np.random.default_rng(0)
    assert mean_interval(values, population=5) == (2, 2, 2)
    assert proportion_interval(2, 5, population=5) == (0.4, 0.4, 0.4)
    assert jackknife_interval(lambda rows: float(len(rows)), 5, rng, groups=5, population=5) == (5, 5, 5)


def test_equal_values_are_a_point():
    assert mean_interval(np.full(9, 0.3)) == pytest.approx((0.3, 0.3, 0.3))


def test_bad_parameters(rng):
    with pytest.raises(ParameterError, match=r"1 sampled row\(s\)"):
        mean_interval(np.ones(1))
    with pytest.raises(ParameterError, match="population=4: expected at least the 5"):
        mean_interval(np.ones(5), population=4)
    with pytest.raises(ParameterError, match="successes=6"):
        proportion_interval(6, 5)
    with pytest.raises(ParameterError, match=r"0 sampled row\(s\)"):
        proportion_interval(0, 0)
    with pytest.raises(ParameterError, match="groups=2"):
        jackknife_interval(float, 9, rng, groups=2)


def test_shares_of_rows_are_covered(rng):
    """Shares of lists: of every row a number between 0 and 1, as how many of its ten neighbours are kept."""

    def draw():
        return share_interval(rng.binomial(10, rng.beta(8, 1, 120)) / 10)

    assert coverage(8 / 9, draw) == pytest.approx(0.95, abs=SLACK + 0.015)


def test_an_interval_of_shares_is_wilsons_for_as_many_rows_as_their_spread_is_worth(rng):
    marks = np.repeat([1.0, 0.0], [30, 70])
    np.testing.assert_allclose(share_interval(marks), proportion_interval(30, 100), atol=1e-12)
    np.testing.assert_allclose(
        share_interval(marks, population=400), proportion_interval(30, 100, population=400), atol=1e-12
    )
    even = 0.3 + 0.01 * rng.standard_normal(100)
    found, normal = share_interval(even), mean_interval(even)
    assert found.high - found.low == pytest.approx(normal.high - normal.low, rel=0.03), (
        "the t interval, far from 0 and 1"
    )
    assert share_interval(np.full(100, 1.0)) == proportion_interval(100, 100)
    assert share_interval(np.array([0.4])).low < 0.4 < share_interval(np.array([0.4])).high, "one row says little"
    assert share_interval(np.array([0.2, 0.4]), population=2) == pytest.approx((0.3, 0.3, 0.3))


def test_intervals_hold_their_value_and_stay_within_0_and_1(rng):
    for share in np.linspace(0, 1, 21):
        for n in (1, 2, 20, 400):
            value, low, high = share_interval((rng.random(n) < share).astype(float))
            assert 0 <= low <= value <= high <= 1


def test_a_share_of_lists_has_wilsons_ends_at_zero_and_one(rng):
    assert share_interval(np.zeros(80)) == proportion_interval(0, 80)
    assert share_interval(np.ones(80)) == proportion_interval(80, 80)
    flags = (rng.random(200) < 0.3).astype(float)
    exact = proportion_interval(int(flags.sum()), 200)
    assert share_interval(flags) == pytest.approx(exact, rel=1e-9)
    smooth = 0.3 + 0.02 * rng.standard_normal(200)
    found, by_t = share_interval(smooth), mean_interval(smooth)
    assert found.low == pytest.approx(by_t.low, abs=2e-4)  # the same where the spread is small
    assert share_interval(flags, population=200) == (flags.mean(),) * 3


@pytest.mark.parametrize("share", [0.01, 0.2, 0.9])
def test_intervals_of_shares_cover(rng, share):
    """2,000 samples of lists of ten: 95 % within four standard errors, or more."""
    hits = []
    for _ in range(2000):
        found = share_interval(rng.binomial(10, rng.beta(40 * share, 40 * (1 - share), 120)) / 10)
        hits.append(found.low <= share <= found.high)
    assert np.mean(hits) > 0.95 - 4 * np.sqrt(0.95 * 0.05 / 2000) - (0.02 if share == 0.01 else 0)


def test_a_quantile_and_a_share_below_it_cover(rng):
    inside, held = [], []
    for _ in range(1000):
        rows, queries = rng.standard_normal(300), rng.standard_normal(200) - 0.5
        cutoff = quantile_interval(rows, 0.05)
        inside.append(cutoff.low <= -1.6449 <= cutoff.high)
        found = share_below_interval(queries, cutoff)
        held.append(found.low <= 0.1261 <= found.high)  # P(Z - 0.5 < -1.6449)
    assert 0.93 < np.mean(inside) <= 1
    assert np.mean(held) > 0.95
    naive = proportion_interval(int((queries < cutoff.value).sum()), 200)
    assert naive.high - naive.low < found.high - found.low  # the control forgets that the cut-off is an estimate
    assert quantile_interval(np.arange(5.0), 0.01).low == -np.inf
    known = quantile_interval(rows, 0.5, population=300)
    assert known.low == known.high


def test_a_quantile_of_half_the_table_has_the_narrower_ranks():
    """Ranks 50 ± 1.96 √(101/4), and ± that times √(1 − 1/2) where the sample is half of all there is."""
    values = np.arange(101.0)
    assert tuple(quantile_interval(values, 0.5))[1:3] == (40.0, 60.0)
    assert tuple(quantile_interval(values, 0.5, population=202))[1:3] == (43.0, 57.0)


def test_two_rows_have_the_interval_of_their_spread():
    values = np.array([0.2, 0.6])
    share, spread = 0.4, 0.08
    worth = 2 * max(share * (1 - share) * 2 / spread, 1)  # rows of yes or no with this variance of the mean
    reference = stats.binomtest(round(40 * share), 40).proportion_ci(0.95, method="wilson")
    value, low, high = share_interval(values)
    z = stats.norm.ppf(0.975)
    centre = (share + z**2 / (2 * worth)) / (1 + z**2 / worth)
    assert value == pytest.approx(share)
    assert (low + high) / 2 == pytest.approx(centre)
    assert low < reference.low < reference.high < high, "control: forty rows say more"
