"""Norm discounting: cosine corrected by log popularity."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from simgauge.core.neighbors.norm_discount import popularity_discount
from simgauge.core.tables.kinds import FloatTable
from simgauge.core.tables.tables import unit_rows
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.interactions import Interactions
from simgauge.labels import positions_of, same_labels
from simgauge.remedies.remedy import CHANGED, Remedy, check_interactions
from simgauge.wording import some_of


class NormDiscounting(Remedy):
    """Unit vectors scaled by a function of log popularity, compared by dot product.

    Parameters
    ----------
    strength : float, -0.9 to 0.9
        Slope: above 0 popular items come nearer, below 0 they recede. See `core.neighbors.norm_discount`.

    Attributes
    ----------
    item_ids_, scale_ : ndarray, shape (n_items,)
        Scale of every item it was fitted on. Items with other ids, and vectors passed to `transform_items`, have no
        popularity here and are scaled by 1, as an item of average log popularity.

    Gauge
    -----
    *Not* invariant: the cosines it corrects are those of the incoming gauge. Users stay as they are; their scores are
    no longer dot products of the model, since norms are gone.

    References
    ----------
    Wannasuphoprasit, Zhou & Bollegala (2023), arXiv 2305.10610, for the idea; the form of the discount is not confirmed
    in its text, see `core.neighbors.norm_discount`.

    Examples
    --------
    >>> embedding = Embedding([[2.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> used = Interactions([[1.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    >>> remedy = NormDiscounting(strength=0.5).fit(embedding, used)
    >>> np.linalg.norm(remedy.transform(embedding).items, axis=1).round(3)
    array([1.296, 0.786, 1.046])
    """

    _arrays: ClassVar[tuple[str, ...]] = ("item_ids_", "scale_")

    item_ids_: NDArray[Any]
    scale_: NDArray[np.float64]

    def __init__(self, strength: float = 0.3) -> None:
        self.strength = strength

    @property
    def name(self) -> str:
        """Says the slope."""
        return f"norm discounting({self.strength:g})"

    @property
    def needs_interactions(self) -> bool:
        """For the popularity."""
        return True

    @property
    def metric(self) -> str:
        """Dot: the norms carry the correction."""
        return "dot"

    def _check_parameters(self) -> None:
        popularity_discount(np.ones(1, dtype=np.int64), self.strength)

    def _learn(self, embedding: Embedding, interactions: Interactions | None) -> str:
        counts = check_interactions(embedding, interactions, self.name).item_counts
        self.item_ids_ = embedding.item_ids
        self.scale_ = popularity_discount(counts, self.strength)
        return CHANGED

    def _items_of(self, embedding: Embedding) -> FloatTable:
        unit = unit_rows(embedding.items)
        return np.asarray(unit * self._scale_of(embedding.item_ids)[:, None].astype(unit.dtype))

    def _move_items(self, table: FloatTable) -> FloatTable:
        return np.asarray(unit_rows(table))

    def _move_users(self, table: FloatTable) -> FloatTable:
        return table

    def _scale_of(self, ids: Any) -> NDArray[np.float64]:
        if same_labels(ids, self.item_ids_):
            return self.scale_
        rows = positions_of(ids, self.item_ids_)
        if (rows < 0).all():
            raise InputError(
                f"{self.name}: none of the {len(rows)} items ({some_of(ids[:4].tolist())}) was among those it was "
                f"fitted "
                f"on ({some_of(self.item_ids_[:4].tolist())}): apply it to a model with the same ids, or fit it again."
            )
        return np.where(rows >= 0, self.scale_[rows], 1.0)

    def _check_restored(self) -> None:
        if self.scale_.shape != self.item_ids_.shape or self.scale_.ndim != 1:
            raise ValueError("the scales and the item ids differ in number")
        if not (self.scale_ > 0).all():
            raise ValueError("a scale is not positive")
