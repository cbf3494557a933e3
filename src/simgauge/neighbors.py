"""Neighbours of named items or users, in one gauge or in several side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simgauge.core.geometry.among_rows import directed_in_all, refuse_zero_rows, top_k_among
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.gauge import canonical_gauge
from simgauge.labels import Ids, as_label_array, positions_of
from simgauge.parameters import check_choice, check_integer, check_listed, check_named_offers
from simgauge.tabular import Tabular
from simgauge.wording import counted, first_of, no_direction

AS_SHIPPED = "as shipped"

Sides = Literal["items", "users", "user-items"]
"""Whose neighbours among whom."""


@dataclass(frozen=True)
class NeighborList:
    """The neighbours of one item, or user, in one gauge."""

    item: str
    """Name of what was asked for: an item, or the id of a user."""
    gauge: str
    """Name of the gauge."""
    names: tuple[str, ...]
    """Nearest first."""
    ids: tuple[Any, ...]
    """Ids of the same."""
    scores: tuple[float, ...]
    """Cosines (or dot products), falling."""


@dataclass(frozen=True)
class PredictionShift:
    """How far the scores of one gauge are from those of the first."""

    gauge: str
    """Name of the gauge."""
    difference: float
    """Largest difference of a score, relative to the largest score of the first gauge."""
    beyond_constants: float
    """The same once each user's mean difference is taken out, which moves all scores of a user alike."""

    @property
    def rankings_only(self) -> bool:
        """Whether constants of the users make up the difference (99 % of it or more), as centred items do.

        Then each user's ranking of the items is kept, and the scores are not.
        """
        return self.beyond_constants <= 0.01 * self.difference and self.difference > 0

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "gauge": self.gauge,
            "difference": self.difference,
            "beyond_constants": self.beyond_constants,
            "rankings_only": self.rankings_only,
        }


@dataclass(frozen=True, repr=False)
class Comparison(Tabular):
    """Neighbour lists of some items, or users, in several gauges of one model."""

    lists: tuple[NeighborList, ...]
    """Item by item, within an item gauge by gauge."""
    metric: str
    """"cosine" or "dot"."""
    prediction_difference: float | None
    """Largest difference of a score ``users @ items.T`` between a gauge and the first, relative to the largest score
    of the first; None for a single table."""
    n_scores_compared: int
    """Scores that went into it: all of them, or those of a sample of users."""
    sides: Sides = "items"
    """"items": items near an item; "users": users near a user; "user-items": items near a user."""
    shifts: tuple[PredictionShift, ...] = ()
    """Predictions of each gauge but the first, beside those of the first; empty for a single table."""
    zero_vectors: tuple[str, ...] = ()
    """Names of candidates whose vector is zero in one of the gauges: they are in no list."""

    @property
    def note(self) -> str:
        """What was left out of the lists, for people; empty where nothing was."""
        noun = "user" if self.sides == "users" else "item"
        return no_direction(self.zero_vectors, noun, ("is in no list", "are in no list")) if self.zero_vectors else ""

    def of(self, item: str) -> tuple[NeighborList, ...]:
        """The lists of one item."""
        return tuple(entry for entry in self.lists if entry.item == item)

    @property
    def items(self) -> tuple[str, ...]:
        """Names of what was asked for, in that order."""
        return tuple(dict.fromkeys(entry.item for entry in self.lists))

    def to_arrow(self) -> pa.Table:
        """One row a neighbour: item, gauge, rank (from 1), name, id as text, score."""
        rows = [
            {"item": entry.item, "gauge": entry.gauge, "rank": rank, "name": name, "id": str(label), "score": score}
            for entry in self.lists
            for rank, (name, label, score) in enumerate(zip(entry.names, entry.ids, entry.scores, strict=True), 1)
        ]
        return pa.Table.from_pylist(rows)

    def __repr__(self) -> str:
        gauges = len({entry.gauge for entry in self.lists})
        return f"Comparison({counted(len(self.items), 'item')} in {counted(gauges, 'gauge')}, {self.metric})"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "metric": self.metric,
            "of": self.sides,
            "prediction_difference": self.prediction_difference,
            "n_scores_compared": self.n_scores_compared,
            "predictions": [shift.to_dict() for shift in self.shifts],
            "zero_vectors": list(self.zero_vectors),
            "items": [
                {
                    "name": item,
                    "gauges": [
                        {
                            "gauge": entry.gauge,
                            "neighbors": [
                                {
                                    "name": name,
                                    "id": label,
                                    "score": score,
                                    "in_first_list": label in self.of(item)[0].ids,
                                }
                                for name, label, score in zip(entry.names, entry.ids, entry.scores, strict=True)
                            ],
                        }
                        for entry in self.of(item)
                    ],
                }
                for item in self.items
            ],
        }


def standard_gauges(embedding: Embedding, of: Sides = "items") -> dict[str, Embedding]:
    """The gauges people ship, by name: as it came, and the canonical ones that the tables allow.

    All keep the predictions but two. "projected back, items centred" moves all scores of a user by one constant, so
    that it keeps each user's ranking and not the scores. "projected back, users centred" changes predictions where
    centring takes away a direction that only the mean user had, such as a bias of the items.

    At one α the two sides are not treated alike. Items of α = 1 are the columns of the predictions, and the users that
    go with them are whitened; users of α = 0 are the rows of the predictions, and the items that go with them are
    whitened. The paper's "project back" is that of *users*; that of items is this package's extension. So for users α =
    0 is the one called projected back, and for a user beside items, where no gauge projects both, α is all that is
    said.

    Examples
    --------
    >>> model = Embedding(np.eye(3), users=np.eye(3) + 1)
    >>> list(standard_gauges(model))
    ['as shipped', 'whitened (α = 0)', 'projected back (α = 1)', 'projected back, users centred']
    >>> list(standard_gauges(model, of="users"))
    ['as shipped', 'whitened users (α = 1)', 'projected back (α = 0)', 'projected back, items centred']
    >>> list(standard_gauges(model, of="user-items"))
    ['as shipped', 'α = 0', 'balanced (α = ½)', 'α = 1']
    """
    check_choice(of, "of", get_args(Sides))
    if of != "items":
        _require_users(embedding)
    if of == "users":
        return {
            AS_SHIPPED: embedding,
            "whitened users (α = 1)": canonical_gauge(embedding, 1.0),
            "projected back (α = 0)": canonical_gauge(embedding, 0.0),
            "projected back, items centred": canonical_gauge(embedding, 0.0, "items"),
        }
    if of == "user-items":
        powers = {"α = 0": 0.0, "balanced (α = ½)": 0.5, "α = 1": 1.0}
        return {AS_SHIPPED: embedding, **{name: canonical_gauge(embedding, power) for name, power in powers.items()}}
    gauges = {AS_SHIPPED: embedding, "whitened (α = 0)": canonical_gauge(embedding, 0.0)}
    if embedding.users is not None:
        gauges["projected back (α = 1)"] = canonical_gauge(embedding, 1.0)
        gauges["projected back, users centred"] = canonical_gauge(embedding, 1.0, "users")
    return gauges


def compare_neighbors(
    gauges: dict[str, Embedding], items: Sequence[Any], k: int = 10, metric: str = "cosine", *, of: Sides = "items"
) -> Comparison:
    """Neighbours of some items or users in several gauges, and how far the predictions are apart.

    Parameters
    ----------
    gauges : dict of str to Embedding
        The same rows in every one, such as `standard_gauges` gives.
    items : sequence of names or ids
        Whose neighbours: items by name or id, users by id.
    k : int
        List length, at most the number of candidates; what was asked for is not in its own list.
    metric : {"cosine", "dot"}
        Of the lists.
    of : {"items", "users", "user-items"}
        "items": items near an item. "users": users near a user. "user-items": items near a user; those that the user
        has already are not left out, as an embedding does not know them.

    Returns
    -------
    Comparison

    Gauge
    -----
    Lists of "user-items" by "dot" are those of the predictions, the same in every gauge; all others depend on it.

    Raises
    ------
    InputError
        An item or user that is not there, or whose vector is zero in one of the gauges: it has no neighbours.
    ParameterError
        `k` out of range.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> model = Embedding(rng.normal(size=(30, 4)), users=rng.normal(size=(50, 4)))
    >>> compared = compare_neighbors(standard_gauges(model), items=[3], k=5)
    >>> [len(entry.names) for entry in compared.lists]
    [5, 5, 5, 5]
    >>> compared.prediction_difference < 1e-12
    True
    >>> by_score = compare_neighbors(standard_gauges(model, "user-items"), [7], 5, "dot", of="user-items")
    >>> len({entry.ids for entry in by_score.lists})
    1
    """
    check_choice(of, "of", get_args(Sides))
    check_named_offers(gauges, "gauges", ("items", "find_items"), "embeddings", "standard_gauges(embedding)")
    check_listed(items, "items")
    first = next(iter(gauges.values()))
    asked_ids, rows, labels, names = _asked(first, items, of)
    own = of != "user-items"
    sides = {}
    for gauge, embedding in gauges.items():
        if embedding.n_items != first.n_items or (of != "items" and embedding.n_users != first.n_users):
            raise InputError(
                f"gauge {gauge!r} has {counted(embedding.n_items, 'item')} and {counted(embedding.n_users, 'user')}, "
                f"the first {first.n_items} and {first.n_users}: pass gauges of one model."
            )
        table = embedding.users if of == "users" else embedding.items
        asked = embedding.items if of == "items" else embedding.users
        refuse_zero_rows(asked, rows, asked_ids, "" if gauge == AS_SHIPPED else f" in the gauge {gauge!r}", metric)
        sides[gauge] = table, None if own else asked
    kept = directed_in_all([table for table, _ in sides.values()], len(labels))
    k = check_integer(k, "k", 1, len(kept) - own, meaning=f"as there are {counted(len(kept), 'candidate')}")
    lists = {gauge: top_k_among(table, asked, rows, kept, k, metric) for gauge, (table, asked) in sides.items()}
    entries = [
        NeighborList(
            item=asked_ids[position],
            gauge=gauge,
            names=tuple(str(names[index]) for index in lists[gauge][0][position]),
            ids=tuple(labels[lists[gauge][0][position]].tolist()),
            scores=tuple(float(score) for score in lists[gauge][1][position]),
        )
        for position in range(len(rows))
        for gauge in gauges
    ]
    zero = tuple(str(name) for name in np.delete(names, kept))
    shifts, compared = prediction_shifts(gauges)
    difference = max((shift.difference for shift in shifts), default=None if first.users is None else 0.0)
    return Comparison(tuple(entries), metric, difference, compared, of, shifts, zero)


def _asked(embedding: Embedding, wanted: Sequence[Any], of: Sides) -> tuple[list[str], NDArray[np.int64], Ids, Ids]:
    """Names and rows of what was asked for; ids and names of what it is compared with."""
    if of == "items":
        rows = embedding.find_items(wanted)
        return [str(embedding.item_names[row]) for row in rows], rows, embedding.item_ids, embedding.item_names
    known = _require_users(embedding)
    rows = positions_of(as_label_array(list(wanted), "users"), known)
    if (rows < 0).any():
        missing = [value for value, row in zip(wanted, rows, strict=True) if row < 0]
        raise InputError(
            f"no user has the id {missing[0]!r}: the ids of users are {first_of(known.tolist())}. "
            "Items are asked for with --of items (of='items')."
        )
    names = [str(known[row]) for row in rows]
    return (names, rows, known, known) if of == "users" else (names, rows, embedding.item_ids, embedding.item_names)


def _require_users(embedding: Embedding) -> Ids:
    if embedding.users is None:
        raise InputError(
            "neighbours of users need the users' vectors, and this embedding has items only: pass them, too (--users "
            "FILE, users=)."
        )
    if embedding.user_ids is None:
        raise InputError("neighbours of users need the users' ids, and this table in parts has none: pass user_ids=.")
    return embedding.user_ids


def prediction_shifts(gauges: Mapping[str, Embedding], n_users: int = 1_000) -> tuple[tuple[PredictionShift, ...], int]:
    """How far the scores of each gauge are from those of the first, and how many scores were compared.

    Over all users, or the first `n_users` of them. Empty for single tables.
    """
    (_, first), *others = gauges.items()
    if first.users is None:
        return (), 0
    reference = _scores(first, n_users)
    scale = float(np.abs(reference).max()) or 1.0
    shifts = []
    for name, other in others:
        change = _scores(other, n_users) - reference
        beyond = change - change.mean(axis=1, keepdims=True)
        shifts.append(PredictionShift(name, *(float(np.abs(part).max()) / scale for part in (change, beyond))))
    return tuple(shifts), reference.size


def _scores(embedding: Embedding, n_users: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    assert embedding.users is not None
    return np.asarray(embedding.users[:n_users].astype(np.float64) @ embedding.items.T.astype(np.float64))
