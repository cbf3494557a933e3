"""CosineFactorization: vectors of unit length trained by a softmax of cosines, as a scikit-learn estimator."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from simgauge.core.matrices.matrix_input import as_matrix
from simgauge.cosine_training.evaluation import Validation, recall_at_k, validation_split
from simgauge.cosine_training.objectives import check_temperature
from simgauge.cosine_training.training import (
    Run,
    Settings,
    TrainingStoppedError,
    read_state,
    start,
    train_epoch,
    unit_tables,
    write_state,
)
from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError, optional_import
from simgauge.parameters import check_choice, check_integer
from simgauge.progress import Progress, logged

TEMPERATURES = (0.1, 0.15, 0.2, 0.25, 0.3)
"""Tried when the temperature is to be tuned; published best values for other data lie between .08 and .17."""
ALL_ITEMS_UP_TO = 20_000
"""Items up to which the softmax is over all of them: a batch of 4,096 then makes 330 MB of scores."""
DRAWN = 1024
PATIENCE = 3


class Epoch(NamedTuple):
    """One line of the history."""

    temperature: float
    epoch: int
    loss: float
    recall: float


class CosineFactorization(BaseEstimator):  # type: ignore[misc]
    """Vectors of users and items with unit length, trained so that their cosines rank what users used.

    The loss sees cosines only, so a cosine of these vectors is what training determined: it is identified up to a
    rotation, which changes none (the paper's first remedy, its section 4).

    Parameters
    ----------
    n_components : int, default 64
    temperature : float or "tuned" or "learned", default "tuned"
        τ of the softmax. "tuned": the one of .1, .15, .2, .25, .3 with the best recall on validation users. "learned":
        a parameter that starts at .2.
    users : {"own", "sum"}, default "own"
        "own": a vector for each user. "sum": the normalised sum of the vectors of what the user used (ELSA), the
        interaction to be predicted left out.
    user_temperature : float, optional
        τ₁ of the two-sided loss: interactions that fit badly count less. Not with drawn items.
    n_negatives : int, optional
        Items drawn for each batch; all items up to 20,000, else 1,024, when not given. Not with users="sum", which
        scores all items whatever their number.
    negative_exponent : float, default 0.75
        Items are drawn ∝ count^β.
    layer_norm : bool, default False
        Normalise rows by mean and variance, with a trained gain, before their length.
    weight_decay : float or (float, float), default 0.0
        L2 of the tables of users and items before their normalisation.
    learning_rate, batch_size : float, int
        Of Adam; .02 and 4,096.
    max_epochs : int, default 40
        Training ends when recall on validation users has not risen for 3 evaluations, or here.
    validation_share : float, default 0.2
        Share of the users by whom epochs and temperature are chosen, a fifth of whose interactions is held out
        meanwhile. The model is then trained on everything with what was chosen. 0: no choice, all epochs.
    device : str, default "cpu"
    random_state : int, default 0
    state : path, optional
        File of the run's state, written after every epoch of the last training; an interrupted fit goes on from it.
    progress : callable, optional

    Attributes
    ----------
    items_, users_ : ndarray (n_items, d), (n_users, d), float32
        Unit rows.
    temperature_ : float
        The temperature used (at the end, when learned).
    n_epochs_ : int
    history_ : list of Epoch
        Recall on validation users, by temperature and epoch.

    Raises
    ------
    InputError, ParameterError
        In `fit`: no interactions; a parameter out of range.
    TrainingStoppedError
        In `fit`: the loss became infinite; `items_` and `users_` hold the last good state.
    MissingDependencyError
        torch is not installed (``pip install 'simgauge[torch]'``).

    Notes
    -----
    *Gauge*: rotations only. *Numerics*: float32; the same seed gives the same result on the same machine and number of
    threads. Cost of an epoch: O(nnz · n_items · d) with all items, O(nnz · n_negatives · d) with drawn ones; both
    tables have moments of Adam of their size.

    References
    ----------
    Steck, Ekanadham, Kallus (2024), section 4; Vančura et al. (2022) for "sum" (ELSA).

    Examples
    --------
    >>> seen = np.kron(np.eye(2), np.ones((6, 5)))
    >>> model = CosineFactorization(4, temperature=0.2, max_epochs=20, validation_share=0).fit(seen)
    >>> cosines = model.items_ @ model.items_.T
    >>> bool(cosines[0, 1] > cosines[0, 9])
    True
    """

    def __init__(
        self,
        n_components: int = 64,
        *,
        temperature: float | Literal["tuned", "learned"] = "tuned",
        users: str = "own",
        user_temperature: float | None = None,
        n_negatives: int | None = None,
        negative_exponent: float = 0.75,
        layer_norm: bool = False,
        weight_decay: float | tuple[float, float] = 0.0,
        learning_rate: float = 0.02,
        batch_size: int = 4096,
        max_epochs: int = 40,
        validation_share: float = 0.2,
        device: str = "cpu",
        random_state: int = 0,
        state: str | Path | None = None,
        progress: Progress = logged,
    ) -> None:
        self.n_components = n_components
        self.temperature = temperature
        self.users = users
        self.user_temperature = user_temperature
        self.n_negatives = n_negatives
        self.negative_exponent = negative_exponent
        self.layer_norm = layer_norm
        self.weight_decay = weight_decay
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.validation_share = validation_share
        self.device = device
        self.random_state = random_state
        self.state = state
        self.progress = progress

    def fit(self, X: Any, y: Any = None, *, warm_start: Embedding | None = None) -> Self:  # noqa: ARG002
        """Choose temperature and epochs on validation users, then train on everything.

        Parameters
        ----------
        X : Interactions, sparse or dense matrix (n_users, n_items)
            An interaction is where an entry is not zero.
        y : ignored
        warm_start : Embedding, optional
            Tables to start the last training from, rows as in `X`.
        """
        optional_import("torch", extra="torch", purpose="training with respect to cosine")
        matrix = _pattern(getattr(X, "matrix", X))
        settings = self._settings(matrix.shape[1])
        self.history_: list[Epoch] = []
        epochs = check_integer(self.max_epochs, "max_epochs", 1)
        if self.validation_share:
            split = validation_split(matrix, self.validation_share, 0.2, np.random.default_rng(settings.seed))
            settings, epochs = self._chosen(settings, split)
        warm = None if warm_start is None else (warm_start.users, warm_start.items)
        self._train(matrix, settings, epochs, warm)
        return self

    def embedding(self, X: Any) -> Embedding:
        """Items and users as an `Embedding` that says how it was trained; ids and names are taken from `Interactions`.

        Parameters
        ----------
        X : what was passed to `fit`
        """
        check_is_fitted(self, "items_")
        return Embedding(
            items=self.items_,
            users=self.users_,
            item_ids=getattr(X, "item_ids", None),
            user_ids=getattr(X, "user_ids", None),
            item_names=getattr(X, "item_names", None),
            provenance={
                "library": "simgauge",
                "model": "CosineFactorization",
                "objective": "unit-sphere",
                "temperature": self.temperature_,
                "n_epochs": self.n_epochs_,
                "n_components": int(self.items_.shape[1]),
            },
            item_ids_given=getattr(X, "item_ids_given", False),
            user_ids_given=getattr(X, "user_ids_given", False),
        )

    def _chosen(self, settings: Settings, split: Validation) -> tuple[Settings, int]:
        """The temperature and the number of epochs with the best recall on validation users."""
        if not split.held_out.nnz:
            raise InputError("no user has two interactions: pass validation_share=0 and a temperature.")
        candidates = TEMPERATURES if self.temperature == "tuned" else (settings.temperature,)
        best: tuple[float, float, int] = (-1.0, settings.temperature, 1)
        for number, temperature in enumerate(candidates):
            run = start(split.training, replace(settings, temperature=temperature))
            since, top = 0, -1.0
            while run.epoch < self.max_epochs and since < PATIENCE:
                loss = train_epoch(run)
                recall = self._recall(run, split)
                self.history_.append(Epoch(temperature, run.epoch, loss, recall))
                since, top = (0, recall) if recall > top else (since + 1, top)
                best = max(best, (recall, temperature, run.epoch), key=lambda found: found[0])
                self.progress("choosing temperature and epochs", number, len(candidates))
        self.progress("choosing temperature and epochs", len(candidates), len(candidates))
        return replace(settings, temperature=best[1]), best[2]

    @staticmethod
    def _recall(run: Run, split: Validation) -> float:
        users, items = (table.cpu().numpy() for table in unit_tables(run))
        return float(recall_at_k(users, items, split.training, split.held_out).mean())

    def _train(self, matrix: sp.csr_array, settings: Settings, epochs: int, warm: Any) -> None:
        waiting = self.state is not None and Path(self.state).exists()
        run = read_state(self.state, matrix, settings) if waiting else start(matrix, settings, warm)  # type: ignore[arg-type]
        try:
            while run.epoch < epochs:
                train_epoch(run)
                if self.state is not None:
                    write_state(run, self.state)
                self.progress("training on cosines", run.epoch, epochs)
        finally:
            self.users_, self.items_ = (table.cpu().numpy() for table in unit_tables(run))
            learned = run.parameters.get("log_temperature")
            self.temperature_ = settings.temperature if learned is None else float(learned.detach().exp())
            self.n_epochs_ = run.epoch
            self.losses_ = list(run.losses)
            self.n_features_in_ = matrix.shape[1]

    def _settings(self, n_items: int) -> Settings:
        check_choice(self.users, "users", ("own", "sum"))
        named = isinstance(self.temperature, str)
        if named:
            check_choice(self.temperature, "temperature", ("tuned", "learned"))
        decay = self.weight_decay if isinstance(self.weight_decay, tuple) else (self.weight_decay, self.weight_decay)
        drawn = self.n_negatives if self.n_negatives is not None else (None if n_items <= ALL_ITEMS_UP_TO else DRAWN)
        one_sided = self.user_temperature is None
        if self.users == "sum" and self.n_negatives is not None:
            raise ParameterError("users='sum' is trained with all items: leave n_negatives out, or pass users='own'.")
        if self.users == "own" and drawn is not None and not one_sided:
            raise ParameterError(
                f"user_temperature={self.user_temperature}: two-sided losses need all items, not {drawn:,} drawn ones. "
                f"Leave it out; or leave n_negatives out, if there are at most {ALL_ITEMS_UP_TO:,} items."
            )
        return Settings(
            n_components=check_integer(self.n_components, "n_components", 1),
            temperature=0.2 if named else check_temperature(self.temperature, "temperature"),
            learn_temperature=self.temperature == "learned",
            user_temperature=None if one_sided else check_temperature(self.user_temperature, "user_temperature"),
            users=self.users,  # type: ignore[arg-type]
            n_negatives=None if drawn is None else check_integer(drawn, "n_negatives", 1),
            negative_exponent=float(self.negative_exponent),
            layer_norm=bool(self.layer_norm),
            user_decay=float(decay[0]),
            item_decay=float(decay[1]),
            learning_rate=check_temperature(self.learning_rate, "learning_rate"),
            batch_size=check_integer(self.batch_size, "batch_size", 1),
            seed=check_integer(self.random_state, "random_state", 0),
            device=self.device,
        )


def _pattern(X: Any) -> sp.csr_array:
    """Where `X` has entries, as a matrix of ones."""
    held = sp.csr_array(as_matrix(X))
    held = sp.csr_array((np.ones(held.nnz, np.float32) * (held.data != 0), held.indices, held.indptr), shape=held.shape)
    held.eliminate_zeros()
    if not held.nnz:
        raise InputError("there are no interactions to train on.")
    return held


__all__ = ["CosineFactorization", "Epoch", "TrainingStoppedError"]
