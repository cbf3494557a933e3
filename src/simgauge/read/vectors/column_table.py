"""An open table as Arrow columns: what tables of vectors are read from, whatever wrote them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from simgauge.errors import InputError
from simgauge.read.sources.frames import arrow_of_frame

ROWS_PER_BATCH = 16_384
ACCEPTED = (
    "a path, a glob, a list of paths, an array, a tensor, a scipy sparse matrix, a pandas, polars or Arrow frame, or, "
    "through from_library(model), a trained model"
)


@dataclass
class ColumnTable:
    """Named columns that are read in batches, as often as needed, in the order of the rows."""

    names: list[str]
    types: list[pa.DataType]
    batches: Callable[[Sequence[int], Collection[int]], Iterator[list[pa.Array]]]
    """Arrays of the columns at the positions given first, batch by batch; those among the second, which hold numbers,
    may come as float64 where the source is text."""
    label: str
    untyped: bool = False
    """Whether numbers and lists are text, as in CSV."""
    headerless: bool = False
    in_memory: bool = False
    """Whether this is an object of the caller's, so that columns cannot be named after a colon."""
    notes: list[str] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)
    """Lines that were left out because they are no row."""
    place_of: Callable[[int], str] = lambda row: f"data row {row + 1}"
    """Where a row stands, in words."""
    decimal: str = "."
    head: Callable[[], Iterator[list[pa.Array]]] | None = None
    """All columns in small batches, where that is cheaper for the first rows than `batches`."""

    def sample(self, n_rows: int) -> list[pa.Array]:
        """The first rows of every column."""
        kept: list[list[pa.Array]] = [[] for _ in self.names]
        count = 0
        for arrays in self.batches(range(len(self.names)), ()) if self.head is None else self.head():
            for parts, array in zip(kept, arrays, strict=True):
                parts.append(array.slice(0, n_rows - count))
            count += len(arrays[0]) if arrays else 0
            if count >= n_rows:
                break
        return [_one(parts) if parts else pa.array([], kind) for parts, kind in zip(kept, self.types, strict=True)]

    def how_to_choose(self, columns: str) -> str:
        """Advice on what to pass so that these columns are taken as the vectors."""
        if self.in_memory:
            return f"{columns} as an array (frame[[…]].to_numpy(), with ids=)"
        return f"{self.label}:{columns}"


def of_arrow(table: pa.Table, label: str, in_memory: bool = False) -> ColumnTable:
    """A table that is in memory already."""
    return ColumnTable(
        list(table.column_names),
        [storage_type(kind) for kind in table.schema.types],
        lambda positions, _: _batches_of(table, positions),
        label,
        in_memory=in_memory,
    )


def of_frame(frame: Any) -> ColumnTable:
    """A pandas, polars, Arrow or other frame; the index of a pandas frame is a column, unless it counts the rows.

    Raises
    ------
    InputError
        No frame, or a column that mixes types.
    """
    if isinstance(frame, pa.RecordBatchReader):
        frame = frame.read_all()
    if isinstance(frame, pa.RecordBatch):
        frame = pa.Table.from_batches([frame])
    if isinstance(frame, pa.Table):
        return of_arrow(frame, "the Arrow table", in_memory=True)
    if type(frame).__module__.split(".")[0] == "pandas" and getattr(frame, "ndim", 1) == 2:
        frame = _with_index(frame)
    return of_arrow(arrow_of_frame(frame, ACCEPTED), "the frame", in_memory=True)


def of_parquet(paths: list[Path], label: str) -> ColumnTable:
    """Parquet files with the same columns, one after the other.

    Raises
    ------
    InputError
        Damaged, or with other columns than the first.
    """
    with parquet_errors(paths[0]):
        schema = pq.read_schema(paths[0])
    for path in paths[1:]:
        with parquet_errors(path):
            other = pq.read_schema(path)
        if other.names != schema.names:
            raise InputError(f"{path.name} has other columns than {paths[0].name}: {other.names} and {schema.names}.")

    def batches(positions: Sequence[int], _: Collection[int]) -> Iterator[list[pa.Array]]:
        wanted = [schema.names[position] for position in positions]
        for path in paths:
            with parquet_errors(path), pq.ParquetFile(path) as file:
                for batch in file.iter_batches(ROWS_PER_BATCH, columns=list(dict.fromkeys(wanted))):
                    yield [plain(batch.column(name)) for name in wanted]

    return ColumnTable(list(schema.names), [storage_type(kind) for kind in schema.types], batches, label)


def of_arrow_file(path: Path, label: str) -> ColumnTable:
    """A Feather or Arrow file, or an Arrow stream, memory-mapped.

    Raises
    ------
    InputError
        Damaged or cut off.
    """
    import pyarrow.feather as feather

    try:
        with path.open("rb") as file:
            head = file.read(6)
        if head.startswith(b"FEA1"):
            return of_arrow(_whole(feather.read_table(path)), label)
        with pa.memory_map(str(path)) as source:
            reader = pa.ipc.open_file(source) if head == b"ARROW1" else pa.ipc.open_stream(source)
            return of_arrow(_whole(reader.read_all()), label)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path.name} is damaged or cut off: {str(error)[:200]}. Copy or write it again.") from error


def _whole(table: pa.Table) -> pa.Table:
    """The table, its offsets followed once: Arrow takes them on trust, and a damaged one would end the process."""
    table.validate(full=True)
    return table


@contextmanager
def parquet_errors(path: Path) -> Iterator[None]:
    """What Arrow says of a damaged Parquet file, with the file's name."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        first = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(f"{path.name} cannot be read as Parquet: {first[:300]}. Copy or write it again.") from error


def storage_type(kind: pa.DataType) -> pa.DataType:
    """The type of the values themselves, where a type wraps another."""
    while isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    if pa.types.is_dictionary(kind):
        return kind.value_type
    return kind


def plain(array: Any) -> pa.Array:
    """The values themselves: without extension types and dictionaries."""
    if isinstance(array, pa.ChunkedArray):
        array = _one(array.chunks) if array.num_chunks else pa.array([], array.type)
    while isinstance(array, pa.ExtensionArray):
        array = array.storage
    return array.dictionary_decode() if isinstance(array, pa.DictionaryArray) else array


def _one(parts: list[pa.Array]) -> pa.Array:
    return parts[0] if len(parts) == 1 else pa.concat_arrays(parts)


def _batches_of(table: pa.Table, positions: Sequence[int]) -> Iterator[list[pa.Array]]:
    for start in range(0, table.num_rows, ROWS_PER_BATCH):
        part = table.slice(start, ROWS_PER_BATCH)
        yield [plain(part.column(position)) for position in positions]


def _with_index(frame: Any) -> Any:
    """The frame with its index as columns, unless it is 0, 1, 2, …; names become text."""
    index = frame.index
    counts = type(index).__name__ == "RangeIndex" and index.start == 0 and index.step == 1
    if not counts:
        frame = frame.reset_index(names=["index" if name is None else str(name) for name in index.names])
    return frame.rename(columns=str)
