"""Lists of neighbours on the terminal, gauges side by side, and what the gauges keep of the predictions."""

from __future__ import annotations

from typing import Any

from rich.text import Text

from simgauge.cli import console
from simgauge.cli.layout import Name

HEADINGS = {"items": "Similar to", "users": "Users similar to", "user-items": "Items nearest to user"}
"""What stands before the name of what was asked for, by sides."""


def print_comparison(comparison: Any) -> None:
    """Neighbour lists side by side, one table an item."""
    page = console.out()
    for item in comparison.items:
        lists = comparison.of(item)
        rows = [
            [Name(f"{entry.scores[rank]:5.2f} {entry.names[rank]}") for entry in lists]
            for rank in range(len(lists[0].names))
        ]
        heading = console.spoken(Text(HEADINGS[comparison.sides]))
        page.print(Name.assemble(heading, " ", item, style="italic"))
        page.print(console.table("", [entry.gauge for entry in lists], rows, by_columns=True, hanging=5))
        page.print()
    if comparison.note:
        page.print(comparison.note, markup=False)
    if comparison.prediction_difference is None or len(lists) < 2:
        return
    for sentence in prediction_sentences(comparison):
        page.print(sentence, markup=False)


def prediction_sentences(comparison: Any) -> list[str]:
    """What the columns keep of the predictions: of those that keep scores together, of the others one by one."""
    own = [shift for shift in comparison.shifts if not shift.rankings_only]
    moved = [shift for shift in comparison.shifts if shift.rankings_only]
    said = []
    if own:
        which = "these columns" if not moved else "the columns but " + " and ".join(f"“{s.gauge}”" for s in moved)
        said.append(
            f"Largest difference between the predictions of {which}, against the first: "
            f"{_share(max(shift.difference for shift in own))} of the largest score, over "
            f"{comparison.n_scores_compared:,} scores."
        )
    said += [
        f"“{shift.gauge}” has other predictions: all scores of a user are moved by one constant, by up to "
        f"{_share(shift.difference)} of the largest score. Each user's ranking of the items is kept, to "
        f"{shift.beyond_constants:.1e}."
        for shift in moved
    ]
    return said


def _share(value: float) -> str:
    """A part of the largest score; rounding errors by their size."""
    return f"{value:.2g}" if value >= 0.001 else f"{value:.1e}"
