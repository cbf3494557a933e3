"""A selection by evidence: the forest of candidates with their intervals, and the two measures against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from simgauge.errors import InputError
from simgauge.parameters import check_choice
from simgauge.plot.canvas import BLUE, GREEN, GREY, ORANGE, axes_of, label, legend_beside, plain, rows_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 20
NAME_COLUMNS = 34
"""Letters in a line of a candidate's name."""
MEASURES = {"gain": "gain", "plain": "plain_change", "weighted": "weighted_change"}


def evidence(
    selection: Any,
    measure: Literal["gain", "plain", "weighted"] = "gain",
    *,
    most: int = MOST_ROWS,
    ax: Axes | None = None,
) -> Axes:
    """Every candidate against leaving the vectors alone, with intervals that hold for all of them together.

    Parameters
    ----------
    selection : Selection
        Of `fix`, made with evidence.
    measure : {"gain", "plain", "weighted"}
        Both measures together, the plain one, or the popularity-weighted one.
    most : int
        Rows: the best, what was chosen, and leaving alone.
    ax : matplotlib axes, optional

    Returns
    -------
    matplotlib axes
        Diamonds are what was chosen, hollow dots are candidates that may lose too much, and the line is no change.
    """
    check_choice(measure, "measure", tuple(MEASURES))
    table = _table(selection)
    rows = [row for rank, row in enumerate(table) if rank < most or row.chosen or row.baseline]
    changes = [getattr(row, MEASURES[measure]) for row in rows]
    if any(change is None for change in changes):
        raise InputError(f"measure={measure!r}: this evidence has no weighted form. Pass measure='gain' or 'plain'.")
    ax = axes_of(ax, len(rows), width=8.4)
    for place, (row, change) in enumerate(zip(rows, changes, strict=True)):
        color, sign, face = _look(row)
        ax.plot([change.low, change.high], [place, place], "-", color=color, lw=2)
        ax.plot(change.value, place, sign, color=color, ms=8, mfc=color if face else "none")
    ratio = changes[0].scale == "ratio"
    ax.axvline(1.0 if ratio else 0.0, color=GREY, lw=1, ls=":")
    rows_axis(ax, [row.name for row in rows], NAME_COLUMNS)
    legend_beside(ax, _looks(rows))
    what = {"gain": "gain", "plain": _measure(selection), "weighted": f"{_measure(selection)}, weighted"}[measure]
    ax.set_xlabel(f"{what} {'×' if ratio else 'minus'} leaving alone (95 % intervals)")
    return plain(ax)


def pareto(selection: Any, *, ax: Axes | None = None) -> Axes:
    """What there is to trade: the plain measure against the popularity-weighted one, a point a candidate.

    Parameters
    ----------
    selection : Selection
        Of `fix`, made with evidence that has both measures.
    ax : matplotlib axes, optional

    Returns
    -------
    matplotlib axes
        Candidates that no other beats on both are joined by a line and numbered; hollow dots may lose too much.

    Raises
    ------
    InputError
        There was no evidence, or it has one measure.
    """
    table = _table(selection)
    if any(row.weighted is None for row in table):
        raise InputError("this evidence has one measure, so there is nothing to trade. plot.evidence shows it.")
    ax = axes_of(ax, 8, width=8.4)
    front = sorted((row for row in table if row.pareto), key=lambda row: row.plain.value)
    ax.plot([row.plain.value for row in front], [row.weighted.value for row in front], "-", color=GREY, lw=1, zorder=1)
    for row in table:
        color, sign, face = _look(row)
        ax.plot(row.plain.value, row.weighted.value, sign, color=color, ms=8, mfc=color if face else "none", zorder=2)
    named = []
    for number, row in enumerate(front, 1):
        point, above = (row.plain.value, row.weighted.value), (5, 6) if number % 2 else (5, -14)
        ax.annotate(str(number), point, above, textcoords="offset points", fontsize="small", fontweight="bold")
        named.append((*_look(row), f"{number}: {label(row.name, NAME_COLUMNS)}"))
    legend_beside(ax, [*named, *_looks(table)])
    ax.margins(0.08)
    exponent = selection.settings.get("popularity_exponent")
    weight = "" if exponent is None else f" by 1 / popularity$^{{{exponent:g}}}$"
    ax.set_xlabel(_measure(selection))
    ax.set_ylabel(f"{_measure(selection)}, weighted{weight}")
    return plain(ax)


def _look(row: Any) -> tuple[str, str, bool]:
    """Colour, sign, and whether it is filled."""
    kind = "chosen" if row.chosen else "leave alone" if row.baseline else "may lose too much" if row.guarded else ""
    return LOOKS[kind or "other candidates"]


def _looks(rows: Any) -> list[tuple[str, str, bool, str]]:
    """What the signs of these rows mean."""
    known = {
        "chosen": any(row.chosen for row in rows),
        "leave alone": any(row.baseline and not row.chosen for row in rows),
        "other candidates": any(not (row.chosen or row.baseline or row.guarded) for row in rows),
        "may lose too much": any(row.guarded and not (row.chosen or row.baseline) for row in rows),
    }
    return [(*LOOKS[text], text) for text, present in known.items() if present]


LOOKS = {
    "chosen": (ORANGE, "D", True),
    "leave alone": (GREEN, "s", True),
    "other candidates": (BLUE, "o", True),
    "may lose too much": (GREY, "o", False),
}
"""Colour, sign, and whether it is filled."""


def _table(selection: Any) -> Any:
    if not selection.table:
        raise InputError("this selection was made without evidence, so there is nothing to draw. Pass some to fix().")
    return selection.table


def _measure(selection: Any) -> str:
    return label(selection.evidence.get("measure", "metric"))
