"""How two models agree on the items that both hold: the rows of an index, and the vectors that ask it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.core.neighbors.overlap import neighbor_overlap
from simgauge.core.neighbors.topk import top_k
from simgauge.core.tables.arrays import to_host
from simgauge.core.tables.tables import take_rows
from simgauge.embedding import Embedding

USERS_COMPARED = 1_000


@dataclass(frozen=True, eq=False)
class Agreement:
    """Of new vectors with an old index, over some shared items."""

    itself_first: float
    """Share of items whose new vector finds the item's own old row first among all old rows."""
    lists_kept: float
    """Mean share of common neighbours: an item's list in the one model and in the other, among shared items."""
    per_item: NDArray[np.float64]
    """The same for each asked item."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {"itself_first": self.itself_first, "lists_kept": self.lists_kept}


def agreement(
    index: NDArray[Any], rows: NDArray[np.int64], new: NDArray[Any], asked: NDArray[np.intp], k: int
) -> Agreement:
    """Agreement of an old table with new vectors of its shared rows.

    Parameters
    ----------
    index : ndarray, shape (n_old, k0)
        All old vectors.
    rows : ndarray of int, shape (n,)
        Rows of the index that the models share.
    new : ndarray, shape (n, k0)
        The new vectors of the shared items, in the space of the index.
    asked : ndarray of int
        Which of the shared items are scored.
    k : int
    """
    first = top_k(index, 1, "cosine", new[asked].astype(index.dtype))[0][:, 0]
    lists = [top_k(table, k, "cosine", rows=asked)[0] for table in (index[rows], new)]
    per_item = neighbor_overlap(*lists).per_row
    return Agreement(float((first == rows[asked]).mean()), float(per_item.mean()), per_item)


def mean_overlap(first: NDArray[Any], second: NDArray[Any], asked: NDArray[Any], k: int) -> float:
    """Mean share of common cosine neighbours of some rows of two tables with the same rows."""
    lists = [top_k(table, k, "cosine", rows=asked)[0] for table in (first, second)]
    return float(neighbor_overlap(*lists).mean)


def predictions_apart(before: Embedding, after: Embedding) -> float | None:
    """Largest difference of a score between two forms of one model, relative to its largest score, over up to 1,000
    users."""
    if before.users is None or after.users is None:
        return None
    reference, moved = (
        np.asarray(to_host(users[:USERS_COMPARED]), dtype=np.float64) @ np.asarray(to_host(items), dtype=np.float64).T
        for users, items in ((before.users, before.items), (after.users, after.items))
    )
    largest = float(np.abs(reference).max())
    return float(np.abs(moved - reference).max()) / largest if largest else 0.0


def user_lists(model: Embedding, items: NDArray[np.int64], users: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """The k items of largest score of some users, among some items: what no gauge changes."""
    table = on_host(model.items)[items]
    return top_k(table, min(k, len(table)), "dot", to_host(take_rows(model.users, users)))[0]


def on_host(table: Any) -> NDArray[Any]:
    """A whole table as a NumPy array, wherever its rows lie."""
    return np.asarray(table.gather() if hasattr(table, "gather") else to_host(table))
