"""What can be asked over the protocol, as plain functions: the JSON of the commands, from files below a root."""

from __future__ import annotations

import json
from typing import Any, Literal, cast

from simgauge.errors import InputError
from simgauge.serving.root import Root

CHECKED_KINDS = (
    "arrow", "duckdb", "faiss", "fvecs", "npy", "npz", "parquet", "safetensors", "usearch", "word2vec",
    "word2vec-binary",
)  # fmt: skip
"""Targets whose check opens one plain file and writes nothing; servers and folders of stores are for the command."""

ALONE = ("duckdb", "faiss", "usearch")
"""Files that the store itself reads; the others are read as tables of vectors."""


class Tools:
    """Read-only questions. Every method returns what the command of its name prints with ``--json``."""

    def __init__(self, root: Root) -> None:
        self.root = root

    def audit(
        self,
        items: str,
        users: str | None = None,
        objective: str | None = None,
        k: int = 10,
        sample: int = 2_000,
        seed: int = 0,
    ) -> dict[str, Any]:
        """How arbitrary is the cosine of these embeddings? Findings with verdicts, causes and the smallest action.

        items, users: paths below the root. objective: what the vectors were trained with, such as als, bpr, softmax,
        contrastive, clip. k: neighbours per list.
        """
        from simgauge.auditing.run import audit

        return audit(self._embedding(items, users), objective, k=k, sample=sample, rng=seed).to_dict()

    def neighbors(
        self,
        embedding: str,
        items: list[str],
        users: str | None = None,
        of: Literal["items", "users", "user-items"] = "items",
        compare: bool = False,
        metric: Literal["cosine", "dot"] = "cosine",
        k: int = 10,
    ) -> dict[str, Any]:
        """The most similar items (or users) of some, by name or id; with compare in every gauge of one model."""
        from simgauge.neighbors import AS_SHIPPED, compare_neighbors, standard_gauges

        table = self._embedding(embedding, users)
        gauges = standard_gauges(table, of) if compare else {AS_SHIPPED: table}
        found = compare_neighbors(gauges, items, k, metric, of=of)
        return {**found.to_dict(), "sources": table.provenance.get("sources", {})}

    def compare(
        self,
        first: str,
        second: str,
        first_users: str | None = None,
        second_users: str | None = None,
        k: int = 10,
        sample: int = 2_000,
        seed: int = 0,
    ) -> dict[str, Any]:
        """What turns one model into another on the items that both have, common neighbours, and both audits."""
        from simgauge.auditing.comparison import compare

        one, two = self._embedding(first, first_users), self._embedding(second, second_users)
        return compare(one, two, k=k, sample=sample, rng=seed).to_dict()

    def check(
        self,
        target: str,
        expect: Literal["cosine", "dot", "l2"] | None = None,
        table: str | None = None,
        k: int = 10,
        sample: int = 200,
        seed: int = 0,
    ) -> dict[str, Any]:
        """Compare the answers of an index or a file of vectors, KIND:PATH, with exact search over its own vectors."""
        from simgauge.shipping.check import check
        from simgauge.stores.target import Target

        kind, colon, address = target.partition(":")
        if not colon or kind not in CHECKED_KINDS:
            raise InputError(
                f"{target!r}: expected KIND:PATH, with KIND one of {', '.join(CHECKED_KINDS)}. Servers and other "
                "stores are for the command simgauge check."
            )
        place = self.root.with_companions(address)
        where = Target(kind, str(place) if kind in ALONE else self.root.vectors(address))
        return check(where, expect=expect, table=table, k=k, sample=sample, rng=seed).to_dict()

    def _embedding(self, items: str, users: str | None) -> Any:
        from simgauge.read.embedding_files import read_embedding

        return read_embedding(self.root.vectors(items), users=None if users is None else self.root.vectors(users))

    def without_root(self, found: dict[str, Any]) -> dict[str, Any]:
        """The answer with the root's own place taken out of every text."""
        inside = json.dumps(str(self.root.directory))[1:-1]
        text = json.dumps(found, allow_nan=False).replace(f"{inside}/", "")
        return cast("dict[str, Any]", json.loads(text))
