"""Delimited text as columns, read by Arrow: fast for thousands of columns, and every value stays as written."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pyarrow as pa

from simgauge.errors import InputError
from simgauge.read.sources.columns import USUAL_NAMES
from simgauge.read.sources.delimited import sniff_dialect, split_line
from simgauge.read.vectors.cells import is_list_text, is_number_text
from simgauge.read.vectors.column_table import ColumnTable
from simgauge.read.vectors.text_batches import TextFile, place_of, sample_block, text_batches, text_or_numbers

HEADER_ROWS, HEADER_CELLS = 50, 50_000
"""Rows that decide whether the first one names the columns; fewer where there are very many columns."""
CLEAR_COUNT = 4
"""Numbers in a first row that count up one by one and name columns for certain, whatever lies below them."""
MOST_COMMENTS = 1000


def of_delimited(
    path: Path,
    *,
    delimiter: str | None = None,
    has_header: bool | None = None,
    encoding: str | None = None,
    decimal: str | None = None,
    on_bad_row: str = "error",
    wanted: Sequence[str] = (),
) -> ColumnTable:
    """A text table; lines that begin with # before the first row are comments, the last of them possibly the header.

    Raises
    ------
    InputError
        No text in that encoding, no data, or a first line that may be a header or not.
    """
    dialect = sniff_dialect(path, has_header=False, delimiter=delimiter, encoding=encoding)
    file = TextFile(path, dialect.delimiter, dialect.quote, dialect.encoding, len(dialect.names))
    comments, first_line = _leading_comments(file)
    unnamed = [] if comments else _names_but_one(file)
    if unnamed:
        comments, first_line = [first_line], _second_line(file)
    if comments or file.is_split:
        file = replace(file, skip=len(comments), width=len(_fields(first_line, file)))
    names = unnamed or (_fields(comments[-1].lstrip("#").strip(), file) if comments else [])
    if len(names) == file.width and has_header is not False and not any(map(is_number_text, names)):
        header = False
    else:
        first_rows = _first_rows(file)
        header = _is_header(first_rows, path, has_header, wanted)
        names = _names(first_rows[0], header)
    file = replace(file, has_header=header)
    table = ColumnTable(
        names,
        [pa.string()] * len(names),
        lambda *_: iter(()),
        path.name,
        untyped=True,
        headerless=names == _names(names, False),
        notes=[note for note in dialect.notes if "header" not in note],
        decimal=decimal or ".",
    )

    def batches(positions: Sequence[int], numbers: Collection[int]) -> Iterator[list[pa.Array]]:
        table.rejected.clear()
        typed = numbers if table.decimal == "." else ()
        return text_or_numbers(file, positions, table.rejected if on_bad_row == "drop" else None, typed)

    table.batches = batches
    table.head = lambda: text_batches(file, range(file.width), [], sample_block(path))
    table.place_of = lambda row: place_of(file, row)
    return table


def _leading_comments(file: TextFile) -> tuple[list[str], str]:
    """Lines of comments at the beginning, and the line after them."""
    comments: list[str] = []
    with file.path.open(encoding=file.codec, errors="replace") as lines:
        for line in lines:
            if line.startswith("#") and len(comments) < MOST_COMMENTS:
                comments.append(line.strip())
            elif line.strip():
                return comments, line.rstrip("\n")
    return [], ""


def _names_but_one(file: TextFile) -> list[str]:
    """Names of the columns where the first line has one fewer than the others, as R writes row names; else none."""
    with file.path.open(encoding=file.codec, errors="replace") as lines:
        first, *rest = [_fields(line.rstrip("\n"), file) for line in islice(lines, 20) if line.strip()] or [[]]
    short = len(rest) > 1 and {len(fields) for fields in rest} == {len(first) + 1}
    return ["", *first] if short and first and not any(map(is_number_text, first)) else []


def _second_line(file: TextFile) -> str:
    with file.path.open(encoding=file.codec, errors="replace") as lines:
        filled = [line for line in islice(lines, file.skip + 20) if line.strip()]
    return filled[file.skip + 1].rstrip("\n") if len(filled) > file.skip + 1 else ""


def _fields(line: str, file: TextFile) -> list[str]:
    return line.split() if file.is_split and file.delimiter == " " else split_line(line, file.delimiter)


def _first_rows(file: TextFile) -> list[list[str]]:
    """The first rows, the header among them, if there is one."""
    most = 1 + max(5, min(HEADER_ROWS, HEADER_CELLS // max(1, file.width)))
    rows: list[list[str]] = []
    others: list[str] = []
    for arrays in text_batches(file, range(file.width), others, sample_block(file.path)):
        lists = [array.slice(0, most).to_pylist() for array in arrays]
        rows += [list(row) for row in zip(*lists, strict=True)]
        if len(rows) >= most:
            break
    shown = rows if len(rows) > 1 else [_second_line(file).split(file.delimiter)]
    cut = [row for row in shown if any("[" in cell and "]" not in cell for cell in row)]
    if 2 * len(cut) > len(shown):
        raise InputError(
            f"{file.path.name}: lists in brackets are cut by the delimiter {file.delimiter!r}, as in "
            f"{file.delimiter.join(cut[0])[:60]!r}. Put the lists in quotes, or pass the delimiter that stands between "
            "the columns: delimiter=… (--delimiter)."
        )
    if len(rows) <= 1 and others:
        raise InputError(
            f"{file.path.name}: the first line has {file.width} fields at the delimiter {file.delimiter!r} and the "
            f"others "
            f"({', '.join(filter(None, others[:3])) or 'all'}) have another number. Pass the delimiter: delimiter=… "
            f"(--delimiter)."
        )
    if not rows:
        raise InputError(f"{file.path.name} holds no rows. Pass a table with at least one vector.")
    return rows[:most]


def _is_header(rows: list[list[str]], path: Path, given: bool | None, wanted: Sequence[str]) -> bool:
    """Whether the first row names the columns of numbers below it."""
    first, rest = rows[0], rows[1:]
    if given is not None:
        return given
    if wanted and set(wanted) <= set(first):
        return True
    below = [[row[position] for row in rest if row[position].strip()] for position in range(len(first))]
    numeric = [
        position
        for position, cells in enumerate(below)
        if cells and 2 * sum(is_number_text(cell) or is_list_text(cell) for cell in cells) > len(cells)
    ]
    if not rest or not numeric:
        return any(cell.strip().casefold() in USUAL_NAMES for cell in first)
    written = [first[position] for position in numeric if first[position].strip()]
    numbers = [cell for cell in written if is_number_text(cell) or is_list_text(cell)]
    if not numbers:
        return bool(written)
    if not _counts(numbers):
        return False
    if len(numbers) >= CLEAR_COUNT or any(not _whole(cell) for position in numeric for cell in below[position]):
        return True
    if len(numbers) == 1:
        return False
    raise InputError(
        f"{path.name}: the first line ({', '.join(first[:6])}) counts up and may name the columns or be a row. Pass "
        "has_header=True (--header) or has_header=False (--no-header)."
    )


def _counts(cells: list[str]) -> bool:
    """Whether the cells are k, k + 1, k + 2, … from 0 or 1."""
    return all(_whole(cell.strip().removesuffix(".0")) for cell in cells) and [float(cell) for cell in cells] in (
        list(range(len(cells))),
        list(range(1, len(cells) + 1)),
    )


def _whole(cell: str) -> bool:
    return re.fullmatch(r"\s*-?[0-9]{1,18}\s*", cell) is not None


def _names(first: list[str], has_header: bool) -> list[str]:
    if has_header:
        return [name.strip() for name in first]
    return [f"column{number}" for number in range(len(first))]
