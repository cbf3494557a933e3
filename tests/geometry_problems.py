"""Tables with a known geometry, maps that move them, and neighbours the slow obvious way."""

from __future__ import annotations

import numpy as np


def skewed_table(rng: np.random.Generator, n: int = 80, k: int = 6) -> np.ndarray:
    """A common direction, unequal variances, heavy-tailed norms: every geometry measure has something to see."""
    table = rng.standard_normal((n, k)) * np.linspace(0.5, 3, k) + np.linspace(1.5, 0, k)
    return table * rng.lognormal(0, 0.4, (n, 1))


def rotation(rng: np.random.Generator, k: int) -> np.ndarray:
    return np.linalg.qr(rng.standard_normal((k, k)))[0]


def general_map(rng: np.random.Generator, k: int, condition: float = 10.0) -> np.ndarray:
    return rotation(rng, k) @ np.diag(np.geomspace(1, condition, k)) @ rotation(rng, k)


def nearest(table: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices and cosines of the k nearest other rows."""
    unit = table / np.linalg.norm(table, axis=1)[:, None]
    scores = unit @ unit.T
    np.fill_diagonal(scores, -np.inf)
    indices = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return indices, np.take_along_axis(scores, indices, axis=1)
