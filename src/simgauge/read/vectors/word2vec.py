"""Word vectors in the text format of word2vec, fastText and GloVe, and in word2vec's binary format."""

from __future__ import annotations

import mmap
import re
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.errors import InputError

HEADER = re.compile(rb"^(?:\xef\xbb\xbf)?(\d+)[ \t]+(\d+)[ \t\r]*\n")
BOM = b"\xef\xbb\xbf"
SPARSE_PAIR = re.compile(rb"(?:\d+:){1,2}[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
LINES_PER_BLOCK = 4096


@dataclass(frozen=True)
class WordVectors:
    """Words and their vectors, float32, with what was left out."""

    words: NDArray[Any]
    vectors: NDArray[np.float32]
    notes: tuple[str, ...]


def looks_like_word2vec(path: Path) -> str | None:
    """ "text" or "binary" when the first lines are of these formats, None otherwise."""
    with path.open("rb") as file:
        head = file.read(1 << 16)
    header = HEADER.match(head)
    if header:
        n_components = int(header.group(2))
        line = head[header.end() :].split(b"\n", 1)[0]
        if _numbers(line, n_components) is not None:
            return "text"
        if not _is_text(head[header.end() :]):
            return "binary"
        return None if _parse(_plain(line)) is not None else "text"  # a table of two columns of numbers
    head = head.removeprefix(BOM)
    lines = [line for line in head.split(b"\n")[:100] if line.strip()]
    lines = lines[:-1] if len(lines) > 1 and len(head) == 1 << 16 else lines
    while len(lines) > 1 and lines[0].startswith(b"#") and _parse(_plain(lines[1])) is not None:
        lines = lines[1:]  # comments above a plain table of numbers
    if not lines or (len(lines) > 1 and lines[1].startswith(b'"')):
        return None  # quoted words are those of a table, as R writes it
    n_components = _common_width(lines)
    wordy = any(_numbers(b"0 " + line, n_components + 1) is None for line in lines)
    rows = sum(_numbers(line, n_components) is not None for line in lines)
    return "text" if n_components >= 1 and wordy and 2 * rows > len(lines) else None


def sparse_line(path: Path) -> str | None:
    """The first line of vectors, where it is written as ``label index:value index:value …``; None otherwise."""
    with path.open("rb") as file:
        head = file.read(1 << 16)
    header = HEADER.match(head)
    lines = [line for line in head[header.end() if header else 0 :].split(b"\n")[:20] if line.strip()]
    lines = [line.split(b"#")[0] for line in lines if not line.startswith(b"#")]
    pairs = [[field for field in line.split()[1:] if not field.startswith(b"qid:")] for line in lines]
    sparse = [bool(fields) and all(map(SPARSE_PAIR.fullmatch, fields[:50])) for fields in pairs]
    return lines[sparse.index(True)].decode("utf-8", "replace") if 2 * sum(sparse) > len(lines) else None


def read_word2vec_text(path: Path, on_bad_row: str = "error") -> WordVectors:
    """Read ``word number number ...`` lines, with or without the header line ``n_words n_components``.

    The numbers are counted from the right, so that words may hold spaces (as GloVe 840B's do). Words that are not UTF-8
    keep their bytes as ``\\xNN``.

    Parameters
    ----------
    on_bad_row : {"error", "drop"}
        Lines with too few numbers or something that is no number; "drop" leaves them out and notes them.

    Raises
    ------
    InputError
        Such a line, fewer lines than the header promises, or no vectors at all.
    """
    with path.open("rb") as file:
        head = file.read(1 << 16)
        header = HEADER.match(head)
        start = header.end() if header else len(BOM) if head.startswith(BOM) else 0
        head = head if header else head[start:]
        n_lines, ends_in_newline = _count_lines(file, start)
        if header:
            promised, n_components = int(header.group(1)), int(header.group(2))
        else:
            promised, n_components = (
                None,
                _common_width([line for line in head.split(b"\n")[:100] if line.strip()][:-1]),
            )
            n_components = n_components or _common_width([head.split(b"\n")[0]])
        if n_components < 1 or n_lines == 0:
            raise InputError(f"{path.name} holds no vectors: expected lines of a word and its numbers.")
        if n_lines * n_components * 2 > path.stat().st_size + 2 * n_components:
            n_lines = path.stat().st_size // (2 * n_components) + 1  # blank lines, or a header that promises too much
        file.seek(start)
        parser = _TextParser(path.name, n_components, n_lines, on_bad_row, 2 if header else 1)
        while lines := file.readlines(LINES_PER_BLOCK * (n_components * 8 + 16)):
            parser.add(lines)
    notes = parser.notes()
    if promised is not None and promised != parser.filled + len(parser.bad):
        problem = f"the header promises {promised} words and {parser.filled + len(parser.bad)} are there"
        if on_bad_row == "error":
            raise InputError(
                f"{path.name}: {problem}. The file was cut off or altered: copy it again, or pass on_bad_row='drop' to "
                "take what is there."
            )
        notes.append(problem)
    if not ends_in_newline and not header:
        notes.append("the last line has no line end: if the file was cut off there, its last number may be short")
    if parser.filled == 0:
        raise InputError(f"{path.name} holds no whole vector.")
    return WordVectors(_words(parser.words), parser.vectors[: parser.filled], tuple(notes))


def read_word2vec_binary(path: Path, on_bad_row: str = "error") -> WordVectors:
    """Read word2vec's binary format: a header line, then for each word its text, a space, and float32 numbers.

    Parameters
    ----------
    on_bad_row : {"error", "drop"}
        "drop" takes the whole vectors of a file that was cut off.

    Raises
    ------
    InputError
        No header, or fewer bytes than it promises.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        header = HEADER.match(data[:64])
        if not header or not int(header.group(1)) * int(header.group(2)):
            raise InputError(f"{path.name} is not in word2vec's binary format: no header line 'n_words n_components'.")
        promised, n_components = int(header.group(1)), int(header.group(2))
        width, position = 4 * n_components, header.end()
        if width > len(data):
            raise InputError(
                f"{path.name}: the header promises {promised} words of {n_components} numbers, and the file has "
                f"{len(data)} bytes. The file was cut off or is in another format: copy it again."
            )
        possible = min(promised, len(data) // (width + 1) + 1)
        vectors = np.empty((possible, n_components), dtype=np.float32)
        words: list[bytes] = []
        while len(words) < promised:
            space = data.find(b" ", position, position + 65_536)
            if space < 0 or space + 1 + width > len(data):
                break
            vectors[len(words)] = np.frombuffer(data, dtype="<f4", count=n_components, offset=space + 1)
            words.append(data[position:space].lstrip(b"\n"))
            position = space + 1 + width
        trailing = len(data[position:].strip(b"\n")) if len(words) == promised else 0
    notes: list[str] = []
    if len(words) < promised or trailing:
        problem = f"the header promises {promised} words of {n_components} numbers; {len(words)} are there" + (
            f" and {trailing} bytes more" if trailing else ""
        )
        if on_bad_row == "error" or not words:
            raise InputError(
                f"{path.name}: {problem}. The file was cut off or is in another format: copy it again, or pass "
                "on_bad_row='drop' to take what is there."
            )
        notes.append(problem)
    return WordVectors(_words(words), vectors[: len(words)], tuple(notes))


class _TextParser:
    """Fills the table block by block; a block with a bad line is read again line by line."""

    def __init__(self, label: str, n_components: int, n_lines: int, on_bad_row: str, first_line: int) -> None:
        self.label, self.n_components, self.on_bad_row = label, n_components, on_bad_row
        self.vectors = np.empty((n_lines, n_components), dtype=np.float32)
        self.words: list[bytes] = []
        self.bad: list[str] = []
        self.line = first_line

    @property
    def filled(self) -> int:
        return len(self.words)

    def add(self, lines: list[bytes]) -> None:
        stripped = [_plain(line) for line in lines]
        plain = all(line.count(b" ") == self.n_components for line in stripped)
        split = [line.split(b" ", 1) for line in stripped] if plain else []
        values = _parse(b" ".join(tail for _, tail in split)) if plain else None
        if values is not None and len(values) == len(split) * self.n_components:
            start = self.filled
            self.words += [word for word, _ in split]
            self.vectors[start : self.filled] = values.reshape(len(split), self.n_components)
            self.line += len(lines)
            return
        for line in stripped:
            if line:
                self._add_line(line)
            self.line += 1

    def _add_line(self, line: bytes) -> None:
        parts = _parts(line, self.n_components)
        values = _numbers(line, self.n_components)
        if values is None:
            word = line.split(b" ", 1)[0][:30].decode("utf-8", "replace")
            problem = f"line {self.line} ({word!r}) is not a word with {self.n_components} numbers"
            if self.on_bad_row == "error":
                found = len(line.split()) - 1
                raise InputError(
                    f"{self.label}: {problem} ({found} fields follow the first). If the file was cut off, copy it "
                    "again; on_bad_row='drop' leaves such lines out and reports them."
                )
            self.bad.append(problem)
            return
        self.vectors[self.filled] = values
        self.words.append(parts[0])

    def notes(self) -> list[str]:
        if not self.bad:
            return []
        return [f"{len(self.bad)} lines left out: {'; '.join(self.bad[:3])}" + ("; ..." if len(self.bad) > 3 else "")]


def _numbers(line: bytes, n_components: int) -> NDArray[np.float64] | None:
    """The numbers at the end of a line, or None when it is no word with that many."""
    parts = _parts(_plain(line), n_components)
    values = _parse(b" ".join(parts[1:])) if len(parts) == n_components + 1 else None
    return values if values is not None and len(values) == n_components else None


def _plain(line: bytes) -> bytes:
    """The line without what stands after its last number, with blanks in place of tabs."""
    line = line.rstrip(b" \t\r\n")
    return line.replace(b"\t", b" ") if b"\t" in line else line


def _parts(line: bytes, n_components: int) -> list[bytes]:
    """The word and its numbers; several blanks may stand between them."""
    parts = line.rsplit(b" ", n_components)
    return line.rsplit(None, n_components) if b"" in parts[1:] else parts


def _is_text(content: bytes) -> bool:
    """Whether the bytes are text: no zero bytes, and UTF-8 but for a character that was cut."""
    try:
        content[:-4].decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\x00" not in content


def _parse(text: bytes) -> NDArray[np.float64] | None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # how NumPy says that something is no number
        try:
            return np.fromstring(text, dtype=np.float64, sep=" ")
        except (ValueError, DeprecationWarning):
            return None


def _common_width(lines: list[bytes]) -> int:
    """Numbers at the end of a line: what most lines have; words that end in a number and cut lines are the
    exception."""
    counts = Counter(_numbers_at_the_end(line) for line in lines)
    return counts.most_common(1)[0][0] if counts else 0


def _numbers_at_the_end(line: bytes) -> int:
    fields = [field for field in _plain(line).split(b" ")[1:] if field]
    words = [position for position, field in enumerate(fields) if _parse(field) is None]
    return len(fields) - (words[-1] + 1 if words else 0)


def _count_lines(file: Any, start: int) -> tuple[int, bool]:
    file.seek(start)
    count, last = 0, b"\n"
    while block := file.read(1 << 22):
        count += block.count(b"\n")
        last = block[-1:]
    return count + (last != b"\n"), last == b"\n"


def _words(words: list[bytes]) -> NDArray[Any]:
    return np.array([word.decode("utf-8", "backslashreplace") for word in words], dtype=object)
