"""Events of a Dask DataFrame to interactions in parts: one row a user, whole, in one partition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simgauge.distributed.event_blocks import Columns, EventBlock, Survey, clean_events, column_numbers, encode
from simgauge.distributed.on_dask.engine import Engine, Task, engine_for
from simgauge.distributed.on_dask.held import HeldTasks, lazily
from simgauge.distributed.on_dask.parts import DaskParts
from simgauge.distributed.on_dask.sizes import know_sizes
from simgauge.distributed.one_part import Placed
from simgauge.distributed.partitioned import (
    PartitionedInteractions,
    check_options,
    chosen_items,
    event_columns,
    finished_report,
)
from simgauge.errors import InputError, SimgaugeError, optional_import
from simgauge.parameters import check_integer

SOURCE = "Dask DataFrame"


def from_dask(
    frame: Any,
    user: str | None = None,
    item: str | None = None,
    weight: str | None = None,
    *,
    item_ids: Any = None,
    unknown_items: str = "error",
    n_parts: int | None = None,
    dtype: Any = np.float64,
    client: Any = None,
) -> PartitionedInteractions:
    """Interactions from a Dask DataFrame of events, left on the workers.

    Parameters
    ----------
    frame : dask.dataframe.DataFrame
        One row an event, in any order; a user may be in several partitions.
    user, item, weight : str, optional
        Columns. Usual names (user_id, movieId, ...) are looked for where user or item is not given; without a weight
        every event counts 1. Ids are integers or text.
    item_ids : sequence of int or str, optional
        Labels of the columns wanted, in that order; all items that occur, ascending, when not given.
    unknown_items : {"error", "drop"}
        What becomes of events of items that are not in `item_ids`.
    n_parts : int, optional
        Parts of the result; those of the frame when not given. About one per thread of the cluster is best.
    dtype : float64 or float32
        Of the weights; float32 halves the memory and the traffic of a fit.
    client : distributed.Client, optional
        The current one when not given; without one Dask's threads in this process.

    Returns
    -------
    PartitionedInteractions
        Repeated events of a pair are summed. Rows are in the order of the parts, within a part in that of the user ids;
        which part a user is in depends on the id and `n_parts` alone.

    Warns
    -----
    DroppedDataWarning
        Events without a user or item id, or of unknown items, were left out; ``report`` counts them.

    Raises
    ------
    InputError
        No such column, no rows, NaN, infinite, negative or missing weights, ids of two kinds, a partition of another
        schema (the message names it), items that are not in `item_ids`.

    Numerics
    --------
    Two passes over the events and one shuffle of them (about 28 bytes an event plus text ids). Here: `item_ids`, and
    nothing else; a worker: about 60 bytes per event of the partitions it works on, and `item_ids`.

    Examples
    --------
    ::

        events = dask.dataframe.read_parquet("events/")
        seen = simgauge.distributed.from_dask(events, user="user_id", item="item_id")
        model = simgauge.LinearAutoencoder(128).fit(seen)
    """
    dtype = check_options(unknown_items, item_ids, dtype)
    if not hasattr(frame, "to_delayed") or not hasattr(frame, "columns"):
        raise InputError(f"expected a Dask DataFrame of events, received {type(frame).__name__}.")
    if n_parts is not None:
        check_integer(n_parts, "n_parts", 1, hint="None: as many as the frame has.")
    if not all(isinstance(name, str) for name in frame.columns):
        raise InputError(f"{SOURCE}: names of columns must be text. Rename them first: frame.rename(columns=str).")
    columns = event_columns(list(frame.columns), user, item, weight, SOURCE)
    engine = engine_for(client)
    sources = list(frame[columns.named].to_delayed())
    survey = _surveyed(engine, sources, columns)
    labels = chosen_items(survey, item_ids, unknown_items, SOURCE)
    text_users = "text" in survey.kinds["user"]
    held = HeldTasks(
        engine, lambda: _blocks(engine, sources, columns, labels, text_users, n_parts or len(sources), dtype)
    )
    counts = np.sum(list(held.each(_dropped)), axis=0)
    report = finished_report(survey, columns, SOURCE, *counts.tolist())
    ids = np.array(labels.to_pylist(), dtype=object if pa.types.is_string(labels.type) else np.int64)
    return PartitionedInteractions(DaskParts.of_held(held), ids, report, lambda: held.each(_users))


def _surveyed(engine: Engine, sources: Sequence[Task], columns: Columns) -> Survey:
    delayed = lazily()
    held = HeldTasks(engine, lambda: list(sources), hold=False)
    try:
        survey: Survey = held.total(
            lambda _: (delayed(_survey)(source, columns, number) for number, source in enumerate(sources))
        )
    except Exception as error:
        if isinstance(error, (SimgaugeError, *engine.lost)):
            raise
        for number, source in enumerate(sources):  # which one it was: what reads a partition does not know its number
            try:
                engine.result(delayed(_survey)(source, columns, number))
            except Exception as reason:
                raise InputError(f"{SOURCE}: partition {number} cannot be read: {reason!r}.") from error
        raise
    return survey


def _blocks(
    engine: Engine,
    sources: Sequence[Task],
    columns: Columns,
    labels: pa.Array,
    text_users: bool,
    n_parts: int,
    dtype: str,
) -> list[Task]:
    """Tasks of `EventBlock`: items to column numbers, events to the part of their user, users to rows."""
    dd = optional_import("dask.dataframe", extra="dask", purpose="work on Dask collections")
    pd = optional_import("pandas", extra="dask", purpose="work on Dask collections")
    delayed, placed = lazily(), engine.place((labels,))
    coded = [delayed(_coded)(source, columns, number, placed) for number, source in enumerate(sources)]
    series = {"key": np.int64, "user": object if text_users else np.int64, "column": np.int32, "weight": np.float64}
    meta = pd.DataFrame({name: pd.Series([], dtype=kind) for name, kind in series.items()})
    # shuffled by tasks: they can be computed again when a worker is lost, and give the same order every time
    events = dd.from_delayed(coded, meta=meta, verify_meta=False).shuffle(
        on="key", npartitions=n_parts, shuffle_method="tasks"
    )
    return [delayed(_block)(part, len(labels), dtype) for part in events.to_delayed()]


def _survey(frame: Any, columns: Columns, number: int) -> Survey:
    return clean_events(_arrow(frame, columns, number), columns, number)[1]


def _coded(frame: Any, columns: Columns, number: int, placed: Placed) -> Any:
    pd = optional_import("pandas", extra="dask", purpose="work on Dask collections")
    events, _ = clean_events(_arrow(frame, columns, number), columns, number)
    users = events["user"].to_numpy()
    return pd.DataFrame(
        {
            "key": pd.util.hash_array(users, categorize=False).view(np.int64),
            "user": users,
            "column": column_numbers(events["item"], placed.arguments[0]),
            "weight": events["weight"].to_numpy(),
        }
    )


def _block(events: Any, n_items: int, dtype: str) -> EventBlock:
    know_sizes()
    users = pa.array(events["user"], from_pandas=True)
    users = users.combine_chunks() if isinstance(users, pa.ChunkedArray) else users
    users = users if pa.types.is_integer(users.type) else users.cast(pa.string())
    return encode(users, events["column"].to_numpy(), events["weight"].to_numpy(), n_items, dtype)


def _arrow(frame: Any, columns: Columns, number: int) -> pa.Table:
    present = [name for name in columns.named if name in frame.columns]
    try:
        return pa.Table.from_pandas(frame[present], preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise InputError(f"partition {number} has values of several types in one column: {error}.") from error


def _dropped(block: EventBlock) -> tuple[int, int]:
    return block.merged, block.unknown


def _users(block: EventBlock) -> NDArray[Any]:
    return block.user_ids
