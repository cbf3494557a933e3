"""Neighbours of named items, in one gauge or in several side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from simgauge.core.neighbors.topk import top_k
from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError
from simgauge.gauge import canonical_gauge
from simgauge.tabular import Tabular
from simgauge.wording import counted

AS_SHIPPED = "as shipped"


@dataclass(frozen=True)
class NeighborList:
    """The neighbours of one item in one gauge."""

    item: str
    """Name of the item."""
    gauge: str
    """Name of the gauge."""
    names: tuple[str, ...]
    """Nearest first."""
    ids: tuple[Any, ...]
    """Ids of the same."""
    scores: tuple[float, ...]
    """Cosines (or dot products), falling."""


@dataclass(frozen=True, repr=False)
class Comparison(Tabular):
    """Neighbour lists of some items in several gauges of one model."""

    lists: tuple[NeighborList, ...]
    """Item by item, within an item gauge by gauge."""
    metric: str
    """"cosine" or "dot"."""
    prediction_difference: float | None
    """Largest difference of a score ``users @ items.T`` between any two gauges, relative to the largest score;
    None for a single table."""
    n_scores_compared: int
    """Scores that went into it: all of them, or those of a sample of users."""

    def of(self, item: str) -> tuple[NeighborList, ...]:
        """The lists of one item."""
        return tuple(entry for entry in self.lists if entry.item == item)

    @property
    def items(self) -> tuple[str, ...]:
        """Names of the items, in the order asked for."""
        return tuple(dict.fromkeys(entry.item for entry in self.lists))

    def to_arrow(self) -> pa.Table:
        """One row a neighbour: item, gauge, rank (from 1), name, id as text, score."""
        rows = [
            {"item": entry.item, "gauge": entry.gauge, "rank": rank, "name": name, "id": str(label), "score": score}
            for entry in self.lists
            for rank, (name, label, score) in enumerate(zip(entry.names, entry.ids, entry.scores, strict=True), 1)
        ]
        return pa.Table.from_pylist(rows)

    def __repr__(self) -> str:
        gauges = len({entry.gauge for entry in self.lists})
        return f"Comparison({counted(len(self.items), 'item')} in {counted(gauges, 'gauge')}, {self.metric})"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "metric": self.metric,
            "prediction_difference": self.prediction_difference,
            "n_scores_compared": self.n_scores_compared,
            "items": [
                {
                    "name": item,
                    "gauges": [
                        {
                            "gauge": entry.gauge,
                            "neighbors": [
                                {
                                    "name": name,
                                    "id": label,
                                    "score": score,
                                    "in_first_list": label in self.of(item)[0].ids,
                                }
                                for name, label, score in zip(entry.names, entry.ids, entry.scores, strict=True)
                            ],
                        }
                        for entry in self.of(item)
                    ],
                }
                for item in self.items
            ],
        }


def standard_gauges(embedding: Embedding) -> dict[str, Embedding]:
    """The gauges people ship, by name: as it came, and the canonical ones that the tables allow.

    Examples
    --------
    >>> list(standard_gauges(Embedding(np.eye(3), users=np.eye(3) + 1)))
    ['as shipped', 'whitened (α = 0)', 'projected back (α = 1)', 'projected back, users centred']
    """
    gauges = {AS_SHIPPED: embedding, "whitened (α = 0)": canonical_gauge(embedding, 0.0)}
    if embedding.users is not None:
        gauges["projected back (α = 1)"] = canonical_gauge(embedding, 1.0)
        gauges["projected back, users centred"] = canonical_gauge(embedding, 1.0, "users")
    return gauges


def compare_neighbors(
    gauges: dict[str, Embedding], items: Sequence[Any], k: int = 10, metric: str = "cosine"
) -> Comparison:
    """Neighbours of some items in several gauges of one model, and how far the predictions are apart.

    Parameters
    ----------
    gauges : dict of str to Embedding
        The same rows in every one, such as `standard_gauges` gives.
    items : sequence of names or ids
        Whose neighbours.
    k : int
        List length, below the number of items.
    metric : {"cosine", "dot"}
        Of the lists.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        An item that is not there.
    ParameterError
        `k` not from 1 to n_items − 1.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> model = Embedding(rng.normal(size=(30, 4)), users=rng.normal(size=(50, 4)))
    >>> compared = compare_neighbors(standard_gauges(model), items=[3], k=5)
    >>> [len(entry.names) for entry in compared.lists]
    [5, 5, 5, 5]
    >>> compared.prediction_difference < 1e-12
    True
    """
    if not gauges:
        raise ParameterError("gauges: pass at least one.")
    first = next(iter(gauges.values()))
    if not 1 <= k < first.n_items:
        raise ParameterError(f"k={k}: with {first.n_items} items expected 1 to {first.n_items - 1}.")
    rows = first.find_items(items)
    lists = {}
    for gauge, embedding in gauges.items():
        if embedding.n_items != first.n_items:
            raise InputError(f"gauge {gauge!r} has {embedding.n_items} items and the first {first.n_items}.")
        lists[gauge] = top_k(embedding.items, k, metric, rows=rows)
    entries = [
        NeighborList(
            item=str(first.item_names[row]),
            gauge=gauge,
            names=tuple(str(first.item_names[index]) for index in lists[gauge][0][position]),
            ids=tuple(_plain(first.item_ids[index]) for index in lists[gauge][0][position]),
            scores=tuple(float(score) for score in lists[gauge][1][position]),
        )
        for position, row in enumerate(rows)
        for gauge in gauges
    ]
    difference, compared = prediction_difference(list(gauges.values()))
    return Comparison(tuple(entries), metric, difference, compared)


def prediction_difference(embeddings: Sequence[Embedding], n_users: int = 1_000) -> tuple[float | None, int]:
    """Largest relative difference of any score among embeddings that should predict the same.

    Over all users, or the first `n_users` of them; relative to the largest score. Returns the difference and how
    many scores were compared; None for single tables.
    """
    first = embeddings[0]
    if first.users is None:
        return None, 0
    reference = _scores(first, n_users)
    scale = float(np.abs(reference).max()) or 1.0
    largest = max((float(np.abs(_scores(other, n_users) - reference).max()) for other in embeddings[1:]), default=0.0)
    return largest / scale, reference.size


def _scores(embedding: Embedding, n_users: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    assert embedding.users is not None
    return np.asarray(embedding.users[:n_users].astype(np.float64) @ embedding.items.T.astype(np.float64))


def _plain(label: Any) -> Any:
    return label.item() if isinstance(label, np.generic) else label
