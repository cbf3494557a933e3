"""The outcome of an alignment: both models in one space, their maps, and what really changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

from simgauge.embedding import Embedding
from simgauge.remedies.affine_map import AffineMap
from simgauge.shipping.agreement import Agreement
from simgauge.tabular import Tabular
from simgauge.wording import counted

Method = Literal["rotation", "linear"]


SCHEMA_VERSION = 1

ITSELF_FIRST = "new item vectors that find themselves first in the old index"
LISTS_KEPT = "neighbours that are the same in both models"
OWN_LISTS_KEPT = "the new model's own neighbours that the map keeps"
USERS_KEPT = "items that are the same in users' lists"

SHARES = (ITSELF_FIRST, LISTS_KEPT, OWN_LISTS_KEPT, USERS_KEPT)
"""Measures of `Aligned.to_arrow` that are shares; the others are a condition number and a relative difference."""


@dataclass(frozen=True, eq=False, repr=False)
class Aligned(Tabular):
    """A new model in the space of an old one, and what that shows of both."""

    method: Method
    gauge: str
    """In words: the canonical gauge that both are in, or "as they are"."""
    old: Embedding
    """The old model in that gauge: what the index must hold."""
    new: Embedding
    """The new model in the old one's space."""
    old_map: AffineMap
    """From the old model's own vectors to `old`."""
    new_map: AffineMap
    """From the new model's own vectors to `new`: items by its matrix, users by what belongs to it."""
    n_shared: int
    """Items of both models."""
    n_held_out: int
    """Of those, scored and not used to fit the map that is scored; the map that is returned uses all."""
    condition_number: float
    """Of the map between the gauges: 1 for a rotation."""
    as_trained: Agreement | None
    """The two tables as they came; None where their widths differ."""
    aligned: Agreement
    """After alignment."""
    own_lists_kept: float
    """Share of the new model's own lists (in its gauge) that the map leaves alone: 1 for a rotation."""
    predictions_kept: float | None
    """Largest difference of a score of the new model to what it was, relative to the largest score; None without
    users."""
    users_kept: float | None
    """Mean share of common items in the users' lists by dot product, shared users and items; None without users."""
    movers: tuple[tuple[str, float], ...]
    """Shared items whose lists changed most: name, share of the list that stayed."""
    notes: tuple[str, ...] = ()
    """What could not be told."""

    @property
    def summary(self) -> str:
        """What it means, in two sentences."""
        kept, before = self.aligned.lists_kept, self.as_trained
        found = f"{self.aligned.itself_first:.1%} of the held-out items find themselves first in the old index"
        if before is not None:
            found += f" ({before.itself_first:.1%} as trained)"
        return (
            f"{found}; in this space {kept:.1%} of their neighbours are the same in both models, and "
            f"{1 - kept:.1%} changed."
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "schema_version": SCHEMA_VERSION,
            "summary": self.summary,
            "method": self.method,
            "gauge": self.gauge,
            "n_shared": self.n_shared,
            "n_held_out": self.n_held_out,
            "condition_number": self.condition_number,
            "as_trained": None if self.as_trained is None else self.as_trained.to_dict(),
            "aligned": self.aligned.to_dict(),
            "own_lists_kept": self.own_lists_kept,
            "predictions_kept": self.predictions_kept,
            "users_kept": self.users_kept,
            "movers": [{"name": name, "lists_kept": share} for name, share in self.movers],
            "notes": list(self.notes),
        }

    def to_arrow(self) -> pa.Table:
        """One row a measure, as trained and aligned."""
        before, after = self.as_trained, self.aligned
        rows = [
            (ITSELF_FIRST, before and before.itself_first, after.itself_first),
            (LISTS_KEPT, before and before.lists_kept, after.lists_kept),
            (OWN_LISTS_KEPT, None, self.own_lists_kept),
            (USERS_KEPT, None, self.users_kept),
            ("condition number of the map", None, self.condition_number),
            ("largest relative difference of the new model's scores", None, self.predictions_kept),
        ]
        return pa.Table.from_pylist([{"measure": name, "as trained": was, "aligned": now} for name, was, now in rows])

    def __repr__(self) -> str:
        return f"Aligned({self.method}, {counted(self.n_shared, 'shared item')}: {self.summary})"
