"""Values of two audits side by side: findings, and measures of the groups that both have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from simgauge.auditing.baseline_rules import Side

GROUPINGS = {"by": "label", "popularity": "popularity"}
"""What a person calls a grouping."""


class Pair(NamedTuple):
    """One value then and now; None where an audit lacks it."""

    id: str
    title: str
    sides: tuple[Side | None, Side | None]
    group: str | None = None
    n_items: int | None = None
    """Of the smaller group of the two."""


def paired_findings(baseline: Mapping[str, Any], now: Mapping[str, Any]) -> list[Pair]:
    """Findings of both audits, in the order of the later one; those that only the earlier one has come last."""
    before, after = ({finding["id"]: finding for finding in side["findings"]} for side in (baseline, now))
    names = [*after, *(name for name in before if name not in after)]
    return [
        Pair(name, (after.get(name) or before[name])["title"], (before.get(name), after.get(name))) for name in names
    ]


def paired_measures(baseline: Mapping[str, Any], now: Mapping[str, Any], limits: Mapping[str, Any]) -> list[Pair]:
    """Measures with limits of the groups that both audits have."""
    before = {(group["grouping"], group["name"]): group for group in baseline.get("groups", ())}
    titles = {finding["id"]: finding["title"] for finding in now["findings"]}
    found = []
    for after in now.get("groups", ()):
        earlier = before.get((after["grouping"], after["name"]))
        known = {} if earlier is None else {measure["id"]: measure for measure in earlier["measures"]}
        for measure in after["measures"]:
            if earlier is not None and measure["id"] in known and is_judged(limits.get(measure["id"])):
                group = f"{GROUPINGS.get(after['grouping'], after['grouping'])}: {after['name']}"
                n_items = min(after["n_items"], earlier["n_items"])
                title = titles.get(measure["id"], measure["id"])
                found.append(Pair(measure["id"], title, (known[measure["id"]], measure), group, n_items))
    return found


def is_judged(limit: Mapping[str, Any] | None) -> bool:
    """Whether a finding can be worse: it has a limit."""
    return limit is not None and any(limit.get(level) is not None for level in ("warn", "fail"))
