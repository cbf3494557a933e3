"""Bounds of cosines: the interval that each pair can take, beside the cosine that it has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from simgauge.errors import InputError
from simgauge.plot.canvas import BLUE, ORANGE, axes_of, plain, rows_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def bounds(
    found: Any, *, cosines: Sequence[float] | None = None, names: Sequence[str] | None = None, ax: Axes | None = None
) -> Axes:
    """Intervals of the cosines of some pairs, a row a pair.

    Parameters
    ----------
    found : tuple of (low, high), or AttainedBounds
        Of `cosine_bounds`.
    cosines : sequence of float, optional
        The cosines as shipped, drawn as dots.
    names : sequence of str, optional
        What the pairs are called; their numbers when not given.
    ax : matplotlib axes, optional

    Returns
    -------
    matplotlib axes

    Examples
    --------
    >>> from simgauge import cosine_bounds
    >>> table = np.array([[1.0, 0.0], [0.8, 0.6]])
    >>> ax = bounds(cosine_bounds(table, [[0, 1]], 4.0), cosines=[0.8], names=["tea and milk"])
    >>> ax.lines[0].get_xdata().round(3).tolist()
    [0.385, 0.946]
    """
    low, high = (np.asarray(part, dtype=np.float64) for part in found[:2])
    for name, given in (("cosines", cosines), ("names", names)):
        if given is not None and len(given) != len(low):
            raise InputError(f"{name}: received {len(given)} for {len(low)} pairs. Pass one for each pair.")
    ax = axes_of(ax, len(low))
    for row, ends in enumerate(zip(low, high, strict=True)):
        ax.plot(ends, [row, row], "|-", color=BLUE, lw=2, label="possible" if row == 0 else None)
    if cosines is not None:
        ax.plot(list(cosines), range(len(low)), "o", color=ORANGE, label="as shipped")
    rows_axis(ax, [f"pair {row}" for row in range(len(low))] if names is None else list(names))
    ax.set_xlim(-1.05, 1.05)
    ax.set_xlabel("cosine")
    if len(low):
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.55 / (0.5 + 0.42 * len(low))), ncols=2, frameon=False)
    return plain(ax)
