"""Remedies that are one affine map of the items with the linear map of the users that belongs to it."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from simgauge.core.gauges.canonical import GaugeMap
from simgauge.core.tables.kinds import FloatTable
from simgauge.embedding import Embedding
from simgauge.interactions import Interactions
from simgauge.remedies.remedy import Remedy


class AffineRemedy(Remedy):
    """``items -> (items − mean) @ item_matrix``, ``users -> users @ user_matrix``.

    Attributes
    ----------
    mean_ : ndarray, shape (n_features_in_,)
    item_matrix_, user_matrix_ : ndarray, shape (n_features_in_, n_components_out)
    """

    _arrays: ClassVar[tuple[str, ...]] = ("mean_", "item_matrix_", "user_matrix_")

    mean_: NDArray[np.float64]
    item_matrix_: NDArray[np.float64]
    user_matrix_: NDArray[np.float64]

    @property
    def map_(self) -> GaugeMap:
        """The fitted map."""
        return GaugeMap(self.item_matrix_, self.user_matrix_, self.mean_)

    def _learn(self, embedding: Embedding, interactions: Interactions | None) -> str:
        fitted, predictions = self._map_of(embedding, interactions)
        self.mean_, self.item_matrix_, self.user_matrix_ = fitted.item_mean, fitted.item_matrix, fitted.user_matrix
        return predictions

    @abstractmethod
    def _map_of(self, embedding: Embedding, interactions: Interactions | None) -> tuple[GaugeMap, str]:
        """The map, and what becomes of the predictions."""

    def _move_items(self, table: FloatTable) -> FloatTable:
        return np.asarray(self.map_.apply_items(table))

    def _move_users(self, table: FloatTable) -> FloatTable:
        return np.asarray(self.map_.apply_users(table))

    def _check_restored(self) -> None:
        width = self.n_features_in_
        if self.mean_.shape != (width,) or self.item_matrix_.ndim != 2 or len(self.item_matrix_) != width:
            raise ValueError(f"the map does not have {width} rows, the width that the file states")
        if self.user_matrix_.shape != self.item_matrix_.shape:
            raise ValueError("the maps of items and users differ in shape")
