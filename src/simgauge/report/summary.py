"""The plain dict behind a page: everything that is shown, nothing that is not; ``schemas/page.schema.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simgauge.findings import SEVERITY, worst
from simgauge.report.names import shown_name, shown_sentence
from simgauge.wording import counted

SCHEMA_VERSION = 2

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

MOST_CARDS = 3
"""Findings with a card of their own; the others are rows of one table."""

NAME_USERS = frozenset({"ood_queries"})
"""Findings whose examples are users: a page never shows their ids."""

CURVES = ("canonical_overlap", "random_gauge_overlap", "certified_neighbors")
"""Findings that are drawn, in this order."""


def page_summary(
    *,
    kind: str,
    title: str,
    version: str,
    headline: str,
    badge: str,
    subline: str = "",
    facts: Sequence[str] = (),
    number: Mapping[str, Any] | None = None,
    audit: Mapping[str, Any] | None = None,
    recall: Mapping[str, Any] | None = None,
    explorer: Mapping[str, Any] | None = None,
    selection: Mapping[str, Any] | None = None,
    comparison: Mapping[str, Any] | None = None,
    reproduction: Mapping[str, Any] | None = None,
    how: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The parts of a page, each left out where it is None.

    Parameters
    ----------
    kind : {"audit", "fix", "compare", "demo", "reproduce"}
    title, version, headline, subline : str
        The headline is the verdict in one sentence.
    badge : str
        The verdict in one word: "ok", "warn", "fail", or what a fix or a comparison came to.
    facts : sequence of str
        Sizes of what was examined.
    number : mapping, optional
        The one number: "value" as text, "text", "meaning", and "peers" (see `deciding_number`) or None.
    audit : mapping, optional
        `Audit.to_dict()`.
    recall : mapping, optional
        ``{"protocol": str, "gauges": [{"gauge", "recall", "interval", "best"}]}``.
    explorer : mapping, optional
        `report.explorer.build.explore`.
    selection, comparison, reproduction : mapping, optional
        What those commands add; see the schema.
    how : mapping, optional
        ``{"command": str, "facts": [[name, value]]}``: how to make the page again.
    """
    rows = [] if audit is None else [_row(finding, audit) for finding in audit["findings"]]
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": kind,
        "title": shown_name(title, 200),
        "version": version,
        "headline": headline,
        "badge": badge,
        "subline": subline,
        "facts": list(facts),
        "number": None if number is None else dict(number),
        "cards": [row["id"] for row in prominent(rows)],
        "findings": rows,
        "curves": [] if audit is None else _curves(audit),
        "groups": [] if audit is None else list(audit["groups"]),
        "recall": None if recall is None else dict(recall),
        "explorer": None if explorer is None else dict(explorer),
        "selection": None if selection is None else dict(selection),
        "comparison": None if comparison is None else dict(comparison),
        "reproduction": None if reproduction is None else dict(reproduction),
        "how": {"command": "", "facts": [], **({} if how is None else how)},
    }


def report_summary(
    audit: Mapping[str, Any],
    *,
    title: str,
    version: str,
    kind: str = "audit",
    peers: Mapping[str, Any] | None = None,
    recall: Mapping[str, Any] | None = None,
    explorer: Mapping[str, Any] | None = None,
    how: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Summary of an audit and, where they were made, of an explorer and of held-out recall.

    Parameters
    ----------
    audit : mapping
        `Audit.to_dict()`.
    title, version, kind, recall, explorer, how
        As for `page_summary`.
    peers : mapping, optional
        ``{"kind": str, "values": [numbers]}`` of the reference tables, for the finding of `deciding_finding`.
    """
    rows = audit["findings"]
    about_the_gauge = worst([row["verdict"] for row in rows if row["group"] in ("identifiability", "gauge")])
    about_the_rest = worst([row["verdict"] for row in rows if row["group"] == "geometry"])
    return page_summary(
        kind=kind,
        title=title,
        version=version,
        headline=_headline(rows, about_the_gauge),
        badge=audit["verdict"],
        subline="" if about_the_rest == "ok" else SUBLINE,
        facts=size_facts(audit),
        number=deciding_number(audit, peers),
        audit=audit,
        recall=recall,
        explorer=explorer,
        how=how,
    )


def size_facts(audit: Mapping[str, Any]) -> list[str]:
    """Sizes of an audited embedding, and how many of its lists were examined."""
    told, asked = audit["embedding"], audit["parameters"]
    sizes = [counted(told["n_items"], "item")] + ([counted(told["n_users"], "user")] if told["n_users"] else [])
    sizes += [counted(told["n_components"], "component"), told["dtype"]]
    lists = counted(asked["n_rows"], "list") + f" of {counted(asked['k'], 'neighbour')}"
    return [*sizes, lists if asked["n_rows"] >= told["n_items"] else f"{lists}, a random sample"]


def deciding_finding(audit: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The finding whose number a page opens with: how many neighbours a free choice leaves alone."""
    known = {row["id"]: row for row in audit["findings"] if row["value"] is not None}
    order = ("certified_in_named_gauges", "random_gauge_overlap", "canonical_overlap")
    return next((known[name] for name in order if name in known), None)


def deciding_number(audit: Mapping[str, Any], peers: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The number of a page in figures and in words, and the values of its kind around it."""
    found = deciding_finding(audit)
    if found is None:
        return None
    k = int(audit["parameters"]["k"])
    neighbors = "nearest neighbours" if k == 1 else f"{k} nearest neighbours"
    value = float(found["value"])
    shown = f"{value:.0%}".replace("%", " %")
    if found["id"] == "certified_in_named_gauges":
        rest = f"{1 - float(found['details']['seen']):.0%}".replace("%", " %")
        text = f"of the {neighbors} are proven to stay in every named gauge of these predictions"
        meaning = f"At least {rest} of them change with a choice that no prediction depends on."
    elif found["id"] == "random_gauge_overlap":
        text = f"of the {neighbors} stay when the gauge is changed at random (condition number 10)"
        meaning = "Such a change keeps every dot product with users that move along."
    else:
        text = f"of the {neighbors} are the same in another canonical gauge"
        meaning = "Both gauges make the same predictions."
    return {"id": found["id"], "value": shown, "number": value, "text": text, "meaning": meaning,
            "peers": None if peers is None else dict(peers)}  # fmt: skip


def prominent(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The few findings that deserve a card: the gravest first, in the order of the audit."""
    grave = [row for row in rows if SEVERITY[row["verdict"]]]
    return sorted(grave, key=lambda row: -SEVERITY[row["verdict"]])[:MOST_CARDS]


def _row(finding: Mapping[str, Any], audit: Mapping[str, Any]) -> dict[str, Any]:
    """A finding as a page shows it."""
    limits = audit["parameters"]["thresholds"].get(finding["id"])
    names = [] if finding["id"] in NAME_USERS else finding["details"].get("named", [])
    kept = ("id", "title", "group", "value", "interval", "verdict", "gauge_dependent")
    words = ("summary", "cause", "action", "verify")
    return {
        **{name: finding[name] for name in kept},
        **{name: shown_sentence(finding[name]) for name in words},
        "limits": _limits(limits),
        "standing": None if finding["standing"] is None else dict(finding["standing"]),
        "named": [shown_name(name) for name in names],
    }


def _limits(limits: Mapping[str, Any] | None) -> str:
    """When a finding is not ok, in words."""
    if limits is None:
        return ""
    told = [
        f"{level} {limits['direction']} {limits[level]:g}" for level in ("warn", "fail") if limits[level] is not None
    ]
    return ", ".join(told)


def _curves(audit: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The data of the drawings of findings."""
    found = {row["id"]: row for row in audit["findings"]}
    curves = []
    for name in CURVES:
        details = found[name]["details"] if name in found else {}
        rows = details.get("gauges") or details.get("by_condition_number")
        if rows:
            curves.append({"id": name, "title": found[name]["title"], "rows": [dict(row) for row in rows]})
    return curves


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
