"""Remedies one after the other, as one remedy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from simgauge.core.tables.kinds import FloatTable, Lists
from simgauge.embedding import Embedding
from simgauge.errors import ParameterError
from simgauge.interactions import Interactions
from simgauge.remedies.remedy import CHANGED, KEPT, RANKINGS_KEPT, Remedy


class Chain(Remedy):
    """Each remedy is fitted on what the ones before it made; neighbours are those of the last.

    scikit-learn's Pipeline works too, ``make_pipeline(Centering(), Whitening()).fit(embedding, interactions)``: it
    hands its `y` to every step, which here is the interactions. What it lacks is the rest of the interface
    (`neighbors`, `transform_items`, `metric`, `save`, whether predictions are kept), which is why this class exists.

    Parameters
    ----------
    steps : sequence of Remedy
        One or more. A neighbour-level remedy only as the last.

    Attributes
    ----------
    steps_ : list of Remedy
        Fitted clones.

    Gauge
    -----
    Invariant where the first step is, and the others do not depend on a rotation.

    Examples
    --------
    >>> from simgauge.remedies.centering import Centering
    >>> from simgauge.remedies.whitening import Whitening
    >>> embedding = Embedding([[1.0, 0.0], [3.0, 0.0], [2.0, 0.3], [2.0, -0.3]])
    >>> chain = Chain([Centering(), Whitening(center=False)]).fit(embedding)
    >>> chain.name
    'centering + whitening(center=False)'
    """

    def __init__(self, steps: Sequence[Remedy]) -> None:
        self.steps = steps

    steps_: list[Remedy]

    @property
    def name(self) -> str:
        """The names of the steps."""
        return " + ".join(step.name for step in self.steps)

    @property
    def needs_users(self) -> bool:
        """Whether any step does, unless one before it brings its own."""
        for step in self.steps:
            if step.needs_users:
                return True
            if step.provides_users:
                return False
        return False

    @property
    def provides_users(self) -> bool:
        """Whether any step does."""
        return any(step.provides_users for step in self.steps)

    @property
    def needs_interactions(self) -> bool:
        """Whether any step does."""
        return any(step.needs_interactions for step in self.steps)

    @property
    def keeps_predictions(self) -> bool | None:
        """True when all do, False when one does not, None when the data decides."""
        kept = [step.keeps_predictions for step in self.steps]
        return False if False in kept else None if None in kept else True

    @property
    def metric(self) -> str:
        """That of the last step."""
        return self.steps[-1].metric if self.steps else "cosine"

    def _moved(self, embedding: Embedding) -> Embedding:
        """Both tables through all steps."""
        self._check_width(embedding.items)
        result = embedding
        for step in self.steps_:
            result = step.transform(result)
        return result

    def neighbors(self, embedding: Embedding, k: int, rows: Any = None, queries: Any = None) -> Lists:
        """Neighbours by the last step, of what the steps before made. See `Remedy.neighbors`."""
        check_is_fitted(self)
        self._check_width(embedding.items)
        table = None if queries is None else queries
        for step in self.steps_[:-1]:
            embedding = Embedding(step._items_of(embedding), item_ids=embedding.item_ids)
            table = None if table is None else step.transform_items(table)
        return self.steps_[-1].neighbors(embedding, k, rows, table)

    def _check_parameters(self) -> None:
        if not isinstance(self.steps, (list, tuple)) or not self.steps:
            raise ParameterError("steps: expected a list of one or more remedies.")
        for step in self.steps:
            if not isinstance(step, Remedy):
                raise ParameterError(f"steps: expected remedies, received {type(step).__name__}.")
        for step in self.steps[:-1]:
            if hasattr(step, "index_tables"):
                raise ParameterError(f"{step.name} changes the neighbour search and not the vectors: put it last.")

    def _learn(self, embedding: Embedding, interactions: Interactions | None) -> str:
        self.steps_ = []
        current = embedding
        for position, step in enumerate(self.steps):
            fitted = clone(step).fit(current, interactions)
            self.steps_.append(fitted)
            current = fitted.transform(current) if position + 1 < len(self.steps) else current
        outcomes = {step.predictions_ for step in self.steps_}
        return CHANGED if CHANGED in outcomes else RANKINGS_KEPT if RANKINGS_KEPT in outcomes else KEPT

    def _move_items(self, table: FloatTable) -> FloatTable:
        for step in self.steps_:
            table = step.transform_items(table)
        return table

    def _move_users(self, table: FloatTable) -> FloatTable:
        for step in self.steps_:
            table = step._move_users(table)
        return table
