"""Evidence from what was shown: items that were taken against items that were shown beside them and left."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from simgauge.core.scores.slates import grouped_auc
from simgauge.core.tables.arrays import to_host
from simgauge.core.tables.tables import unit_rows
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.evidence.matching import moved_by_map
from simgauge.evidence.observed import as_numbers, coded, same_lengths
from simgauge.evidence.protocol import Scale, UnitScores
from simgauge.interactions import Interactions, require_interactions
from simgauge.labels import positions_of, rows_of
from simgauge.matching.ids import IdSource
from simgauge.wording import counted

Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Impressions:
    """Implicit negatives: of the items that were shown to a user, are the taken ones nearer to what they used before?

    The score of an item j for a user u is the mean of its similarity to the items u used; the measure is the chance
    that an item u took outscores an item that was shown to u and not taken (the area under the ROC curve within u,
    ties one half), averaged over users.

    Parameters
    ----------
    used : Interactions
        What every user used before, such as the training interactions.
    users, items : sequence of int or str, length n_events
        Who was shown what.
    taken : sequence of bool or float, length n_events
        Whether it was taken: above 0 is taken, 0 is left. An item that was shown to a user several times counts once,
        as taken if it was taken once.

    Raises
    ------
    InputError
        Unequal lengths, negative or missing values, or no user who took one and left another.

    Notes
    -----
    The unit is the user. Items that the user had used before are left out: their similarity to themselves says
    nothing. What was not shown counts neither way, so that nothing is taken for disliked because nobody saw it; but the
    shown items were chosen by the system that showed them.

    References
    ----------
    Joachims et al. (2005), Accurately interpreting clickthrough data as implicit feedback, SIGIR 28: what was passed
    over beside what was clicked.

    Examples
    --------
    >>> used = Interactions([[1.0, 1.0, 0.0, 0.0]], user_ids=["ann"], item_ids=list("abcd"))
    >>> Impressions(used, ["ann", "ann"], ["c", "d"], [1, 0])
    Impressions(auc within users, 1 user, 1 taken, 1 left)
    """

    used: Interactions
    users: Any
    items: Any
    taken: Any
    events: Interactions = field(init=False)
    """What was used; it tests whether the vectors belong to their ids."""
    shown: tuple[Codes, Codes, NDArray[np.bool_]] = field(init=False)
    """Row of the user, number of the item, and whether it was taken; the item's label is ``item_ids``'s."""
    item_ids: NDArray[Any] = field(init=False)
    notes: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        require_interactions(self.used, "used")
        same_lengths(users=self.users, items=self.items, taken=self.taken)
        user, item = coded(self.users, "users"), coded(self.items, "items")
        taken = as_numbers(self.taken, "taken", len(user.codes)) > 0
        if taken.all() or not taken.any():
            raise InputError(
                f"all {len(taken)} shown items were {'taken' if taken.all() else 'left'}: both are needed, 0 for what "
                "was shown and left."
            )
        rows = positions_of(user.ids, self.used.user_ids)[user.codes]
        notes = []
        strangers = len(np.unique(user.codes[rows < 0]))
        if strangers:
            notes.append(f"{counted(strangers, 'user')} used nothing before and were left out")
        keys = rows * np.int64(len(item.ids)) + item.codes
        distinct, place = np.unique(keys[rows >= 0], return_inverse=True)
        outcome = np.bincount(place, weights=taken[rows >= 0], minlength=len(distinct)) > 0
        who, what = distinct // len(item.ids), distinct % len(item.ids)
        known = _known(self.used, who, positions_of(item.ids, self.used.item_ids)[what])
        if known.any():
            notes.append(f"{counted(int(known.sum()), 'shown item')} that the user had used before were left out")
        who, what, outcome = _both_kinds(who[~known], what[~known], outcome[~known])
        if len(who) == 0:
            raise InputError(
                "no user of the interactions took one of the shown items and left another: nothing to compare."
            )
        object.__setattr__(self, "shown", (who, what, outcome))
        object.__setattr__(self, "item_ids", item.ids)
        object.__setattr__(self, "notes", tuple(notes))
        object.__setattr__(self, "events", self.used)

    def __repr__(self) -> str:
        who, _, taken = self.shown
        n_users, n_taken = len(np.unique(who)), int(taken.sum())
        return f"Impressions({self.measure}, {counted(n_users, 'user')}, {n_taken} taken, {len(taken) - n_taken} left)"

    @property
    def unit(self) -> str:
        """Users are resampled."""
        return "user"

    @property
    def measure(self) -> str:
        """The area under the ROC curve."""
        return "auc within users"

    @property
    def scale(self) -> Scale:
        """Candidates are compared by difference."""
        return "difference"

    def sources(self) -> list[IdSource]:
        """Ids of the items that were shown."""
        return [IdSource("the shown items", self.item_ids)]

    def bind(self, embedding: Embedding, seed: int = 0) -> ImpressionScorer:  # noqa: ARG002 (nothing is drawn)
        """Match with an embedding; items that it lacks are left out."""
        rows = rows_of(self.item_ids, embedding.item_ids, "items")
        who, what, taken = self.shown
        known = rows[what] >= 0
        notes = list(self.notes)
        if not known.all():
            notes.append(f"{counted(int((~known).sum()), 'shown item')} are not in the embedding")
        columns = positions_of(self.used.item_ids, embedding.item_ids)
        there = np.flatnonzero(columns >= 0)
        part = sparse.coo_array(self.used.matrix[:, there])
        profile = sparse.csr_array(
            (np.ones(part.nnz), (part.row, columns[there][part.col])), shape=(self.used.n_users, embedding.n_items)
        )
        known &= np.diff(profile.indptr)[who] > 0
        who, what, taken = _both_kinds(who[known], what[known], taken[known])
        if len(who) == 0:
            raise InputError("no user took one item that the embedding knows and left another.")
        users, units = np.unique(who, return_inverse=True)
        return ImpressionScorer(profile[users], units.astype(np.int64), rows[what], taken, notes)


class ImpressionScorer:
    """Shown items in rows of one embedding."""

    def __init__(
        self, used: sparse.csr_array, units: Codes, items: Codes, taken: NDArray[np.bool_], notes: list[str]
    ) -> None:
        self.used, self.units, self.items, self.taken, self.notes = used, units, items, taken, notes
        self.n_units, self.exponents = int(used.shape[0]), (0.0,)

    def scores(self, candidate: Any, embedding: Embedding) -> UnitScores:
        """One area per user; there is no weighted form."""
        moved = to_host(moved_by_map(candidate, embedding).items)
        table = np.asarray(unit_rows(moved) if candidate.metric == "cosine" else moved, dtype=np.float64)
        profile = np.asarray(self.used @ table) / np.diff(self.used.indptr)[:, None]
        similarity = np.einsum("ij,ij->i", profile[self.units], table[self.items])
        return UnitScores(grouped_auc(similarity, self.taken, self.units, self.n_units))


def _both_kinds(users: Codes, items: Codes, taken: NDArray[np.bool_]) -> tuple[Codes, Codes, NDArray[np.bool_]]:
    """The entries of users who took something and left something."""
    if len(users) == 0:
        return users, items, taken
    n_taken = np.bincount(users, weights=taken)
    both = (n_taken > 0) & (n_taken < np.bincount(users))
    keep = both[users]
    return users[keep], items[keep], taken[keep]


def _known(used: Interactions, users: Codes, columns: Codes) -> NDArray[np.bool_]:
    """Which shown items the user had used before."""
    found = np.zeros(len(users), dtype=bool)
    there = np.flatnonzero(columns >= 0)
    if len(there):
        found[there] = np.asarray(used.matrix[users[there], columns[there]]).ravel() > 0
    return found
