"""What all pictures share: axes, colours that everybody can tell apart, labels that are never clipped."""

from __future__ import annotations

import sys
import textwrap
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from simgauge.errors import optional_import

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#808080"
"""Of the palette of Okabe and Ito, which people with any colour vision tell apart; seen on white and on black."""
LABEL_COLUMNS = 26
"""Letters in a line of a label."""
LABEL_LINES = 2
INCHES_A_ROW = 0.42
WIDTH = 6.4


def figure_of(width: float, height: float) -> Figure:
    """A new figure whose layout makes room for labels.

    It is one of pyplot's where that is in use, so that it is shown as other pictures are; else one of its own, which
    any thread may draw.
    """
    matplotlib_figure = optional_import("matplotlib.figure", extra="plot", purpose="draw pictures")
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None and threading.current_thread() is threading.main_thread():
        made: Figure = pyplot.figure(figsize=(width, height), layout="constrained")
        return made
    alone: Figure = matplotlib_figure.Figure(figsize=(width, height), layout="constrained")
    return alone


def axes_of(ax: Axes | None, n_rows: float, *, width: float = WIDTH) -> Axes:
    """The axes given, or those of a new figure that is high enough for its rows."""
    if ax is not None:
        return ax
    return figure_of(width, 1.3 + INCHES_A_ROW * n_rows).add_subplot()


def label(text: Any, columns: int = LABEL_COLUMNS) -> str:
    r"""A name as a label: on two lines at most, the middle left out where it is longer, no sign read as a formula.

    Examples
    --------
    >>> label("A  very long\nname of a thing", 12).split("\n")
    ['A very long', '… of a thing']
    >>> label("$5")
    '\\$5'
    """
    words = " ".join("".join(sign if sign.isprintable() else " " for sign in str(text)).split())
    words = words.replace(" = ", "\u00a0=\u00a0")
    lines = textwrap.wrap(words, columns)
    kept = LABEL_LINES * columns
    while len(lines) > LABEL_LINES:
        kept -= 1
        front = kept - kept // 2
        lines = textwrap.wrap(f"{words[:front]}…{words[len(words) - kept // 2 :]}", columns)
    return "\n".join(lines).replace("$", r"\$")


def rows_axis(ax: Axes, names: list[str], columns: int = LABEL_COLUMNS) -> None:
    """The vertical axis as one named row each, the first on top."""
    ax.set_yticks(range(len(names)), [label(name, columns) for name in names])
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)


def plain(ax: Axes) -> Axes:
    """Axes without a frame on the sides that say nothing."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    return ax


def legend_beside(ax: Axes, entries: Sequence[tuple[str, str, bool, str]]) -> None:
    """A legend to the right of the axes: colour, sign, whether it is filled, and text of each entry."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=color, marker=sign, ls="", ms=8, mfc=color if filled else "none", label=text)
        for color, sign, filled, text in entries
    ]
    ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.02, 1.0), frameon=False, fontsize="small")
