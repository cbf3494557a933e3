"""Where a value stands among real embeddings: the shipped reference table, facts only, made by bench/reference.py."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from simgauge.findings import Standing

KIND_OF_OBJECTIVE: Mapping[str, str] = MappingProxyType(
    {
        "als": "als",
        "als-wr": "als",
        "bpr": "bpr",
        "lmf": "lmf",
        "svd": "svd",
        "product": "svd",
        "dropout": "svd",
        "factors": "svd",
        "weights": "svd",
        "word2vec": "words",
        "glove": "words",
        "unit-sphere": "texts",
        "cosine": "texts",
        "siamese": "texts",
    }
)
"""Which tables of the reference an embedding is compared with; all of them where the training is not known."""

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "als": "ALS factors",
        "bpr": "BPR factors",
        "lmf": "logistic factors",
        "svd": "factors of an SVD",
        "words": "word vectors",
        "texts": "text encoders",
    }
)

FEWEST = 5
"""Tables of a kind from which it is a comparison; with fewer all kinds are taken."""


def standing(finding_id: str, value: float | None, objective: str) -> Standing | None:
    """How many tables of the same kind have a lower value; None where the value, or any other, says nothing.

    Parameters
    ----------
    finding_id : str
    value : float or None
    objective : str
        Canonical name of what the vectors were trained with.

    Examples
    --------
    >>> standing("hubness", 1e9, "als").n_lower == standing("hubness", 1e9, "als").n_tables
    True
    """
    if value is None:
        return None
    peers = peers_of(finding_id, objective)
    if peers is None:
        return None
    known = peers["values"]
    if min(known) == max(known) == value:
        return None  # a fault that none of them has, and neither has this one
    return Standing(peers["kind"], len(known), sum(other < float(f"{value:.4g}") for other in known))


def peers_of(finding_id: str, objective: str) -> dict[str, Any] | None:
    """Values of the tables of the same kind, and what these are; of all tables where they are too few, or None.

    Examples
    --------
    >>> peers_of("hubness", "als")["kind"]
    'ALS factors'
    """
    kind = KIND_OF_OBJECTIVE.get(objective, "")
    for wanted, name in ((kind, NAMES.get(kind, "")), ("", "tables of all kinds")):
        known = [
            row["values"][finding_id] for row in tables() if finding_id in row["values"] and wanted in ("", row["kind"])
        ]
        if len(known) >= FEWEST and name:
            return {"kind": name, "values": known}
    return None


@cache
def tables() -> tuple[Mapping[str, Any], ...]:
    """Rows of the reference table: kind, corpus, sizes and the value of every finding."""
    text = resources.files("simgauge.auditing").joinpath("reference.json").read_text(encoding="utf-8")
    return tuple(MappingProxyType(row) for row in json.loads(text))
