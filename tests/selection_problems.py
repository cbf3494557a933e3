"""Candidates with known scores, and a model whose gauge hides a similarity that is there."""

from __future__ import annotations

import numpy as np
from sklearn.base import clone

from simgauge.embedding import Embedding
from simgauge.evidence import hold_out
from simgauge.interactions import Interactions
from simgauge.remedies import CanonicalGauge, Centering
from simgauge.selection.scoring import Scored

ABOUT = {"measure": "recall@20", "unit": "user", "n_units": 80}

CANDIDATES = (CanonicalGauge(1.0), CanonicalGauge(1.0, "users"), Centering())


class Named:
    """A candidate with a name and nothing else, for decisions on scores."""

    metric = "cosine"

    def __init__(self, name):
        self.name = name


def named(units):
    """Scores of candidates c0 (the baseline), c1, …"""
    exponents = (0.0, 0.5, 1.0)[: units.shape[1]]
    return Scored(tuple(Named(f"c{n}") for n in range(units.shape[2])), units, (), exponents)


def planted_model():
    """Users and items of four groups; the gauge as trained hides them, the canonical one shows them."""
    rng = np.random.default_rng(5)
    group, taste = np.arange(120) % 4, np.arange(300) % 4
    chance = np.where(taste[:, None] == group[None, :], 0.3, 0.02)
    split = hold_out(Interactions((rng.random((300, 120)) < chance).astype(float)), share=0.3, k=10)
    left, s, right = np.linalg.svd(split.training.matrix.toarray(), full_matrices=False)
    model = Embedding(right[:20].T, left[:, :20] * s[:20])  # V: every direction counts the same
    return model, split


def fresh():
    return [clone(candidate) for candidate in CANDIDATES]
