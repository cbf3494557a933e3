"""Interactions of any size to disk: sorted and merged within a memory limit, opened as a matrix in parts."""

from __future__ import annotations

import errno
import os
import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from simgauge.errors import DroppedDataWarning, InputError, ParameterError, SimgaugeError
from simgauge.progress import Progress
from simgauge.read.events.events import ColumnName, choose_columns
from simgauge.read.events.memory import in_words, memory_bytes
from simgauge.read.events.options import check_options
from simgauge.read.sources.net import reads_files
from simgauge.read.sources.open_source import open_source
from simgauge.read.sources.parquet_files import check_schemas, first_damaged
from simgauge.read.sources.table_source import Source
from simgauge.read.store.spilled_events import SpilledEvents
from simgauge.read.store.spilled_pairs import keep_frequent_pairs, write_items, write_pairs
from simgauge.read.store.stored_interactions import StoredInteractions, own_store_files, write_metadata
from simgauge.read.store.stored_pairs import FILES
from simgauge.storage.atomic import atomic_directory

LEAST_MEMORY = 256 << 20
BUFFERS = 160 << 20
"""Kept out of the limit of the sort: batches on their way, and the end of the part that is written."""

FULL = ("No space left", "max_temp_directory_size", "failed to offload", "Disk quota", "File too large")
"""What DuckDB and Arrow say of a disk that is full."""

SORT_BYTES = 32
"""Room on disk for an event while all are sorted: both keys, weight, row number, and a little more."""


@reads_files
def store_interactions(
    source: Any,
    directory: str | Path,
    user: ColumnName | None = None,
    item: ColumnName | None = None,
    weight: ColumnName | None = None,
    *,
    query: str | None = None,
    time: ColumnName | None = None,
    names: Any = None,
    min_user_count: int = 1,
    min_item_count: int = 1,
    duplicates: str = "sum",
    id_type: str = "auto",
    delimiter: str | None = None,
    has_header: bool | None = None,
    encoding: str | None = None,
    on_bad_row: str = "error",
    memory: str | int = "2GiB",
    dtype: str = "float64",
    progress: Progress | None = None,
) -> StoredInteractions:
    """Read who used what from tables larger than memory, into a directory that a model can be fitted from.

    What is read, dropped, merged and reported, and the order of users and items, are those of `read_interactions`, bit
    by bit; so the model is the same.

    Parameters
    ----------
    source : path, glob, list of paths, database address or frame
        Tables as for `read_interactions`: Parquet above all (files of one schema), delimited text, JSON lines, the
        result of a query.
    directory : path
        For the result: new, empty, or written by this function before. Needs room for 12 bytes a pair, and for up to 32
        bytes an event while they are sorted (more where users have long text for ids).
    user, item, weight, query, time, names, min_user_count, min_item_count, duplicates, id_type : optional
        See `read_interactions`.
    delimiter, has_header, encoding, on_bad_row : optional
        See `read_interactions`.
    memory : str or int
        What this may take beyond the libraries themselves, such as "2GiB" or a number of bytes; at least 256 MiB.
    dtype : {"float64", "float32"}
        Of the weights in the store.
    progress : callable, optional
        Called as ``progress(text, percent, 100)``.

    Returns
    -------
    StoredInteractions
        Its `matrix` is for `LinearAutoencoder.fit`; also found again by `StoredInteractions.load(directory)`.

    Warns
    -----
    DroppedDataWarning
        As `read_interactions`.

    Raises
    ------
    InputError
        As `read_interactions`; files of different schemas; a full disk. Nothing is left behind then, nor after Ctrl-C.
    ParameterError
        An option outside its accepted values.

    Numerics
    --------
    Two passes over the source, one external sort. Memory: `memory`, the ids and counts of the items, and the events of
    the one pair that has most. Minimum counts cost a pass over the result a round, and 17 bytes a user.

    Examples
    --------
    >>> import pyarrow as pa, tempfile
    >>> events = pa.table({"user": ["ann", "ann", "bob"], "item": ["tea", "tea", "milk"]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store_interactions(events, folder, memory="256MiB")
    StoredInteractions(2 users, 2 items, 2 pairs, float64, 1 parts)
    """
    check_options(duplicates, id_type, on_bad_row, min_user_count, min_item_count)
    limit = memory_bytes(memory, least=LEAST_MEMORY)
    if dtype not in ("float32", "float64"):
        raise ParameterError(f"dtype={dtype!r}: expected 'float64' or 'float32'.")
    wanted = [name for name in (user, item, weight, time) if isinstance(name, str)]
    text = {"delimiter": delimiter, "has_header": has_header, "encoding": encoding, "on_bad_row": on_bad_row}
    target = Path(directory)
    room = _Room(target, np.dtype(dtype).itemsize)
    with atomic_directory(target, own_store_files) as temporary, room.translated():
        work = temporary / "work"
        work.mkdir()
        with open_source(source, query=query, wanted=wanted, **text) as opened:  # type: ignore[arg-type]
            roles = choose_columns(opened, user, item, weight, time)
            room.source = opened
            if opened.format == "Parquet":
                room.rows = check_schemas(opened.files, [opened.columns[position].name for position in roles.values()])
            events = SpilledEvents(opened, roles, id_type, progress)
            events.prepare(work, limit - BUFFERS, min(4, os.cpu_count() or 1))
            events.check()
            room.rows = events.rows_read
            pairs = write_pairs(events, duplicates, dtype, work)
            pairs.report |= {"notes": opened.notes}
            rejected = opened.count_rejects()
            if rejected:
                pairs.report["rows_read"] += rejected
                pairs.report["rows_dropped"] = {**pairs.report["rows_dropped"], "bad row": rejected}
        keep_frequent_pairs(pairs, min_user_count, min_item_count)
        write_items(pairs, names)
        for name in FILES:
            (pairs.directory / name).replace(temporary / name)
        shutil.rmtree(work)
        write_metadata(temporary, pairs.writer.parts, len(pairs.item_ids), dtype, pairs.report)
    _warn_of_dropped(pairs.report)
    return StoredInteractions.load(target, verify=False)


def _warn_of_dropped(report: Mapping[str, Any]) -> None:
    listed = ", ".join(f"{count} ({reason})" for reason, count in report["rows_dropped"].items() if count)
    if listed:
        warnings.warn(f"{report['source']}: rows left out: {listed}.", DroppedDataWarning, stacklevel=3)


class _Room:
    """How much disk is wanted and was free, for the message when it runs out."""

    def __init__(self, target: Path, itemsize: int) -> None:
        self.target, self.itemsize = target, itemsize
        self.rows: int | None = None
        self.source: Source | None = None
        self.free = _free(target)

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Errors of the disk and of DuckDB in words."""
        import duckdb

        try:
            yield
        except (duckdb.Error, OSError, pa.ArrowException) as error:
            if isinstance(error, SimgaugeError):
                raise
            text = str(error)
            full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            if full or any(sign in text for sign in FULL):
                raise InputError(self._message()) from error
            if isinstance(error, duckdb.OutOfMemoryException):
                raise InputError(
                    f"the memory allowed is too little to sort these events ({text.splitlines()[0][:200]}). Pass more, "
                    "such as memory='4GiB'. Nothing was left behind."
                ) from error
            if isinstance(error, OSError) or self.source is None:
                raise
            bad = first_damaged(self.source) if self.source.format == "Parquet" else None
            raise (bad or self.source.damaged(error)) from error

    def _message(self) -> str:
        wanted = ""
        if self.rows is not None:
            sort, result = self.rows * SORT_BYTES, self.rows * (4 + self.itemsize)
            wanted = (
                f": {self.rows:,} events need up to {in_words(sort + result)} there while they are sorted and "
                f"{in_words(result)} in the end"
            )
        free = "" if self.free is None else f"; {in_words(self.free)} were free at the start"
        return (
            f"the disk of {self.target.parent.resolve()} is full{wanted}{free}. Nothing was left behind. Make room, or "
            "choose a directory on a larger disk."
        )


def _free(target: Path) -> int | None:
    existing = next((folder for folder in target.absolute().parents if folder.is_dir()), None)
    return None if existing is None else shutil.disk_usage(existing).free
