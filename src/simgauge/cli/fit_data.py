"""What `simgauge fit` fits: interactions in memory, or a store on disk where they are larger than memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simgauge.interactions import Interactions
    from simgauge.read.store.stored_interactions import StoredInteractions

SHARE_FOR_READING = 2
"""Interactions that would take more than one part in so many of the available memory go to disk."""

LEAST_MEMORY = 1 << 28


@contextmanager
def fit_data(
    source: str, out: Path, memory: str | None, penalty: str, options: Mapping[str, Any], show: Callable[..., None]
) -> Iterator[Interactions | StoredInteractions]:
    """Read interactions by the route that memory allows; a store made for this is removed at the end.

    Raises
    ------
    ParameterError
        Dropout, which needs the matrix in memory, together with a store or with `memory`.
    """
    from simgauge.read.interactions import read_interactions
    from simgauge.read.store.stored_interactions import METADATA_FILE, StoredInteractions

    stored = (Path(source) / METADATA_FILE).is_file()
    if penalty == "dropout" and (stored or memory is not None):
        _refuse_dropout(source, stored)
    if stored:
        _refuse_options(source, options)
        yield StoredInteractions.load(source)
        return
    limit = memory if memory is not None else _memory_to_spill_with(source, penalty, options)
    if limit is None:
        yield read_interactions(source, **options)
        return
    from simgauge.read.spill import store_interactions
    from simgauge.storage.places import WORK, make_directory, waiting_place

    def report(text: str, done: int, steps: int) -> None:
        show(f"reading ({text})", done, 3 * steps)

    # beside the result: that disk has room for it, and the system's folder for temporary files is often in memory
    target = out.resolve()
    make_directory(target.parent)
    with waiting_place(target) as place:
        yield store_interactions(source, place / WORK / "store", **options, memory=limit, progress=report)


def _memory_to_spill_with(source: str, penalty: str, options: Mapping[str, Any]) -> int | None:
    """Bytes to sort with when the Parquet footers say that reading would take too much memory; None when not."""
    from simgauge.cli.console import print_note
    from simgauge.errors import InputError
    from simgauge.read.events.memory import available_memory, in_memory_need, in_words
    from simgauge.read.sources.files import expand

    if penalty == "dropout" or options.get("query") is not None or "://" in source:
        return None
    try:
        need = in_memory_need(expand(source))
    except (InputError, OSError):  # the reader will say it better
        return None
    left = available_memory()
    if need is None or left is None or need * SHARE_FOR_READING <= left:
        return None
    limit = max(LEAST_MEMORY, left // 4)
    print_note(
        f"reading into memory would take about {in_words(need)} of the {in_words(left)} available: sorting on disk "
        f"instead, with {in_words(limit)} (--memory sets this)."
    )
    return limit


def _refuse_dropout(source: str, stored: bool) -> None:
    from simgauge.errors import ParameterError

    what = f"{source} is a store on disk" if stored else "--memory reads through a store on disk"
    raise ParameterError(
        f"{what}, and --penalty dropout needs the interactions in memory: choose product, factors or weights, or read "
        "them into memory."
    )


def _refuse_options(source: str, options: Mapping[str, Any]) -> None:
    from simgauge.errors import ParameterError

    plain = {"duplicates": "sum", "min_user_count": 1, "min_item_count": 1}
    given = [name for name, value in options.items() if value != plain.get(name)]
    if given:
        raise ParameterError(
            f"{source} is a store of interactions that were read already: {', '.join(given)} cannot be changed any more. "
            "Make the store again from the tables, or leave these options out."
        )
