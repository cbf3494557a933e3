"""What is wrong with a frame is told alike, whether events or vectors are read from it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from simgauge.errors import InputError
from simgauge.read.embedding_files import read_embedding
from simgauge.read.interactions import read_interactions
from simgauge.read.sources.frames import arrow_of_frame

COLUMNS = {"user": [1, 2], "item": [3, 4]}


@pytest.mark.parametrize("frame", [pd.DataFrame(COLUMNS), pl.DataFrame(COLUMNS), pl.LazyFrame(COLUMNS)], ids=type)
def test_frames_are_tables(frame: Any) -> None:
    assert arrow_of_frame(frame, "a frame").equals(pa.table(COLUMNS))


@pytest.mark.parametrize("read", [read_embedding, read_interactions])
def test_a_frame_that_cannot_be_read_is_told_why(read: Any) -> None:
    """It is not told that a frame was expected."""
    with pytest.raises(InputError, match=r"the frame cannot be read: .*'a' 2 times$"):
        read(pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], columns=["a", "a"]))
    with pytest.raises(InputError, match="mixes types"):
        read(pd.DataFrame({"a": [1.0, "x", None], "b": [1.0, 2.0, 3.0]}))
    with pytest.raises(InputError, match=r"expected a path.*received builtins\.object"):
        read(object())
