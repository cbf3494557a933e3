"""Closed forms against the paper's objectives: stationary, optimal, equal to alternating least squares."""

from __future__ import annotations

import numpy as np
import pytest

from problems import counts, sparse_counts
from simgauge.core.closed_form.factorize import factorize, halving_l2
from simgauge.core.spectral.spectrum import Spectrum, spectrum
from simgauge.errors import ParameterError

PENALTIES = ("product", "factors", "weights")


def objective(X, A, B, penalty, l2):
    penalties = {
        "product": np.sum((A @ B.T) ** 2),
        "factors": np.sum((X @ A) ** 2) + np.sum(B**2),
        "weights": np.sum(A**2) + np.sum(B**2),
    }
    return np.sum((X - X @ A @ B.T) ** 2) + l2 * penalties[penalty]


def gradient(X, A, B, penalty, l2):
    """Of the objective, written out by hand from its definition, not from the solution."""
    G = X.T @ X
    residual = G @ (A @ B.T - np.eye(len(A)))
    grad_A, grad_B = 2 * residual @ B, 2 * residual.T @ A
    if penalty == "product":
        return grad_A + 2 * l2 * A @ (B.T @ B), grad_B + 2 * l2 * B @ (A.T @ A)
    if penalty == "factors":
        return grad_A + 2 * l2 * G @ A, grad_B + 2 * l2 * B
    return grad_A + 2 * l2 * A, grad_B + 2 * l2 * B


def alternating_least_squares(X, k, penalty, l2, rng, n_iter=3000):
    """Independent reference: each half step is the exact minimiser, solved through vec and Kronecker products."""
    p = X.shape[1]
    G, eye = X.T @ X, np.eye(p)
    A, B = rng.standard_normal((p, k)), rng.standard_normal((p, k))
    for _ in range(n_iter):
        if penalty == "product":
            H = G + l2 * eye
            A = np.linalg.solve(H, G) @ B @ np.linalg.pinv(B.T @ B)
            B = G @ A @ np.linalg.pinv(A.T @ H @ A)
        elif penalty == "factors":
            A = B @ np.linalg.inv(B.T @ B + l2 * np.eye(k))
            B = G @ A @ np.linalg.inv(A.T @ G @ A + l2 * np.eye(k))
        else:
            system = np.kron(B.T @ B, G) + l2 * np.eye(p * k)
            A = np.linalg.solve(system, (G @ B).ravel(order="F")).reshape(p, k, order="F")
            B = G @ A @ np.linalg.inv(A.T @ G @ A + l2 * np.eye(k))
    return A, B


def strength(X, k, penalty, share=0.6):
    return share * 2 * halving_l2(np.linalg.svd(X, compute_uv=False)[:k], penalty)


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("k", [1, 4, 14])
def test_the_objective_is_stationary_at_the_solution(rng, penalty, k):
    X = counts(rng)
    l2 = strength(X, k, penalty)
    A, B = factorize(spectrum(X, k), penalty, l2)
    tolerance = 1e3 * np.finfo(float).eps * np.linalg.norm(X.T @ X)
    for part in gradient(X, A, B, penalty, l2):
        assert np.abs(part).max() < tolerance
    # control: a slightly other shrinkage is not stationary
    assert np.abs(gradient(X, 1.001 * A, B, penalty, l2)[0]).max() > 100 * tolerance


@pytest.mark.parametrize("penalty", PENALTIES)
def test_alternating_least_squares_reaches_the_closed_form(rng, penalty):
    X, k = counts(rng, 40, 8), 3
    l2 = strength(X, k, penalty)
    A, B = factorize(spectrum(X, k), penalty, l2)
    A2, B2 = alternating_least_squares(X, k, penalty, l2, rng, n_iter=400 if penalty == "weights" else 3000)
    best = objective(X, A, B, penalty, l2)
    assert objective(X, A2, B2, penalty, l2) == pytest.approx(best, rel=1e-9)
    np.testing.assert_allclose(A2 @ B2.T, A @ B.T, atol=1e-5)
    assert objective(X, 1.05 * A, B, penalty, l2) > best * (1 + 1e-6)


@pytest.mark.parametrize("penalty", PENALTIES)
def test_one_spectrum_serves_every_rank_and_strength(rng, penalty):
    X = sparse_counts(rng)
    full = spectrum(X, 20)
    for k in (1, 7, 20):
        for l2 in (0.0, 1.0, 5.0):
            whole = factorize(full, penalty, l2, n_components=k)
            alone = factorize(spectrum(X, k), penalty, l2)
            np.testing.assert_allclose(whole.encoder @ whole.decoder.T, alone.encoder @ alone.decoder.T, atol=1e-9)


@pytest.mark.parametrize("penalty", ["factors", "weights"])
def test_penalties_on_both_factors_leave_only_rotations(rng, penalty):
    """Any other gauge of the same product has a higher objective; for Eq. 1 it has the same."""
    X, k = counts(rng), 4
    l2 = strength(X, k, penalty)
    A, B = factorize(spectrum(X, k), penalty, l2)
    G = np.diag([2.0, 1.0, 1.0, 0.5])
    R = np.linalg.qr(rng.standard_normal((k, k)))[0]
    best = objective(X, A, B, penalty, l2)
    assert objective(X, A @ G, B @ np.linalg.inv(G).T, penalty, l2) > best * (1 + 1e-6)
    assert objective(X, A @ R, B @ R, penalty, l2) == pytest.approx(best, rel=1e-12)
    l2 = strength(X, k, "product")
    A, B = factorize(spectrum(X, k), "product", l2)
    same = objective(X, A @ G, B @ np.linalg.inv(G).T, "product", l2)
    assert same == pytest.approx(objective(X, A, B, "product", l2), rel=1e-12)


def test_directions_below_the_threshold_are_exactly_zero():
    S = Spectrum(np.array([3.0, 1.0, 0.0]), np.eye(3), None, "dense", 3, 0)
    A, B = factorize(S, "factors", 1.0)
    assert np.all(A[:, 1:] == 0)
    assert np.all(B[:, 1:] == 0)
    assert np.all(factorize(S, "weights", 1.0).decoder[:, 1:] == 0)
    assert np.isfinite(factorize(S, "product", 0.0).encoder).all()


def test_dtype_is_kept(rng):
    S = spectrum(sparse_counts(rng).astype(np.float32), 5)
    assert {factor.dtype for factor in factorize(S, "product", 1.0)} == {np.dtype(np.float32)}


@pytest.mark.parametrize("l2", [-1.0, np.nan, np.inf, "much", None])
def test_bad_strength_is_refused(rng, l2):
    with pytest.raises(ParameterError, match="expected a finite number >= 0"):
        factorize(spectrum(counts(rng), 2), "product", l2)


def test_unknown_penalty_and_rank_are_refused(rng):
    S = spectrum(counts(rng), 2)
    with pytest.raises(ParameterError, match="expected one of 'product'"):
        factorize(S, "ridge", 1.0)
    with pytest.raises(ParameterError, match="holds 2 components"):
        factorize(S, "product", 1.0, n_components=3)
