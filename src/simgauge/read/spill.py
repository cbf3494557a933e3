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
from simgauge.parameters import check_choice
from simgauge.progress import Progress
from simgauge.read.events.events import choose_columns
from simgauge.read.events.formats import refuse_foreign
from simgauge.read.events.memory import in_words, memory_bytes
from simgauge.read.events.options import ColumnName, ReadingOptions
from simgauge.read.events.understood import PEEKED_ROWS, sentences
from simgauge.read.events.weights import MONOTONE_RULES, Spread, rule_for, weight_sentences, with_meaning
from simgauge.read.interactions import with_columns
from simgauge.read.sources.located import locate
from simgauge.read.sources.net import reads_files
from simgauge.read.sources.open_source import open_source
from simgauge.read.sources.parquet_files import check_schemas, first_damaged
from simgauge.read.sources.table_source import Source
from simgauge.read.store.spilled_events import SpilledEvents
from simgauge.read.store.spilled_pairs import keep_frequent_pairs, write_items, write_pairs
from simgauge.read.store.stored_interactions import StoredInteractions, own_store_files, write_metadata
from simgauge.read.store.stored_pairs import FILES
from simgauge.storage.atomic import atomic_directory
from simgauge.wording import counted

LEAST_MEMORY = 256 << 20
BUFFERS = 160 << 20
"""Kept out of the limit of the sort: batches on their way, and the end of the part that is written."""

CHANGES = ("like", "weight_transform")
"""Options that the report repeats when they were given."""

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
    options: ReadingOptions | None = None,
    memory: str | int = "2GiB",
    dtype: str = "float64",
    progress: Progress | None = None,
    **named: Any,
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
    user, item, weight, options, **named : optional
        See `read_interactions` and `ReadingOptions`.
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
    options = with_columns(options, user, item, weight, named)
    limit = memory_bytes(memory, least=LEAST_MEMORY)
    check_choice(dtype, "dtype", ("float64", "float32"))
    target = Path(directory)
    room = _Room(target, np.dtype(dtype).itemsize)
    with atomic_directory(target, own_store_files) as temporary, room.translated():
        work = temporary / "work"
        work.mkdir()
        located = locate(source)
        refuse_foreign(located)
        with open_source(source, located=located, **options.opening) as opened:
            roles = choose_columns(opened, options)
            n_columns, rows = len(opened.columns), opened.peek(PEEKED_ROWS)
            rule = rule_for(options.duplicates, opened, roles, options.like, options.weight_transform)
            _check_transform(options.weight_transform, rule)
            meant = with_meaning(opened, roles, options.like, options.weight_transform, log_first=True)
            room.source = opened
            if opened.format == "Parquet":
                room.rows = check_schemas(opened.files, [opened.columns[position].name for position in roles.values()])
            events = SpilledEvents(opened, meant, options.id_type, progress)
            events.prepare(work, limit - BUFFERS, min(4, os.cpu_count() or 1))
            first = _first_row(events, meant)
            events.check()
            room.rows = events.rows_read
            pairs = write_pairs(events, rule, dtype, work)
            said = _of_weights(events, meant, rule, pairs.report, options)
            said += sentences(opened, meant, first, rows, n_columns)
            pairs.report |= {"notes": opened.notes, "understood": said}
            pairs.report |= {name: getattr(options, name) for name in CHANGES if name in options.changed}
            rejected = opened.count_rejects()
            if rejected:
                pairs.report["rows_read"] += rejected
                pairs.report["rows_dropped"] = {**pairs.report["rows_dropped"], "bad row": rejected}
        keep_frequent_pairs(pairs, options.min_user_count, options.min_item_count)
        write_items(pairs, options.names)
        for name in FILES:
            (pairs.directory / name).replace(temporary / name)
        shutil.rmtree(work)
        write_metadata(temporary, pairs.writer.parts, len(pairs.item_ids), dtype, pairs.report)
    _warn_of_dropped(pairs.report)
    return StoredInteractions.load(target, verify=False)


def _first_row(events: SpilledEvents, roles: Mapping[str, int]) -> dict[str, Any]:
    rows = events.source.connection.execute(f"SELECT * FROM {events.relation} LIMIT 1").fetchall()
    return dict(zip(roles, rows[0], strict=True)) if rows else {}


def _of_weights(
    events: SpilledEvents, roles: Mapping[str, int], rule: str, report: Mapping[str, Any], options: ReadingOptions
) -> list[str]:
    """What is said of the weights; nothing where there are none."""
    if "weight" not in roles:
        return []
    if options.like is not None:
        query = f"SELECT count(*) FILTER (w > 0), count(*) FROM {events.relation}"
        ((liked, total),) = events.source.connection.execute(query).fetchall()
        return [f"counted: {counted(liked, 'event')} of {total} with {options.like!r}, each 1"]
    query = f"SELECT min(w), max(w), avg(w) FROM {events.relation}"
    ((low, high, mean),) = events.source.connection.execute(query).fetchall()
    merged = report["duplicates"]["events_merged"]
    name = events.source.columns[roles["weight"]].name
    return weight_sentences(name, Spread(low, high, mean), merged, rule, options.duplicates is not None)


def _check_transform(transform: str, rule: str) -> None:
    """A logarithm comes after repeated events became one; on disk it can only come before."""
    if transform == "log1p" and rule not in MONOTONE_RULES:
        raise ParameterError(
            f"weight_transform='log1p' with duplicates={rule!r} needs the interactions in memory: on disk pass "
            "duplicates='last' or 'max', or 'binary' for the transform, or take the logarithm in the table."
        )


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
