"""What the interactions themselves answer: lists of similar items, offered where they do better than any vectors."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.labels import arrow_labels

K = 50
"""Neighbours of each item in a saved file, where there are as many items."""


@dataclass(frozen=True, eq=False)
class ItemLists:
    """The best similarity from interactions alone, as compared with the vectors that were chosen.

    It is no embedding: what it knows are lists of the items it was fitted on, for a table or a key-value store.
    """

    name: str
    """Cosine of columns or EASE weights, with parameters."""
    gain: Any
    """A `Change` against the chosen vectors, on the users who decided, with an interval that allows for the number of
    references."""
    reference: Any
    """The fitted baseline."""
    embedding: Embedding
    """The items, in the order of the reference."""

    @property
    def wins(self) -> bool:
        """Whether the interactions are surely better than the chosen vectors."""
        return bool(self.gain.verdict == "better")

    @property
    def sentence(self) -> str:
        """For the summary; empty where they do not win."""
        if not self.wins:
            return ""
        return (
            f"The interactions themselves gain more: {self.name}, {self.gain} against these vectors. They are no "
            "embedding: their lists are in item_lists, and in item_lists.parquet once saved."
        )

    def to_arrow(self, k: int = K) -> pa.Table:
        """Item, neighbour, score and rank (from 1), best first; items without any interaction are left out.

        Parameters
        ----------
        k : int
            Neighbours of each item, at most the number of other items. Those with a score of 0 or less are left out:
            the interactions say nothing for them.

        Raises
        ------
        InputError
            `k` below 1.
        """
        if k < 1:
            raise InputError(f"k={k}: expected 1 or more.")
        k = min(k, self.embedding.n_items - 1)
        indices, scores = self.reference.neighbors(self.embedding, k)
        said = scores > 0
        rows = np.repeat(np.arange(len(indices)), said.sum(axis=1))
        ranks = (np.cumsum(said, axis=1))[said]
        ids = self.embedding.item_ids
        columns = {"item": arrow_labels(ids[rows]), "neighbor": arrow_labels(ids[indices[said]])}
        return pa.table({**columns, "score": scores[said], "rank": ranks.astype(np.int32)})

    def to_parquet(self, k: int = K) -> bytes:
        """The table of `to_arrow` as a Parquet file; its metadata names the reference."""
        table = self.to_arrow(k).replace_schema_metadata({"simgauge_lists": self.name})
        buffer = io.BytesIO()
        pq.write_table(table, buffer)
        return buffer.getvalue()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {"name": self.name, "gain": self.gain.to_dict(), "wins": self.wins}
