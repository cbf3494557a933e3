"""A catalogue in clusters, people who stay within one, and models that know the clusters more or less well."""

from __future__ import annotations

import numpy as np

from simgauge.embedding import Embedding
from simgauge.remedies import LeaveAlone

N_ITEMS, N_CLUSTERS = 60, 6
CLUSTER = np.arange(N_ITEMS) % N_CLUSTERS
IDS = np.array([f"i{n}" for n in range(N_ITEMS)], dtype=object)


def model(noise: float, seed: int = 0, users: int = 0) -> Embedding:
    """Items around the axis of their cluster; less noise is a better model."""
    rng = np.random.default_rng(seed)
    table = np.eye(N_CLUSTERS)[CLUSTER] + noise * rng.standard_normal((N_ITEMS, N_CLUSTERS))
    if not users:
        return Embedding(table, item_ids=IDS)
    taste = np.eye(N_CLUSTERS)[np.arange(users) % N_CLUSTERS] + noise * rng.standard_normal((users, N_CLUSTERS))
    return Embedding(table, taste, item_ids=IDS, user_ids=np.arange(users))


def walk(n_sessions: int, length: int, rng: np.random.Generator, stay: float = 0.8):
    """Sessions that mostly stay in their cluster; events shuffled, with times."""
    sessions = np.repeat(np.arange(n_sessions), length)
    home = rng.integers(0, N_CLUSTERS, n_sessions)[sessions]
    cluster = np.where(rng.random(len(sessions)) < stay, home, rng.integers(0, N_CLUSTERS, len(sessions)))
    items = cluster + N_CLUSTERS * rng.integers(0, N_ITEMS // N_CLUSTERS, len(sessions))
    times = np.tile(np.arange(length), n_sessions) * 60.0 + sessions * 1e5
    order = rng.permutation(len(sessions))
    return sessions[order], IDS[items[order]], times[order]


def score(evidence, embedding, metric: str = "cosine"):
    """Scores of the vectors as they are."""
    return evidence.bind(embedding).scores(LeaveAlone(metric).fit(embedding), embedding)


def nearest(embedding, row: int, k: int) -> list[int]:
    """Rows of the k largest cosines, by a full sort."""
    table = embedding.items / np.linalg.norm(embedding.items, axis=1, keepdims=True)
    return [other for other in np.argsort(-(table @ table[row]), kind="stable").tolist() if other != row][:k]
