"""Baselines without an embedding: cosine of columns, and EASE as the constrained minimum it claims to be."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from problems import cosines, sparse_counts
from simgauge.core.closed_form import raw_similarity
from simgauge.core.closed_form.raw_similarity import column_cosine_lists, ease_weights, weight_lists
from simgauge.errors import InputError, ParameterError


def test_column_cosines_against_all_pairs(rng, monkeypatch):
    X = sp.csr_array(sparse_counts(rng))
    monkeypatch.setattr(raw_similarity, "BLOCK_BYTES", 8 * 30 * 7)  # several blocks
    indices, scores = column_cosine_lists(X, 5, np.arange(30))
    expected = cosines(X.toarray().T)
    np.fill_diagonal(expected, -np.inf)
    np.testing.assert_allclose(scores, -np.sort(-expected, axis=1)[:, :5], atol=1e-14)
    assert not (indices == np.arange(30)[:, None]).any()
    np.testing.assert_array_equal(column_cosine_lists(X, 5, np.array([7, 3]))[0], indices[[7, 3]])


def test_ease_is_stationary_under_its_constraint(rng):
    """Gradient of the loss is zero off the diagonal, where B is free, and not on it, where the constraint holds B."""
    X, l2 = sparse_counts(rng).toarray(), 7.0
    B = ease_weights(sp.csr_array(X), l2)
    gradient = X.T @ (X @ B - X) + l2 * B
    off = ~np.eye(30, dtype=bool)
    assert np.abs(gradient[off]).max() < 1e-10
    assert np.abs(np.diag(gradient)).min() > 1e-3
    assert not np.diag(B).any()


def test_ease_lists_leave_the_item_out(rng):
    B = ease_weights(sp.csr_array(sparse_counts(rng)))
    indices, scores = weight_lists(B, 4, np.arange(30))
    assert not (indices == np.arange(30)[:, None]).any()
    np.testing.assert_array_equal(scores[:, 0], np.where(np.eye(30, dtype=bool), -np.inf, B).max(axis=1))


def test_bad_input_is_named(rng, monkeypatch):
    X = sp.csr_array(sparse_counts(rng))
    with pytest.raises(ParameterError, match=r"l2=-1\.0"):
        ease_weights(X, -1.0)
    with pytest.raises(InputError, match="no interactions"):
        ease_weights(sp.csr_array((3, 3)))
    with pytest.raises(ParameterError, match="k=30: expected 1 to 29"):
        column_cosine_lists(X, 30, np.arange(2))
    monkeypatch.setattr(raw_similarity, "MAX_ITEMS", 20)
    with pytest.raises(InputError, match="at most 20 items"):
        ease_weights(X)


def test_the_strength_of_ease_that_is_taken_is_the_mean_of_the_diagonal(rng):
    X = sparse_counts(rng)
    mean = float(np.mean(X.multiply(X).sum(axis=0)))
    np.testing.assert_allclose(ease_weights(X), ease_weights(X, mean), rtol=1e-12)
    assert np.abs(ease_weights(X) - ease_weights(X, 2 * mean)).max() > 1e-3


@pytest.mark.parametrize(("user_exponent", "norm_power"), [(0.5, 0.0), (0.0, 0.4), (0.5, 0.4), (0.0, 1.0)])
def test_columns_by_activity_and_norm_against_the_formula(rng, user_exponent, norm_power):
    X = sparse_counts(rng).toarray()
    Y = X / np.maximum((X > 0).sum(axis=1), 1)[:, None] ** user_exponent
    G = Y.T @ Y
    norms = np.sqrt(np.diag(G))
    expected = G / norms[:, None] / norms[None, :] ** (1 - norm_power)
    np.fill_diagonal(expected, -np.inf)
    given = (5, np.arange(30), user_exponent, norm_power)
    indices, scores = column_cosine_lists(sp.csr_array(X), *given)
    np.testing.assert_allclose(scores, -np.sort(-expected, axis=1)[:, :5], rtol=1e-12)
    np.testing.assert_allclose(np.take_along_axis(expected, indices, axis=1), scores, rtol=1e-12)
    assert not np.array_equal(indices, column_cosine_lists(sp.csr_array(X), 5, np.arange(30))[0])  # control
    with pytest.raises(ParameterError, match=r"norm_power=1\.1"):
        column_cosine_lists(sp.csr_array(X), 5, np.arange(3), 0.0, 1.1)


@pytest.mark.parametrize("n_users", [12, 80])
def test_ease_with_exponents_is_stationary_for_the_weighted_interactions(rng, n_users):
    """Fewer users than items and more: the two ways to the inverse. Weights of X predict the weighted Y after the
    scaling of the items is undone: ``diag(pop^a) B diag(pop^−a)`` is the constrained minimum for Y."""
    X = sparse_counts(rng, n_users=n_users).toarray()
    popularity, activity = np.maximum((X > 0).sum(axis=0), 1.0), np.maximum((X > 0).sum(axis=1), 1.0)
    Y = X * popularity**-0.5 * activity[:, None] ** -0.25
    B = ease_weights(sp.csr_array(X), 0.7, item_exponent=0.5, user_exponent=0.25)
    own = B * popularity[:, None] ** 0.5 * popularity**-0.5
    gradient = Y.T @ (Y @ own - Y) + 0.7 * own
    off = ~np.eye(30, dtype=bool)
    assert np.abs(gradient[off]).max() < 1e-10
    assert not np.diag(own).any()
    wrong = Y.T @ (Y @ B - Y) + 0.7 * B
    assert np.abs(wrong[off]).max() > 1e-3  # control: the weights of X are not those of Y
    mean = float(np.square(Y).sum() / 30)
    given = {"item_exponent": 0.5, "user_exponent": 0.25}
    taken = ease_weights(sp.csr_array(X), strength=3.0, **given)
    np.testing.assert_allclose(taken, ease_weights(sp.csr_array(X), 3 * mean, **given), rtol=1e-10)
