"""An audit on the terminal: one sentence, at most five findings with reason and action, and where the rest is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from simgauge.cli import console
from simgauge.findings import SEVERITY
from simgauge.wording import counted

MOST = 5
"""Findings that are shown with their reasons; more are too many to act on at once."""


MOST_COLUMNS = 4
"""Groups that stand side by side; more are listed under each other."""


def print_audit(audit: Any, *, everything: bool = False, more: str = "") -> None:
    """The verdict in a sentence, what to do about the worst findings, and where to see the others.

    Parameters
    ----------
    audit : Audit
    everything : bool
        Show every finding, also those that are fine.
    more : str
        Where the rest is to be seen; nothing is said of it when empty.
    """
    from simgauge.report.summary import report_summary

    summary = report_summary(audit.to_dict(), title="", version="")
    page = console.out()
    page.print(Text.assemble(summary["headline"], " (verdict: ", console.verdict_text(audit.verdict), ")"))
    if summary["subline"]:
        page.print(summary["subline"], markup=False)
    ranked = sorted(audit.findings, key=lambda finding: -SEVERITY[finding.verdict])
    serious = [finding for finding in ranked if SEVERITY[finding.verdict]]
    shown = serious if everything else serious[:MOST]
    for finding in shown:
        _print_finding(finding)
    if everything:
        _print_fine([finding for finding in ranked if not SEVERITY[finding.verdict]])
    _print_groups(audit)
    if not everything:
        _print_rest(serious[MOST:], [finding for finding in ranked if not SEVERITY[finding.verdict]], more)


def _print_finding(finding: Any) -> None:
    """What was measured, why it is so, what to do."""
    page = console.out()
    page.print()
    verdict = console.verdict_text(finding.verdict)
    page.print(Text.assemble(verdict, f"  {finding.title}: ", _measured(finding)), hanging=6)
    for label, text in (("why", finding.cause), ("do", finding.action)):
        if text:
            page.print(Text.assemble("      ", (f"{label}: ", "bold"), text))


def _print_fine(findings: Sequence[Any]) -> None:
    """Facts, and findings that are fine, a line each."""
    if findings:
        rows = [[console.verdict_text(f.verdict), f.title, _measured(f)] for f in findings]
        console.out().print()
        console.out().print(console.table("", ["verdict", "finding", "measured"], rows))


def _print_rest(serious: Sequence[Any], others: Sequence[Any], more: str) -> None:
    """How many findings were not shown, and where they are."""
    fine = [finding for finding in others if finding.verdict == "ok"]
    facts = [finding for finding in others if finding.verdict == "info"]
    parts = [f"{len(serious)} more that are not ok"] if serious else []
    parts += [f"{len(fine)} ok"] if fine else []
    parts += [counted(len(facts), "fact") + " to know"] if facts else []
    if parts:
        number = len(serious) + len(others)
        console.out().print()
        where = f": {more}." if more else "."
        console.out().print(f"Not shown: {counted(number, 'finding')} ({', '.join(parts)}){where}", markup=False)


def _print_groups(audit: Any) -> None:
    """One table a grouping: a line a measure and a column a group, or the other way round where groups are many."""
    titles = {finding.id: finding.title for finding in audit.findings}
    for grouping, title in {"by": "By group", "popularity": "By popularity"}.items():
        own = [group for group in audit.groups if group.grouping == grouping]
        names = list(dict.fromkeys(measure.id for group in own for measure in group.measures))
        if not own:
            continue
        known = [{measure.id: f"{measure.value:.3g}" for measure in group.measures} for group in own]
        heads = [f"{group.name} ({counted(group.n_items, 'item')})" for group in own]
        measures = [titles.get(name, name.replace("_", " ")) for name in names]
        console.out().print()
        if len(own) <= MOST_COLUMNS:
            rows = [[title_, *(values.get(name, "") for values in known)]
                    for name, title_ in zip(names, measures, strict=True)]  # fmt: skip
            console.out().print(console.table(title, ["", *(f"#{head}" for head in heads)], rows))
        else:
            rows = [[head, *(values.get(name, "") for name in names)]
                    for head, values in zip(heads, known, strict=True)]  # fmt: skip
            console.out().print(console.table(title, ["group", *(f"#{name}" for name in measures)], rows))


def _measured(finding: Any) -> str:
    """What was found, which items it is about, and where the value stands among real embeddings."""
    named = f" (such as {', '.join(finding.named)})" if finding.named and finding.verdict in ("warn", "fail") else ""
    return f"{finding.summary}{named}" + ("" if finding.standing is None else f"; {finding.standing}")
