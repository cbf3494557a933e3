"""Lines are broken between words only, at every width."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from simgauge.cli.wrapping import PIPED_WIDTH, width_of_output, wrapped, wrapped_text

WORDS = st.lists(st.text("abcäλ-./", min_size=1, max_size=12), min_size=1, max_size=30)


@given(WORDS, st.integers(1, 60), st.integers(0, 4), st.integers(0, 3))
def test_words_stay_whole_and_in_order_and_lines_are_as_full_as_they_can_be(words, width, indent, hanging):
    lines = [line.plain for line in wrapped(Text(" " * indent + " ".join(words)), width, hanging)]
    assert [word for line in lines for word in line.split()] == words
    for number, line in enumerate(lines):
        assert cell_len(line) <= width or len(line.split()) == 1, "only a word that is longer than a line"
        before = indent + (hanging if number else 0)
        assert len(line) - len(line.lstrip()) == before or len(words) == 1
        if number + 1 < len(lines):
            assert cell_len(line) + 1 + cell_len(lines[number + 1].split()[0]) > width, "the next word had room"


def test_scripts_without_spaces_are_broken_where_the_line_ends():
    name = "日本語の名前" * 6
    lines = wrapped_text(f"see {name}", 20).split("\n")
    assert all(cell_len(line) <= 20 for line in lines)
    assert "".join(lines).replace(" ", "") == f"see{name}"


def test_styles_stay_with_their_words():
    text = Text.assemble("one two ", ("three", "bold"), " four")
    lines = list(wrapped(text, 8))
    assert [line.plain for line in lines] == ["one two", "three", "four"]
    assert [span.style for span in lines[1].spans] == ["bold"]
    assert not lines[2].spans, "control"


def test_ends_of_lines_stay():
    assert wrapped_text("a\n\nb c", 2) == "a\n\nb\nc"


@pytest.mark.parametrize(
    ("columns", "width"),
    [("40", 40), ("200", 200), ("7", 20), ("", PIPED_WIDTH), ("no", PIPED_WIDTH), ("0", PIPED_WIDTH)],
)
def test_columns_decides_the_width_of_what_is_piped(monkeypatch, columns, width):
    monkeypatch.setenv("COLUMNS", columns)
    assert width_of_output(is_terminal=False) == width
