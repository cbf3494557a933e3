"""Small data with known properties, shared by the tests."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp


def counts(rng: np.random.Generator, n_users: int = 60, n_items: int = 14) -> np.ndarray:
    """Dense interactions of full column rank with distinct singular values."""
    return (rng.random((n_users, n_items)) < rng.uniform(0.15, 0.7, n_items)).astype(float) * rng.uniform(0.5, 2)


def sparse_counts(
    rng: np.random.Generator, n_users: int = 80, n_items: int = 30, density: float = 0.2
) -> sp.csr_matrix:
    """Sparse binary interactions; every user and item is used."""
    X = (rng.random((n_users, n_items)) < density).astype(float)
    X[np.arange(n_users), rng.integers(n_items, size=n_users)] = 1
    X[rng.integers(n_users, size=n_items), np.arange(n_items)] = 1
    return sp.csr_matrix(X)


def two_tables(
    rng: np.random.Generator, n_users: int = 50, n_items: int = 20, k: int = 6
) -> tuple[np.ndarray, np.ndarray]:
    """Users and items of unlike scales, so that no gauge is special by chance."""
    return rng.standard_normal((n_users, k)) * np.linspace(1, 3, k), rng.standard_normal((n_items, k)) + 0.3


def cosines(rows: np.ndarray) -> np.ndarray:
    """All cosines between rows, the slow obvious way."""
    return np.array([[u @ v / np.sqrt((u @ u) * (v @ v)) for v in rows] for u in rows])
