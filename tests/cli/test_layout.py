"""Tables hold every cell at every width, words whole, and never a line that is too long."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from simgauge.cli.layout import Grid, Name, cut, fitting

ROWS = [
    ["warn", "Neighbours across gauges", "0.31"],
    ["ok", "Zero vectors", "none of the items has a vector of zeros"],
]


def shown(grid, width):
    stream = io.StringIO()
    Console(file=stream, width=width, highlight=False).print(grid)
    return stream.getvalue()


def grid(rows=ROWS, columns=("verdict", "finding", "#measured"), **how):
    return Grid("A title", columns, [[Text(cell) for cell in row] for row in rows], **how)


@pytest.mark.parametrize("by_columns", [False, True])
@pytest.mark.parametrize("width", [20, 25, 30, 40, 60, 80, 120])
def test_every_word_is_shown_whole_and_no_line_is_too_long(width, by_columns):
    text = shown(grid(by_columns=by_columns), width)
    assert all(cell_len(line) <= width for line in text.split("\n"))
    words = text.replace(":", "").split()
    assert {word for row in ROWS for cell in row for word in cell.split()} <= set(words)


def test_columns_stand_side_by_side_where_there_is_room_and_under_each_other_where_there_is_none():
    wide = shown(grid(), 120).split("\n")
    assert wide[1].split() == ["verdict", "finding", "measured"]
    assert wide[2].rstrip().endswith("0.31")
    narrow = shown(grid(), 24)
    assert "  finding: Neighbours" in narrow
    listed = shown(grid(columns=("some gauge", "another gauge", "a third"), by_columns=True), 24)
    assert listed.index("another gauge") > listed.index("ok"), "one list after the other"


def test_numbers_are_aligned_to_the_right():
    lines = shown(grid([["a", "b", "1"], ["a", "b", "1000"]]), 80).split("\n")
    assert lines[2].index("1") > lines[3].index("1")


def test_long_names_are_cut_in_the_middle_and_their_score_stays():
    rows = [[Name("x" * 10_000 + "  0.91")], [Name("short  0.90")]]
    text = shown(Grid("", ["gauge"], rows), 40)
    assert all(len(line) <= 40 for line in text.split("\n"))
    assert "…" in text
    assert "0.91" in text
    assert cell_len(cut("日" * 50, 11)) <= 11


def test_control_without_room_for_the_longest_words_nothing_is_side_by_side():
    assert fitting([["abc"], ["defg"]], 9) == [3, 4]
    assert fitting([["abc"], ["defg"]], 8) is None
