"""One check of ids for all that brings an embedding together with other sources."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.interactions import Interactions, require_interactions
from simgauge.labels import positions_of
from simgauge.matching.alignment import Alignment, measure_alignment
from simgauge.matching.ids import QUERIES, IdMatch, IdSource, check_few, ids_given, match, positions_problem, source_of


class AlignmentWarning(UserWarning):
    """Vectors do not look as if they belonged to their ids, and the caller said that they do; the message says why."""


@dataclass(frozen=True)
class IdCheck:
    """How the ids of an embedding and of other sources meet."""

    matches: tuple[IdMatch, ...] = ()
    alignment: Alignment | None = None
    """None without training interactions, or where they are too few to tell."""
    notes: tuple[str, ...] = ()
    """What could not be checked, and why."""

    @property
    def sentences(self) -> list[str]:
        """For people, a line each."""
        tested = [] if self.alignment is None else [self.alignment.sentence]
        return [*(found.sentence for found in self.matches), *tested, *self.notes]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "matches": [found.to_dict() for found in self.matches],
            "alignment": None if self.alignment is None else self.alignment.to_dict(),
            "notes": list(self.notes),
            "sentences": self.sentences,
        }


def check_ids(
    embedding: Embedding,
    sources: Sequence[IdSource] = (),
    interactions: Interactions | None = None,
    *,
    held_out: Interactions | None = None,
    trust_ids: bool = False,
    seed: int = 0,
) -> IdCheck:
    """Count the ids that an embedding shares with other sources, and stop where they are in doubt.

    Parameters
    ----------
    embedding : Embedding
    sources : sequence of IdSource
        Ids of evidence and the like.
    interactions : Interactions, optional
        What the model was trained on: their items are a source too, and they test whether the rows fit the ids.
    held_out : Interactions, optional
        What the model was not trained on. Without `interactions` it takes their place in the test, where failing is a
        warning: the model may know nothing of what it was not trained on.
    trust_ids : bool
        Go on where few ids are shared or the vectors do not fit them, with a warning. Row numbers that cannot be ids
        are refused all the same: say ``item_ids="positions"`` where they are meant.
    seed : int
        Of the pairs that are drawn for the test.

    Raises
    ------
    InputError
        Row numbers that cannot be told to be the ids, few shared ids, or vectors that do not belong to their ids.

    Examples
    --------
    >>> import numpy as np
    >>> model = Embedding(np.eye(3), item_ids=["tea", "milk", "rum"])
    >>> found = check_ids(model, [IdSource("the labels", np.array(["tea", "gin"], dtype=object))])
    >>> print(found.sentences[0])
    items: 1 of 2 ids of the labels are in the embedding, 1 are left out (such as gin), 2 rows have no id there (such as
    milk, rum)
    """
    sources = list(sources)
    if interactions is not None:
        require_interactions(interactions, "interactions")
        sources.append(source_of(interactions, "the training interactions"))
    asking = [source.name for source in sources if source.side == "users"]
    if asking and embedding.users is None:
        raise InputError(f"{asking[0]} ask with queries of a second table, and the embedding has items only. {QUERIES}")
    notes: list[str] = []
    for side in ("items", "users"):
        meeting = [source for source in sources if source.side == side]
        if meeting and not ids_given(embedding, side):
            problem = positions_problem(embedding, meeting, side)
            if problem:
                raise InputError(problem)
            notes.append(f"{side}: no ids were given, so rows were matched by their numbers, counted from 0")
    matches = tuple(match(embedding, source) for source in sources)
    if interactions is not None and not trust_ids:
        _refuse_swapped(embedding, interactions)
    for found in matches:
        if not trust_ids:
            check_few(found)
    known = any(found.n_matched for found in matches)
    alignment = None
    if interactions is not None and known:
        alignment = _tested(embedding, interactions, notes, trust_ids, seed)
    elif held_out is not None and known:
        alignment = _warned(embedding, held_out, seed)
    return IdCheck(matches, alignment, tuple(notes))


def _refuse_swapped(embedding: Embedding, interactions: Interactions) -> None:
    """Raise where the ids of the users, and not those of the items, are those of the embedding's items."""
    known = np.asarray(embedding.item_ids)
    items, users = (
        float((positions_of(ids, known) >= 0).mean()) for ids in (interactions.item_ids, interactions.user_ids)
    )
    if embedding.item_ids_given and items == 0 and users > 0.5:
        raise InputError(
            f"none of the items of the interactions is in the embedding, but {users:.0%} of their users are among its "
            "items: were the columns of users and items swapped? Name them: --user and --item (user=, item=)."
        )


def _warned(embedding: Embedding, held_out: Interactions, seed: int) -> Alignment | None:
    """The test on interactions that were not trained on: it can warn, and cannot refuse."""
    alignment = measure_alignment(embedding, held_out, seed)
    if alignment is not None and not alignment.fits:
        warnings.warn(
            f"the model tells nothing about the held-out interactions, or its rows do not belong to these ids. "
            f"{alignment.sentence}. Pass what it was trained on to be sure (--interactions FILE, interactions=).",
            AlignmentWarning,
            stacklevel=4,
        )
    return alignment


def _tested(
    embedding: Embedding, interactions: Interactions, notes: list[str], trust_ids: bool, seed: int
) -> Alignment | None:
    alignment = measure_alignment(embedding, interactions, seed)
    if alignment is None:
        notes.append(
            "alignment: not tested, because the interactions are too few or the vectors know nothing but popularity"
        )
        return None
    if embedding.users is not None and "together" in alignment.by:
        notes.append(
            "users: their ids are not those of the training interactions, so the test went by the items alone; pass "
            "--user-ids FILE (user_ids=) to include them"
        )
    if alignment.fits:
        return alignment
    text = (
        f"the rows do not belong to these ids. {alignment.sentence}. Pass the ids in the order in which the vectors "
        "were made (--ids FILE:COLUMN, --user-ids FILE:COLUMN; item_ids=, user_ids=), and the interactions that the "
        "model was trained on. If all is right and the model is this weak, pass --trust-ids (trust_ids=True)."
    )
    if not trust_ids:
        raise InputError(text)
    warnings.warn(f"{alignment.sentence}. It is relied on, as --trust-ids says.", AlignmentWarning, stacklevel=4)
    return alignment
