"""One loss for each training objective, written out plainly: what a gauge group is tested against."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import log_expit, logsumexp


class Parameters(NamedTuple):
    """Vectors and biases of users and items; a bias that is not trained is zero."""

    P: np.ndarray
    Q: np.ndarray
    a: np.ndarray
    b: np.ndarray

    @property
    def scores(self):
        return self.P @ self.Q.T + self.a[:, None] + self.b[None, :]


def squared(theta, X):
    return np.sum((X - theta.scores) ** 2)


def weighted_squared(theta, X):
    """As GloVe: log counts, weights that grow with them."""
    return np.sum(np.minimum(1.0, (X / 3.0) ** 0.75) * (np.log1p(X) - theta.scores) ** 2)


def logistic(theta, X):
    """Logistic matrix factorisation, negative sampling with every pair a negative once."""
    return -np.sum(X * log_expit(theta.scores) + log_expit(-theta.scores))


def softmax_over_items(theta, X):
    s = theta.scores
    return -np.sum(X * (s - logsumexp(s, axis=1, keepdims=True)))


def sampled_softmax(theta, X):
    """Over every third item and the positive one."""
    s, negatives = theta.scores, theta.scores[:, ::3]
    loss = 0.0
    for u, i in zip(*np.nonzero(X), strict=True):
        loss -= s[u, i] - logsumexp(np.append(negatives[u], s[u, i]))
    return loss


def _pairs(X):
    return [(u, i, j) for u in range(len(X)) for i in np.flatnonzero(X[u]) for j in np.flatnonzero(X[u] == 0)]


def bpr(theta, X):
    s = theta.scores
    return -sum(log_expit(s[u, i] - s[u, j]) for u, i, j in _pairs(X))


def hinge(theta, X):
    s = theta.scores
    return sum(max(0.0, 1 - s[u, i] + s[u, j]) for u, i, j in _pairs(X))


def warp(theta, X):
    """Weighted approximate-rank pairwise: the hinge of each violator, weighted by log(1 + rank)."""
    s, loss = theta.scores, 0.0
    for u, i in zip(*np.nonzero(X), strict=True):
        margins = np.maximum(0.0, 1 - s[u, i] + s[u, X[u] == 0])
        loss += np.log1p(np.count_nonzero(margins)) * margins.sum()
    return loss


def info_nce(theta, X):
    """User u belongs to item u; the other items of the batch are its negatives."""
    n = min(X.shape)
    s = theta.scores[:n, :n]
    return -np.sum(np.diag(s) - logsumexp(s, axis=1))


def clip(theta, X):
    n = min(X.shape)
    s = theta.scores[:n, :n]
    return -np.sum(2 * np.diag(s) - logsumexp(s, axis=1) - logsumexp(s, axis=0))


def on_cosines(loss):
    def of_cosines(theta, X):
        unit = [table / np.linalg.norm(table, axis=1, keepdims=True) for table in (theta.P, theta.Q)]
        return loss(theta._replace(P=5 * unit[0], Q=unit[1]), X)

    return of_cosines


def one_encoder(theta, X):
    """InfoNCE of a table with itself: pairs are neighbouring rows."""
    s = theta.Q @ np.roll(theta.Q, 1, axis=0).T
    return -np.sum(np.diag(s) - logsumexp(s, axis=1))


def on_both_factors(theta):
    return np.sum(theta.P**2) + np.sum(theta.Q**2)


def by_counts(theta, X):
    """As Spark: each row times its number of interactions."""
    seen = X > 0
    return seen.sum(axis=1) @ np.sum(theta.P**2, axis=1) + seen.sum(axis=0) @ np.sum(theta.Q**2, axis=1)


LOSSES = {
    "product": squared,
    "dropout": squared,
    "none": squared,
    "svd": squared,
    "factors": squared,
    "weights": squared,
    "als": squared,
    "als-wr": squared,
    "bpr": bpr,
    "lmf": logistic,
    "warp": warp,
    "softmax": softmax_over_items,
    "contrastive": info_nce,
    "clip": clip,
    "word2vec": logistic,
    "glove": weighted_squared,
    "unit-sphere": on_cosines(info_nce),
    "cosine": on_cosines(softmax_over_items),
    "siamese": one_encoder,
}
"""By objective; the same loss may stand for several."""

MORE_LOSSES = {"hinge": hinge, "sampled-softmax": sampled_softmax}
"""By alias, where the alias is a loss of its own."""
