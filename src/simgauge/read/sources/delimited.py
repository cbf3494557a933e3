"""How a text table is written: delimiter, quotes, encoding, header; looked up in its first lines."""

from __future__ import annotations

import csv
import gzip
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from simgauge.errors import InputError
from simgauge.read.sources.columns import USUAL_NAMES
from simgauge.wording import counted

SAMPLE_BYTES = 1 << 18
DELIMITERS = ("\t", ",", ";", "|", "::", " ")


@dataclass(frozen=True)
class Dialect:
    """A text table's conventions and the names of its columns."""

    delimiter: str
    quote: str
    encoding: str
    has_header: bool
    names: tuple[str, ...]
    notes: tuple[str, ...]
    escape: str = '"'
    """What stands before a quote within a quoted field."""
    skip: int = 0
    """Lines of comment before the table."""


def sniff_dialect(
    path: Path,
    *,
    delimiter: str | None = None,
    has_header: bool | None = None,
    encoding: str | None = None,
    wanted: Sequence[str] = (),
    head: bytes | None = None,
) -> Dialect:
    """Conventions of a delimited text file; what is given is believed, the rest is looked up.

    Parameters
    ----------
    path : Path
        Text, gzip-compressed or not.
    wanted : sequence of str
        Column names asked for; a first line that holds them is a header.
    head : bytes, optional
        The beginning of the file, where it was read already, as `Located` holds it.

    Raises
    ------
    InputError
        Not text in the encoding, or no line in it.
    """
    notes: list[str] = []
    raw, whole = _sample(path, head)
    text, encoding = _decode(path, raw, whole, encoding, notes)
    skip = _comments(text.splitlines(), delimiter)
    lines = [line for line in _unfolded("\n".join(text.splitlines()[skip:])).splitlines() if line.strip()]
    if not whole and len(lines) > 1:
        lines = lines[:-1]  # the sample ends somewhere in its last line
    if not lines:
        raise InputError(f"{path.name} holds no line of data.")
    found = delimiter or _delimiter(lines, path.suffix.lower())
    backslash = _has_backslashes(lines, found)
    rows = [split_line(line, found, "\\" if backslash else '"') for line in lines[:200]]
    quoted = backslash or found in ",;" or _is_quoted([line.split(found) for line in lines[:200]])
    if has_header is None:
        has_header = _has_header(rows, wanted, notes)
    names = _names(rows[0]) if has_header else tuple(f"column{i}" for i in range(len(rows[0])))
    if skip:
        notes.append(f"{path.name}: {counted(skip, 'line')} of comment before the table")
    quote = '"' if quoted else ""
    escape = "\\" if backslash else quote
    return Dialect(found, quote, encoding, has_header, names, tuple(notes), escape, skip)


def _names(header: Sequence[str]) -> tuple[str, ...]:
    """Names of columns: without the types that RecBole writes behind them, and without a comment sign before the
    first."""
    typed = re.compile(r":(token|float|token_seq|float_seq)$")
    names = [typed.sub("", name) for name in header] if all(map(typed.search, header)) else list(header)
    if len(names) > 1 and re.fullmatch(r"[#%]\s*[A-Za-z_]\w*", names[0]):
        names[0] = names[0].lstrip("#% ")
    return tuple(names)


def _comments(lines: Sequence[str], delimiter: str | None) -> int:
    """How many lines at the top are comments: they begin with # or % and are cut otherwise than the table below."""
    top = 0
    while top < len(lines) and lines[top].lstrip()[:1] in ("#", "%"):
        top += 1
    below = [line for line in lines[top : top + 50] if line.strip()]
    if not top or len(below) < 2:
        return 0
    cut = delimiter or _delimiter(below, "")
    fields = Counter(len(split_line(line, cut)) for line in below).most_common(1)[0][0]
    same = [len(split_line(line, cut)) == fields for line in lines[:top]]
    return top - 1 if same[-1] and fields > 1 else top  # the last of them may be the header


def _has_backslashes(lines: Sequence[str], delimiter: str) -> bool:
    """Whether quotes within quoted fields have a backslash before them, so that the lines are of one length."""
    if len(delimiter) > 1 or not any('\\"' in line for line in lines):
        return False
    counts = [Counter(len(split_line(line, delimiter, escape)) for line in lines) for escape in ('"', "\\")]
    return len(counts[1]) < len(counts[0]) or (len(counts[1]) == 1 and any('\\"' in line for line in lines))


def _unfolded(text: str) -> str:
    """The text with blanks for the line ends within quoted fields, so that every row is one line."""
    if '"' not in text:
        return text
    quoted = r'(?:(?<=[,;\t|\n\r])|^)"(?:[^"]|""){0,100000}"(?=[,;\t|\n\r]|$)'
    return re.sub(quoted, lambda match: re.sub(r"[\r\n]+", " ", match.group()), text)


def split_line(line: str, delimiter: str, escape: str = '"') -> list[str]:
    """Fields of one line; quotes are honoured for one-character delimiters."""
    if len(delimiter) > 1:
        return line.split(delimiter)
    if escape == "\\":
        return next(csv.reader([line], delimiter=delimiter, escapechar="\\", doublequote=False), [""])
    return next(csv.reader([line], delimiter=delimiter), [""])


def is_number(text: str) -> bool:
    """Whether the text is a number as CSV writers put it."""
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def _sample(path: Path, head: bytes | None) -> tuple[bytes, bool]:
    if head is not None and path.suffix.lower() != ".gz":
        return head[:SAMPLE_BYTES], len(head) <= SAMPLE_BYTES
    try:
        if path.suffix.lower() == ".gz":
            with gzip.open(path) as file:
                raw = file.read(SAMPLE_BYTES + 1)
        else:
            with path.open("rb") as file:
                raw = file.read(SAMPLE_BYTES + 1)
    except (OSError, EOFError) as error:
        raise InputError(f"cannot read {path.name}: {error}. The file may be cut off.") from error
    return raw[:SAMPLE_BYTES], len(raw) <= SAMPLE_BYTES


def _decode(path: Path, raw: bytes, whole: bool, encoding: str | None, notes: list[str]) -> tuple[str, str]:
    if encoding is None and raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    try:
        text = raw.decode(encoding or "utf-8-sig")
    except UnicodeDecodeError as error:
        cut_by_sample = not whole and error.start > len(raw) - 4
        if cut_by_sample:
            text = raw[: error.start].decode(encoding or "utf-8-sig")
        elif encoding is None:
            notes.append(f"{path.name} is not UTF-8; read as latin-1")
            return raw.decode("latin-1"), "latin-1"
        else:
            raise InputError(
                f"{path.name} is not {encoding}: {error.reason} at byte {error.start}. Pass another encoding, "
                "such as 'latin-1'."
            ) from error
    except LookupError as error:
        raise InputError(f"encoding {encoding!r} is not known; pass 'utf-8', 'latin-1' or 'utf-16'.") from error
    return text, encoding or "utf-8"


def _delimiter(lines: list[str], suffix: str) -> str:
    """The delimiter that cuts most lines into the same number of two or more fields."""
    usual = {".tsv": "\t", ".csv": ","}.get(suffix)
    best, best_score = usual or ",", (0.0, False, 0)
    for candidate in DELIMITERS:
        counts = Counter(len(split_line(line, candidate)) for line in lines[:200])
        fields, agreeing = counts.most_common(1)[0]
        if fields < 2:
            continue
        score = (agreeing / sum(counts.values()), candidate == usual, fields if candidate != " " else 0)
        if score > best_score:
            best, best_score = candidate, score
    return best


def _is_quoted(rows: list[list[str]]) -> bool:
    """Whether quotes enclose fields, or are only signs in them, as in titles: ``"Café", the``."""
    opened = [field for row in rows for field in row if field[:1] == '"']
    if all(len(field) > 1 and field[-1] == '"' for field in opened):
        return bool(opened)
    return len({len(row) for row in rows}) > 1


def _has_header(rows: list[list[str]], wanted: Sequence[str], notes: list[str]) -> bool:
    first, rest = rows[0], rows[1:]
    if wanted and set(wanted) <= set(first):
        return True
    numbers = [field for field in first if is_number(field)]
    if numbers:
        return _numbered_header(first, numbers, rest)
    if any(field.strip().casefold() in USUAL_NAMES for field in first):
        return True
    numeric_below = any(
        all(len(row) > column and is_number(row[column]) for row in rest) for column in range(len(first)) if rest
    )
    if not numeric_below:
        notes.append(
            "no header line was recognised; pass --header (has_header=True) if the first line names the columns"
        )
    return numeric_below


def _numbered_header(first: list[str], numbers: list[str], rest: list[list[str]]) -> bool:
    """Tables written with their column numbers as names: ``id,0,1,2`` above vectors that are no such count."""
    others = [field.strip().casefold() for field in first if not is_number(field)]
    counted = len(numbers) >= 2 and numbers == [str(i) for i in range(len(numbers))]
    return (
        counted
        and all(field in USUAL_NAMES or not field for field in others)
        and (bool(others) or bool(rest and any(not field.strip().lstrip("-").isdigit() for field in rest[0])))
    )
