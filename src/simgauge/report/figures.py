"""Drawings of the report: plain data in, SVG text out; narrow enough to be read on a phone."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ONE_AT_A_TIME = threading.Lock()
"""The settings of matplotlib belong to the whole process: two threads would restore each other's."""
WIDTH, HEIGHT = 4.6, 2.9
INK, MUTED, ACCENT, WARM = "#1f2933", "#7b8794", "#2563a8", "#c2571a"


def overlap_figure(gauges: Sequence[Mapping[str, Any]]) -> str:
    """Neighbours shared with each canonical gauge, with intervals."""
    figure, axes = _new()
    _draw_intervals(axes, gauges, "overlap", "{:.0%}")
    _share_axis(axes.xaxis)
    axes.set_xlim(0, 1.06)
    axes.set_xlabel("neighbours kept")
    return _svg(figure, "Neighbours shared between the cosine as shipped and the canonical gauges")


def random_gauge_figure(rows: Sequence[Mapping[str, Any]]) -> str:
    """Neighbours that survive random metrics, against their condition number."""
    figure, axes = _new()
    kappa = [1.0] + [row["condition_number"] for row in rows]
    axes.fill_between(
        kappa,
        [1.0] + [row["low"] for row in rows],
        [1.0] + [row["high"] for row in rows],
        color=ACCENT,
        alpha=0.15,
        lw=0,
    )
    axes.plot(kappa, [1.0] + [row["overlap"] for row in rows], "o-", color=ACCENT)
    axes.set_xscale("log")
    axes.set_xticks(kappa, [f"{value:g}" for value in kappa])
    axes.minorticks_off()
    axes.set_ylim(0, 1.05)
    _share_axis(axes.yaxis)
    axes.set_xlabel("condition number κ of the metric")
    axes.set_ylabel("neighbours kept")
    axes.text(0.02, 0.06, "band: 5 % to 95 % of lists", transform=axes.transAxes, fontsize=8, color=MUTED)
    return _svg(figure, "Share of neighbours that survive random changes of gauge")


def curve_figure(curve: Sequence[Mapping[str, float]], key: str, *, label: str, levels: Mapping[str, float]) -> str:
    """A quantity along α, with named horizontal levels."""
    figure, axes = _new()
    axes.plot([point["power"] for point in curve], [point[key] for point in curve], "o-", color=ACCENT)
    for (name, level), color in zip(levels.items(), (WARM, MUTED), strict=False):
        axes.axhline(level, color=color, lw=1.2, ls="--")
        axes.annotate(
            name,
            (1, level),
            (-2, 3),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            ha="right",
            fontsize=8,
            color=color,
        )
    axes.set_xlabel("α: 0 whitened, ½ balanced, 1 projected back")
    axes.set_ylabel(label)
    return _svg(figure, f"{label} along the canonical gauges")


def lines_figure(rows: Sequence[Mapping[str, Any]], lines: Mapping[str, str], *, label: str, title: str) -> str:
    """Quantities against the condition number; `lines` maps a key of the rows to what it is called."""
    figure, axes = _new()
    kappa = [row["condition_number"] for row in rows]
    for (key, name), color in zip(lines.items(), (ACCENT, WARM, MUTED), strict=False):
        axes.plot(kappa, [row[key] for row in rows], "o-", color=color, label=name)
    axes.set_xscale("log")
    axes.set_xticks(kappa, [f"{value:g}" for value in kappa])
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.set_xlabel("condition number κ of the metric")
    axes.set_ylabel(label)
    axes.legend(fontsize=8, frameon=False)
    return _svg(figure, title)


def recall_figure(rows: Sequence[Mapping[str, Any]]) -> str:
    """Held-out recall of each gauge with its interval."""
    figure, axes = _new()
    _draw_intervals(axes, rows, "recall", "{:.3f}")
    axes.set_xlim(left=0)
    axes.set_xlabel("held-out recall, 95 % interval")
    return _svg(figure, "Held-out recall of each gauge of the same model")


def _draw_intervals(axes: Axes, rows: Sequence[Mapping[str, Any]], key: str, form: str) -> None:
    """A dot with its interval for each gauge, the best one in another colour."""
    for position, row in enumerate(rows):
        color = WARM if row.get("best") else ACCENT
        axes.plot(row["interval"], [position, position], color=color, lw=2, solid_capstyle="round")
        axes.plot(row[key], position, "o", color=color, ms=7)
        axes.annotate(
            form.format(row[key]),
            (row[key], position),
            (0, 8),
            textcoords="offset points",
            ha="center",
            fontsize=9,
            color=INK,
        )
    axes.set_yticks(range(len(rows)), [str(row["gauge"]) for row in rows])
    axes.set_ylim(-0.6, len(rows) - 0.2)
    axes.invert_yaxis()


def cosine_panel(names: Sequence[str], cosines: Any) -> str:
    """Cosines among the same few items in one gauge."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, 2.75), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(cosines, cmap="RdBu_r", vmin=-1, vmax=1, interpolation="nearest")
    size = 8 if len(names) <= 16 else 5.5
    axes.set_xticks([])
    axes.set_yticks(range(len(names)), [name if len(name) < 26 else name[:24] + "…" for name in names], fontsize=size)
    axes.tick_params(length=0, colors=INK)
    bar = figure.colorbar(image, ax=axes, shrink=0.8, ticks=[-1, 0, 1])
    bar.ax.tick_params(labelsize=8)
    bar.set_label("cosine", fontsize=8)
    return _svg(figure, "Cosines among the same items in one gauge")


def _new() -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    axes = figure.add_subplot()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.grid(alpha=0.25, lw=0.6)
    axes.tick_params(labelsize=9, colors=INK)
    return figure, axes


def _share_axis(axis: Any) -> None:
    from matplotlib.ticker import PercentFormatter

    axis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def _svg(figure: Figure, title: str) -> str:
    """SVG element with a title for screen readers; the same bytes for the same data."""
    with drawn_alike():
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Title": title})
    text = buffer.getvalue()
    return text[text.index("<svg") :].replace("<svg ", '<svg role="img" ', 1)


@contextmanager
def drawn_alike(more: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Settings of matplotlib by which the same data give the same bytes, and more; threads wait for each other."""
    import matplotlib as mpl

    settings: Any = {"svg.hashsalt": "simgauge", "svg.fonttype": "path", **(more or {})}
    with _ONE_AT_A_TIME, mpl.rc_context(settings):
        yield
