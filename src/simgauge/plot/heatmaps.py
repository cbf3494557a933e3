"""The figure of section 4: item-item cosines in every gauge, side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.plot.canvas import figure_of
from simgauge.plot.same_bytes import drawn_alike

COLUMNS = 4
PANEL_INCHES = 2.2
DPI = {"png": 170, "svg": 110}
"""SVG embeds each heat map as a picture: more dots only make the file larger, the text stays sharp."""

FRAMES = {"Eq. 1": "#0b6e4f", "Eq. 2": "#b8860b", "weights": "#b8860b", "data": "#8a8a8a"}
LEGEND = (
    ("#0b6e4f", "gauges of one model, Eq. 1: exactly the same predictions"),
    ("#b8860b", "models whose penalty fixes the gauge"),
    ("#8a8a8a", "no model"),
)
TITLES = {
    "true clusters": "True clusters",
    "whitened": "Whitened",
    "minimum-norm": "Minimum norm (Eq. 5)",
    "encoder-whitened": "Encoder whitened",
    "balanced": "Balanced",
    "projected": "Projected back to the data",
    "truncated-data": "Truncated data (LSA)",
    "anti-correlated": "Anti-correlated D",
    "Eq. 2 model": "Penalty on factors (Eq. 2)",
    "weights model": "Plain weight decay",
    "raw data": "Raw data",
    "Pearson": "Correlation",
}


def draw_heatmaps(panels: Sequence[Any], boundaries: Sequence[int], path: Path, file_format: str) -> None:
    """Draw heat maps on one colour scale, from -1 (blue) over 0 (white) to 1 (red).

    Parameters
    ----------
    panels : sequence
        With ``title``, ``formula``, ``group``, ``cosines`` (square, in display order) and ``auc`` (or None).
    boundaries : sequence of int
        Where a cluster ends.
    path : Path
        Written to.
    file_format : {"png", "svg"}
        The same bytes for the same panels and version of matplotlib.
    """
    from matplotlib.figure import Figure

    with drawn_alike({"font.family": "DejaVu Sans"}):
        figure = Figure()
        _draw(figure, panels, boundaries)
        metadata: dict[str, Any] = {"Date": None} if file_format == "svg" else {"Software": None}
        figure.savefig(path, format=file_format, dpi=DPI[file_format], metadata=metadata)


def reproduction(result: Any) -> NDArray[np.object_]:
    """The figure of section 4: cosines of every pair of items in every gauge, on one colour scale.

    Parameters
    ----------
    result : Reproduction
        Of `reproduce`.

    Returns
    -------
    ndarray of matplotlib axes
        One a heat map, in the order of ``result.panels``; red is a cosine of 1, white 0, blue -1.
    """
    figure = figure_of(1.0, 1.0)
    return np.asarray(_draw(figure, result.panels, result.boundaries), dtype=object)


def _draw(figure: Any, panels: Sequence[Any], boundaries: Sequence[int]) -> list[Any]:
    """All panels on a figure, whose size and layout are set for them; their axes."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    rows = math.ceil(len(panels) / COLUMNS)
    figure.set_size_inches(PANEL_INCHES * COLUMNS + 0.8, (PANEL_INCHES + 0.7) * rows + 0.9)
    figure.set_layout_engine(ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.07, hspace=0.02))
    axes = list(figure.subplots(rows, COLUMNS, squeeze=False).ravel())
    image = None
    for panel, ax in zip(panels, axes, strict=False):
        image = _draw_panel(ax, panel, boundaries)
    for ax in axes[len(panels) :]:
        ax.set_axis_off()
    _add_key(figure, image, axes)
    return axes[: len(panels)]


def _draw_panel(ax: Any, panel: Any, boundaries: Sequence[int]) -> Any:
    image = ax.imshow(panel.cosines, cmap="RdBu_r", vmin=-1, vmax=1, interpolation="antialiased", rasterized=True)
    for edge in boundaries:
        ax.axhline(edge - 0.5, color="black", lw=0.4, alpha=0.45)
        ax.axvline(edge - 0.5, color="black", lw=0.4, alpha=0.45)
    for spine in ax.spines.values():
        spine.set(color=FRAMES.get(panel.group, spine.get_edgecolor()), linewidth=1.8)
    ax.set_title(TITLES.get(panel.title, panel.title), fontsize=9, fontweight="bold", pad=16)
    ax.text(0.5, 1.035, panel.formula, transform=ax.transAxes, ha="center", va="bottom", fontsize=8.5)
    ax.set_xlabel(" " if panel.auc is None else f"AUC {panel.auc:.3f}", fontsize=9, labelpad=5)
    ax.set_xticks([])
    ax.set_yticks([])
    return image


def _add_key(figure: Any, image: Any, axes: list[Any]) -> None:
    from matplotlib.lines import Line2D

    if image is not None:
        bar = figure.colorbar(image, ax=axes, shrink=0.45, aspect=28, ticks=[-1, -0.5, 0, 0.5, 1], pad=0.015)
        bar.set_label("cosine of two items", fontsize=9)
        bar.ax.tick_params(labelsize=8, length=2)
        bar.outline.set_linewidth(0.5)
    figure.suptitle("One set of predictions, many cosines\n", fontsize=12.5, fontweight="bold", x=0.012, ha="left")
    figure.text(
        0.012, 0.978 - 0.16 / figure.get_figheight(),
        "Cosine of every pair of items of one simulated data set; items by cluster, then by falling popularity. "
        "AUC: are pairs of one cluster the more similar ones?",
        fontsize=8.5, va="top",
    )  # fmt: skip
    handles = [Line2D([], [], color=colour, linewidth=3, label=text) for colour, text in LEGEND]
    figure.legend(
        handles=handles, loc="outside lower left", ncols=len(handles), fontsize=8.5, frameon=False, handlelength=1.4
    )
