"""Columns of a text table in batches, as text or as numbers, and the line on which a row stands."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as arrow_csv

from simgauge.errors import InputError
from simgauge.read.vectors.cells import MISSING_NUMBERS

BYTES_PER_BLOCK = 1 << 24
"""Larger than Arrow's own megabyte: a wide table would fall into very many small arrays."""
BYTES_OF_SAMPLE = 1 << 20
"""Block from which the first rows come, where their lines are short against it."""
ROWS_PER_BATCH = 1 << 14


@dataclass(frozen=True)
class TextFile:
    """Form in which one text table is written."""

    path: Path
    delimiter: str
    quote: str
    encoding: str
    width: int
    """Number of columns."""
    skip: int = 0
    """Lines of comments before the first row."""
    has_header: bool = False

    @property
    def is_split(self) -> bool:
        """Whether lines are split here rather than by Arrow: several signs, or blanks of which several may follow."""
        return len(self.delimiter) > 1 or (self.delimiter == " " and not self.quote)

    @property
    def codec(self) -> str:
        """The encoding, without the mark at the beginning."""
        return "utf-8-sig" if self.encoding == "utf-8" else self.encoding


def text_or_numbers(
    file: TextFile, positions: Sequence[int], rejects: list[str] | None, numbers: Collection[int]
) -> Iterator[list[pa.Array]]:
    """Columns of numbers as such, until one holds something else; from that row on, as text."""
    done = 0
    try:
        for arrays in text_batches(file, positions, rejects, numbers=numbers):
            done += len(arrays[0])
            yield arrays
    except pa.ArrowInvalid:
        if rejects is not None:
            rejects.clear()
        start = 0
        for arrays in text_batches(file, positions, rejects):
            new = [array.slice(max(0, done - start)) for array in arrays]
            start += len(arrays[0])
            if len(new[0]):
                yield new


def text_batches(
    file: TextFile,
    positions: Sequence[int],
    rejects: list[str] | None,
    block_size: int = BYTES_PER_BLOCK,
    numbers: Collection[int] = (),
) -> Iterator[list[pa.Array]]:
    """Batches of some columns as text; lines with another number of fields are errors, or collected in `rejects`.

    Columns in `numbers` come as float64; a cell that is no number raises `pyarrow.ArrowInvalid` then.
    """
    if file.is_split:
        yield from _split(file, positions, rejects)
        return
    bad: list[str] = []

    def on_bad(row: Any) -> str:
        bad.append(f"line {row.number + file.skip}" if row.number else "")
        return "error" if rejects is None else "skip"

    columns = [f"c{number}" for number in range(file.width)]
    chosen = [columns[position] for position in positions]
    kinds = {name: pa.float64() if n in numbers else pa.string() for n, name in enumerate(columns)}
    try:
        reader = arrow_csv.open_csv(
            file.path,
            read_options=arrow_csv.ReadOptions(
                use_threads=False,
                block_size=block_size,
                column_names=columns,
                skip_rows=file.skip,
                skip_rows_after_names=int(file.has_header),
                encoding=file.encoding,
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=file.delimiter,
                quote_char=file.quote or False,
                double_quote=True,
                newlines_in_values=bool(file.quote),
                invalid_row_handler=on_bad,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=kinds,
                null_values=["", *MISSING_NUMBERS],
                strings_can_be_null=False,
                include_columns=list(dict.fromkeys(chosen)),
            ),
        )
        for batch in reader:
            if batch.num_rows:
                yield [batch.column(name) for name in chosen]
    except (pa.ArrowException, OSError, UnicodeError) as error:
        if numbers and "conversion error to double" in str(error):
            raise
        raise _unreadable(file, error) from error
    if rejects is not None:
        rejects += bad


def sample_block(path: Path) -> int:
    """Bytes to read at a time for the first rows."""
    with path.open("rb") as file:
        longest = max(len(file.readline(BYTES_PER_BLOCK)) for _ in range(3))
    return BYTES_OF_SAMPLE if 8 * longest < BYTES_OF_SAMPLE else BYTES_PER_BLOCK


def place_of(file: TextFile, row: int) -> str:
    """Line of a row, found by reading the file again: lines may be blank and rows may span several."""
    left = row
    with file.path.open(encoding=file.encoding, errors="replace", newline="") as lines:
        for _ in range(file.skip):
            lines.readline()
        skip = int(file.has_header)
        numbered = _quoted_lines(lines, file) if file.quote and not file.is_split else _plain_lines(lines)
        for number, filled in numbered:
            if not filled:
                continue
            if skip:
                skip = 0
            elif left == 0:
                return f"line {number + file.skip}"
            else:
                left -= 1
    return f"data row {row + 1}"


def _plain_lines(lines: Any) -> Iterator[tuple[int, bool]]:
    for number, line in enumerate(lines, start=1):
        yield number, bool(line.strip())


def _quoted_lines(lines: io.TextIOBase | Any, file: TextFile) -> Iterator[tuple[int, bool]]:
    """Number of the line on which each row begins, and whether it holds anything."""
    reader = csv.reader(lines, delimiter=file.delimiter, quotechar=file.quote)
    start = 1
    try:
        for row in reader:
            yield start, bool(row)
            start = reader.line_num + 1
    except csv.Error:  # a field beyond the limit of the csv module: the line is not known then
        return


def _unreadable(file: TextFile, error: Exception) -> InputError:
    text = (str(error) or type(error).__name__).splitlines()[0]
    match = re.search(r"(?:Row #(\d+): )?Expected (\d+) columns, got (\d+): ?(.*)", text)
    if match:
        number, expected, found, content = match.groups()
        where = f", line {int(number) + file.skip}" if number else ""
        return InputError(
            f"{file.path.name}{where}: {found} fields where {expected} are expected ({content[:60]!r}). The file may "
            f"be cut "
            "off, or hold a stray delimiter or quote: repair the line, or leave such lines out with "
            "on_bad_row='drop' (--on-bad-row drop)."
        )
    if isinstance(error, UnicodeError) or "utf" in text.casefold():
        return InputError(
            f"{file.path.name} is not {file.encoding} throughout ({text[:120]}). Pass its encoding, such as "
            "encoding='latin-1' (--encoding latin-1)."
        )
    return InputError(f"{file.path.name} cannot be read as a text table: {text[:200]}.")


def _split(file: TextFile, positions: Sequence[int], rejects: list[str] | None) -> Iterator[list[pa.Array]]:
    """As above for delimiters of several signs, and for blanks, of which several may stand in a row."""
    rows: list[list[str]] = []
    header = file.has_header
    with file.path.open(encoding=file.codec, errors="strict", newline=None) as lines:
        for number, line in _decoded(lines, file):
            if number <= file.skip or not line.strip():
                continue
            if header:
                header = False
                continue
            fields = line.split() if file.delimiter == " " else line.rstrip("\n").split(file.delimiter)
            if len(fields) == file.width:
                rows.append(fields)
            elif rejects is not None:
                rejects.append(f"line {number}")
            else:
                raise InputError(
                    f"{file.path.name}, line {number}: {len(fields)} fields where {file.width} are expected. Repair "
                    f"the "
                    "line, or leave such lines out with on_bad_row='drop' (--on-bad-row drop)."
                )
            if len(rows) == ROWS_PER_BATCH:
                yield [pa.array([row[position] for row in rows], pa.string()) for position in positions]
                rows = []
    if rows:
        yield [pa.array([row[position] for row in rows], pa.string()) for position in positions]


def _decoded(lines: Any, file: TextFile) -> Iterator[tuple[int, str]]:
    try:
        yield from enumerate(lines, start=1)
    except UnicodeError as error:
        raise _unreadable(file, error) from error
