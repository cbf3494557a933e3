"""A selection on the terminal: the choice in words, the best candidates, and what the words beside them mean."""

from __future__ import annotations

from typing import Any

from simgauge.cli import console
from simgauge.evidence.popularity import DEFAULT_EXPONENT
from simgauge.wording import counted

MARKS = {
    "better, worse": "the gain, all measures taken together and allowing for the number of candidates",
    "may lose too much": "it is not ruled out that a measure that counts falls by more than max_loss, so that this "
    "candidate cannot be chosen, whatever its gain",
    "Pareto": "no other candidate is as good on both measures and better on one",
    "chosen": "the vectors that were written",
}
"""What the words of the last column mean."""

SCALES = {
    "ratio": "× and gain: against leaving the vectors alone; ×1.100 is 10 % more, ×1.000 no change; intervals in "
    "brackets",
    "difference": "+, - and gain: against leaving the vectors alone; +0.100 is 0.1 more, +0.000 no change",
}
"""What the changes of a table are, by their scale."""

WEIGHTED = "weighted: the same measure, in which a found item counts 1 / popularity to the power {exponent:g}"
OTHERS = "at {exponent:g}: the change where that power is {exponent:g}; it is shown and decides nothing"
GAIN = "gain: both changes taken together"


def print_selection(selection: Any, n_rows: int) -> None:
    """The choice in words and the best candidates with their intervals."""
    page = console.out()
    page.print(selection.summary, markup=False)
    if selection.zero_vectors.n_items:
        page.print(selection.zero_vectors.sentence, markup=False)
    for note in selection.evidence.get("notes", ()):
        page.print(f"evidence: {note}", markup=False)
    if not selection.table:
        return
    shown = [
        row for rank, row in enumerate(selection.table) if rank < n_rows or row.chosen or row.name.startswith("leave")
    ]
    weighted = shown[0].weighted is not None
    measure = selection.evidence["measure"]
    extra_columns = ["#weighted"] if weighted else []
    stated = selection.settings.get("popularity_exponent")
    others = [one.exponent for one in shown[0].at_exponents if one.exponent not in (0.0, stated)]
    extra_columns += [f"#at {exponent:g}" for exponent in others]
    columns = ["candidate", f"#{measure}", *extra_columns, "#gain", "note"]
    rows = [_cells(row, others) for row in shown]
    page.print()
    number = counted(len(selection.table), "candidate")
    some = "" if len(shown) == len(selection.table) else f", of which {len(shown)} are shown (--rows)"
    title = f"{number}{some}, against leaving alone; 95 % intervals hold for all of them together"
    page.print(console.table(title, columns, rows))
    page.print()
    page.print(SCALES[shown[0].gain.scale], markup=False)
    if weighted:
        beside = [OTHERS.format(exponent=exponent) for exponent in others]
        for sentence in (WEIGHTED.format(exponent=stated or DEFAULT_EXPONENT), *beside, GAIN):
            page.print(sentence, markup=False)
    used = {mark for row in rows for mark in row[-1].split(", ")}
    for word, meaning in MARKS.items():
        if used & set(word.split(", ")):
            page.print(f"{word}: {meaning}", markup=False)


def _cells(row: Any, others: list[float]) -> list[str]:
    marks = [
        row.significant,
        "may lose too much" if row.guarded else "",
        "Pareto" if row.pareto else "",
        "chosen" if row.chosen else "",
    ]
    weighted = [] if row.weighted is None else [f"{row.weighted.value:.4f} {row.weighted_change}"]
    weighted += [str(one.change).split(" ")[0] for one in row.at_exponents if one.exponent in others]
    cells = [row.name, f"{row.plain.value:.4f} {row.plain_change}", *weighted, str(row.gain)]
    return [*cells, ", ".join(mark for mark in marks if mark)]
