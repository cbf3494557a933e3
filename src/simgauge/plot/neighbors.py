"""Neighbour lists of one item: gauges side by side, and places along a row of gauges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simgauge.errors import ParameterError
from simgauge.plot.canvas import BLUE, GREY, INCHES_A_ROW, ORANGE, axes_of, figure_of, label, plain, rows_axis
from simgauge.wording import first_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

PANEL_INCHES = 3.4


def gauges(comparison: Any, item: str | None = None, *, axes: Any = None) -> NDArray[np.object_]:
    """The neighbours of one item in each gauge, side by side: the same predictions, other lists.

    Parameters
    ----------
    comparison : Comparison
        Of `compare_neighbors`.
    item : str, optional
        Whose lists; the first that was asked for when not given.
    axes : sequence of matplotlib axes, optional
        One for each gauge; a new figure when not given.

    Returns
    -------
    ndarray of matplotlib axes
        One a gauge. A bar is as long as the score; a hatched one is of a neighbour that the first gauge does not list.

    Examples
    --------
    >>> from simgauge import Embedding
    >>> from simgauge.neighbors import compare_neighbors
    >>> model = Embedding([[1.0, 0.1], [1.0, 0.0], [0.0, 1.0]], item_names=["tea", "mint tea", "beer"])
    >>> drawn = gauges(compare_neighbors({"as shipped": model}, ["tea"], 2))
    >>> [round(float(bar.get_width()), 3) for bar in drawn[0].patches]
    [0.995, 0.1]
    """
    lists = _lists(comparison, item)
    if axes is None:
        rows = max(len(entry.names) for entry in lists)
        figure = figure_of(PANEL_INCHES * len(lists), 1.3 + INCHES_A_ROW * rows)
        axes = figure.subplots(1, len(lists), squeeze=False)[0]
        hatched = f"\nhatched: not in the list of “{lists[0].gauge}”" if len(lists) > 1 else ""
        figure.suptitle(label(lists[0].item, 80) + hatched)
    if len(axes) != len(lists):
        raise ParameterError(f"axes: received {len(axes)} for {len(lists)} gauges. Pass one for each, or none.")
    first = set(lists[0].ids)
    for ax, entry in zip(axes, lists, strict=True):
        new = [known not in first for known in entry.ids]
        bars = ax.barh(range(len(entry.names)), entry.scores, color=[ORANGE if one else BLUE for one in new])
        for bar, one in zip(bars, new, strict=True):
            bar.set_hatch("//" if one else "")
        rows_axis(ax, list(entry.names))
        ax.set_title(label(entry.gauge, 16), fontsize="medium")
        ax.set_xlabel(comparison.metric)
        plain(ax)
    return np.asarray(axes, dtype=object)


def neighbors_along(comparison: Any, item: str | None = None, *, ax: Axes | None = None) -> Axes:
    """Places of an item's neighbours along a row of gauges, such as those of α from 0 to 1: who comes and who goes.

    Parameters
    ----------
    comparison : Comparison
        Of `compare_neighbors`, over gauges in their order, such as ``{f"α = {a:g}": canonical_gauge(model, a) for a in
        (0, 0.25, 0.5, 0.75, 1)}``.
    item : str, optional
        Whose lists; the first that was asked for when not given.
    ax : matplotlib axes, optional

    Returns
    -------
    matplotlib axes
        A line for each neighbour; orange ones are not in every list. A line ends where its neighbour leaves the list.
    """
    lists = _lists(comparison, item)
    places = {known: name for entry in lists for known, name in zip(entry.ids, entry.names, strict=True)}
    longest = max(len(entry.ids) for entry in lists)
    ax = axes_of(ax, longest, width=3.4 + 1.3 * len(lists))
    for known, name in places.items():
        ranks = [entry.ids.index(known) + 1 if known in entry.ids else np.nan for entry in lists]
        stays = not np.isnan(ranks).any()
        ax.plot(range(len(lists)), ranks, "o-" if stays else "s--", color=BLUE if stays else ORANGE, label=str(name))
        _named_at_ends(ax, ranks, name)
    ax.set_xticks(range(len(lists)), [label(entry.gauge, 14) for entry in lists])
    ax.set_yticks(range(1, longest + 1))
    ax.set_ylim(longest + 0.6, 0.4)
    ax.set_xlim(-0.15, len(lists) - 0.85)
    ax.set_ylabel("place")
    ax.set_title(label(lists[0].item, 60))
    return plain(ax)


def _named_at_ends(ax: Axes, ranks: list[float], name: str) -> None:
    """The neighbour's name beside the first list that it is in, and beside the last gauge where it is listed there."""
    there = [place for place, rank in enumerate(ranks) if not np.isnan(rank)]
    text, last = label(name, 22), len(ranks) - 1
    if there[-1] == last:
        ax.annotate(text, (last, ranks[last]), (8, 0), textcoords="offset points", va="center", fontsize="small")
    else:
        place = there[0] if len(there) == 1 else there[-1]
        ax.annotate(text, (place, ranks[place]), (5, -4), textcoords="offset points", va="top", fontsize="x-small",
                    color=GREY)  # fmt: skip


def _lists(comparison: Any, item: str | None) -> tuple[Any, ...]:
    items = comparison.items
    if item is None:
        item = items[0]
    if item not in items:
        raise ParameterError(f"item={item!r} is not in this comparison, which has {first_of(items)}.")
    return tuple(comparison.of(item))
