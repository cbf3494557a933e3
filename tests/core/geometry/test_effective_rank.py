"""Summaries of a spectrum: known tables, and the published algorithms written out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geometry_problems import skewed_table
from simgauge.core.geometry.effective_rank import (
    effective_rank,
    isoscore,
    participation_ratio,
    rankme,
)
from simgauge.core.tables.moments import table_moments
from simgauge.errors import ParameterError

SPECTRA = arrays(float, st.integers(2, 30), elements=st.floats(1e-3, 1e3))


def isoscore_by_the_algorithm(points):
    """Algorithm 1 of the paper, step by step; also what the package IsoScore 2.0.1 computes."""
    n = points.shape[1]
    axes = np.linalg.svd(points - points.mean(axis=0), full_matrices=True)[2]
    reoriented = points @ axes.T  # step 2: PCA
    variances = np.diag(np.cov(reoriented.T))  # step 3
    scaled = np.sqrt(n) * variances / np.linalg.norm(variances)  # step 4
    defect = np.linalg.norm(scaled - np.ones(n)) / np.sqrt(2 * (n - np.sqrt(n)))  # step 5
    used = (n - defect**2 * (n - np.sqrt(n))) ** 2 / n**2  # step 6: share of dimensions used
    return (n * used - 1) / (n - 1)  # step 7


def rankme_by_the_paper(table):
    sigma = np.linalg.svd(table, compute_uv=False)
    p = sigma / np.abs(sigma).sum() + 1e-7
    return np.exp(-sum(value * np.log(value) for value in p))


@pytest.mark.parametrize("shape", [(50, 6), (300, 20), (8, 12)])
def test_isoscore_is_the_published_algorithm(rng, shape):
    x = skewed_table(rng, *shape)
    assert isoscore(table_moments(x).variances(), shape[1]) == pytest.approx(isoscore_by_the_algorithm(x), abs=1e-10)


@pytest.mark.parametrize("used", [1, 2, 5, 10])
def test_isoscore_counts_the_dimensions_used(rng, used):
    """The paper's own reading: k − 1 steps from one dimension used (0) to all (1)."""
    x = rng.standard_normal((40, 10))
    x = np.linalg.qr(x - x.mean(axis=0))[0]  # exactly equal variances, no correlation
    x[:, used:] = 0
    assert isoscore(table_moments(x).variances(), 10) == pytest.approx((used - 1) / 9, abs=1e-12)


@pytest.mark.parametrize("shape", [(50, 6), (300, 20), (8, 12)])
def test_rankme_is_the_published_formula(rng, shape):
    x = skewed_table(rng, *shape)
    assert rankme(table_moments(x).singular_values()) == pytest.approx(rankme_by_the_paper(x), rel=1e-10)


def test_rankme_counts_empty_directions_and_effective_rank_does_not():
    sigma = np.r_[np.ones(3), np.zeros(997)]
    assert effective_rank(sigma) == pytest.approx(3, rel=1e-12)
    assert rankme(sigma) == pytest.approx(3 * np.exp(-997e-7 * np.log(1e-7)), rel=1e-4)
    assert rankme(sigma) > 3.004


@given(SPECTRA)
def test_order_of_the_ranks(sigma):
    """Rényi entropies fall with their order: participation ratio of σ² <= effective rank of σ² <= r."""
    r = len(sigma) * (1 + 1e-9)
    assert participation_ratio(sigma**2) >= 1 - 1e-9
    assert participation_ratio(sigma**2) <= effective_rank(sigma**2) * (1 + 1e-9) <= effective_rank(sigma) * (1 + 2e-9)
    assert effective_rank(sigma) <= r
    assert -1e-9 <= isoscore(sigma**2, len(sigma)) <= 1 + 1e-9


@given(SPECTRA, st.sampled_from([1e-100, 1e-3, 7.0, 1e100]))
def test_scale_does_not_matter(sigma, scale):
    for measure in (effective_rank, rankme, participation_ratio):
        assert measure(scale * sigma) == pytest.approx(measure(sigma), rel=1e-9)


def test_equal_directions_count_as_they_are():
    for r in (1, 4, 30):
        equal = np.full(r, 0.3)
        assert effective_rank(equal) == pytest.approx(r)
        assert participation_ratio(equal) == pytest.approx(r)


def test_nothing_varies():
    zeros = np.zeros(3)
    assert effective_rank(zeros) == rankme(zeros) == participation_ratio(zeros) == isoscore(zeros, 3) == 0
    assert isoscore(np.array([2.0]), 1) == 1


def test_bad_parameters():
    with pytest.raises(ParameterError, match=r"n_components=2: expected at least the 3 variances"):
        isoscore(np.ones(3), 2)
