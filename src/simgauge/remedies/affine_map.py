"""A map that was made elsewhere, such as by `align`: saved, loaded and applied like a remedy."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from simgauge.core.gauges.canonical import GaugeMap
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.interactions import Interactions
from simgauge.remedies.affine import AffineRemedy
from simgauge.remedies.remedy import CHANGED, KEPT


class AffineMap(AffineRemedy):
    """``items -> (items − mean) @ item_matrix``, ``users -> users @ user_matrix``, given and not learned.

    Parameters
    ----------
    label : str
        What made the map; its name.

    Gauge
    -----
    Applies to vectors of the gauge it was made for.

    Examples
    --------
    >>> map_ = AffineMap.of("doubling", 2 * np.eye(2), 0.5 * np.eye(2))
    >>> map_.transform_items([[1.0, 3.0]])
    array([[2., 6.]])
    """

    def __init__(self, label: str = "affine map") -> None:
        self.label = label

    @classmethod
    def of(cls, label: str, item_matrix: Any, user_matrix: Any, mean: Any = None) -> Self:
        """The fitted map; predictions are kept where ``item_matrix @ user_matrix.T`` is the identity and nothing is
        shifted."""
        made = cls(label)
        made.item_matrix_ = np.asarray(item_matrix, dtype=np.float64)
        made.user_matrix_ = np.asarray(user_matrix, dtype=np.float64)
        width = len(made.item_matrix_)
        made.mean_ = np.zeros(width) if mean is None else np.asarray(mean, dtype=np.float64)
        made.n_features_in_ = width
        product = made.item_matrix_ @ made.user_matrix_.T
        kept = not made.mean_.any() and np.allclose(product, np.eye(width), atol=1e-6)
        made.predictions_ = KEPT if kept else CHANGED
        return made

    @property
    def name(self) -> str:
        """The label."""
        return self.label

    @property
    def keeps_predictions(self) -> bool | None:
        """It depends on the map."""
        return None

    def _map_of(self, embedding: Embedding, interactions: Interactions | None) -> tuple[GaugeMap, str]:  # noqa: ARG002
        raise InputError(f"{self.name} is a map that was made already: apply it, there is nothing to fit.")
