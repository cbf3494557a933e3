"""Delimited text as columns of text, read by Arrow: fast for thousands of columns, and every value stays as written."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as arrow_csv

from simgauge.errors import InputError
from simgauge.read.sources.columns import USUAL_NAMES
from simgauge.read.sources.delimited import Dialect, sniff_dialect
from simgauge.read.vectors.cells import MISSING_NUMBERS, is_list_text, is_number_text
from simgauge.read.vectors.column_table import ColumnTable

BYTES_PER_BLOCK = 1 << 24
"""Larger than Arrow's own megabyte: a wide table would fall into very many small arrays."""
BYTES_OF_SAMPLE = 1 << 20
"""Block from which the first rows come, where their lines are short against it."""
HEADER_ROWS, HEADER_CELLS = 50, 50_000
"""Rows that decide whether the first one names the columns; fewer where there are very many columns."""
CLEAR_COUNT = 4
"""Numbers in a first row that count up one by one and name columns for certain, whatever lies below them."""


def of_delimited(
    paths: list[Path],
    label: str,
    *,
    delimiter: str | None = None,
    has_header: bool | None = None,
    encoding: str | None = None,
    decimal: str | None = None,
    on_bad_row: str = "error",
    wanted: Sequence[str] = (),
) -> ColumnTable:
    """Text tables of the same columns, one after the other.

    Raises
    ------
    InputError
        No text in that encoding, no data, parts with other columns, or a first line that may be a header or not.
    """
    options = {"delimiter": delimiter, "encoding": encoding}
    dialects = [sniff_dialect(path, has_header=False, **options) for path in paths]  # type: ignore[arg-type]
    firsts = [_first_rows(path, dialect) for path, dialect in zip(paths, dialects, strict=True)]
    headers = [_is_header(rows, path, has_header, wanted) for path, rows in zip(paths, firsts, strict=True)]
    names = _names(firsts[0][0], headers[0])
    for path, rows, header in zip(paths[1:], firsts[1:], headers[1:], strict=True):
        if _names(rows[0], header) != names:
            raise InputError(f"{path.name} has other columns than {paths[0].name}: {rows[0][:5]} and {names[:5]}.")
    table = ColumnTable(
        names,
        [pa.string()] * len(names),
        lambda *_: iter(()),
        label,
        untyped=True,
        headerless=not headers[0],
        notes=[note for note in dialects[0].notes if "header" not in note],
        decimal=decimal or ".",
    )

    def batches(positions: Sequence[int], numbers: Collection[int]) -> Iterator[list[pa.Array]]:
        table.rejected.clear()
        for path, dialect, header in zip(paths, dialects, headers, strict=True):
            rejects = table.rejected if on_bad_row == "drop" else None
            typed = numbers if table.decimal == "." else ()
            yield from _numbers_or_text(path, dialect, header, len(names), positions, rejects, typed)

    def head() -> Iterator[list[pa.Array]]:
        for path, dialect, header in zip(paths, dialects, headers, strict=True):
            every = range(len(names))
            yield from read_text_columns(path, dialect, header, len(names), every, [], _sample_block(path))

    table.batches, table.head = batches, head
    table.place_of = _places(paths, dialects, headers)
    return table


def _numbers_or_text(
    path: Path,
    dialect: Dialect,
    has_header: bool,
    n_columns: int,
    positions: Sequence[int],
    rejects: list[str] | None,
    numbers: Collection[int],
) -> Iterator[list[pa.Array]]:
    """Columns of numbers as such, until one holds something else; from that row on, as text."""
    done = 0
    shape = (path, dialect, has_header, n_columns, positions)
    try:
        for arrays in read_text_columns(*shape, rejects, numbers=numbers):
            done += len(arrays[0])
            yield arrays
    except pa.ArrowInvalid:
        if rejects is not None:
            rejects.clear()
        start = 0
        for arrays in read_text_columns(*shape, rejects):
            new = [array.slice(max(0, done - start)) for array in arrays]
            start += len(arrays[0])
            if len(new[0]):
                yield new


def read_text_columns(
    path: Path,
    dialect: Dialect,
    has_header: bool,
    n_columns: int,
    positions: Sequence[int],
    rejects: list[str] | None,
    block_size: int = BYTES_PER_BLOCK,
    numbers: Collection[int] = (),
) -> Iterator[list[pa.Array]]:
    """Batches of some columns as text; lines with another number of fields are errors, or collected in `rejects`.

    Columns in `numbers` come as float64; a cell that is no number raises `pyarrow.ArrowInvalid` then.
    """
    if len(dialect.delimiter) > 1 or (dialect.delimiter == " " and not dialect.quote):
        yield from _split_columns(path, dialect, has_header, n_columns, positions, rejects)
        return
    bad: list[str] = []

    def on_bad(row: Any) -> str:
        bad.append(f"line {row.number}" if row.number else "a line")
        return "error" if rejects is None else "skip"

    columns = [f"c{number}" for number in range(n_columns)]
    chosen = [columns[position] for position in positions]
    try:
        reader = arrow_csv.open_csv(
            path,
            read_options=arrow_csv.ReadOptions(
                use_threads=False,
                block_size=block_size,
                column_names=columns,
                skip_rows_after_names=int(has_header),
                encoding=dialect.encoding,
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=dialect.delimiter,
                quote_char=dialect.quote or False,
                double_quote=True,
                newlines_in_values=bool(dialect.quote),
                invalid_row_handler=on_bad,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types={
                    name: pa.float64() if position in numbers else pa.string() for position, name in enumerate(columns)
                },
                null_values=["", *MISSING_NUMBERS],
                strings_can_be_null=False,
                include_columns=list(dict.fromkeys(chosen)),
                check_utf8=True,
            ),
        )
        for batch in reader:
            if batch.num_rows:
                yield [batch.column(name) for name in chosen]
    except (pa.ArrowException, OSError) as error:
        if numbers and "conversion error to double" in str(error):
            raise
        raise _unreadable(path, error, dialect) from error
    if rejects is not None:
        rejects += [f"{path.name}, {place}" for place in bad]


def _unreadable(path: Path, error: Exception, dialect: Dialect) -> InputError:
    text = str(error).splitlines()[0]
    match = re.search(r"(?:Row #(\d+): )?Expected (\d+) columns, got (\d+): ?(.*)", text)
    if match:
        number, expected, found, content = match.groups()
        where = f", line {number}" if number else ""
        return InputError(
            f"{path.name}{where}: {found} fields where {expected} are expected ({content[:60]!r}). The file may be cut "
            "off, or hold a stray delimiter or quote: repair the line, or leave such lines out with "
            "on_bad_row='drop' (--on-bad-row drop)."
        )
    if "UTF8" in text or "utf" in text.casefold():
        return InputError(
            f"{path.name} is not {dialect.encoding} throughout ({text[:120]}). Pass its encoding, such as "
            "encoding='latin-1' (--encoding latin-1)."
        )
    return InputError(f"{path.name} cannot be read as a text table: {text[:200]}.")


def _split_columns(
    path: Path,
    dialect: Dialect,
    has_header: bool,
    n_columns: int,
    positions: Sequence[int],
    rejects: list[str] | None,
) -> Iterator[list[pa.Array]]:
    """As above for delimiters of several characters, and for blanks, of which several may stand in a row."""
    blank = dialect.delimiter == " "
    rows: list[list[str]] = []
    with path.open(encoding="utf-8-sig" if dialect.encoding == "utf-8" else dialect.encoding, newline=None) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            if has_header:
                has_header = False
                continue
            fields = line.split() if blank else line.rstrip("\n").split(dialect.delimiter)
            if len(fields) == n_columns:
                rows.append(fields)
            elif rejects is not None:
                rejects.append(f"{path.name}, line {number}")
            else:
                raise InputError(
                    f"{path.name}, line {number}: {len(fields)} fields where {n_columns} are expected. Repair the line, "
                    "or leave such lines out with on_bad_row='drop' (--on-bad-row drop)."
                )
            if len(rows) == 1 << 14:
                yield [pa.array([row[position] for row in rows]) for position in positions]
                rows = []
    if rows:
        yield [pa.array([row[position] for row in rows], pa.string()) for position in positions]


def _first_rows(path: Path, dialect: Dialect) -> list[list[str]]:
    """The first rows, the header among them, if there is one."""
    width = len(dialect.names)
    most = 1 + max(5, min(HEADER_ROWS, HEADER_CELLS // max(1, width)))
    rows: list[list[str]] = []
    for arrays in read_text_columns(path, dialect, False, width, range(width), [], _sample_block(path)):
        lists = [array.slice(0, most).to_pylist() for array in arrays]
        rows += [list(row) for row in zip(*lists, strict=True)]
        if len(rows) >= most:
            break
    if not rows:
        raise InputError(f"{path.name} holds no rows. Pass a table with at least one vector.")
    return rows[:most]


def _sample_block(path: Path) -> int:
    with path.open("rb") as file:
        longest = max(len(file.readline(BYTES_PER_BLOCK)) for _ in range(3))
    return BYTES_OF_SAMPLE if 8 * longest < BYTES_OF_SAMPLE else BYTES_PER_BLOCK


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
    return all(_whole(cell) for cell in cells) and [int(cell) for cell in cells] in (
        list(range(len(cells))),
        list(range(1, len(cells) + 1)),
    )


def _whole(cell: str) -> bool:
    return re.fullmatch(r"\s*-?[0-9]{1,18}\s*", cell) is not None


def _names(first: list[str], has_header: bool) -> list[str]:
    if has_header:
        return [name.strip() for name in first]
    return [f"column{number}" for number in range(len(first))]


def _places(paths: list[Path], dialects: list[Dialect], headers: list[bool]) -> Callable[[int], str]:
    """Line of a row, found by reading the file again: lines may be blank and rows may span several."""

    def place(row: int) -> str:
        left = row
        for path, dialect, header in zip(paths, dialects, headers, strict=True):
            with path.open(encoding=dialect.encoding, errors="replace", newline="") as file:
                if len(dialect.delimiter) > 1 or not dialect.quote:
                    lines: Iterator[tuple[int, bool]] = ((n, bool(line.strip())) for n, line in enumerate(file, 1))
                else:
                    lines = _quoted_lines(file, dialect)
                skip = int(header)
                for number, filled in lines:
                    if not filled:
                        continue
                    if skip:
                        skip = 0
                    elif left == 0:
                        return f"line {number}" + (f" of {path.name}" if len(paths) > 1 else "")
                    else:
                        left -= 1
        return f"data row {row + 1}"

    return place


def _quoted_lines(file: io.TextIOBase | Any, dialect: Dialect) -> Iterator[tuple[int, bool]]:
    """Number of the line on which each row begins, and whether it holds anything."""
    reader = csv.reader(file, delimiter=dialect.delimiter, quotechar=dialect.quote)
    start = 1
    for row in reader:
        yield start, bool(row)
        start = reader.line_num + 1
