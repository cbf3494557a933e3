"""Remedies of the neighbour search: vectors stay, and what is near is judged by the surroundings of each item."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from simgauge.core.neighbors.topk import top_k
from simgauge.core.tables.kinds import FloatTable, Lists, Vector
from simgauge.core.tables.tables import as_table, unit_rows
from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError
from simgauge.interactions import Interactions
from simgauge.labels import positions_of, same_labels
from simgauge.parameters import check_integer
from simgauge.remedies.remedy import KEPT, Remedy
from simgauge.wording import some_of


class NeighborRemedy(Remedy):
    """Searches ``[items | column]`` with ``[queries | 1]`` by dot product, so that the lists are exact.

    Attributes
    ----------
    local_ : ndarray, shape (n_items,)
        What was measured around each item.
    item_ids_ : ndarray, shape (n_items,)
        Whose surroundings those are: the items may come in any order later, but they must be these.
    """

    _arrays: ClassVar[tuple[str, ...]] = ("local_", "item_ids_")

    k: int
    local_: Vector
    item_ids_: NDArray[Any]

    @property
    def keeps_predictions(self) -> bool | None:
        """True: no table is moved."""
        return True

    def index_tables(self, embedding: Embedding, queries: Any = None) -> tuple[FloatTable, FloatTable]:
        """Tables to put into a store that searches by dot product: the index, and the queries to ask it with.

        Parameters
        ----------
        embedding : Embedding
            With the items it was fitted on.
        queries : array-like, shape (n_queries, n_features_in_), optional
            The items themselves when not given.

        Returns
        -------
        items, queries : ndarray, shape (n, n_features_in_ + 1)
            Their dot product ranks, for each query, as the remedy does.
        """
        unit, local = self._unit_items(embedding)
        return self._tables(unit, unit if queries is None else unit_rows(self.transform_items(queries)), local)

    def neighbors(self, embedding: Embedding, k: int, rows: Any = None, queries: Any = None) -> Lists:
        """The k nearest items, exactly; scores are those of the remedy, higher is closer. See `Remedy.neighbors`."""
        unit, local = self._unit_items(embedding)
        if queries is None:
            searched, asked = self._tables(unit, unit, local)
            chosen = np.arange(len(unit)) if rows is None else np.asarray(rows, dtype=np.int64)
            if not 1 <= k <= len(unit) - 1:
                raise ParameterError(f"k={k}: expected 1 to {len(unit) - 1}, the number of other items.")
            lists = _without_self(*top_k(searched, k + 1, "dot", asked, rows=chosen), chosen)
            return lists[0], self._scores(lists[1], local[chosen])
        table = self.transform_items(queries)
        table = table if rows is None else np.ascontiguousarray(table[np.asarray(rows, dtype=np.int64)])
        around = self._measure(top_k(embedding.items, min(self.k, len(unit)), "cosine", table)[1], table)
        indices, dots = top_k(*_asked(self._tables(unit, unit_rows(table), local), k))
        return indices, self._scores(dots, around)

    def _check_parameters(self) -> None:
        check_integer(self.k, "k", 1, meaning="the size of the surroundings")

    def _learn(self, embedding: Embedding, interactions: Interactions | None) -> str:  # noqa: ARG002
        if embedding.n_items < 2:
            raise InputError(f"{self.name} needs neighbours of each item: pass 2 items or more.")
        size = min(self.k, embedding.n_items - 1)
        self.local_ = self._measure(top_k(embedding.items, size)[1], embedding.items)
        self.item_ids_ = embedding.item_ids
        return KEPT

    def _gauge_of(self, embedding: Embedding) -> dict[str, Any]:  # noqa: ARG002
        """As it was: no vector moves."""
        return {}

    def _move_items(self, table: FloatTable) -> FloatTable:
        return table

    def _move_users(self, table: FloatTable) -> FloatTable:
        return table

    @abstractmethod
    def _measure(self, cosines: NDArray[np.floating], table: FloatTable) -> Vector:
        """What the cosines of the nearest neighbours say about the surroundings, (n,)."""

    @abstractmethod
    def _tables(self, unit_items: FloatTable, unit_queries: FloatTable, local: Vector) -> tuple[FloatTable, FloatTable]:
        """Index and queries with one more column; `local` is that of the items, in their order."""

    @abstractmethod
    def _scores(self, dots: NDArray[np.floating], around: Vector) -> NDArray[np.floating]:
        """Scores of the remedy from dot products of `_tables`."""

    def _unit_items(self, embedding: Embedding) -> tuple[FloatTable, Vector]:
        """Unit rows of the items it was fitted on, and what was measured around each, in their order here."""
        table = as_table(embedding.items)
        self._check_width(table)
        if len(table) != len(self.local_):
            raise InputError(
                f"{self.name} was fitted on {len(self.local_)} items, received {len(table)}: fit it on the items to be "
                "searched; other vectors can be passed as queries."
            )
        unit = np.asarray(unit_rows(table))
        if same_labels(embedding.item_ids, self.item_ids_):
            return unit, self.local_
        rows = positions_of(embedding.item_ids, self.item_ids_)
        if (rows < 0).any():
            raise InputError(
                f"{self.name}: {int((rows < 0).sum())} of the {len(rows)} items (first: "
                f"{embedding.item_ids[int((rows < 0).argmax())]!r}) are not among those it was fitted on "
                f"({some_of(self.item_ids_[:4].tolist())}): fit it on the items to be searched."
            )
        return unit, self.local_[rows]

    def _check_restored(self) -> None:
        if self.local_.ndim != 1 or self.item_ids_.shape != self.local_.shape:
            raise ValueError("local_ and item_ids_ are not one value per item")


def _asked(tables: tuple[FloatTable, FloatTable], k: int) -> tuple[FloatTable, int, str, FloatTable]:
    return tables[0], k, "dot", tables[1]


def _without_self(indices: NDArray[np.int64], scores: NDArray[np.floating], own: NDArray[np.int64]) -> Lists:
    """Lists of k from lists of k + 1: the query itself goes, or the last one where it was not listed."""
    listed = indices == own[:, None]
    drop = np.where(listed.any(axis=1), listed.argmax(axis=1), indices.shape[1] - 1)
    keep = np.arange(indices.shape[1])[None, :] != drop[:, None]
    shape = (len(indices), indices.shape[1] - 1)
    return indices[keep].reshape(shape), scores[keep].reshape(shape)
