"""How many ids of another source an embedding knows, and whether row numbers may stand for ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.interactions import Interactions
from simgauge.labels import positions_of

Side = Literal["items", "users"]

FEW = 0.1
"""Fewer shared ids than this share of the smaller side are taken for two ways of counting, and asked about."""

LEAST_TO_JUDGE = 20
"""Ids on the smaller side from which on a share of them says something."""

EXAMPLES = 2

QUERIES = (
    "Pass the vectors of the queries, made by the same model: --users FILE (users=), with their ids (--user-ids, "
    "user_ids=)."
)
"""What to do where evidence asks with queries and there is one table."""


class IdSource(NamedTuple):
    """Ids that another source uses for one side of the embedding."""

    name: str
    """Completes "ids of ...", such as "the interactions"."""
    ids: NDArray[Any]
    """Unique."""
    side: Side = "items"
    numbered: bool = False
    """Whether they number the columns of a matrix of the same size, so that both sides count alike."""


def sources_of(evidence: Any) -> list[IdSource]:
    """The ids by which evidence speaks of items and users; none for evidence that does not tell."""
    tell = getattr(evidence, "sources", None)
    return [] if tell is None else list(tell())


def source_of(interactions: Interactions, name: str, side: Side = "items") -> IdSource:
    """The ids that interactions use: those with at least one pair, or all columns of a matrix without ids."""
    items = side == "items"
    ids = interactions.item_ids if items else interactions.user_ids
    counts = interactions.item_counts if items else interactions.user_counts
    given = interactions.item_ids_given if items else interactions.user_ids_given
    numbered = not given and bool(np.array_equal(ids, np.arange(len(ids))))
    return IdSource(name, ids if numbered else ids[counts > 0], side, numbered)


@dataclass(frozen=True)
class IdMatch:
    """Ids of one source among those of an embedding."""

    source: str
    side: Side
    n_ids: int
    """Distinct ids of the source."""
    n_matched: int
    """Of those, how many the embedding has."""
    n_rows: int
    """Rows of the embedding's table."""
    left_out: tuple[str, ...]
    """The first ids that the embedding lacks."""
    unused: tuple[str, ...]
    """The first rows that the source does not speak of."""

    @property
    def sentence(self) -> str:
        """For people, with examples of what was left out."""
        missing = f" (such as {', '.join(self.left_out)})" if self.left_out else ""
        unused = self.n_rows - self.n_matched
        rows = f", {unused:,} rows have no id there (such as {', '.join(self.unused)})" if unused else ""
        return (
            f"{self.side}: {self.n_matched:,} of {self.n_ids:,} ids of {self.source} are in the embedding, "
            f"{self.n_ids - self.n_matched:,} are left out{missing}{rows}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "source": self.source,
            "side": self.side,
            "ids": self.n_ids,
            "matched": self.n_matched,
            "left_out": self.n_ids - self.n_matched,
            "left_out_examples": list(self.left_out),
            "rows": self.n_rows,
            "rows_unused": self.n_rows - self.n_matched,
            "rows_unused_examples": list(self.unused),
        }


def match(embedding: Embedding, source: IdSource) -> IdMatch:
    """Count the ids of a source that the embedding has."""
    known = side_ids(embedding, source.side)
    rows = positions_of(source.ids, known)
    used = np.zeros(len(known), dtype=bool)
    used[rows[rows >= 0]] = True
    missing = np.flatnonzero(rows < 0)[:EXAMPLES]
    idle = np.flatnonzero(~used)[:EXAMPLES]
    return IdMatch(
        source=source.name,
        side=source.side,
        n_ids=len(source.ids),
        n_matched=int(used.sum()),
        n_rows=len(known),
        left_out=tuple(str(value) for value in source.ids[missing].tolist()),
        unused=tuple(str(value) for value in known[idle].tolist()),
    )


def side_ids(embedding: Embedding, side: Side) -> NDArray[Any]:
    """Ids of one side; row numbers of users in parts, whose ids are not kept."""
    ids = embedding.item_ids if side == "items" else embedding.user_ids
    return np.arange(embedding.n_users) if ids is None else np.asarray(ids)


def ids_given(embedding: Embedding, side: Side) -> bool:
    """Whether somebody said what the rows of one side are called."""
    return embedding.item_ids_given if side == "items" else embedding.user_ids_given


def check_few(found: IdMatch) -> None:
    """Raise where so few ids are shared that the two sources probably count in different ways."""
    smaller = min(found.n_ids, found.n_rows)
    if smaller >= LEAST_TO_JUDGE and 0 < found.n_matched < FEW * smaller:
        raise InputError(
            f"{found.sentence}. So few that the two probably count in different ways. Pass the ids that the vectors "
            f"were "
            f"made with ({_option(found.side)}); if it is right all the same, pass --trust-ids (trust_ids=True)."
        )


def positions_problem(embedding: Embedding, sources: Sequence[IdSource], side: Side) -> str | None:
    """Why the rows of a table without ids cannot be told to be the ids of these sources; None where they can be.

    Row numbers stand for ids only when every id of every source is a whole number from 0 to n - 1 and every row is
    spoken of by one of them; then a wrong order is possible, a wrong set is not.
    """
    n_rows = len(side_ids(embedding, side))
    used = np.zeros(n_rows, dtype=bool)
    for source in sources:
        if source.numbered and len(source.ids) == n_rows:
            return None
        rows = positions_of(source.ids, np.arange(n_rows))
        if (rows < 0).any():
            return _beyond(embedding, source, rows, n_rows)
        used[rows] = True
    if used.all():
        return None
    first = ", ".join(str(row) for row in np.flatnonzero(~used)[:EXAMPLES])
    named = " or ".join(source.name for source in sources)
    return (
        f"the {side} have no ids, so their rows are numbered 0 to {n_rows - 1}, and {int((~used).sum()):,} of these "
        f"numbers (such as {first}) do not occur in {named}: the numbers there may count something else. "
        f"{_way_out(side)}"
    )


def _beyond(embedding: Embedding, source: IdSource, rows: NDArray[np.int64], n_rows: int) -> str:
    outside = source.ids[rows < 0]
    shown = ", ".join(repr(value) for value in outside[:EXAMPLES].tolist())
    text = (
        f"the {source.side} have no ids, so their rows are numbered 0 to {n_rows - 1}, and {len(outside):,} of the "
        f"{len(source.ids):,} ids of {source.name} (such as {shown}) are not among these numbers. "
    )
    other = embedding.n_users if source.side == "items" else embedding.n_items
    if _counts_from_one(source.ids, n_rows):
        text += (
            f"They look counted from 1: if row 0 holds the id 1, make a file of ids with `seq 1 {n_rows} > ids.txt`. "
        )
    elif len(source.ids) == n_rows:
        text += (
            "There are as many ids as rows: if the rows are in some order of these ids, write them to a file in that "
            "order, one a line. "
        )
    elif other not in (0, n_rows) and len(source.ids) == other:
        text += f"The other table has {other:,} rows, as many as there are ids: were the two swapped? "
    return text + _way_out(source.side)


def _counts_from_one(ids: NDArray[Any], n_rows: int) -> bool:
    numbers = positions_of(ids, np.arange(n_rows + 1))
    return bool((numbers >= 1).all())


def _way_out(side: Side) -> str:
    single = side.removesuffix("s")
    positions = "--ids positions" if side == "items" else "--user-ids positions"
    return (
        f"Pass the id of each row: {_option(side)}. If the ids are row numbers counted from 0, say so: {positions} "
        f"({single}_ids='positions')."
    )


def _option(side: Side) -> str:
    single = side.removesuffix("s")
    flag = "--ids" if side == "items" else "--user-ids"
    return f"{flag} FILE or {flag} FILE:COLUMN ({single}_ids=)"
