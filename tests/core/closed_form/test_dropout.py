"""Input dropout in closed form: against Monte Carlo, against reduced-rank regression, against Eq. 1."""

from __future__ import annotations

import numpy as np
import pytest

from problems import counts
from simgauge.core.closed_form.dropout import dropout_spectrum, factorize_dropout
from simgauge.core.closed_form.factorize import factorize
from simgauge.core.spectral.spectrum import spectrum
from simgauge.errors import InputError, ParameterError


def solution(X, k, rate):
    A, B = factorize_dropout(*dropout_spectrum(X, k, rate))
    return A @ B.T


def expected_loss(X, M, rate):
    """Exact mean over dropout masks, from the variance of each input: no algebra of the solution in it."""
    variance = X**2 * rate / (1 - rate)
    return np.sum((X - X @ M) ** 2) + np.sum(variance @ M**2)


def test_the_exact_mean_is_what_monte_carlo_measures(rng):
    X, rate = counts(rng, 40, 8), 0.3
    M = solution(X, 3, rate)
    draws = []
    for _ in range(3000):
        mask = (rng.random(X.shape) >= rate) / (1 - rate)
        draws.append(np.sum((X - (X * mask) @ M) ** 2))
    error = np.std(draws) / np.sqrt(len(draws))
    assert abs(np.mean(draws) - expected_loss(X, M, rate)) < 4 * error
    assert abs(np.mean(draws) - np.sum((X - X @ M) ** 2)) > 20 * error  # control: the penalty is not nothing


@pytest.mark.parametrize("k", [1, 3, 8])
def test_it_is_the_reduced_rank_regression_on_the_augmented_data(rng, k):
    """Independent route: rows √L appended to X, ordinary least squares, truncated SVD of the fit."""
    X, rate = counts(rng, 40, 8), 0.4
    L = rate / (1 - rate) * np.sum(X**2, axis=0)
    design = np.vstack([X, np.diag(np.sqrt(L))])
    target = np.vstack([X, np.zeros((8, 8))])
    coefficients = np.linalg.lstsq(design, target, rcond=None)[0]
    right = np.linalg.svd(design @ coefficients)[2][:k].T
    np.testing.assert_allclose(solution(X, k, rate), coefficients @ right @ right.T, atol=1e-10)


def test_random_directions_only_raise_the_loss(rng):
    X, rate = counts(rng, 40, 8), 0.5
    A, B = factorize_dropout(*dropout_spectrum(X, 3, rate))
    best = expected_loss(X, A @ B.T, rate)
    for _ in range(50):
        other = (A + 0.02 * rng.standard_normal(A.shape)) @ (B + 0.02 * rng.standard_normal(B.shape)).T
        assert expected_loss(X, other, rate) > best


def test_equal_column_norms_give_equation_one(rng):
    X, rate, k = counts(rng, 60, 8), 0.3, 3
    X = X / np.linalg.norm(X, axis=0)
    A, B = factorize_dropout(*dropout_spectrum(X, k, rate))
    reference = factorize(spectrum(X, k), "product", rate / (1 - rate))
    np.testing.assert_allclose(A @ B.T, reference.encoder @ reference.decoder.T, atol=1e-10)
    np.testing.assert_allclose(np.abs(B), np.abs(reference.decoder), atol=1e-10)
    # control: with unequal norms the two are different models, contrary to what the paper says in passing
    Y = X * np.linspace(0.2, 3, 8)
    reference = factorize(spectrum(Y, k), "product", rate / (1 - rate))
    assert np.abs(solution(Y, k, rate) - reference.encoder @ reference.decoder.T).max() > 0.01


def test_items_nobody_used_have_zero_rows(rng):
    X = counts(rng, 30, 6)
    X[:, 2] = 0
    A, B = factorize_dropout(*dropout_spectrum(X, 6, 0.5))
    assert np.all(A[2] == 0)
    assert np.all((A @ B.T)[:, 2] == 0)
    keep = [0, 1, 3, 4, 5]
    np.testing.assert_allclose((A @ B.T)[np.ix_(keep, keep)], solution(X[:, keep], 5, 0.5), atol=1e-10)


@pytest.mark.parametrize("rate", [0, 1, -0.1, np.nan, "half", None])
def test_bad_rates_are_refused(rng, rate):
    with pytest.raises(ParameterError, match="dropout rate between 0 and 1"):
        dropout_spectrum(counts(rng), 2, rate)


def test_too_many_items_are_refused_with_what_to_do(monkeypatch, rng):
    monkeypatch.setattr("simgauge.core.closed_form.dropout.MAX_ITEMS", 5)
    with pytest.raises(InputError, match="Drop rare items"):
        dropout_spectrum(counts(rng), 2, 0.5)
