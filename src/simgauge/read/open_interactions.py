"""Interactions by the route that memory allows: read whole, or sorted on disk and opened in parts."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from simgauge.errors import InputError, ParameterError
from simgauge.interactions import Interactions
from simgauge.progress import Progress
from simgauge.read.events import memory as memories
from simgauge.read.events.memory import in_memory_need, in_words
from simgauge.read.events.options import ReadingOptions, reading_options
from simgauge.read.interactions import read_interactions
from simgauge.read.sources.files import expand, is_path
from simgauge.read.spill import LEAST_MEMORY, store_interactions
from simgauge.read.store.stored_interactions import METADATA_FILE, StoredInteractions
from simgauge.storage.places import WORK, make_directory, waiting_place

SHARE_FOR_READING = 2
"""Interactions that would take more than this share of the available memory go to disk."""


class OnDiskWarning(UserWarning):
    """Interactions are sorted on disk because memory would not hold them; the message gives the amounts."""


@contextmanager
def open_interactions(
    source: Any,
    *,
    options: ReadingOptions | None = None,
    memory: str | int | None = None,
    on_disk: bool | None = None,
    beside: str | Path | None = None,
    progress: Progress | None = None,
    **named: Any,
) -> Iterator[Interactions | StoredInteractions]:
    """Open interactions of any size: in memory where that holds them, on disk where it does not.

    Parameters
    ----------
    source : as for `read_interactions`, or a directory that `store_interactions` wrote
    options, **named : optional
        See `read_interactions` and `ReadingOptions`.
    memory : str or int, optional
        Sort on disk, with this much memory, such as "2GiB".
    on_disk : bool, optional
        True: always; False: never, as a fit by dropout needs it. When neither this nor `memory` is given, Parquet files
        whose footers announce more than half of the available memory go to disk, with a warning.
    beside : path, optional
        A temporary store is made in the same folder as this, where there should be room; the working directory when not
        given. It is removed at the end.
    progress : callable, optional
        Called with text, steps done, steps in all, while sorting on disk.

    Yields
    ------
    Interactions or StoredInteractions
        The `matrix` of either is for `LinearAutoencoder.fit`.

    Raises
    ------
    InputError
        As `read_interactions`.
    ParameterError
        `on_disk=False` together with a store or with `memory`, or options for a store that was made already.

    Examples
    --------
    >>> import pyarrow as pa
    >>> events = pa.table({"user": ["ann", "bob"], "item": ["tea", "milk"]})
    >>> with open_interactions(events) as data:
    ...     data
    Interactions(2 users, 2 items, 2 pairs, float64)
    """
    options = reading_options(options, named)
    single = is_path(source) and not isinstance(source, (list, tuple))
    stored = single and (Path(source) / METADATA_FILE).is_file()
    if on_disk is False and (stored or memory is not None):
        what = f"{source} is a store on disk" if stored else "with memory given, interactions are sorted on disk"
        raise ParameterError(
            f"{what}, and --penalty dropout needs the interactions in memory (on_disk=False): choose product, factors "
            f"or "
            "weights, or read them into memory."
        )
    if stored:
        _refuse_changes(source, options)
        yield StoredInteractions.load(source)
        return
    limit = memory if memory is not None else _memory_for_disk(source, on_disk, options)
    if limit is None:
        yield read_interactions(source, options=options)
        return
    target = Path("interactions" if beside is None else beside).resolve()
    make_directory(target.parent)
    with waiting_place(target) as place:
        yield store_interactions(source, place / WORK / "store", options=options, memory=limit, progress=progress)


def _memory_for_disk(source: Any, on_disk: bool | None, options: ReadingOptions) -> int | None:
    """Bytes to sort with, when that was asked for or reading would take too much memory; None when not."""
    left = memories.available_memory()
    limit = LEAST_MEMORY if left is None else max(LEAST_MEMORY, left // 4)
    if on_disk is not None:
        return limit if on_disk else None
    if options.query is not None or left is None or not is_path(source) or "://" in str(source):
        return None
    try:
        need = in_memory_need(expand(source))
    except (InputError, OSError):  # the reader will say it better
        return None
    if need is None or need * SHARE_FOR_READING <= left:
        return None
    warnings.warn(
        f"reading into memory would take about {in_words(need)} of the {in_words(left)} available: sorting on disk "
        f"instead, with {in_words(limit)} (--memory or memory= sets this).",
        OnDiskWarning,
        stacklevel=4,
    )
    return limit


def _refuse_changes(source: Any, options: ReadingOptions) -> None:
    if options.changed:
        raise ParameterError(
            f"{source} is a store of interactions that were read already: {', '.join(options.changed)} cannot be "
            f"changed "
            "any more. Make the store again from the tables, or leave these options out."
        )
