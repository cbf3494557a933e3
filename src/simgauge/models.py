"""LinearAutoencoder: the paper's models as a scikit-learn estimator."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from simgauge.core.closed_form.dropout import check_rate, dropout_spectrum, factorize_dropout
from simgauge.core.closed_form.factorize import Factors, check_l2, factorize, halving_l2
from simgauge.core.matrices.matrix_input import as_matrix
from simgauge.core.matrices.tensor_matrix import TensorMatrix
from simgauge.core.spectral.spectrum import Spectrum, spectrum
from simgauge.core.tables.arrays import beside, is_tensor, namespace, to_host
from simgauge.core.tables.kinds import FloatTable
from simgauge.core.tables.row_parts import RowParts
from simgauge.distributed.recognise import as_parts
from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError, RankWarning
from simgauge.parameters import check_integer
from simgauge.storage.embedding_directory import RowBlocks, write_embedding
from simgauge.wording import counted

DEFAULT_COMPONENTS = 64
DEFAULT_RATE = 0.5
PENALTIES = ("product", "factors", "weights", "dropout")


class LinearAutoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Regularised linear autoencoder ``X ≈ X A Bᵀ``, fitted in closed form.

    Parameters
    ----------
    n_components : int, optional
        Rank k, from 1 to min(n_users, n_items); full rank is allowed. 64, or all that the data has if that is
        less, when not given.
    penalty : {"product", "factors", "weights", "dropout"}
        "product": λ‖ABᵀ‖² (Eq. 1). "factors": λ(‖XA‖² + ‖B‖²), ordinary matrix factorisation (Eq. 2).
        "weights": λ(‖A‖² + ‖B‖²), literal weight decay. "dropout": inputs dropped at random with `rate`.
    l2 : float, >= 0, optional
        λ; its unit is σ² for "product" and "weights", σ for "factors"; not used for "dropout". When not given: the
        λ at which the weakest component keeps one half of its weight in ABᵀ (σ_k², σ_k²/2, σ_k/2).
    rate : float in (0, 1), optional
        q of "dropout", 0.5 when not given; only for that penalty.
    solver : {"auto", "dense", "gram", "lanczos"}
        Route of the decomposition, see `simgauge.spectrum`; chosen by cost for "auto".
    random_state : int
        Seed of the iterative route.

    Attributes
    ----------
    encoder_ : ndarray, shape (n_items, k)
        A.
    decoder_ : ndarray, shape (n_items, k)
        B, the item vectors.
    singular_values_ : ndarray, shape (k,)
        σ of X ("dropout": of H^−½ XᵀX).
    right_vectors_ : ndarray, shape (n_items, k)
        V_k that belong to them.
    spectrum_ : Spectrum
        Both, with residuals.
    l2_ : float or None
        The λ that was used.
    n_active_components_ : int
        Components that the penalty did not shrink to zero.
    n_features_in_ : int
        n_items.

    Gauge
    -----
    "product" and "dropout": A G, B G⁻ᵀ has the same loss and the same predictions for any invertible G, so cosines
    of `decoder_` are arbitrary. "factors" and "weights": unique up to rotation, so cosines are determined by λ.

    Examples
    --------
    >>> X = np.array([[1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 1.0, 0.0], [0.0, 0.0, 1.0, 1.0]])
    >>> model = LinearAutoencoder(n_components=2, penalty="factors", l2=0.5).fit(X)
    >>> model.transform(X).shape
    (3, 2)
    >>> model.embedding(X)
    Embedding(4 items, 3 users, 2 components, float64)

    References
    ----------
    Steck, Ekanadham, Kallus (2024), arXiv 2403.05440, Eqs. 1, 2, 5, 6.
    """

    def __init__(
        self,
        n_components: int | None = None,
        penalty: str = "product",
        l2: float | None = None,
        rate: float | None = None,
        solver: str = "auto",
        random_state: int = 0,
    ) -> None:
        self.n_components = n_components
        self.penalty = penalty
        self.l2 = l2
        self.rate = rate
        self.solver = solver
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002  scikit-learn's signature
        """Decompose `X` (n_users, n_items) and factorise it.

        Parameters
        ----------
        X : Interactions, sparse or dense matrix, torch tensor, or what `distributed.as_parts` takes
        y : ignored

        Raises
        ------
        ParameterError
            A parameter outside its range, `n_components` above min(n_users, n_items).
        """
        self._check_parameters()
        X = self._checked(getattr(X, "matrix", X), reset=True)
        k = self._rank(X.shape)
        if self.penalty == "dropout":
            self.rate_ = DEFAULT_RATE if self.rate is None else self.rate
            self.l2_ = None
            self.spectrum_, encoded = dropout_spectrum(X, k, self.rate_)
            factors = factorize_dropout(self.spectrum_, encoded)
            if isinstance(X, TensorMatrix):  # they were made on the host
                factors = Factors(*(beside(table, X.place) for table in factors))
        else:
            decomposition = spectrum(X, k, solver=self.solver, rng=self.random_state)
            self.l2_ = halving_l2(decomposition.singular_values, self.penalty) if self.l2 is None else float(self.l2)  # type: ignore[arg-type]
            self.spectrum_ = decomposition
            factors = factorize(decomposition, self.penalty, self.l2_)  # type: ignore[arg-type]
        return self._set_factors(factors, self.spectrum_)

    def transform(self, X: Any) -> Any:
        """User vectors ``X @ A``, shape (n_users, k); of a matrix in parts a table in parts, left where those are."""
        check_is_fitted(self)
        X = self._checked(getattr(X, "matrix", X), reset=False)
        if isinstance(X, RowParts):
            return X.apply(_encoded, self.encoder_.shape[1], self.encoder_)
        users = X @ self.encoder_
        return users if is_tensor(users) else np.asarray(users)

    def inverse_transform(self, P: Any) -> Any:
        """Predictions ``P @ Bᵀ`` of user vectors, shape (n_users, n_items), dense."""
        check_is_fitted(self)
        scores = (P if is_tensor(P) else np.asarray(P)) @ self.decoder_.T
        return scores if is_tensor(scores) else np.asarray(scores)

    def embedding(self, X: Any) -> Embedding:
        """Users ``X A`` and items ``B`` as an `Embedding`; ids and names are taken from `Interactions`.

        Parameters
        ----------
        X : Interactions, sparse or dense matrix, shape (n_users, n_items)
            The users to embed.
        """
        matrix = getattr(X, "matrix", X)
        return Embedding(
            items=self.decoder_,
            users=self.transform(matrix),
            item_ids=getattr(X, "item_ids", None),
            user_ids=getattr(X, "user_ids", None),
            item_names=getattr(X, "item_names", None),
            provenance=self.provenance(),
            item_ids_given=getattr(X, "item_ids_given", False),
            user_ids_given=getattr(X, "user_ids_given", False),
        )

    def save_embedding(self, X: Any, directory: str | Path) -> Path:
        """Write what ``embedding(X).save(directory)`` writes, the users' vectors computed and written part by part.

        For interactions larger than memory: no table of users is held, and the ids of users pass by in batches.

        Parameters
        ----------
        X : StoredInteractions
            The users to embed.
        directory : path
            As for `Embedding.save`.
        """
        matrix = self._checked(X.matrix, reset=False)
        shape = (int(matrix.shape[0]), int(self.encoder_.shape[1]))
        return write_embedding(
            directory,
            items=RowBlocks.of(self.decoder_),
            users=RowBlocks(shape, self.encoder_.dtype, matrix.map(_encoded, self.encoder_)),
            item_ids=X.item_ids,
            item_names=X.item_ids if X.item_names is None else X.item_names,
            user_ids=(batch.column(0) for batch in X.user_id_batches()),
            provenance=self.provenance(),
        )

    def provenance(self) -> dict[str, Any]:
        """What a saved embedding tells of the model: objective, strength, components, route."""
        return {
            "library": "simgauge",
            "model": "LinearAutoencoder",
            "objective": self.penalty,
            "l2": self.l2_,
            "rate": getattr(self, "rate_", None),
            "n_components": int(self.decoder_.shape[1]),
            "n_active_components": self.n_active_components_,
            "solver": self.spectrum_.solver,
        }

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @property
    def _n_features_out(self) -> int:
        return int(self.decoder_.shape[1])

    def _checked(self, X: Any, *, reset: bool) -> Any:
        parts = as_parts(X)
        if is_tensor(X):
            parts = as_matrix(X)
        if parts is None:
            return validate_data(self, X, accept_sparse=("csr", "csc"), dtype=(np.float64, np.float32), reset=reset)
        if self.penalty == "dropout" and isinstance(parts, RowParts):
            raise ParameterError(
                "penalty='dropout' needs all of XᵀX at once and does not take matrices in parts: pass a matrix, or "
                "another penalty."
            )
        if reset:
            self.n_features_in_ = parts.shape[1]
        elif parts.shape[1] != self.n_features_in_:
            raise InputError(f"X has {parts.shape[1]} items, the model was fitted on {self.n_features_in_}.")
        return parts

    def _check_parameters(self) -> None:
        if self.penalty not in PENALTIES:
            raise ParameterError(f"penalty={self.penalty!r}: expected one of {', '.join(map(repr, PENALTIES))}.")
        if self.l2 is not None:
            check_l2(self.l2)
        if self.penalty == "dropout":
            if self.l2 is not None:
                raise ParameterError("penalty 'dropout' takes a rate, not l2: pass rate=0.5, say, and leave l2 out.")
            if self.rate is not None:
                check_rate(self.rate)
        elif self.rate is not None:
            raise ParameterError(f"rate={self.rate} is for penalty 'dropout': with {self.penalty!r} pass l2.")

    def _rank(self, shape: tuple[int, int]) -> int:
        largest = min(shape)
        if self.n_components is None:
            return min(DEFAULT_COMPONENTS, largest)
        have = f"as X has {counted(shape[0], 'user')} and {counted(shape[1], 'item')}"
        return check_integer(self.n_components, "n_components", 1, largest, meaning=have)

    def _set_factors(self, factors: Factors, decomposition: Spectrum) -> Self:
        self.encoder_, self.decoder_ = factors
        self.singular_values_: NDArray[np.float64] = decomposition.singular_values
        self.right_vectors_: FloatTable = decomposition.right_vectors
        self.n_active_components_ = int(to_host(namespace(self.decoder_).any(self.decoder_ != 0, axis=0)).sum())
        if self.n_active_components_ < self.decoder_.shape[1]:
            reason = (
                f"l2={self.l2_:g} shrinks them to zero (largest singular value {self.singular_values_[0]:.4g})"
                if self.l2_ and decomposition.rank > self.n_active_components_
                else f"the data has rank {decomposition.rank}"
            )
            warnings.warn(
                f"{self.n_active_components_} of {self.decoder_.shape[1]} components are not zero: {reason}.",
                RankWarning,
                stacklevel=3,
            )
        return self


def _encoded(part: Any, _: int, encoder: FloatTable) -> FloatTable:
    return np.asarray(part @ encoder)
