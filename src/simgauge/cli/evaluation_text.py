"""An evaluation on the terminal: one table for each kind of evidence, and what its columns mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simgauge.cli import console
from simgauge.wording import counted

if TYPE_CHECKING:
    from simgauge.evaluation.record import Evaluation, Measured

SHOWN = (
    "coverage: share of all items that occur in a list. Gini: 0 where all items are listed equally often, near 1 where "
    "a few take all places. novelty: mean of −log₂ (share of users who used a listed item), in bits. They depend on "
    "how many lists there are."
)


def print_evaluation(found: Evaluation) -> None:
    """The tables, then what holds for all of them."""
    page = console.out()
    for measure in found.measures:
        _print_one(found.of(measure))
    level = f"{found.confidence:.0%}"
    page.print(f"[…]: {level} intervals; those of changes hold for all rows of a table together", markup=False)
    if any(row.weighted for row in found.rows):
        page.print("weighted at β: a found item counts 1 / popularity to the power β", markup=False)
    if any(row.shown for row in found.rows):
        page.print(SHOWN, markup=False)
    for note in found.notes:
        page.print(f"evidence: {note}", markup=False)


def _print_one(rows: tuple[Measured, ...]) -> None:
    first = rows[0]
    exponents = list(first.weighted)
    columns = ["model", "by", f"#{first.measure}", "#against the first"]
    columns += [f"#weighted at {exponents[0]:g}", "#against the first"] if exponents else []
    columns += [f"#at {exponent:g}" for exponent in exponents[1:]]
    columns += ["#coverage", "#Gini", "#novelty"] if first.shown else []
    seeds = max(row.n_seeds for row in rows)
    many = f", means of up to {counted(seeds, 'seed')}" if seeds > 1 else ""
    lists = f", {counted(first.shown.n_lists, 'list')}" if first.shown else ""
    page = console.out()
    page.print(
        console.table(f"{first.measure} over {counted(first.n_units, first.unit)}{lists}{many}", columns, [
            _cells(row, exponents) for row in rows
        ])
    )  # fmt: skip
    page.print()


def _cells(row: Measured, exponents: list[float]) -> list[str]:
    cells = [row.model, row.metric, console.with_interval(row.plain, "{:.4f}"), str(row.change or "")]
    if exponents:
        cells += [console.with_interval(row.weighted[exponents[0]], "{:.4f}"), str(row.weighted_change or "")]
    cells += [f"{row.weighted[exponent].value:.4f}" for exponent in exponents[1:]]
    if row.shown is not None:
        novelty = "" if row.shown.novelty is None else f"{row.shown.novelty:.2f}"
        cells += [f"{row.shown.coverage:.1%}", f"{row.shown.gini:.3f}", novelty]
    return cells
