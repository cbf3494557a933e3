"""The summary of the page of a reproduction: what every gauge of the same predictions makes of known clusters."""

from __future__ import annotations

from typing import Any

from simgauge.paper.record import Reproduction
from simgauge.paper.statements import StatementTable
from simgauge.report.pictures import heat_picture
from simgauge.report.summary import page_summary
from simgauge.wording import counted

METRICS = ("auc", "precision", "inside", "between")
COLUMNS = ("AUC", "P@10", "cosine inside", "cosine between")

FOUND_OR_LOST = "The same predictions, other cosines: known clusters are found, or lost, by the choice of a gauge."
OTHERWISE = "The same predictions, other cosines."
CLEAR = 0.1
"""Difference of AUC from which that is said."""


def reproduction_page(
    result: Reproduction, statements: StatementTable | None = None, *, command: str = ""
) -> dict[str, Any]:
    """Summary of the page of `reproduce`, as ``schemas/page.schema.json`` describes it."""
    from simgauge import __version__

    same = [row for row in result.rows if row.group == "Eq. 1"]
    low, high = (end(same, key=lambda row: row.mean("auc")) for end in (min, max))
    asked = result.parameters
    return page_summary(
        kind="reproduce",
        title="Section 4 of arXiv 2403.05440, with numbers",
        version=__version__,
        headline=FOUND_OR_LOST if high.mean("auc") - low.mean("auc") >= CLEAR else OTHERWISE,
        badge="reproduced",
        facts=[counted(asked["n_users"], "user"), counted(asked["n_items"], "item"),
               counted(asked["n_clusters"], "cluster"), counted(asked["n_components"], "component"),
               counted(asked["n_seeds"], "data set")],
        number={
            "id": "auc",
            "value": f"{low.mean('auc'):.2f} to {high.mean('auc'):.2f}",
            "number": high.mean("auc") - low.mean("auc"),
            "text": f"is the AUC of {counted(len(same), 'gauge')} of Eq. 1, whose predictions are exactly the same: "
            "are pairs of one cluster the more similar ones? 1 is always, 0.5 a coin",
            "meaning": f"Lowest: {low.name}, {low.formula}. Highest: {high.name}, {high.formula}.",
            "peers": None,
        },
        reproduction={
            "rows": [
                {
                    "label": f"{row.name}: {row.formula}",
                    "note": row.group,
                    "value": row.mean("auc"),
                    "interval": list(row.spread("auc")),
                    "kind": "" if row.group == "Eq. 1" else "guarded",
                }
                for row in result.rows
            ],
            "columns": ["model", "item vectors", *COLUMNS],
            "table": [
                [row.group, f"{row.name}: {row.formula}", *(f"{row.mean(metric):.3f}" for metric in METRICS)]
                for row in result.rows
            ],
            "panels": [
                {
                    "title": panel.title,
                    "formula": panel.formula,
                    "group": panel.group,
                    "auc": None if panel.auc is None else float(panel.auc),
                    "picture": heat_picture(panel.cosines),
                }
                for panel in result.panels
            ],
            "statements": [] if statements is None else [list(row) for row in statements.table_rows()],
        },
        how={"command": command, "facts": [[name.replace("_", " "), str(value)] for name, value in asked.items()]},
    )  # fmt: skip
