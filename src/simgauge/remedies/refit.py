"""Refits: the paper's linear model on interactions from which popularity was taken first."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from simgauge.core.closed_form.dropout import check_rate
from simgauge.core.closed_form.factorize import check_l2, halving_l2
from simgauge.core.closed_form.refitted_tables import dropout_tables, linear_tables
from simgauge.core.gauges.canonical import scale_norms
from simgauge.core.tables.kinds import FloatTable
from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError
from simgauge.interactions import Interactions
from simgauge.labels import positions_of, same_labels
from simgauge.parameters import check_integer
from simgauge.remedies.decompositions import WEIGHTINGS, Weighting, shared_dropout, shared_spectrum
from simgauge.remedies.remedy import CHANGED, Remedy, check_interactions

PENALTIES = ("product", "factors", "weights", "dropout")


_OF_THE_OLD_TRAINING = ("biases", "penalty", "gauge", "bias_columns", "unit_rows")
"""Keys of the provenance that say nothing of the refitted vectors."""


class Refit(Remedy):
    """A new embedding of the same items, fitted in closed form to weighted interactions.

    Parameters
    ----------
    weighting : {"none", "standardize", "propensity", "damping", "eigenrec"}
        "standardize": columns with mean 0 and variance 1, without densifying. "propensity":
        ``X_ui pop_i^(−item_exponent) act_u^(−user_exponent)``. "damping": ``max(0, log(X_ui / (r_u p_i)) − log
        negatives)`` with ``p_i`` the item's share to the power `exponent`. "eigenrec": columns scaled to norm^scaling.
        Formulas and sources: `core.matrices.reweighting`.
    penalty : {"product", "factors", "weights", "dropout"}
        As for `LinearAutoencoder`. On standardised columns "dropout" *is* "product" with λ = n_users q/(1−q).
    l2 : float, >= 0, optional
        λ; when not given, the one at which the weakest component keeps half of its weight.
    rate : float in (0, 1), optional
        q, for "dropout" only; 0.5 when not given.
    n_components : int, optional
        Rank; that of the embedding when not given.
    power : float, optional
        α of the catalogue gauge ``V diag(t^α)``, t the singular values of the predictions; None for the gauge that the
        penalty fixes.
    norm_power : float in [0, 1], optional
        γ: item rows scaled to norm^γ, from cosine (0) to dot (1), and compared by dot product when γ > 0: frequent
        items, whose refitted vectors are long, come nearer. Rows are left alone when not given, and compared by cosine.
    item_exponent, user_exponent, exponent, negatives, scaling : float
        Of the weightings named above; each is used by its own weighting only.
    solver : {"auto", "dense", "gram", "lanczos"}
    random_state : int

    Attributes
    ----------
    items_, users_ : ndarray, shape (n_items, r), (n_users, r)
        The new tables; users are those of the interactions.
    item_ids_, user_ids_ : ndarray
    l2_ : float or None
        The λ that was used.

    Gauge
    -----
    Independent of the embedding's gauge (it only says which items there are and the rank). Predictions change: users
    and items are those of another model, and `transform_items` has no meaning (vectors of the old model cannot be
    carried over). One decomposition serves all penalties, λ, ranks and powers of a weighting while the interactions
    are in use.

    References
    ----------
    arXiv 2403.05440, section 3, third remedy.

    Examples
    --------
    >>> used = Interactions([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0], [1.0, 1.0, 1.0], [1.0, 0.0, 0.0]])
    >>> embedding = Embedding(np.eye(3)[:, :2])
    >>> Refit("standardize", n_components=1).fit_transform(embedding, used)
    Embedding(3 items, 4 users, 1 component, float64)
    """

    _arrays: ClassVar[tuple[str, ...]] = ("items_", "users_", "item_ids_", "user_ids_")
    _facts: ClassVar[tuple[str, ...]] = ("n_features_in_", "predictions_", "l2_")

    items_: FloatTable
    users_: FloatTable
    item_ids_: NDArray[Any]
    user_ids_: NDArray[Any]
    l2_: float | None

    def __init__(
        self,
        weighting: str = "none",
        penalty: str = "product",
        l2: float | None = None,
        rate: float | None = None,
        n_components: int | None = None,
        power: float | None = 1.0,
        norm_power: float | None = None,
        item_exponent: float = 0.5,
        user_exponent: float = 0.0,
        exponent: float = 0.75,
        negatives: float = 1.0,
        scaling: float = 0.5,
        solver: str = "auto",
        random_state: int = 0,
    ) -> None:
        self.weighting = weighting
        self.penalty = penalty
        self.l2 = l2
        self.rate = rate
        self.n_components = n_components
        self.power = power
        self.norm_power = norm_power
        self.item_exponent = item_exponent
        self.user_exponent = user_exponent
        self.exponent = exponent
        self.negatives = negatives
        self.scaling = scaling
        self.solver = solver
        self.random_state = random_state

    @property
    def name(self) -> str:
        """Weighting with its parameters, and what else is not left out."""
        weighting = self.decomposed
        own = f"({', '.join(f'{value:g}' for value in weighting.values)})" if weighting.values else ""
        parts = [weighting.kind + own, self.penalty]
        parts += [f"l2={self.l2:g}"] if self.l2 is not None else []
        parts += [f"rate={self.rate:g}"] if self.rate is not None else []
        parts += [f"rank={self.n_components}"] if self.n_components is not None else []
        parts += ["own gauge" if self.power is None else f"power={self.power:g}"]
        parts += [f"norm_power={self.norm_power:g}"] if self.norm_power is not None else []
        return f"refit({', '.join(parts)})"

    @property
    def needs_interactions(self) -> bool:
        """It fits them."""
        return True

    @property
    def provides_users(self) -> bool:
        """The users of the interactions."""
        return True

    @property
    def metric(self) -> str:
        """Dot when rows carry norm^γ."""
        return "dot" if self.norm_power else "cosine"

    def _moved(self, embedding: Embedding) -> Embedding:
        """The refitted vectors of the embedding's items, with the users of the interactions.

        Raises
        ------
        InputError
            The embedding holds items that were not refitted.
        """
        return Embedding(
            items=self._items_of(embedding),
            users=self.users_,
            item_ids=embedding.item_ids,
            user_ids=self.user_ids_,
            item_names=embedding.item_names,
            provenance={
                **{key: value for key, value in embedding.provenance.items() if key not in _OF_THE_OLD_TRAINING},
                "objective": self.penalty,
                "biases": "none",
                **self._gauge_of(embedding),
                "remedy": {**self._description(embedding), "users": "those of the interactions"},
            },
            item_ids_given=embedding.item_ids_given,
        )

    def _gauge_of(self, embedding: Embedding) -> dict[str, Any]:  # noqa: ARG002
        """With a power the tables are in a canonical gauge on purpose."""
        if self.power is None:
            return {}
        about = {"power": float(self.power), "center": "none", "norm_power": self.norm_power}
        return {"gauge": {"name": "canonical", **about, "predictions_kept": self.norm_power in (None, 1, 1.0)}}

    def _check_parameters(self) -> None:
        if self.weighting not in WEIGHTINGS:
            raise ParameterError(f"weighting={self.weighting!r}: expected one of {', '.join(map(repr, WEIGHTINGS))}.")
        if self.penalty not in PENALTIES:
            raise ParameterError(f"penalty={self.penalty!r}: expected one of {', '.join(map(repr, PENALTIES))}.")
        if self.l2 is not None:
            check_l2(self.l2)
            if self.penalty == "dropout":
                raise ParameterError("penalty 'dropout' takes a rate, not l2: pass rate=0.5, say, and leave l2 out.")
        if self.rate is not None:
            check_rate(self.rate)
            if self.penalty != "dropout":
                raise ParameterError(f"rate={self.rate} is for penalty 'dropout': with {self.penalty!r} pass l2.")
        if self.power is not None and not -4 <= self.power <= 4:
            raise ParameterError(f"power={self.power}: expected None, or 0 (whitened) to 1 (projected back) up to 4.")
        if self.norm_power is not None and not 0 <= self.norm_power <= 1:
            raise ParameterError(f"norm_power={self.norm_power}: expected None or a number from 0 (cosine) to 1 (dot).")

    @property
    def decomposed(self) -> Weighting:
        """The weighting of the interactions that is decomposed: remedies that share it share that work."""
        values = {
            "propensity": (self.item_exponent, self.user_exponent),
            "damping": (self.exponent, self.negatives),
            "eigenrec": (self.scaling,),
        }
        return Weighting(self.weighting, values.get(self.weighting, ()))

    def _learn(self, embedding: Embedding, interactions: Interactions | None) -> str:
        used = check_interactions(embedding, interactions, self.name)
        users, items = self._tables(used, self._rank(embedding, used))
        if self.norm_power is not None:
            items = scale_norms(items, self.norm_power)
        kind = embedding.items.dtype
        self.users_, self.items_ = users.astype(kind), items.astype(kind)
        self.item_ids_, self.user_ids_ = used.item_ids, used.user_ids
        return CHANGED

    def _tables(self, used: Interactions, rank: int) -> tuple[FloatTable, FloatTable]:
        weighting = self.decomposed
        X = weighting.apply(used)
        rate = 0.5 if self.rate is None else self.rate
        if self.penalty == "dropout" and X.column_mean is None:
            self.l2_ = None
            return dropout_tables(X, *shared_dropout(used, weighting, rank, rate), self.power)
        decomposition = shared_spectrum(used, weighting, rank, self.solver, self.random_state)
        positive = decomposition.singular_values[: max(1, decomposition.rank)]
        if self.penalty == "dropout":
            # all columns have the same norm, √n_users, and then the paper's Eq. 1 is dropout exactly
            penalty, self.l2_ = "product", used.n_users * rate / (1 - rate)
        else:
            penalty = self.penalty
            self.l2_ = halving_l2(positive, penalty) if self.l2 is None else float(self.l2)  # type: ignore[arg-type]
        return linear_tables(X, decomposition, penalty, self.l2_, self.power)  # type: ignore[arg-type]

    def _rank(self, embedding: Embedding, used: Interactions) -> int:
        largest = min(used.n_users, used.n_items)
        if self.n_components is None:
            return min(embedding.n_components, largest)
        have = f"for {used.n_users} users and {used.n_items} items"
        return check_integer(self.n_components, "n_components", 1, largest, meaning=have)

    def _items_of(self, embedding: Embedding) -> FloatTable:
        if same_labels(embedding.item_ids, self.item_ids_):
            return self.items_
        rows = positions_of(embedding.item_ids, self.item_ids_)
        if (rows < 0).any():
            raise InputError(
                f"{self.name}: {int((rows < 0).sum())} of {len(rows)} items were not in the interactions it was fitted "
                f"on (first: {embedding.item_ids[int((rows < 0).argmax())]!r}): fit it again with them."
            )
        return np.asarray(self.items_[rows])

    def _check_width(self, table: FloatTable) -> None:
        """Any width will do: a refit goes by ids and ignores the vectors."""

    def _move_items(self, table: FloatTable) -> FloatTable:  # noqa: ARG002
        raise InputError(
            f"{self.name} makes new vectors from interactions and has no map for vectors of the old model. For new "
            "items, fit again with their interactions; for queries, use a remedy that keeps the model."
        )

    def _move_users(self, table: FloatTable) -> FloatTable:
        return self._move_items(table)

    def _check_restored(self) -> None:
        for table, ids, side in ((self.items_, self.item_ids_, "items"), (self.users_, self.user_ids_, "users")):
            if table.ndim != 2 or ids.shape != (len(table),):
                raise ValueError(f"the {side} and their ids differ in number")
        if self.items_.shape[1] != self.users_.shape[1]:
            raise ValueError("the tables of items and users differ in width")
