"""Draw docs/same-predictions.png, the picture of the README: one model of section 4 of the paper in four gauges.

.venv/bin/python scripts/build_figures.py
"""

from __future__ import annotations

from pathlib import Path

from simgauge.paper.reproduction import reproduce

TARGET = Path(__file__).parents[1] / "docs" / "same-predictions.png"
TITLES = {
    "true clusters": "what is true",
    "anti-correlated": "V√s / σ",
    "whitened": "whitened: V",
    "minimum-norm": "as trained: V√s",
    "projected": "projected back: Vσs",
}


def main() -> None:
    """Simulate, fit, draw."""
    from matplotlib.figure import Figure

    result = reproduce(n_seeds=1)
    panels = {panel.title: panel for panel in result.panels}
    figure = Figure(figsize=(11, 2.75), layout="constrained")
    image = None
    for ax, (name, title) in zip(figure.subplots(1, len(TITLES)), TITLES.items(), strict=True):
        panel = panels[name]
        image = ax.imshow(panel.cosines, cmap="RdBu_r", vmin=-1, vmax=1, interpolation="antialiased")
        ax.set_title(title, fontsize=10)
        ax.set_xlabel("" if panel.auc is None else f"clusters recognised: AUC {panel.auc:.2f}", fontsize=9)
        ax.set_xticks([])
        ax.set_yticks([])
    figure.colorbar(image, ax=figure.axes, ticks=[-1, 0, 1], pad=0.01).set_label("cosine", fontsize=9)
    TARGET.parent.mkdir(exist_ok=True)
    figure.savefig(TARGET, dpi=110)
    print(f"wrote {TARGET.name}, {TARGET.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
