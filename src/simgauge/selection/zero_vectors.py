"""Items without a direction: left out while a choice is made, and zero again in the vectors that come of it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simgauge.core.tables.arrays import room_beside
from simgauge.core.tables.directions import directed_rows
from simgauge.core.tables.tables import take_rows
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.wording import counted, some_of

NAMED = 5
"""Zero vectors that are named in a record."""


class ZeroVectors(NamedTuple):
    """Items of an embedding whose vector is zero."""

    n_items: int = 0
    named: tuple[str, ...] = ()
    """Names of the first of them."""

    @property
    def sentence(self) -> str:
        """For people; empty where there are none."""
        if not self.n_items:
            return ""
        have, are = ("has", "it is") if self.n_items == 1 else ("have", "they are")
        return (
            f"{counted(self.n_items, 'item')} {have} a zero vector ({some_of(list(self.named))}): a zero vector has no "
            f"direction, so {are} left out of the choice, of all lists and of the evidence, and saved as zero again."
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {"count": self.n_items, "named": list(self.named), "sentence": self.sentence}


def without_zero_vectors(embedding: Embedding) -> tuple[Embedding, ZeroVectors]:
    """The embedding of the items that have a direction, and which have none; the same object where all have one.

    Tables in parts are returned as they are: their rows stay where they lie.

    Raises
    ------
    InputError
        All item vectors are zero.

    Examples
    --------
    >>> kept, zero = without_zero_vectors(Embedding([[1.0, 0.0], [0.0, 0.0]], item_ids=["tea", "milk"]))
    >>> kept.n_items, zero.named
    (1, ('milk',))
    """
    kept = directed_rows(embedding.items)
    if kept is None:
        return embedding, ZeroVectors()
    if not len(kept):
        raise InputError("all item vectors are zero: there is nothing to choose. Pass the table that was trained.")
    return _of_rows(embedding, kept), zero_items(embedding, kept)


def zero_items(embedding: Embedding, kept: NDArray[np.int64] | None) -> ZeroVectors:
    """The items beside those that have a direction, as `directed_rows` gives them; none where that is None."""
    if kept is None:
        return ZeroVectors()
    zero = np.setdiff1d(np.arange(embedding.n_items), kept)
    return ZeroVectors(len(zero), tuple(str(embedding.item_names[row]) for row in zero[:NAMED]))


def moved_around_zeros(remedy: Any, embedding: Embedding) -> Embedding:
    """The embedding after a remedy, in which zero vectors of items are zero vectors still.

    A shift would give them a direction that says nothing of them, and a remedy of single items does not know them.
    """
    kept = directed_rows(embedding.items)
    if kept is None or not len(kept):
        whole: Embedding = remedy.transform(embedding)
        if kept is None:
            return whole
        return whole.with_tables(_scattered(whole.items[:0], kept, embedding.n_items), whole.users)
    moved: Embedding = remedy.transform(_of_rows(embedding, kept))
    return Embedding(
        items=_scattered(moved.items, kept, embedding.n_items),
        users=moved.users,
        item_ids=embedding.item_ids,
        user_ids=moved.user_ids,
        item_names=embedding.item_names,
        provenance=moved.provenance,
        item_ids_given=embedding.item_ids_given,
        user_ids_given=moved.user_ids_given,
    )


def _of_rows(embedding: Embedding, rows: NDArray[np.int64]) -> Embedding:
    return Embedding(
        items=take_rows(embedding.items, rows),
        users=embedding.users,
        item_ids=embedding.item_ids[rows],
        user_ids=embedding.user_ids,
        item_names=embedding.item_names[rows],
        provenance=embedding.provenance,
        item_ids_given=embedding.item_ids_given,
        user_ids_given=embedding.user_ids_given,
    )


def _scattered(items: Any, rows: NDArray[np.int64], n_items: int) -> Any:
    """A table of `n_items` rows: those of `items` at `rows`, all others zero."""
    room = room_beside((n_items, int(items.shape[1])), items)
    room[:] = 0
    room[rows] = items
    return room
