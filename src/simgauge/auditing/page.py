"""The summary of an audit's page: its findings, where its number stands, and the gauges of its vectors to explore."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from simgauge.auditing.objectives import OBJECTIVES
from simgauge.auditing.reference import peers_of
from simgauge.core.tables.arrays import to_host
from simgauge.core.tables.kinds import Array, Table
from simgauge.core.tables.tables import map_rows
from simgauge.embedding import Embedding
from simgauge.report.summary import deciding_finding, report_summary

TOLD = ("objective", "biases", "penalty", "k", "sample", "n_rows", "seed")
"""Parameters of an audit that its page states."""


def audit_page(
    told: Mapping[str, Any],
    embedding: Embedding | None = None,
    *,
    title: str = "Audit of an embedding",
    kind: str = "audit",
    popularity: Any = None,
    shown: Sequence[Any] = (),
    recall: Mapping[str, Any] | None = None,
    others: Mapping[str, Embedding] | None = None,
    columns: Sequence[str] = (),
    command: str = "",
) -> dict[str, Any]:
    """Summary of the page of an audit, as ``schemas/page.schema.json`` describes it.

    Parameters
    ----------
    told : mapping
        `Audit.to_dict()`.
    embedding : Embedding, optional
        What was audited: with it, the page has lists of neighbours and the gauge slider.
    title, kind, recall
        As for `report.summary.report_summary`.
    popularity : array-like, shape (n_items,), optional
        Interactions of each item.
    shown : sequence of names or ids
        Items whose lists the page opens with.
    others, columns
        Further gauges of the same model and the lists that are shown, as for `report.explorer.build.explore`.
    command : str
        What makes the page again.
    """
    from simgauge.report.explorer.build import explore

    asked = told["parameters"]
    explorer = None
    if embedding is not None:
        center = OBJECTIVES[asked["objective"]].center if asked["objective"] in OBJECTIVES else "none"
        explorer = explore(
            embedding,
            k=asked["k"],
            popularity=popularity,
            shown=shown,
            center=center,
            others=others,
            columns=columns,
            rng=asked["seed"],
        )
    decided = deciding_finding(told)
    return report_summary(
        told,
        title=title,
        version=asked["version"],
        kind=kind,
        peers=None if decided is None else peers_of(decided["id"], asked["objective"]),
        recall=recall,
        explorer=explorer,
        how={"command": command, "facts": how_facts(told, embedding)},
    )


def how_facts(told: Mapping[str, Any], embedding: Embedding | None) -> list[list[str]]:
    """What a page states so that it can be made again: parameters, origin, and hashes of the vectors."""
    facts = [[name.replace("_", " "), str(told["parameters"][name])] for name in TOLD]
    origin = told["embedding"]["provenance"]
    facts += [[name, str(origin[name])] for name in ("library", "model") if isinstance(origin.get(name), str)]
    if embedding is not None:
        facts.append(["items, SHA-256", sha256_of_table(embedding.items)])
        if embedding.users is not None:
            facts.append(["users, SHA-256", sha256_of_table(embedding.users)])
    return facts


def sha256_of_table(table: Table) -> str:
    """SHA-256 of the numbers of a table in the order of its rows, as they lie in memory.

    Examples
    --------
    >>> import numpy as np
    >>> sha256_of_table(np.zeros((2, 2))) == sha256_of_table(np.zeros((4, 1)))
    True
    """
    found = hashlib.sha256()
    for block in map_rows(table, _bytes):
        found.update(block)
    return found.hexdigest()


def _bytes(block: Array, _: int) -> bytes:
    return bytes(to_host(block).tobytes())
