"""Embeddings and interactions with a known fault, and every remedy once."""

from __future__ import annotations

import numpy as np

from simgauge import Embedding, Interactions
from simgauge.core.neighbors.topk import top_k
from simgauge.remedies import (
    CSLS,
    AllButTheTop,
    CanonicalGauge,
    Centering,
    Chain,
    LeaveAlone,
    LocalScaling,
    NormDiscounting,
    PopularityWhitening,
    Refit,
    Standardizing,
    Whitening,
)

N_USERS, N_ITEMS, WIDTH = 70, 40, 6

REMEDIES = [
    LeaveAlone(),
    LeaveAlone(metric="dot"),
    CanonicalGauge(1.0),
    CanonicalGauge(0.0),
    CanonicalGauge(1.25, "users"),
    CanonicalGauge(0.5, "both"),
    CanonicalGauge(1.0, "none", norm_power=0.5),
    CanonicalGauge(1.0, "none", norm_power=1.0),
    Whitening(),
    Whitening(center=False),
    Whitening(n_components=3),
    Whitening(shrinkage=0.2, strength=0.5),
    PopularityWhitening(),
    PopularityWhitening(0.5, shrinkage=0.1),
    AllButTheTop(),
    AllButTheTop(n_remove=2),
    Centering(),
    Standardizing(),
    NormDiscounting(0.4),
    CSLS(k=5),
    LocalScaling("nicdm", k=5),
    LocalScaling("exponential", k=5),
    Refit("standardize"),
    Refit("damping", penalty="factors", l2=0.1, power=None, n_components=4),
    Chain([Centering(), Whitening(center=False)]),
    Chain([CanonicalGauge(1.0, "users"), CSLS(k=5)]),
    Chain([Refit("none"), CanonicalGauge(1.0, "users")]),
]
"""One or more of every class, with every branch of their parameters."""


def two_sides(rng: np.random.Generator, dtype: type = float) -> Embedding:
    """Both tables, ids as text, a mean on both sides, unlike scales."""
    scale = np.linspace(0.5, 3, WIDTH)
    return Embedding(
        (rng.standard_normal((N_ITEMS, WIDTH)) * scale + 0.4).astype(dtype),
        users=(rng.standard_normal((N_USERS, WIDTH)) + 0.6).astype(dtype),
        item_ids=[f"i{number}" for number in range(N_ITEMS)],
        user_ids=[f"u{number}" for number in range(N_USERS)],
    )


def used(rng: np.random.Generator, embedding: Embedding, n_users: int = 90) -> Interactions:
    """Interactions of the items of an embedding; popularity a power law, nobody and nothing unused."""
    n_items = embedding.n_items
    share = np.clip(1.2 / np.arange(1, n_items + 1) ** 0.7, 0, 0.8)
    X = (rng.random((n_users, n_items)) < share).astype(float)
    X[np.arange(n_users), rng.integers(n_items, size=n_users)] = 1
    X[rng.integers(n_users, size=n_items), np.arange(n_items)] = 1
    return Interactions(X * rng.integers(1, 4, X.shape), item_ids=embedding.item_ids)


def clustered(rng: np.random.Generator, n_users: int = 500, n_items: int = 120) -> tuple[Interactions, np.ndarray]:
    """Users of three tastes; within each, popularity is a power law. Returns the taste of every item too."""
    taste = np.arange(n_items) % 3
    popularity = np.empty(n_items)
    for cluster in range(3):
        own = np.flatnonzero(taste == cluster)
        popularity[own] = 1 / np.arange(1, len(own) + 1)
    preference = rng.dirichlet([2.0] * 3, n_users)
    expected = preference[:, taste] * popularity * 8
    X = (rng.random((n_users, n_items)) < np.clip(expected, 0, 0.95)).astype(float)
    X[np.arange(n_items), np.arange(n_items)] = 1
    return Interactions(X), taste


def lists_of(table: np.ndarray, k: int = 10) -> np.ndarray:
    """Neighbours by cosine."""
    return top_k(table, k)[0]


def overlap(one: np.ndarray, two: np.ndarray) -> float:
    """Share of the entries of two sets of lists that they have in common."""
    return float(np.mean([len(set(a) & set(b)) / len(a) for a, b in zip(one, two, strict=True)]))
