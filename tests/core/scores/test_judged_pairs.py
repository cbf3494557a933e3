"""Rank correlation and AUC as numbers per pair: the mean is the coefficient, the spread its standard error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from simgauge.core.scores.judged_pairs import auc_units, spearman_units
from simgauge.errors import InputError

grades = st.lists(st.integers(0, 5), min_size=3, max_size=30)


@given(grades, st.integers(0, 2**32 - 1))
def test_the_mean_is_spearman_with_ties(judged, seed):
    judged = np.array(judged, dtype=float)
    scores = np.random.default_rng(seed).integers(0, 4, len(judged)).astype(float)
    if np.ptp(judged) == 0:
        with pytest.raises(InputError, match="all judgements are the same"):
            spearman_units(scores, judged)
        return
    expected = 0.0 if np.ptp(scores) == 0 else stats.spearmanr(scores, judged).statistic
    assert spearman_units(scores, judged).mean() == pytest.approx(expected, abs=1e-12)


@given(grades, st.integers(0, 2**32 - 1))
def test_the_mean_is_the_auc_with_ties(judged, seed):
    positive = np.array(judged) > 2
    scores = np.random.default_rng(seed).integers(0, 4, len(judged)).astype(float)
    if positive.all() or not positive.any():
        with pytest.raises(InputError, match="both similar and dissimilar"):
            auc_units(scores, positive)
        return
    assert auc_units(scores, positive).mean() == pytest.approx(roc_auc_score(positive, scores), abs=1e-12)


def jackknife_error(statistic, n):
    left_out = np.array([statistic(np.delete(np.arange(n), i)) for i in range(n)])
    return np.sqrt((n - 1) * left_out.var())


@pytest.mark.parametrize("ties", [False, True])
def test_the_spread_is_the_standard_error_of_spearman(rng, ties):
    n = 400
    x = rng.standard_normal(n)
    y = 0.6 * x + rng.standard_normal(n)
    x, y = (np.round(x), np.round(y)) if ties else (x, y)
    error = spearman_units(x, y).std() / np.sqrt(n)
    reference = jackknife_error(lambda rows: stats.spearmanr(x[rows], y[rows]).statistic, n)
    assert error == pytest.approx(reference, rel=0.02)
    a, b = (stats.rankdata(v) - (n + 1) / 2 for v in (x, y))
    naive = (a * b / (a.std() * b.std())).std() / np.sqrt(n)
    assert abs(naive / reference - 1) > 0.1, "control: ranks taken as fixed give another spread"


def test_the_spread_is_the_standard_error_of_the_auc(rng):
    n = 300
    positive = rng.random(n) < 0.3
    scores = rng.standard_normal(n) + positive
    error = auc_units(scores, positive).std() / np.sqrt(n)
    reference = jackknife_error(lambda rows: roc_auc_score(positive[rows], scores[rows]), n)
    assert error == pytest.approx(reference, rel=0.03)


def test_constant_scores_order_nothing():
    assert not spearman_units(np.ones(3), np.arange(3.0)).any()
    assert auc_units(np.ones(4), np.array([True, False, True, False])).tolist() == [0.5] * 4
