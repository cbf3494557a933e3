"""Ids of the evidence to rows of the embedding."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.embedding import Embedding, Ids
from simgauge.errors import InputError, ParameterError


def as_label_array(values: Any, name: str) -> NDArray[Any]:
    """One-dimensional array of integers, or of text as objects; not necessarily unique."""
    array = np.asarray(values)
    if array.ndim != 1 or len(array) == 0:
        raise InputError(f"{name}: expected one label per row, one dimension, received shape {array.shape}.")
    if array.dtype.kind in "iu":
        return array.astype(np.int64)
    if array.dtype.kind in "OUS":
        if any(value is None or value != value for value in array.tolist()):
            raise InputError(f"{name}: some entries are missing (null): leave these rows out.")
        return np.array([v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in array], dtype=object)
    raise InputError(f"{name}: expected integers or text, received {array.dtype}.")


def rows_of(wanted: NDArray[Any], known: Ids, what: str) -> NDArray[np.int64]:
    """Row of every wanted id among the known ones, -1 where there is none; integers and text compare as text.

    Raises
    ------
    InputError
        No id is shared; both sides' first ids are shown.

    Examples
    --------
    >>> rows_of(np.array([7, 9]), np.array(["9", "8"], dtype=object), "items").tolist()
    [-1, 0]
    """
    as_text = np.asarray(wanted).dtype != np.asarray(known).dtype
    positions = {(str(label) if as_text else label): row for row, label in enumerate(np.asarray(known).tolist())}
    labels = np.asarray(wanted).tolist()
    rows = np.array([positions.get(str(label) if as_text else label, -1) for label in labels], dtype=np.int64)
    if not (rows >= 0).any():
        raise InputError(
            f"none of the {len(labels)} {what} of the evidence ({_some(labels)}) is in the embedding "
            f"({_some(np.asarray(known)[:4].tolist())}). Pass evidence with the ids of the embedding."
        )
    return rows


def works_on_vectors(candidate: Any) -> bool:
    """Whether the vectors carry the remedy; neighbour-level remedies move none and search with a table of their own."""
    steps = getattr(candidate, "steps", None)
    if steps is not None:
        return all(works_on_vectors(step) for step in steps)
    return not hasattr(candidate, "index_tables")


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


def check_depth(k: int) -> None:
    """Raise unless k is an integer of 1 or more."""
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise ParameterError(f"k={k!r}: expected the length of the lists, an integer of 1 or more.")


def check_sample(max_queries: int | None) -> None:
    """Raise unless the number is None or an integer of 1 or more."""
    if max_queries is not None and (isinstance(max_queries, bool) or max_queries < 1):
        raise ParameterError(f"max_queries={max_queries!r}: expected 1 or more, or None for all.")


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


def _some(labels: list[Any]) -> str:
    return ", ".join(repr(label) for label in labels[:3]) + (", ..." if len(labels) > 3 else "")
