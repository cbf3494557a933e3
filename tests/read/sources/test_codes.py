"""Ids become row numbers, whatever the batches."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simgauge.errors import InputError
from simgauge.read.sources import codes
from simgauge.read.sources.codes import Coder


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=4)), min_size=1, max_size=30), st.integers(1, 7))
def test_codes_point_at_their_ids_for_any_batches(labels: list[str | None], size: int) -> None:
    coder = Coder("user", "text")
    for start in range(0, len(labels), size):
        coder.add(pa.array(labels[start : start + size], pa.string()))
    found, ids = coder.finish()
    assert [None if code < 0 else ids[code] for code in found] == labels
    assert ids.tolist() == sorted({label for label in labels if label is not None})


def test_dictionaries_of_several_encodings_are_merged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codes, "ROWS_PER_ENCODING", 2)
    coder = Coder("item", "integer")
    for values in ([9, 7], [7, 8], [9, None], [1, 1]):
        coder.add(pa.array(values, pa.int64()))
    found, ids = coder.finish()
    assert ids.tolist() == [1, 7, 8, 9]
    assert found.tolist() == [3, 1, 1, 2, 3, -1, 0, 0]


@pytest.mark.parametrize(
    ("meaning", "labels", "expected"),
    [
        ("untyped", ["10", "9", " 9 "], [9, 10]),
        ("untyped", ["10", "09"], ["09", "10"]),
        ("untyped", ["10", "x"], ["10", "x"]),
        ("untyped", ["-3", "0"], [-3, 0]),
        ("text", ["10", "9"], ["10", "9"]),
        ("untyped", ["9223372036854775807"], [2**63 - 1]),
        ("untyped", ["1.0", "1", "2."], [1, 2]),
        ("untyped", ["1.0", "1.5"], ["1.0", "1.5"]),
        ("untyped", ["1.0", "01"], ["01", "1.0"]),
    ],
)
def test_what_counts_as_an_integer(meaning: str, labels: list[str], expected: list[object]) -> None:
    coder = Coder("item", meaning)
    coder.add(pa.array(labels))
    assert coder.finish()[1].tolist() == expected


def test_integers_beyond_64_bits_stay_text() -> None:
    coder = Coder("item", "untyped")
    coder.add(pa.array(["1", "9223372036854775808"]))
    assert coder.finish()[1].tolist() == ["1", "9223372036854775808"]


def test_floats_that_are_integers_and_floats_that_are_not() -> None:
    coder = Coder("user", "float")
    coder.add(pa.array([3.0, float("nan"), None, 1.0]))
    found, ids = coder.finish()
    assert (found.tolist(), ids.tolist()) == ([1, -1, -1, 0], [1, 3])
    assert ids.dtype == np.int64
    for value in (1.5, 2.0**60):
        coder = Coder("user", "float")
        coder.add(pa.array([value]))
        with pytest.raises(InputError, match="no exact integer"):
            coder.finish()
