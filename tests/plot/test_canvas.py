"""Laws of every picture: nothing is clipped, no setting is changed, threads may draw, and every format is written."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from plot_problems import LONG, SHORT, bounds_of, comparison_of, path_of, selection_of
from simgauge import plot, reproduce
from simgauge.errors import MissingDependencyError
from simgauge.plot.canvas import label


@pytest.fixture(scope="module")
def reproduced():
    return reproduce(n_users=120, n_items=20, n_clusters=2, n_components=4, l2_product=5, l2_factors=1, n_seeds=1)


PICTURES = {
    "gauges": lambda name: plot.gauges(comparison_of(name)),
    "neighbors_along": lambda name: plot.neighbors_along(comparison_of(name)),
    "bounds": lambda name: plot.bounds(bounds_of(), cosines=[0.1] * 4, names=[name] * 4),
    "evidence": lambda name: plot.evidence(selection_of(name)),
    "pareto": lambda name: plot.pareto(selection_of(name)),
    "strength_path": lambda _: plot.strength_path(path_of()),
}


def figure_of(axes):
    return np.ravel(np.asarray(axes, dtype=object))[0].figure


def clipped(figure):
    """By how many inches what is drawn goes beyond the figure; 0 where it lies within."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn, (width, height) = figure.get_tightbbox(canvas.get_renderer()), figure.get_size_inches()
    beyond = max(-drawn.x0, -drawn.y0, drawn.x1 - width, drawn.y1 - height)
    return max(0.0, beyond - 1 / figure.dpi)


@pytest.mark.parametrize("named", [SHORT, LONG], ids=["short names", "long names"])
@pytest.mark.parametrize("picture", PICTURES)
def test_no_label_is_clipped(picture, named):
    assert clipped(figure_of(PICTURES[picture](named))) == 0


def test_control_a_clipped_label_is_seen():
    from matplotlib.figure import Figure

    figure = Figure()
    figure.text(0.9, 0.5, "a text that goes beyond the edge of the figure")
    assert clipped(figure)


def test_no_label_of_the_reproduction_is_clipped(reproduced):
    axes = plot.reproduction(reproduced)
    assert clipped(axes[0].figure) == 0
    assert len(axes) == len(reproduced.panels)
    for ax, panel in zip(axes, reproduced.panels, strict=True):
        assert np.array_equal(ax.images[0].get_array(), panel.cosines)


SIGNS = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


@pytest.mark.parametrize(("style", "formats"), [("default", ["svg", "pdf"]), ("dark_background", ["png"])])
@pytest.mark.parametrize("picture", PICTURES)
def test_settings_stay_and_every_format_is_written(picture, style, formats, tmp_path):
    import matplotlib as mpl
    import matplotlib.style

    with matplotlib.style.context(style):
        before = dict(mpl.rcParams)
        figure = figure_of(PICTURES[picture]("tea"))
        for suffix, sign in ((suffix, SIGNS[suffix]) for suffix in formats):
            figure.savefig(tmp_path / f"x.{suffix}")
            assert (tmp_path / f"x.{suffix}").read_bytes().startswith(sign)
        assert dict(mpl.rcParams) == before


def test_threads_draw_the_same_and_leave_pyplot_alone(tmp_path):
    from matplotlib import pyplot

    def drawn(number):
        ax = plot.evidence(selection_of("tea"))
        ax.figure.savefig(tmp_path / f"{number}.png", metadata={"Software": None})
        return (tmp_path / f"{number}.png").read_bytes()

    before = pyplot.get_fignums()
    with ThreadPoolExecutor(3) as pool:
        assert len(set(pool.map(drawn, range(6)))) == 1
    assert pyplot.get_fignums() == before
    plot.evidence(selection_of("tea"))
    assert len(pyplot.get_fignums()) == len(before) + 1, "control: in the main thread it is one of pyplot's"
    pyplot.close("all")


def test_given_axes_are_drawn_on():
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()
    assert plot.evidence(selection_of("tea"), ax=ax) is ax
    assert plot.bounds(bounds_of(), ax=ax) is ax


def test_without_matplotlib_the_pip_line_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'simgauge\[plot\]'"):
        plot.evidence(selection_of("tea"))


def test_labels_tell_names_apart_that_end_differently():
    one, other = (label(f"{'the same beginning ' * 5}{end}") for end in ("one", "two"))
    assert one != other
    assert one.count("\n") == 1
    assert label("a\x1b[2J\tb") == "a [2J b"
