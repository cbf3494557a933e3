"""Labels from files of their own, in row order or joined by id."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simgauge.errors import InputError
from simgauge.read.sources.names import names_for, read_labels, read_names


@pytest.fixture
def u_item(tmp_path: Path) -> Path:
    """As MovieLens writes it: no header, bars, latin-1, quotes inside."""
    path = tmp_path / "u.item"
    path.write_bytes('1|Toy "Story"|01-Jan|x\n3|Misérables, Les|02-Jan|y\n2|"Café", the|03-Jan|\n'.encode("latin-1"))
    return path


def test_names_by_id_of_a_table_without_header(u_item: Path) -> None:
    assert read_names(u_item) == {1: 'Toy "Story"', 3: "Misérables, Les", 2: '"Café", the'}
    assert read_names(f"{u_item}:2")[3] == "02-Jan"


def test_labels_in_row_order(tmp_path: Path, u_item: Path) -> None:
    (tmp_path / "words.txt").write_text("a b\nc,d\n\té\n", encoding="utf-8")
    assert read_labels(tmp_path / "words.txt").tolist() == ["a b", "c,d", "\té"]
    (tmp_path / "ids.txt").write_text("7\r\n5\r\n")
    assert read_labels(tmp_path / "ids.txt").tolist() == [7, 5]
    assert read_labels(u_item).tolist() == [1, 3, 2]
    assert read_labels(u_item, role="names").tolist()[1] == "Misérables, Les"
    pq.write_table(pa.table({"x": [1.5], "title": ["<b>"], "movieId": ["m1"]}), tmp_path / "m.parquet")
    assert read_labels(tmp_path / "m.parquet").tolist() == ["m1"]
    assert read_labels(tmp_path / "m.parquet", role="names").tolist() == ["<b>"]
    np.save(tmp_path / "ids.npy", np.array([4, 2]))
    assert read_labels(tmp_path / "ids.npy").tolist() == [4, 2]


def test_a_column_that_numbers_the_rows_orders_them(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("row,movie_id\n2,30\n0,10\n1,20\n")
    assert read_labels(tmp_path / "rows.csv").tolist() == [10, 20, 30]
    (tmp_path / "rows.csv").write_text("row,movie_id\n5,30\n0,10\n1,20\n")  # no numbering of these rows
    assert read_labels(tmp_path / "rows.csv").tolist() == [30, 10, 20]


def test_labels_that_cannot_be_told(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("alpha,beta,gamma\n1,2,3\n")
    with pytest.raises(InputError, match=r"3 columns .*; say which holds the ids, such as t\.csv:alpha"):
        read_labels(path)
    with pytest.raises(InputError, match="no column 'delta' for ids"):
        read_labels(f"{path}:delta")
    with pytest.raises(InputError, match="does not exist"):
        read_labels(tmp_path / "other.csv")
    path.write_text("id,name\n1,a\n,b\n")
    with pytest.raises(InputError, match="1 of 2 labels are missing"):
        read_labels(path)
    path.write_text("only\nx\n")
    with pytest.raises(InputError, match="has one column"):
        read_names(path)


def test_names_for_ids() -> None:
    ids = np.array([1, 2, 3])
    labels, counts = names_for(ids, {"1": "one", 3: "three", 9: "nine"})
    assert labels.tolist() == ["one", "2", "three"]
    assert counts == {"named": 2, "without_name": 1}
    assert names_for(ids, ["a", "b", "c"])[0].tolist() == ["a", "b", "c"]
    with pytest.raises(InputError, match="2 names for 3 ids"):
        names_for(ids, ["a", "b"])
    with pytest.raises(InputError, match=r"none of the 3 ids .such as 1. is among the 1"):
        names_for(ids, {"x": "y"})
