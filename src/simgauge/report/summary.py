"""The plain dict behind a report: everything that is shown, nothing that is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simgauge.findings import worst

SCHEMA_VERSION = 1

GROUPS = {
    "identifiability": "What training determines",
    "gauge": "How far the cosine can move",
    "geometry": "The shape of the vectors",
}

HEADLINES = {
    "fail": "No: these cosines are largely an accident of training.",
    "warn": "In part: some of what these cosines say was never determined by the model.",
    "ok": "Yes: nothing here says that the cosine of these embeddings is arbitrary.",
}

UNKNOWN = {
    "fail": "Not known: what training determined of these cosines was not said, and something here will hurt.",
    "warn": "Not known: what training determined of these cosines was not said, and neighbours do depend on the gauge.",
    "ok": "Nothing here says that these cosines are arbitrary; what training determined of them was not said.",
}
"""Headlines where nobody said how the vectors were trained: nothing is called an accident that may be none."""

SUBLINE = "Apart from the gauge, some checks of the vectors' geometry are not ok; each says below what to do."


def report_summary(
    audit: Mapping[str, Any],
    *,
    title: str,
    version: str,
    neighbors: Mapping[str, Any] | None = None,
    recall: Mapping[str, Any] | None = None,
    panels: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Summary of an audit and, where they were made, of neighbour comparisons and held-out recall.

    Parameters
    ----------
    audit : mapping
        `Audit.to_dict()`.
    title : str
        Heading of the page.
    version : str
        Of simgauge.
    neighbors : mapping, optional
        `Comparison.to_dict()`.
    recall : mapping, optional
        ``{"protocol": str, "gauges": [{"gauge", "recall", "interval", "best"}]}``.
    panels : sequence of mappings, optional
        ``{"gauge", "names", "cosines"}``, square arrays over the same items.
    """
    rows = audit["findings"]
    about_the_gauge = worst([row["verdict"] for row in rows if row["group"] in ("identifiability", "gauge")])
    about_the_rest = worst([row["verdict"] for row in rows if row["group"] == "geometry"])
    return {
        "schema_version": SCHEMA_VERSION,
        "title": title,
        "version": version,
        "headline": _headline(rows, about_the_gauge),
        "subline": "" if about_the_rest == "ok" else SUBLINE,
        "audit": dict(audit),
        "groups": [
            {"id": group, "title": text, "findings": [row for row in audit["findings"] if row["group"] == group]}
            for group, text in GROUPS.items()
            if any(row["group"] == group for row in audit["findings"])
        ],
        "neighbors": None if neighbors is None else dict(neighbors),
        "recall": None if recall is None else dict(recall),
        "panels": list(panels),
    }


def _headline(rows: Sequence[Mapping[str, Any]], verdict: str) -> str:
    """By the verdict, and by whether it is known what training determined."""
    sides: Mapping[str, str] = next(
        (row["details"].get("sides", {}) for row in rows if row["id"] == "identifiability"), {}
    )
    if "unknown" in sides.values():
        return UNKNOWN[verdict]
    if verdict == "fail" and "arbitrary" not in sides.values():
        return HEADLINES["warn"]
    return HEADLINES[verdict]
