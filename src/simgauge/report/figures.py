"""Drawings of the report: plain data in, HTML with SVG out. Labels are text that wraps, so that none is cut."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from simgauge.report.names import shown_name
from simgauge.report.svg import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    axes,
    drawing,
    element,
    linear,
    path,
    powers_of_ten,
    ticks,
)

TRACK = 400
"""Width of the track of an interval in its own units; the page stretches it."""
LINES = ("one", "two", "three")
"""Classes of lines in their order."""


def share(value: float) -> str:
    """A share as people write it.

    Examples
    --------
    >>> share(0.256)
    '26 %'
    """
    return f"{value:.0%}".replace("%", " %")


def dot_plot(values: Sequence[float], own: float, title: str, *, shares: bool) -> Markup:
    """One line of dots, those of other tables, and this one marked."""
    low, high = min(*values, own), max(*values, own)
    low, high = (0.0, 1.0) if shares else (low, high if high > low else low + 1)
    x = linear(low, high, 12, WIDTH - 12)
    dots = [element("circle", cx=x(value), cy=34, r=5, klass="peer") for value in values]
    here = x(own)
    anchor = "start" if here < WIDTH * 0.15 else "end" if here > WIDTH * 0.85 else "middle"
    marks = [
        element("line", x1=here, x2=here, y1=18, y2=44, klass="own"),
        element("text", "this table", x=here, y=13, text_anchor=anchor, klass="label own-label"),
    ]
    ends = [
        element("text", share(value) if shares else f"{value:.3g}", x=x(value), y=60, text_anchor=end, klass="tick")
        for value, end in ((low, "start"), (high, "end"))
    ]
    line = element("line", x1=12, x2=WIDTH - 12, y1=34, y2=34, klass="grid")
    return drawing(title, line, *dots, *marks, *ends, height=66)


def interval_rows(
    rows: Sequence[Mapping[str, Any]], title: str, *, form: str = "{:.0%}", zero: float | None = None
) -> Markup:
    """A dot with its interval for each row: label, value, interval, and what is said of it.

    Parameters
    ----------
    rows : sequence of mappings
        "label", "value", "interval" (two ends), optional "note", "kind" of "chosen", "guarded", "baseline" or "best".
    title : str
        What the numbers are.
    form : str
        Format of a number.
    zero : float, optional
        Where no change lies: a line through all rows.
    """
    ends = [end for row in rows for end in (*row["interval"], row["value"])] + ([] if zero is None else [zero])
    low, high = min(ends), max(ends)
    margin = 0.04 * ((high - low) or 1.0)
    x = linear(low - margin, high + margin, 0, TRACK)
    marks = [value for value in ticks(low, high, 4) if low <= value <= high]
    drawn = []
    for row in rows:
        parts = [element("line", x1=x(value), x2=x(value), y1=0, y2=20, klass="grid") for value in marks]
        if zero is not None:
            parts.append(element("line", x1=x(zero), x2=x(zero), y1=0, y2=20, klass="zero"))
        start, stop = (x(end) for end in row["interval"])
        parts.append(element("line", x1=start, x2=max(stop, start + 1), y1=10, y2=10, klass="interval"))
        parts.append(element("rect", x=x(row["value"]) - 4, y=5, width=8, height=10, rx=2, klass="point"))
        svg = element("svg", *parts, viewBox=f"0 0 {TRACK} 20", preserveAspectRatio="none", aria_hidden="true")
        label = element("span", element("bdi", shown_name(row["label"])), klass="label")
        if row.get("note"):
            label += element("span", row["note"], klass="note")
        cells = element("div", label, klass="who") + svg + element("span", form.format(row["value"]), klass="value")
        drawn.append(element("div", cells, klass=f"row {row.get('kind', '')}".strip(), role="listitem"))
    scale = [
        element("span", form.format(value), style=f"left:{100 * x(value) / TRACK:.2f}%", klass="tick")
        for value in marks
    ]
    below = element("div", klass="who") + element("div", *scale, klass="scale") + element("span", klass="value")
    axis = element("div", below, klass="row axis", aria_hidden="true")
    return element("div", *drawn, axis, klass="rows", role="list", aria_label=title)


def curve(points: Sequence[tuple[float, float]], levels: Mapping[str, float], title: str, x_label: str) -> Markup:
    """A quantity along α, with named levels."""
    values = [value for _, value in points] + list(levels.values())
    low, high = min(values), max(values)
    pad = 0.08 * ((high - low) or 1.0)
    x = linear(points[0][0], points[-1][0], LEFT, WIDTH - RIGHT)
    y = linear(low - pad, high + pad, HEIGHT - BOTTOM, TOP)
    marks = [(value, f"{value:g}") for value in ticks(low - pad, high + pad, 4)]
    parts = axes(x, y, [(value, f"{value:g}") for value, _ in points[:: max(1, len(points) // 5)]], marks, x_label)
    drawn = [path([(x(a), y(b)) for a, b in points], "line one")]
    drawn += [element("circle", cx=x(a), cy=y(b), r=3.5, klass="dot one") for a, b in points]
    drawn += [
        element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y(level), y2=y(level), klass=f"level {LINES[1 + number % 2]}")
        for number, level in enumerate(levels.values())
    ]
    names = [(LINES[1 + number % 2], f"{name}: {level:.3g}") for number, (name, level) in enumerate(levels.items())]
    return _legend([("one", title), *names]) + drawing(title, *parts, *drawn)


def by_condition(rows: Sequence[Mapping[str, Any]], lines: Mapping[str, str], title: str, band: str = "") -> Markup:
    """Shares against the condition number of the metric; with `band`, the first line has one from "low" to "high"."""
    kappas = [float(row["condition_number"]) for row in rows]
    x = linear(math.log(kappas[0]), math.log(kappas[-1]), LEFT, WIDTH - RIGHT)
    y = linear(0, 1, HEIGHT - BOTTOM, TOP)
    marks = [(value, share(value)) for value in (0, 0.25, 0.5, 0.75, 1.0)]
    parts = axes(x, y, [(math.log(kappa), f"{kappa:g}") for kappa in kappas], marks, "condition number κ of the metric")
    drawn = []
    at = [x(math.log(kappa)) for kappa in kappas]
    if band:
        ends = [(a, y(row["low"])) for a, row in zip(at, rows, strict=True)]
        back = [(a, y(row["high"])) for a, row in zip(at, rows, strict=True)]
        drawn.append(path([*ends, *reversed(back)], "band one", closed=True))
    for (key, _), klass in zip(lines.items(), LINES, strict=False):
        drawn.append(path([(a, y(row[key])) for a, row in zip(at, rows, strict=True)], f"line {klass}"))
        drawn += [
            element("circle", cx=a, cy=y(row[key]), r=3.5, klass=f"dot {klass}")
            for a, row in zip(at, rows, strict=True)
        ]
    names = [(klass, name) for name, klass in zip(lines.values(), LINES, strict=False)]
    return _legend([*names, *([("band", band)] if band else [])]) + drawing(title, *parts, *drawn)


def histogram(bars: Sequence[Mapping[str, Any]], title: str, x_label: str) -> Markup:
    """Items by the number of lists that they are in."""
    most = max(bar["items"] for bar in bars)
    y = linear(0, most, HEIGHT - BOTTOM, TOP)
    wide = (WIDTH - LEFT - RIGHT) / len(bars)
    marks = [(value, f"{value:,.0f}") for value in ticks(0, most, 4)]
    texts = []
    drawn = []
    for number, bar in enumerate(bars):
        left = LEFT + number * wide
        text = str(bar["from"]) if bar["from"] == bar["to"] else f"{bar['from']}–{bar['to']}"
        if number % max(1, math.ceil(len(bars) / 7)) == 0:
            texts.append((left + wide / 2, text))
        drawn.append(
            element(
                "rect",
                element("title", f"{bar['items']:,} items in {text} lists"),
                x=left + 1.5,
                y=y(bar["items"]),
                width=wide - 3,
                height=max(0.0, HEIGHT - BOTTOM - y(bar["items"])),
                klass="bar",
            )
        )
    same = linear(0, 1, 0, 1)
    return drawing(title, *axes(same, y, texts, marks, x_label), *drawn)


def scatter(points: Sequence[tuple[float, float]], title: str, x_label: str) -> Markup:
    """Dots on two logarithmic axes; values that are not positive are left out."""
    kept = [(a, b) for a, b in points if a > 0 and b > 0]
    if len(kept) < 2:
        return Markup("")
    lows, highs = [min(side) for side in zip(*kept, strict=True)], [max(side) for side in zip(*kept, strict=True)]
    x = linear(math.log10(lows[0]), math.log10(highs[0]), LEFT + 4, WIDTH - RIGHT - 4)
    y = linear(math.log10(lows[1]), math.log10(highs[1]), HEIGHT - BOTTOM - 4, TOP + 4)
    marks = [
        [(math.log10(value), f"{value:,g}") for value in (powers_of_ten(low, high) or [low, high])]
        for low, high in zip(lows, highs, strict=True)
    ]
    dots = [element("circle", cx=x(math.log10(a)), cy=y(math.log10(b)), r=2.5, klass="cloud") for a, b in kept]
    return drawing(title, *axes(x, y, marks[0], marks[1], x_label), *dots)


def trade_off(rows: Sequence[Mapping[str, Any]], title: str, x_label: str) -> Markup:
    """Candidates by two measures: "x", "y", "label" and "kind"; the baseline's cross divides better from worse."""
    xs, ys = [row["x"] for row in rows], [row["y"] for row in rows]
    pads = [0.06 * ((max(side) - min(side)) or 1.0) for side in (xs, ys)]
    x = linear(min(xs) - pads[0], max(xs) + pads[0], LEFT, WIDTH - RIGHT)
    y = linear(min(ys) - pads[1], max(ys) + pads[1], HEIGHT - BOTTOM, TOP)
    marks = [[(value, f"{value:g}") for value in ticks(min(side), max(side), 4)] for side in (xs, ys)]
    drawn = []
    for row in rows:
        if row.get("kind") == "baseline":
            drawn.append(element("line", x1=x(row["x"]), x2=x(row["x"]), y1=TOP, y2=HEIGHT - BOTTOM, klass="zero"))
            drawn.append(element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y(row["y"]), y2=y(row["y"]), klass="zero"))
    for row in sorted(rows, key=lambda row: row.get("kind") == "chosen"):
        drawn.append(
            element(
                "circle",
                element("title", row["label"]),
                cx=x(row["x"]),
                cy=y(row["y"]),
                r=6 if row.get("kind") == "chosen" else 4,
                klass=f"candidate {row.get('kind', '')}".strip(),
            )
        )
    return drawing(title, *axes(x, y, marks[0], marks[1], x_label), *drawn)


def _legend(names: Sequence[tuple[str, str]]) -> Markup:
    return element(
        "p",
        *(element("span", element("i", klass=f"key {klass}"), name, klass="named") for klass, name in names),
        klass="legend",
    )
