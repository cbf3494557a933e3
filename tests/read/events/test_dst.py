"""The DST format: visits with titles; a damaged line is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from simgauge.errors import InputError
from simgauge.read.events.dst import read_dst
from simgauge.read.interactions import read_interactions

DST = """I,4,"www.example.com","created"
T,1,"VRoot",0,0,"VRoot"
N,0,"0"
A,1000,1,"Tea, green","/tea"
A,1001,1,"<b>Milk</b>","/milk"
A,1002,1,"Never","/never"
C,"10001",10001
V,1000,1
V,1001,1
C,"10002",10002
C,"10003",10003
V,1001,1
"""


@pytest.fixture
def visits(tmp_path: Path) -> Path:
    path = tmp_path / "visits.data"
    path.write_text(DST)
    return path


def test_read(visits: Path) -> None:
    for found in (read_dst(visits), read_interactions(visits)):
        assert found.matrix.toarray().tolist() == [[1.0, 1.0], [0.0, 1.0]]
        assert found.user_ids.tolist() == [10001, 10003]
        assert found.item_ids.tolist() == [1000, 1001]
        assert found.item_names is not None
        assert found.item_names.tolist() == ["Tea, green", "<b>Milk</b>"]
        assert (found.report["items_never_visited"], found.report["users_without_visits"]) == (1, 1)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (("V,1001,1\n", "V,9,1\n"), "line 9 .'V,9,1'.: item 9 has no A line"),
        (('C,"10001",10001\n', ""), "line 7 .'V,1000,1'.: a visit before the first user"),
        (("V,1000,1", "X,1000,1"), "expected a line that begins with"),
        (('A,1002,1,"Never","/never"', "A,1002"), "line 6"),
        (("V,1000,1", "V,many,1"), "line 8"),
        (("V,100", "N,100"), "holds no visits"),
    ],
)
def test_damaged_lines(visits: Path, change: tuple[str, str], text: str) -> None:
    visits.write_text(DST.replace(*change))
    with pytest.raises(InputError, match=text):
        read_dst(visits)


def test_binary_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes(99))
    with pytest.raises(InputError, match="is not text"):
        read_dst(tmp_path / "x")
