"""What a remedy is: fitted on an embedding, moves its tables, says what that costs, and finds neighbours."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils._set_output import _wrap_data_with_container
from sklearn.utils.validation import _check_feature_names, check_is_fitted

from simgauge.core.neighbors.topk import top_k
from simgauge.core.tables.kinds import FloatTable, Lists
from simgauge.core.tables.tables import as_table
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.interactions import Interactions
from simgauge.labels import same_labels
from simgauge.read.as_embedding import as_embedding
from simgauge.remedies.saved_form import fingerprint, save_remedy

KEPT = "kept"
"""Every dot product of a user with an item is what it was."""
RANKINGS_KEPT = "rankings kept"
"""Up to one constant per user: every user's ranking of the items is what it was."""
CHANGED = "changed"


class _MovesTables(ABC):
    """`transform` and `fit_transform`; they stand here since scikit-learn wraps those of a transformer's own class.

    The wrapper would turn an Embedding into a frame and lose the users; here only tables become what `set_output` asks
    for.
    """

    @abstractmethod
    def fit(self, embedding: Any, interactions: Interactions | None = None) -> Self:
        """Learn the map."""

    @abstractmethod
    def _moved(self, embedding: Embedding) -> Embedding:
        """Both tables of an embedding, moved."""

    def transform(self, embedding: Any) -> Any:
        """Both tables in the new form; ids and names stay, ``provenance["remedy"]`` says what was done.

        Parameters
        ----------
        embedding : Embedding, or array-like or data frame of shape (n_items, n_features_in_)

        Returns
        -------
        Embedding
            Of an Embedding; of a table an array of shape (n_items, n_features_out), or what `set_output` asks for.
        """
        check_is_fitted(self)
        if not isinstance(embedding, Embedding):
            _check_feature_names(self, embedding, reset=False)
            moved = self._moved(as_embedding(embedding)).items
            return _wrap_data_with_container("transform", moved, embedding, self)
        return self._moved(embedding)

    def fit_transform(self, embedding: Any, interactions: Interactions | None = None) -> Any:
        """`fit`, then `transform` the same embedding."""
        return self.fit(embedding, interactions).transform(embedding)


class Remedy(_MovesTables, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A scikit-learn transformer of embeddings: fitted on one, it moves both tables and says what that costs.

    `fit` and `transform` take an Embedding, or the items' table alone as an array or a data frame; an Embedding gives
    an Embedding, a table gives an array (or as `set_output` says). Constructors only store their parameters.

    Attributes
    ----------
    n_features_in_ : int
        Width of the tables it was fitted on, and of those it can be applied to.
    predictions_ : {"kept", "rankings kept", "changed"}
        What becomes of the dot products of users with items.
    keeps_predictions_ : bool
        ``predictions_ == "kept"``.
    """

    _arrays: ClassVar[tuple[str, ...]] = ()
    """Fitted attributes that are arrays, for `save`."""
    _facts: ClassVar[tuple[str, ...]] = ("n_features_in_", "predictions_")
    """Fitted attributes that are numbers or text, for `save`."""

    n_features_in_: int
    predictions_: str

    @property
    @abstractmethod
    def name(self) -> str:
        """Short text that tells this candidate from the others."""

    @property
    def needs_users(self) -> bool:
        """Whether `fit` needs both tables."""
        return False

    @property
    def needs_interactions(self) -> bool:
        """Whether `fit` needs interactions."""
        return False

    @property
    def provides_users(self) -> bool:
        """Whether the result has users even where the embedding has none."""
        return False

    @property
    def keeps_predictions(self) -> bool | None:
        """Whether dot products are kept; None where it depends on the data (then `keeps_predictions_` knows)."""
        return False

    @property
    def metric(self) -> str:
        """What to use on the result: "cosine" or "dot"."""
        return "cosine"

    @property
    def keeps_predictions_(self) -> bool:
        """Whether the dot products of the embedding it was fitted on are kept."""
        check_is_fitted(self)
        return self.predictions_ == KEPT

    def fit(self, embedding: Any, interactions: Interactions | None = None) -> Self:
        """Learn the map.

        Parameters
        ----------
        embedding : Embedding, or array-like or data frame of shape (n_items, n_features)
        interactions : Interactions, optional
            With one column per item of the embedding, in its order (see `Interactions.align`). Only used by
            remedies that need popularity or refit.

        Raises
        ------
        InputError
            A table or interactions are missing that this remedy needs, or do not belong together.
        ParameterError
            A parameter outside its range.
        """
        self._check_parameters()
        if not isinstance(embedding, Embedding):
            _check_feature_names(self, embedding, reset=True)
        embedding = as_embedding(embedding)
        if self.needs_users and embedding.users is None:
            raise InputError(
                f"{self.name} needs both tables, and this embedding has items only: pass a sample of the other side "
                "(queries, contexts, sessions, users) as users, or take a remedy of one table: "
                "CanonicalGauge(power=0), "
                "Whitening(), Centering(), AllButTheTop()."
            )
        if self.needs_interactions:
            check_interactions(embedding, interactions, self.name)
        self.predictions_ = self._learn(embedding, interactions)
        self.n_features_in_ = embedding.n_components
        return self

    def _moved(self, embedding: Embedding) -> Embedding:
        self._check_width(embedding.items)
        items = self._items_of(embedding)
        users = None if embedding.users is None else self._move_users(embedding.users)
        return embedding.with_tables(items, users, remedy=self._description(embedding), **self._gauge_of(embedding))

    def transform_items(self, vectors: Any) -> FloatTable:
        """The fitted map applied to other vectors of the items' side: new items, or queries to compare with items.

        Parameters
        ----------
        vectors : array-like, shape (n, n_features_in_)

        Raises
        ------
        InputError
            Of another width than the map was fitted on.
        """
        check_is_fitted(self)
        table = as_table(vectors)
        self._check_width(table)
        return self._move_items(table)

    def neighbors(self, embedding: Embedding, k: int, rows: Any = None, queries: Any = None) -> Lists:
        """The k nearest items after the remedy, by its `metric`, exactly.

        Parameters
        ----------
        embedding : Embedding
            As it was before the remedy.
        k : int
        rows : array-like of int, optional
            Rows of the items (or of `queries`) to search for; all when not given.
        queries : array-like, shape (n_queries, n_features_in_), optional
            Vectors to search for instead of the items themselves, also as they were before the remedy.

        Returns
        -------
        indices, scores : ndarray, shape (n, k)
            An item is not in its own list.
        """
        check_is_fitted(self)
        self._check_width(embedding.items)
        asked = None if queries is None else self.transform_items(queries)
        return top_k(self._items_of(embedding), k, self.metric, asked, rows=rows)

    def save(self, path: str | Path) -> Path:
        """Write the fitted map to one safetensors file, atomically and without pickle; `load_remedy` reads it."""
        check_is_fitted(self)
        return save_remedy(self, path)

    @property
    def _n_features_out(self) -> int:
        """Columns of what `transform` returns."""
        return int(self._move_items(np.zeros((1, self.n_features_in_))).shape[1])

    def _check_parameters(self) -> None:
        """Raise ParameterError where a parameter is outside its range."""

    @abstractmethod
    def _learn(self, embedding: Embedding, interactions: Interactions | None) -> str:
        """Set the fitted attributes; returns what becomes of the predictions."""

    @abstractmethod
    def _move_items(self, table: FloatTable) -> FloatTable:
        """The fitted map on vectors of the items' side."""

    @abstractmethod
    def _move_users(self, table: FloatTable) -> FloatTable:
        """What belongs to it on the users' side."""

    def _items_of(self, embedding: Embedding) -> FloatTable:
        """The items of an embedding, moved; remedies that know single items override it."""
        return self._move_items(embedding.items)

    def _check_restored(self) -> None:
        """Raise ValueError when attributes read from a file do not fit together."""

    def _check_width(self, table: FloatTable) -> None:
        if table.shape[1] != self.n_features_in_:
            raise InputError(
                f"{self.name} was fitted on vectors of width {self.n_features_in_}, received width {table.shape[1]}: "
                "apply it to vectors of the same model as they were before any remedy, or fit it again."
            )

    def _gauge_of(self, embedding: Embedding) -> dict[str, Any]:
        """``gauge`` of the result for its provenance: none any more, where the embedding came in a gauge with a
        name."""
        return {"gauge": None} if embedding.provenance.get("gauge") is not None else {}

    def _description(self, embedding: Embedding) -> dict[str, Any]:
        done = {
            "name": self.name, "metric": self.metric, "predictions": self.predictions_, "map_sha256": fingerprint(self)
        }  # fmt: skip
        before = embedding.provenance.get("remedy")
        return done if before is None else {**done, "after": before}

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "n_features_in_")


def check_interactions(embedding: Embedding, interactions: Interactions | None, name: str) -> Interactions:
    """The interactions when they belong to the items of the embedding.

    Raises
    ------
    InputError
        None were passed, or their columns are not the items of the embedding in the same order.
    """
    if not isinstance(interactions, Interactions):
        received = "none were passed" if interactions is None else f"received {type(interactions).__name__}"
        raise InputError(
            f"{name} needs interactions, and {received}: pass fit(embedding, interactions), with interactions from "
            "read_interactions(path).align(embedding.item_ids)."
        )
    if not same_labels(interactions.item_ids, embedding.item_ids):
        raise InputError(
            f"{name}: the interactions have {interactions.n_items} items and the embedding {embedding.n_items}, or in "
            "another order: pass interactions.align(embedding.item_ids)."
        )
    return interactions
