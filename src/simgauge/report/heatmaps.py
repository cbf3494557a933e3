"""The figure of section 4: item-item cosines in every gauge, side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

COLUMNS = 4
PANEL = 2.15
DPI = 160


def draw_heatmaps(panels: Sequence[Any], boundaries: Sequence[int], path: Path, file_format: str) -> None:
    """Draw heat maps on one colour scale.

    Parameters
    ----------
    panels : sequence
        With ``title``, ``formula``, ``cosines`` (square, in display order) and ``auc`` (or None).
    boundaries : sequence of int
        Where a cluster ends.
    path : Path
        Written to.
    file_format : {"png", "svg"}
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    rows = math.ceil(len(panels) / COLUMNS)
    figure = Figure(figsize=(PANEL * COLUMNS + 0.7, (PANEL + 0.62) * rows + 0.3), layout="constrained")
    axes = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    image = None
    for panel, ax in zip(panels, axes, strict=False):
        image = ax.imshow(panel.cosines, cmap="RdBu_r", vmin=-1, vmax=1, interpolation="antialiased")
        for edge in boundaries:
            ax.axhline(edge - 0.5, color="black", lw=0.35, alpha=0.6)
            ax.axvline(edge - 0.5, color="black", lw=0.35, alpha=0.6)
        ax.set_title(panel.title + (f"\n{panel.formula}" if panel.formula else "\n"), fontsize=8.5, linespacing=1.3)
        ax.set_xlabel("" if panel.auc is None else f"AUC {panel.auc:.3f}", fontsize=8.5)
        ax.set_xticks([])
        ax.set_yticks([])
    for ax in axes[len(panels) :]:
        ax.set_axis_off()
    if image is not None:
        bar = figure.colorbar(image, ax=list(axes), shrink=0.4, ticks=[-1, 0, 1], pad=0.01)
        bar.set_label("cosine of two items", fontsize=8.5)
    figure.suptitle(
        "Item-item cosines of one simulated data set. The gauges of Eq. 1 (“whitened” to “anti-correlated”) make the same "
        "predictions.",
        fontsize=9,
    )
    metadata: dict[str, Any] = {"Date": None} if file_format == "svg" else {}
    with mpl.rc_context({"svg.hashsalt": "simgauge"}):
        figure.savefig(path, format=file_format, dpi=DPI, metadata=metadata)
