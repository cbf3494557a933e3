"""What the interactions say without any embedding: references for a selection, never its result."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Self
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from simgauge.core.closed_form.raw_similarity import column_cosine_lists, ease_weights, weight_lists
from simgauge.core.tables.kinds import Lists
from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError
from simgauge.interactions import Interactions
from simgauge.remedies.remedy import check_interactions

_EASE: WeakKeyDictionary[Interactions, dict[float | None, NDArray[np.float64]]] = WeakKeyDictionary()


class Baseline(BaseEstimator, ABC):  # type: ignore[misc]
    """Neighbour lists from interactions: `fit` and `neighbors` as a remedy has them, and nothing to transform."""

    needs_users = False
    needs_interactions = True

    interactions_: Interactions

    @property
    @abstractmethod
    def name(self) -> str:
        """Short text for tables."""

    def fit(self, embedding: Embedding, interactions: Interactions | None = None) -> Self:
        """Take the interactions, one column per item of the embedding (whose vectors are not used)."""
        used = check_interactions(embedding, interactions, self.name)
        self._learn(used)
        self.interactions_ = used
        return self

    def neighbors(self, embedding: Embedding, k: int, rows: Any = None) -> Lists:
        """The k nearest items of each row, itself left out; equal scores by the lower row."""
        check_is_fitted(self)
        if embedding.n_items != self.interactions_.n_items:
            raise InputError(f"{self.name} was fitted on {self.interactions_.n_items} items, not {embedding.n_items}.")
        chosen = np.arange(embedding.n_items) if rows is None else np.asarray(rows, dtype=np.int64)
        return self._lists(k, chosen)

    @abstractmethod
    def _learn(self, used: Interactions) -> None: ...

    @abstractmethod
    def _lists(self, k: int, rows: NDArray[np.int64]) -> Lists: ...


class RawColumns(Baseline):
    """Cosine of the columns of the interactions.

    Examples
    --------
    >>> used = Interactions([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0], [1.0, 0.0, 1.0]])
    >>> RawColumns().fit(Embedding(np.eye(3)), used).neighbors(Embedding(np.eye(3)), 1)[0].ravel()
    array([2, 0, 0])
    """

    @property
    def name(self) -> str:
        """It has no parameters."""
        return "raw columns (cosine)"

    def _learn(self, used: Interactions) -> None:
        pass

    def _lists(self, k: int, rows: NDArray[np.int64]) -> Lists:
        return column_cosine_lists(self.interactions_.matrix, k, rows)


class EaseWeights(Baseline):
    """Item-item weights of EASE: what an item adds to the score of the others.

    Parameters
    ----------
    l2 : float, > 0, optional
        λ; the mean of the diagonal of XᵀX when not given. It matters: try several.

    References
    ----------
    Steck (2019), arXiv 1905.03375.

    Examples
    --------
    >>> used = Interactions([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0], [1.0, 0.0, 1.0]])
    >>> EaseWeights().fit(Embedding(np.eye(3)), used).neighbors(Embedding(np.eye(3)), 1)[0].ravel()
    array([2, 0, 0])
    """

    def __init__(self, l2: float | None = None) -> None:
        self.l2 = l2

    @property
    def name(self) -> str:
        """Says λ where it was given."""
        return "EASE weights" if self.l2 is None else f"EASE weights(l2={self.l2:g})"

    def _learn(self, used: Interactions) -> None:
        if self.l2 is not None and not (np.isfinite(self.l2) and self.l2 > 0):
            raise ParameterError(f"l2={self.l2}: expected None or a finite number > 0.")
        known = _EASE.setdefault(used, {})
        if self.l2 not in known:
            known[self.l2] = ease_weights(used.matrix, self.l2)
        self.weights_ = known[self.l2]

    def _lists(self, k: int, rows: NDArray[np.int64]) -> Lists:
        return weight_lists(self.weights_, k, rows)
