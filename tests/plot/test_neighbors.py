"""Bars and lines are the lists of the result."""

from __future__ import annotations

import numpy as np
import pytest

from plot_problems import comparison_of
from simgauge import plot
from simgauge.errors import ParameterError


def test_bars_are_the_scores_and_hatched_ones_are_new():
    comparison = comparison_of("tea")
    lists = comparison.of("3 tea")
    axes = plot.gauges(comparison, "3 tea")
    assert len(axes) == len(lists)
    first = set(lists[0].ids)
    for ax, entry in zip(axes, lists, strict=True):
        assert [bar.get_width() for bar in ax.patches] == list(entry.scores)
        assert [tick.get_text() for tick in ax.get_yticklabels()] == list(entry.names)
        assert [bool(bar.get_hatch()) for bar in ax.patches] == [known not in first for known in entry.ids]
        assert ax.yaxis_inverted(), "the nearest is on top"


def test_lines_are_the_places_in_the_lists():
    comparison = comparison_of("tea")
    lists = comparison.of("0 tea")
    lines = {line.get_label(): line.get_ydata() for line in plot.neighbors_along(comparison).lines}
    assert set(lines) == {name for entry in lists for name in entry.names}
    for name, places in lines.items():
        expected = [entry.names.index(name) + 1 if name in entry.names else np.nan for entry in lists]
        np.testing.assert_array_equal(places, expected)


def test_what_cannot_be_drawn_is_refused():
    comparison = comparison_of("tea")
    with pytest.raises(ParameterError, match="is not in this comparison, which has '0 tea', '3 tea'"):
        plot.gauges(comparison, "milk")
    with pytest.raises(ParameterError, match="received 1 for 4 gauges"):
        plot.gauges(comparison, axes=[None])
