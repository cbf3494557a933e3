"""Points and intervals are those of the candidates; what decides is marked by shape as well as by colour."""

from __future__ import annotations

import pytest

from plot_problems import selection_of
from simgauge import Embedding, fix, plot
from simgauge.errors import InputError, ParameterError


@pytest.mark.parametrize("measure", ["gain", "plain", "weighted"])
def test_a_row_a_candidate_with_its_interval(measure):
    selection = selection_of("c")
    ax = plot.evidence(selection, measure)
    intervals, dots = ax.lines[0:12:2], ax.lines[1:12:2]
    changes = [row.gain for row in selection.table]
    assert [tuple(line.get_xdata()) for line in intervals] == [(c.low, c.high) for c in changes]
    assert [line.get_xdata()[0] for line in dots] == [c.value for c in changes]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == [row.name for row in selection.table]
    signs = {row.name: line.get_marker() for row, line in zip(selection.table, dots, strict=True)}
    assert (signs["c(0)"], signs["c(3)"], signs["c(1)"]) == ("D", "s", "o")
    assert dots[5].get_markerfacecolor() == "none", "hollow: it may lose too much"
    assert ax.lines[12].get_xdata()[0] == 1.0


def test_the_best_the_chosen_and_leaving_alone_are_always_shown():
    ax = plot.evidence(selection_of("c"), most=1)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["c(0)", "c(3)"]


def test_points_of_the_trade_are_the_two_measures():
    selection = selection_of("c")
    ax = plot.pareto(selection)
    front, *points = ax.lines
    assert [line.get_xdata()[0] for line in points] == [row.plain.value for row in selection.table]
    assert [line.get_ydata()[0] for line in points] == [row.weighted.value for row in selection.table]
    assert sorted(front.get_xdata()) == sorted(row.plain.value for row in selection.table if row.pareto)
    assert "0.5" in ax.get_ylabel()


def test_what_has_nothing_to_draw_is_told():
    with pytest.raises(InputError, match="made without evidence"):
        plot.evidence(fix(Embedding([[1.0, 0.0], [0.5, 1.0]])))
    with pytest.raises(InputError, match="one measure"):
        plot.pareto(selection_of("c", weighted=False))
    with pytest.raises(InputError, match="no weighted form"):
        plot.evidence(selection_of("c", weighted=False), "weighted")
    with pytest.raises(ParameterError, match="expected one of"):
        plot.evidence(selection_of("c"), "gian")
