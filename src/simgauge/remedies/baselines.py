"""What the interactions say without any embedding: references for a selection, never its result."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from simgauge.core.closed_form.raw_similarity import column_cosine_lists, ease_weights, weight_lists
from simgauge.core.matrices.reweighting import check_exponent
from simgauge.core.tables.kinds import Lists
from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError
from simgauge.interactions import Interactions
from simgauge.remedies.remedy import check_interactions


class Baseline(BaseEstimator, ABC):  # type: ignore[misc]
    """Neighbour lists from interactions: `fit` and `neighbors` as a remedy has them, and nothing to transform."""

    needs_users = False
    needs_interactions = True
    metric = "lists"
    lists_only = True
    """There are no vectors: an answer is a list of items with scores."""

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

    Parameters
    ----------
    user_exponent, norm_power : float
        As in `core.closed_form.raw_similarity.column_cosine_lists`: users with many items count less, and items that
        many used come nearer. 0 and 0 is the cosine.

    Examples
    --------
    >>> used = Interactions([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0], [1.0, 0.0, 1.0]])
    >>> RawColumns().fit(Embedding(np.eye(3)), used).neighbors(Embedding(np.eye(3)), 1)[0].ravel()
    array([2, 0, 0])
    """

    def __init__(self, user_exponent: float = 0.0, norm_power: float = 0.0) -> None:
        self.user_exponent = user_exponent
        self.norm_power = norm_power

    @property
    def name(self) -> str:
        """The cosine, or the parameters."""
        if self.user_exponent == 0 and self.norm_power == 0:
            return "raw columns (cosine)"
        return f"raw columns(user_exponent={self.user_exponent:g}, norm_power={self.norm_power:g})"

    def _learn(self, used: Interactions) -> None:  # noqa: ARG002
        check_exponent(self.user_exponent, "user_exponent")
        if not 0 <= self.norm_power <= 1:
            raise ParameterError(f"norm_power={self.norm_power}: expected a number from 0 (cosine) to 1 (dot).")

    def _lists(self, k: int, rows: NDArray[np.int64]) -> Lists:
        return column_cosine_lists(self.interactions_.matrix, k, rows, self.user_exponent, self.norm_power)


class EaseWeights(Baseline):
    """Item-item weights of EASE: what an item adds to the score of the others.

    Parameters
    ----------
    l2 : float, > 0, optional
        λ; the mean of the diagonal of XᵀX (of the weighted interactions) when not given. It matters: try several.
    strength : float, > 0
        Factor of the λ that is taken when l2 is not given.
    item_exponent, user_exponent : float
        Of the weighted interactions that it is computed from, see `core.closed_form.raw_similarity.ease_weights`.

    References
    ----------
    Steck (2019), arXiv 1905.03375; exponents: Park et al. (2025), arXiv 2504.05805.

    Examples
    --------
    >>> used = Interactions([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0], [1.0, 0.0, 1.0]])
    >>> EaseWeights().fit(Embedding(np.eye(3)), used).neighbors(Embedding(np.eye(3)), 1)[0].ravel()
    array([2, 0, 0])
    """

    def __init__(
        self, l2: float | None = None, item_exponent: float = 0.0, user_exponent: float = 0.0, strength: float = 1.0
    ) -> None:
        self.l2 = l2
        self.item_exponent = item_exponent
        self.user_exponent = user_exponent
        self.strength = strength

    @property
    def name(self) -> str:
        """Parameters that are not left out."""
        parts = [f"l2={self.l2:g}"] if self.l2 is not None else []
        for label in ("item_exponent", "user_exponent"):
            parts += [f"{label}={getattr(self, label):g}"] if getattr(self, label) else []
        parts += [f"strength={self.strength:g}"] if self.l2 is None and self.strength != 1 else []
        return f"EASE weights({', '.join(parts)})" if parts else "EASE weights"

    def _learn(self, used: Interactions) -> None:
        for value, label in ((self.l2, "l2"), (self.strength, "strength")):
            if value is not None and not (np.isfinite(value) and value > 0):
                none = "None or " if label == "l2" else ""
                raise ParameterError(f"{label}={value}: expected {none}a finite number > 0.")
        a = check_exponent(self.item_exponent, "item_exponent")
        b = check_exponent(self.user_exponent, "user_exponent")
        self.weights_ = ease_weights(used.matrix, self.l2, a, b, self.strength)

    def _lists(self, k: int, rows: NDArray[np.int64]) -> Lists:
        return weight_lists(self.weights_, k, rows)
