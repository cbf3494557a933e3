"""Conventions of text tables are recognised, and what is given is believed."""

from __future__ import annotations

from pathlib import Path

import pytest

from simgauge.errors import InputError
from simgauge.read.sources.delimited import sniff_dialect


@pytest.mark.parametrize(
    ("text", "delimiter", "header", "names"),
    [
        ("196\t242\t3\t881250949\n186\t302\t3\t891717742\n", "\t", False, 4),
        ("user_id,item_id,rating\n1,2,3\n", ",", True, 3),
        ("a;b\n1;2,5\n3;4,5\n", ";", True, 2),
        ("1::1193::5::978300760\n1::661::3::978302109\n", "::", False, 4),
        ("1|Toy Story (1995)|01-Jan-1995||http://x?a,b\n2|GoldenEye, The|01-Jan-1995||http://y\n", "|", False, 5),
        ("user,item\nann,tea\nbob,milk\n", ",", True, 2),
        ("ann,tea\nbob,milk\n", ",", False, 2),
        ("id,0,1,2\nx,0.1,0.2,0.3\n", ",", True, 4),
        ("0,1,2\n0.5,1.5,2.5\n", ",", True, 3),
        ("0,1,2\n3,4,5\n", ",", False, 3),
        ("alpha beta\n", " ", False, 2),
        ('"user","item"\n"a,b","c"\n', ",", True, 2),
        ("1 2 3\n4 5 6\n", " ", False, 3),
        ("Who\tWhat\tn\n1\t2\t3\n", "\t", True, 3),
    ],
)
def test_recognised(tmp_path: Path, text: str, delimiter: str, header: bool, names: int) -> None:
    path = tmp_path / "table"
    path.write_text(text)
    found = sniff_dialect(path)
    assert (found.delimiter, found.has_header, len(found.names)) == (delimiter, header, names)


def test_given_conventions_are_believed(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("ann,tea\nbob,milk\n")
    assert sniff_dialect(path, has_header=True).names == ("ann", "tea")
    assert sniff_dialect(path, wanted=["tea"]).has_header
    assert sniff_dialect(path, delimiter=";").names == ("column0",)
    assert "has_header=True" in " ".join(sniff_dialect(path).notes)


def test_encodings(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes("user,café\n1,2\n".encode("latin-1"))
    assert sniff_dialect(path).names == ("user", "café")
    assert "latin-1" in " ".join(sniff_dialect(path).notes)
    with pytest.raises(InputError, match="is not utf-8"):
        sniff_dialect(path, encoding="utf-8")
    with pytest.raises(InputError, match="'utf-9' is not known"):
        sniff_dialect(path, encoding="utf-9")
    path.write_bytes("user,item\n1,2\n".encode("utf-8-sig"))
    assert sniff_dialect(path).names == ("user", "item")
    path.write_bytes(b"\n\n")
    with pytest.raises(InputError, match="no line of data"):
        sniff_dialect(path)
