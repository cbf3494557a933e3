"""Whether the vectors of an embedding belong to the ids of its rows, by the interactions that it was trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.core.gauges.canonical import whitening_map
from simgauge.core.scores.alignment import (
    LEAST_SWAPS,
    Area,
    Swaps,
    alignment_units,
    pairs_used_together,
    swap_interval,
    swapped_pairs,
)
from simgauge.core.tables.arrays import to_host
from simgauge.core.tables.kinds import Table, Vector
from simgauge.core.tables.tables import take_rows, unit_rows
from simgauge.embedding import Embedding
from simgauge.interactions import Interactions
from simgauge.labels import positions_of
from simgauge.matching.ids import ids_given, side_ids

Rows = NDArray[np.int64]
Score = Callable[[Rows, Rows], Vector]
Look = Callable[[Any], Any]

CHANCE = 0.52
"""An interval that reaches down to here shows no relation between vectors and ids that is worth relying on."""

CLEARLY_BETTER = 0.02
"""Another order of the rows must fit better by this much, with certainty, to be reported."""

CONFIDENCE = 0.95
SURE = 0.9999
"""Of the comparison with other orders: several are tried, and a model that is right must not be refused."""


@dataclass(frozen=True)
class Alignment:
    """How well the model's own score tells pairs that happened from the same pairs with exchanged items."""

    area: Area
    """Chance that a user's own item outscores another user's, with its 95 % interval; .5 for rows that belong to
    others."""
    n_pairs: int
    """Pairs that were scored."""
    by: str
    """Which score: "user and item vectors", or of one table "cosine of items used together" and the like."""
    better: dict[str, float] = field(default_factory=dict)
    """Orders of the rows that fit better beyond doubt, with their areas."""

    @property
    def fits(self) -> bool:
        """Whether vectors and ids belong together as far as this can be seen."""
        return self.area.low > CHANCE and not self.better

    @property
    def sentence(self) -> str:
        """For people."""
        area = self.area
        text = (
            f"alignment: by the {self.by}, a pair that happened outscores its exchange in {area.value:.1%} of cases "
            f"[{area.low:.1%}, {area.high:.1%}], over {self.n_pairs:,} pairs; vectors of other items would give 50 %"
        )
        for name, value in self.better.items():
            text += f"; {name} gives {value:.1%}"
        return text

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "area": self.area.value,
            "interval": [self.area.low, self.area.high],
            "pairs": self.n_pairs,
            "by": self.by,
            "fits": self.fits,
            "better_orders": dict(self.better),
        }


def measure_alignment(embedding: Embedding, interactions: Interactions, seed: int = 0) -> Alignment | None:
    """Test the rows against training interactions; None where there is too little to tell.

    With both tables the score is the dot product, which no gauge changes. With one, or where the users are not those
    of the interactions, it is that of pairs of items which a user used both: by cosine, dot product or whitened cosine,
    whichever fits best, because a cosine may be arbitrary where the ids are right.

    Parameters
    ----------
    embedding : Embedding
    interactions : Interactions
        What the model was trained on.
    seed : int
        Of the pairs that are drawn.
    """
    if embedding.users is not None:
        rows = positions_of(interactions.user_ids, side_ids(embedding, "users"))
        certain = ids_given(embedding, "users") or _counted_alike(interactions, embedding.n_users)
        if certain and (rows >= 0).any():
            return _two_tables(embedding, interactions, rows, np.random.default_rng(seed))
    return _one_table(embedding, interactions, np.random.default_rng(seed))


def _counted_alike(interactions: Interactions, n_users: int) -> bool:
    return bool(np.array_equal(np.asarray(interactions.user_ids), np.arange(n_users)))


def _two_tables(
    embedding: Embedding, interactions: Interactions, user_rows: Rows, rng: np.random.Generator
) -> Alignment | None:
    item_rows = positions_of(interactions.item_ids, embedding.item_ids)
    known_users, known_items = np.flatnonzero(user_rows >= 0), np.flatnonzero(item_rows >= 0)
    swaps = swapped_pairs(_part(interactions, known_users, known_items), rng)
    if len(swaps.users) < LEAST_SWAPS:
        return None
    users, items = user_rows[known_users], item_rows[known_items]
    sizes = embedding.n_users, embedding.n_items
    ranks = _ranks(interactions, embedding.n_items)[known_items]

    def units_of(user_rows: Rows, item_rows: Rows) -> Vector:
        return alignment_units(_dot(embedding.users, embedding.items, user_rows, item_rows), swaps)

    units = units_of(users, items)
    if (units == 0.5).all():
        return None  # a model of popularity alone: it scores every exchange as high as what happened
    others = {name: units_of(*order) for name, *order in _orders(users, items, ranks, sizes)}
    if items.max() < embedding.n_users and users.max() < embedding.n_items:
        exchanged = _dot(embedding.items, embedding.users, users, items)
        others["exchanging the tables of users and items"] = alignment_units(exchanged, swaps)
    area = swap_interval(units, swaps, CONFIDENCE)
    return Alignment(area, 2 * len(units), "user and item vectors", _better(units, others, swaps))


def _better(units: Vector, others: dict[str, Vector], swaps: Swaps) -> dict[str, float]:
    """Orders of the rows that fit better beyond doubt."""
    return {
        name: float(other.mean())
        for name, other in others.items()
        if swap_interval(other - units, swaps, SURE).low > CLEARLY_BETTER
    }


def _orders(users: Rows | None, items: Rows, ranks: Rows, sizes: tuple[int, int]) -> Iterator[tuple[str, Any, Rows]]:
    """Other assignments of rows to ids that mistakes lead to; `sizes` of the tables of users and of items."""
    n_users, n_items = sizes
    yield "taking each item's vector from the row below", users, (items + 1) % n_items
    yield "taking each item's vector from the row above", users, (items - 1) % n_items
    if users is not None:
        yield "taking each user's vector from the row below", (users + 1) % n_users, items
        yield "taking each user's vector from the row above", (users - 1) % n_users, items
    if (ranks >= 0).all() and not np.array_equal(ranks, items):
        yield "rows in ascending order of the item ids", users, ranks


def _ranks(interactions: Interactions, n_rows: int) -> Rows:
    """Place of every item among those with interactions, in ascending order, where there are as many as rows; else
    -1."""
    used = np.flatnonzero(interactions.item_counts > 0)
    ranks = np.full(interactions.n_items, -1)
    if len(used) == n_rows:
        ranks[used[np.argsort(np.asarray(interactions.item_ids)[used], kind="stable")]] = np.arange(n_rows)
    return ranks


def _one_table(embedding: Embedding, interactions: Interactions, rng: np.random.Generator) -> Alignment | None:
    rows = positions_of(interactions.item_ids, embedding.item_ids)
    known = np.flatnonzero(rows >= 0)
    part = _part(interactions, np.arange(interactions.n_users), known)
    swaps = swapped_pairs(pairs_used_together(part, rng), rng)
    if len(swaps.users) < LEAST_SWAPS:
        return None
    items, ranks = rows[known], _ranks(interactions, embedding.n_items)[known]
    table = embedding.items
    best: tuple[Area, str, Look, Vector] | None = None
    for name, look in _similarities(table):
        units = alignment_units(_dot(table, table, items, items, look), swaps)
        area = swap_interval(units, swaps, 1 - (1 - CONFIDENCE) / 3)  # the best of three
        if not (units == 0.5).all() and (best is None or area.low > best[0].low):
            best = area, name, look, units
    if best is None:
        return None
    area, name, look, units = best
    others = {
        order: alignment_units(_dot(table, table, other, other, look), swaps)
        for order, _, other in _orders(None, items, ranks, (0, embedding.n_items))
    }
    return Alignment(area, 2 * len(units), f"{name} of items used together", _better(units, others, swaps))


def _similarities(items: Table) -> Iterator[tuple[str, Look]]:
    """Maps of rows whose dot products are the cosine, the dot product and the whitened cosine of items."""
    yield "cosine", unit_rows
    yield "dot product", _as_they_are
    whitening = whitening_map(items)
    yield "whitened cosine", lambda rows: unit_rows(to_host(whitening.apply_items(rows)))


def _as_they_are(rows: Any) -> Any:
    return rows


def _dot(left: Any, right: Any, left_rows: Rows, right_rows: Rows, look: Look = _as_they_are) -> Score:
    """The score of couples of rows: the dot product, in double precision, after a map of the rows."""

    def score(users: Rows, items: Rows) -> Vector:
        first = look(to_host(take_rows(left, left_rows[users])).astype(np.float64))
        second = look(to_host(take_rows(right, right_rows[items])).astype(np.float64))
        return np.asarray((first * second).sum(axis=1))

    return score


def _part(interactions: Interactions, users: Rows, items: Rows) -> Any:
    matrix = interactions.matrix
    if len(users) < interactions.n_users:
        matrix = matrix[users]
    return matrix[:, items] if len(items) < interactions.n_items else matrix
