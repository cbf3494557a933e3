"""Cosine beside the dot product, and items that another beats by inner product."""

from __future__ import annotations

import numpy as np

from simgauge import Embedding, audit


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_norms_decide_between_cosine_and_dot(rng):
    Q = unit(rng.standard_normal((200, 8)))
    assert audit(Embedding(Q), k=5)["metric_overlap"].value == 1.0
    stretched = Q * rng.lognormal(sigma=1.0, size=(200, 1))
    assert audit(Embedding(stretched), k=5)["metric_overlap"].value < 0.5
    loud = np.vstack([Q, 1e4 * unit(rng.standard_normal((8, 8)))])
    assert audit(Embedding(loud), k=5)["metric_overlap"].verdict in ("ok", "warn")


def test_items_beaten_by_another_are_counted_as_a_double_loop_counts_them(rng):
    Q = rng.standard_normal((150, 5)) * rng.lognormal(sigma=0.7, size=(150, 1))
    products = Q @ Q.T
    beaten = (products - np.diag(products)[:, None] > 1e-9).any(axis=1)
    finding = audit(Embedding(Q), k=5)["self_dominated"]
    assert finding.value == np.mean(beaten)
    assert 0 < finding.value < 1
    loser, winner = (int(part) for part in finding.details["named"][0].split(" < "))
    assert products[loser, winner] > products[loser, loser]
    assert audit(Embedding(unit(Q)), k=5)["self_dominated"].value == 0.0
    assert audit(Embedding(unit(Q).astype(np.float32)), k=5)["self_dominated"].value == 0.0
