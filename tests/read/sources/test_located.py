"""A source is located and looked into once."""

from __future__ import annotations

import sys

import pytest

from simgauge.errors import InputError
from simgauge.read.interactions import read_interactions
from simgauge.read.sources.located import locate

OPENED: list[str] = []


def _note(event, arguments):
    if event == "open":
        OPENED.append(str(arguments[0]))


sys.addaudithook(_note)


def test_a_text_table_is_opened_for_its_kind_its_beginning_and_its_compression_and_then_read(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("user,item\n1,2\n2,5\n")
    OPENED.clear()
    assert read_interactions(path).nnz == 2
    assert OPENED.count(str(path)) == 3, "DuckDB, which reads it, is not seen here"


def test_what_is_located(tmp_path):
    (tmp_path / "a.csv").write_text("user,item\n1,2\n")
    found = locate(tmp_path)
    assert (found.single, found.content, found.head[:4]) == (True, "text", b"user")
    (tmp_path / "b.parquet").write_bytes(b"PAR1" + bytes(20) + b"PAR1")
    with pytest.raises(InputError, match="different kinds: Parquet, text"):
        locate(tmp_path)
    assert locate([[1.0]]) is None
    assert locate("postgresql://there") is None
    with pytest.raises(InputError, match="address that is not known"):
        read_interactions("s3://bucket/events.csv")
