"""Text tables as people write them: read to the last number, or a question that names what to pass."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from read.vectors.table_problem import COUNTED, NUMBERS, ROWS, TABLE, WORDS, assert_whole, lines, read, wrote
from simgauge.errors import InputError
from simgauge.read.vectors import text_batches

HEADER = "id,a,b,c,d\n"
LIST_HEADER = "id,embedding\n"


@pytest.mark.parametrize(
    ("name", "content", "ids"),
    [
        ("headerless.csv", lines(), WORDS),
        ("headerless.tsv", lines("\t"), WORDS),
        ("numbers.csv", lines(ids=None), COUNTED),
        ("numbers.tsv", lines("\t", None), COUNTED),
        ("savetxt.txt", lines(" ", None), COUNTED),
        ("aligned.txt", "".join("  ".join(f"{x: .8e}" for x in row) + "\n" for row in ROWS), COUNTED),
        ("comment.txt", lines(" ", None, "# a b c d\n"), COUNTED),
        ("comments.csv", lines(header="# made by hand\n#\n" + HEADER), WORDS),
        ("commented header.csv", lines(header="#id,a,b,c,d\n"), WORDS),
        ("pipe.txt", lines("|", header=HEADER.replace(",", "|")), WORDS),
        ("bom.csv", ("\ufeff" + lines(header=HEADER)).encode(), WORDS),
        ("utf16.csv", lines(header=HEADER).encode("utf-16"), WORDS),
        ("crlf.csv", lines(header=HEADER).replace("\n", "\r\n"), WORDS),
        ("cr.csv", lines(header=HEADER).replace("\n", "\r"), WORDS),
        ("blank lines.csv", lines(header=HEADER).replace("\n", "\n\n"), WORDS),
        ("trailing.csv", lines(header=HEADER).replace("\n", ",\n"), WORDS),
        ("from 1.csv", lines(header="word,1,2,3,4\n"), WORDS),
        ("from 0.csv", lines(ids=NUMBERS, header=",0,1,2,3\n"), NUMBERS),
        ("all counted.csv", lines(ids=NUMBERS, header="0,1,2,3,4\n"), NUMBERS),
        ("counted in fractions.csv", lines(header="item,0.0,1.0,2.0,3.0\n"), WORDS),
        ("R.csv", lines(ids=[f'"{word}"' for word in WORDS], header='"","V1","V2","V3","V4"\n'), WORDS),
        ("R.tsv", lines("\t", header="V1\tV2\tV3\tV4\n"), WORDS),
        ("R.txt", lines(" ", [f'"{word}"' for word in WORDS], '"V1" "V2" "V3" "V4"\n'), WORDS),
        ("only counted.csv", lines(ids=None, header="0,1,2,3\n"), COUNTED),
        ("a number in front.txt", lines(" ", NUMBERS), NUMBERS),
        ("signs.txt", lines("::", header="id::a::b::c::d\n"), WORDS),
    ],
)
def test_read_whole(name: str, content: str | bytes, ids: list[object], tmp_path: Path) -> None:
    assert_whole(wrote(tmp_path / name, content), ids)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_decimal_commas_are_a_question(separator: str, tmp_path: Path) -> None:
    path = wrote(tmp_path / "x.csv", lines(separator, header=HEADER.replace(",", separator), decimal=","))
    with pytest.raises(InputError, match=r"column 'a' holds numbers with a comma.*decimal=',' \(--decimal ,\)"):
        read(path)
    assert_whole(path, WORDS, decimal=",")


def test_a_header_or_a_row_is_a_question(tmp_path: Path) -> None:
    path = wrote(tmp_path / "x.csv", "0,1\n" + "".join(f"{n % 7},{n % 5}\n" for n in range(20)))
    with pytest.raises(InputError, match=r"may name the columns or be a row.*--header.*--no-header"):
        read(path)
    assert read(path, has_header=True)[0].n_items == 20
    assert read(path, has_header=False)[0].n_items == 21


def _list_csv(path: Path, cells: list[str], **more: list[str]) -> Path:
    pd.DataFrame({"id": WORDS, **more, "embedding": cells}).to_csv(path, index=False)
    return path


LISTS = {
    "json": json.dumps,
    "numpy": lambda row: str(np.array(row)),
    "numpy in lines": lambda row: np.array2string(np.array(row), max_line_width=20),
    "postgres": lambda row: "{" + ",".join(map(str, row)) + "}",
    "blanks": lambda row: " ".join(map(str, row)),
    "tuple": lambda row: str(tuple(row)),
    "array()": lambda row: f"array({row}, dtype=float32)",
}


@pytest.mark.parametrize("form", LISTS)
def test_lists_in_cells(form: str, tmp_path: Path) -> None:
    cells = [LISTS[form]([round(value, 6) for value in row]) for row in ROWS]
    titles = ['A, the "b"'] * 40
    for path in (_list_csv(tmp_path / "x.csv", cells), _list_csv(tmp_path / "y.csv", cells, title=titles)):
        found, understood = read(path)
        assert np.allclose(found.items, TABLE, atol=1e-6)
        assert found.item_ids.tolist() == WORDS
        assert understood["vectors"] == "column embedding"
    assert found.item_names.tolist() == titles


def test_vectors_that_numpy_shortened_are_lost(tmp_path: Path) -> None:
    path = _list_csv(tmp_path / "x.csv", ["[ 1.5  0.25 ...  3.5 ]"] * 40)
    with pytest.raises(InputError, match=r"x\.csv, line 2: column 'embedding' holds a vector that NumPy has shortened"):
        read(path)


def test_lists_without_quotes(tmp_path: Path) -> None:
    semicolon = "".join(f"{word};{row}\n" for word, row in zip(WORDS, ROWS, strict=True))
    assert_whole(wrote(tmp_path / "x.csv", "id;embedding\n" + semicolon), WORDS)
    assert_whole(wrote(tmp_path / "x.tsv", semicolon.replace(";", "\t")), WORDS)
    cut = wrote(tmp_path / "y.csv", LIST_HEADER + semicolon.replace(";", ","))
    for path in (cut, wrote(tmp_path / "w.txt", semicolon.replace(";", " "))):
        with pytest.raises(InputError, match=r"lists in brackets are cut by the delimiter ','"):
            read(path)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (lines(header=HEADER) + "w40,0.1,0.2\n", r"x\.csv, line 42: 3 fields where 5 are expected \('w40,0\.1,0\.2'\)"),
        (lines(header=HEADER) + HEADER, r"x\.csv, line 42: column 'a' holds no number but 'a'"),
        (
            lines(header=HEADER + "\n") + "w40,0.1,0.2,0.3,oops\n",
            r"x\.csv, line 43: column 'd' holds no number but 'oo",
        ),
        (lines(header="# c\n" + HEADER) + "w40,0.1,0.2,0.3,\n", r"x\.csv, line 43: column 'd' holds no number\. Rep"),
        (lines("  ", header="id  a  b  c  d\n") + "w40  0.1\n", r"x\.csv, line 42: 2 fields where 5 are expected"),
    ],
)
def test_bad_lines_are_named_or_left_out(content: str, text: str, tmp_path: Path) -> None:
    path = wrote(tmp_path / "x.csv", content)
    with pytest.raises(InputError, match=text):
        read(path)
    understood = assert_whole(path, WORDS, on_bad_row="drop")
    assert "1 bad line left out: 'line 4" in understood["notes"][-1]


def test_blocks_do_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same rows whether a file is one block or many, and when numbers give way to text in the middle."""
    monkeypatch.setattr(text_batches.text_batches, "__defaults__", (1 << 10, ()))
    path = wrote(tmp_path / "x.csv", lines(header=HEADER))
    assert_whole(path, WORDS)
    path.write_text(path.read_text().replace(",0.", ", 0."))  # blanks, which Arrow takes for no number
    assert_whole(path, WORDS)
    spoiled = path.read_text().splitlines()
    spoiled[35] = "w34,x,1,2,3"
    path.write_text("\n".join(spoiled) + "\n")
    with pytest.raises(InputError, match=r"line 36: column 'a' holds no number but 'x'"):
        read(path)


@pytest.mark.parametrize("n_columns", [1, 300, 3072])
def test_wide_tables(n_columns: int, tmp_path: Path) -> None:
    table = np.random.default_rng(n_columns).standard_normal((60, n_columns))
    frame = pd.DataFrame(table, columns=[f"v{n}" for n in range(n_columns)])
    frame.insert(0, "id", [f"w{n}" for n in range(60)])
    frame.to_csv(tmp_path / "x.csv", index=False)
    found, understood = read(f"{tmp_path}/x.csv:v" if n_columns > 1 else f"{tmp_path}/x.csv:v0")
    assert np.array_equal(found.items, table)
    assert understood["ids"] == "column id"
