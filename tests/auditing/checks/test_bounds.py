"""Exact statements of an audit: certified neighbours and the range of a cosine."""

from __future__ import annotations

import numpy as np

from problems import two_tables
from simgauge import (
    Embedding,
    audit,
)


def test_certified_neighbours_are_those_of_clear_clusters(rng):
    centres = np.eye(6)
    clear = np.repeat(centres, 6, axis=0) + 0.01 * rng.standard_normal((36, 6))
    rows = audit(Embedding(clear), k=5)["certified_neighbors"].details["by_condition_number"]
    assert all(row["lists"] == 1.0 for row in rows)
    noise = audit(Embedding(rng.standard_normal((200, 20))), k=5)["certified_neighbors"]
    assert noise.value < 0.2
    shares = [row["neighbors"] for row in noise.details["by_condition_number"]]
    assert shares == sorted(shares, reverse=True)


def test_the_range_of_a_cosine_grows_with_the_condition_number(rng):
    P, Q = two_tables(rng)
    rows = audit(Embedding(Q, P), k=3)["cosine_range"].details["by_condition_number"]
    for group in ("linear", "diagonal"):
        widths = [row["width"] for row in rows if row["group"] == group]
        assert widths == sorted(widths)
        assert widths[0] > 0
