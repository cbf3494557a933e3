"""Elements of SVG from plain numbers: escaped texts, scales, ticks. Colours are the page's, so that they follow it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from markupsafe import Markup, escape

WIDTH, HEIGHT = 360, 220
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 12, 40

Scale = Callable[[float], float]


def element(tag: str, *children: str, **attributes: object) -> Markup:
    """One element; attributes and texts are escaped, `_` in names stands for `-`.

    Examples
    --------
    >>> element("text", "<b>", x=1, text_anchor="end", klass="small")
    Markup('<text x="1" text-anchor="end" class="small">&lt;b&gt;</text>')
    """
    names = {"klass": "class"}
    shown = "".join(
        f' {names.get(name, name.replace("_", "-"))}="{escape(_number(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{tag}{shown}>") + Markup("").join(escape(child) for child in children) + Markup(f"</{tag}>")


def drawing(title: str, *children: str, height: int = HEIGHT, width: int = WIDTH) -> Markup:
    """A drawing with a title for screen readers."""
    return element(
        "svg", element("title", title), *children, viewBox=f"0 0 {width} {height}", role="img", klass="drawing"
    )


def linear(low: float, high: float, start: float, stop: float) -> Scale:
    """From values to places on paper.

    Examples
    --------
    >>> linear(0, 2, 10, 30)(1)
    20.0
    """
    span = (high - low) or 1.0
    return lambda value: start + (value - low) / span * (stop - start)


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers from `low` to `high`, at most about `most` of them.

    Examples
    --------
    >>> ticks(0, 1), ticks(0.93, 1.08, 4)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.95, 1.0, 1.05])
    """
    if not high > low:
        return [low]
    raw = (high - low) / most
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return [round(number * step, digits + 1) for number in range(first, math.floor(high / step + 1e-9) + 1)]


def powers_of_ten(low: float, high: float) -> list[float]:
    """The powers of ten from `low` to `high`.

    Examples
    --------
    >>> powers_of_ten(3, 2000)
    [10.0, 100.0, 1000.0]
    """
    return [10.0**power for power in range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)]


def axes(
    x: Scale, y: Scale, x_ticks: Sequence[tuple[float, str]], y_ticks: Sequence[tuple[float, str]], x_label: str
) -> list[Markup]:
    """Grid lines with their numbers, and what the horizontal axis means."""
    bottom = HEIGHT - BOTTOM
    parts = []
    for value, text in x_ticks:
        parts.append(element("line", x1=x(value), x2=x(value), y1=TOP, y2=bottom, klass="grid"))
        parts.append(element("text", text, x=x(value), y=bottom + 15, text_anchor="middle", klass="tick"))
    for value, text in y_ticks:
        parts.append(element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y(value), y2=y(value), klass="grid"))
        parts.append(element("text", text, x=LEFT - 6, y=y(value) + 4, text_anchor="end", klass="tick"))
    middle = (LEFT + WIDTH - RIGHT) / 2
    return [*parts, element("text", x_label, x=middle, y=HEIGHT - 6, text_anchor="middle", klass="tick")]


def path(points: Iterable[tuple[float, float]], klass: str, *, closed: bool = False) -> Markup:
    """A line through points on paper."""
    steps = " ".join(f"{'ML'[number > 0]}{_number(a)} {_number(b)}" for number, (a, b) in enumerate(points))
    return element("path", d=steps + (" Z" if closed else ""), klass=klass)


def _number(value: object) -> object:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else value
