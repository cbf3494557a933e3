"""Ids of the evidence to rows of the embedding."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.parameters import check_integer


def works_on_vectors(candidate: Any) -> bool:
    """Whether the vectors carry the remedy; neighbour-level remedies and lists from interactions move none."""
    steps = getattr(candidate, "steps", None)
    if steps is not None:
        return all(works_on_vectors(step) for step in steps)
    return not (hasattr(candidate, "index_tables") or is_list_only(candidate))


def is_list_only(candidate: Any) -> bool:
    """Whether a candidate is lists of items with scores, from interactions alone: nothing to move vectors with."""
    return bool(getattr(candidate, "lists_only", False))


def moved_by_map(candidate: Any, embedding: Embedding) -> Embedding:
    """The embedding after a remedy that is a map of vectors.

    Raises
    ------
    InputError
        The remedy finds neighbours and gives no similarity of given vectors.
    """
    if not works_on_vectors(candidate):
        raise InputError(
            f"{candidate.name} ranks the neighbours of items and moves no vectors: it needs lists of items."
        )
    moved: Embedding = candidate.transform(embedding)
    return moved


def check_depth(k: int) -> int:
    """The length of lists as an int; raise unless it is an integer of 1 or more."""
    return check_integer(k, "k", 1, meaning="the length of the lists")


def check_sample(max_queries: int | None) -> int | None:
    """The number as an int, or None for all; raise unless it is an integer of 1 or more."""
    if max_queries is None:
        return None
    return check_integer(max_queries, "max_queries", 1, hint="None asks for all.")


def sample_rows(rows: NDArray[np.int64], size: int | None, seed: int) -> NDArray[np.int64]:
    """All rows, or a seeded sample of them in ascending order."""
    if size is None or len(rows) <= size:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, size, replace=False))


def check_weights(weights: Any, n: int, name: str) -> NDArray[np.float64]:
    """Positive finite numbers, one per item."""
    values = np.asarray(weights, dtype=np.float64)
    if values.shape != (n,) or not np.isfinite(values).all() or (values <= 0).any():
        raise InputError(f"{name}: expected {n} positive finite numbers, one per item, received shape {values.shape}.")
    return values
