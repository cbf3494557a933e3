"""Intervals are those of the result."""

from __future__ import annotations

import pytest

from plot_problems import bounds_of
from simgauge import plot
from simgauge.errors import InputError


def test_a_line_a_pair_from_low_to_high_and_a_dot_for_the_cosine():
    low, high = bounds_of()
    cosines = [0.1, 0.2, 0.3, 0.4]
    ax = plot.bounds((low, high), cosines=cosines)
    assert [tuple(line.get_xdata()) for line in ax.lines[:4]] == list(zip(low, high, strict=True))
    assert list(ax.lines[4].get_xdata()) == cosines
    assert list(ax.lines[4].get_ydata()) == [0, 1, 2, 3]


def test_no_pairs_and_too_few_names():
    plot.bounds(([], []))
    with pytest.raises(InputError, match="names: received 1 for 4 pairs"):
        plot.bounds(bounds_of(), names=["tea"])
