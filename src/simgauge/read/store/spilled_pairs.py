"""Sorted events to pairs on disk: repeated events merged, rare users and items left out, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from simgauge.core.tables.row_parts import LocalParts
from simgauge.errors import InputError
from simgauge.read.events.merge import merge_events
from simgauge.read.sources.names import names_for
from simgauge.read.store.spilled_events import SpilledEvents
from simgauge.read.store.stored_filter import copy_frequent, frequent
from simgauge.read.store.stored_pairs import ITEMS_FILE, PairsWriter, map_parts


@dataclass
class SpilledPairs:
    """Pairs on disk that are becoming a store."""

    directory: Path
    writer: PairsWriter
    item_ids: NDArray[Any]
    item_counts: NDArray[np.int64]
    report: dict[str, Any]


def write_pairs(events: SpilledEvents, rule: str, dtype: str, work: Path) -> SpilledPairs:
    """Merge the events of each pair and write the pairs as they come.

    Raises
    ------
    InputError
        Repeated events under the rule "error", sums beyond the range of `dtype`, or nothing but weights of zero.
    """
    item_ids = events.items()
    folder = work / "pairs"
    folder.mkdir()
    counts = np.zeros(len(item_ids), dtype=np.int64)
    merged = zeros = done = 0
    batches = _cut_between_pairs(events.ordered(rule))
    first = next(batches)
    id_type = pa.int64() if pa.types.is_integer(first.schema.field("u").type) else pa.string()
    with PairsWriter(folder, dtype, id_type) as writer:
        while True:
            users, per_user, indices, data, repeated, dropped = _merged(first, rule, item_ids, dtype)
            merged, zeros, done = merged + repeated, zeros + dropped, done + len(first)
            np.add.at(counts, indices, 1)
            writer.add(users.cast(id_type), per_user, indices, data)
            if events.progress is not None:
                events.progress("writing", 80 + 20 * done // events.rows_read, 100)
            following = next(batches, None)
            if following is None:
                break
            first = following
        writer.finish()
    if writer.n_pairs == 0:
        raise InputError(f"{events.source.label}: every weight is zero, so nothing is left.")
    columns = {role: events.source.columns[position].name for role, position in events.roles.items()}
    report = {
        "source": events.source.label,
        "format": events.source.format,
        "columns": columns,
        "rows_read": events.rows_read,
        "rows_dropped": events.dropped,
        "duplicates": {"rule": rule, "events_merged": merged},
        "pairs_of_weight_zero_dropped": zeros,
    }
    return SpilledPairs(folder, writer, item_ids, counts, report)


def _cut_between_pairs(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Tables that end where a pair of user and item ends."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        if not batch.num_rows:
            continue
        user, item = batch.column(0), batch.column(1)
        same = pc.and_(pc.equal(user, user[-1]), pc.equal(item, item[-1]))
        start = pc.index(same, True).as_py()
        if held and not (start == 0 and user[-1] == held[-1].column(0)[-1] and item[-1] == held[-1].column(1)[-1]):
            yield pa.Table.from_batches([*held, batch[:start]]) if start else pa.Table.from_batches(held)
            held = [batch[start:]]
        elif held:
            held.append(batch)
        else:
            if start:
                yield pa.Table.from_batches([batch[:start]])
            held = [batch[start:]]
    if held:
        yield pa.Table.from_batches(held)


def _merged(
    events: pa.Table, rule: str, item_ids: NDArray[Any], dtype: str
) -> tuple[pa.Array, NDArray[np.int64], NDArray[Any], NDArray[Any], int, int]:
    """Users, pairs a user, items and weights of sorted events; how many were merged, and pairs of weight zero."""
    runs = pc.run_end_encode(events["u"].combine_chunks())
    users = runs.values
    codes = np.repeat(np.arange(len(users), dtype=np.int32), np.diff(runs.run_ends.to_numpy(), prepend=0))
    items = events["code"].to_numpy()
    weights = events["w"].to_numpy() if "w" in events.column_names else None
    shape = (len(users), len(item_ids))
    pairs, merged = merge_events(codes, items, weights, shape, "sum" if rule == "error" else rule)
    if rule == "error" and merged:
        place = int(np.argmax((codes[1:] == codes[:-1]) & (items[1:] == items[:-1])))
        raise InputError(
            f"events repeat a user-item pair (first: user {users[int(codes[place])]}, item {item_ids[items[place]]}) "
            f"and "
            "duplicates='error' was asked for. Pass 'sum', 'max', 'mean', 'last' or 'count'."
        )
    data = pairs.data.astype(dtype, copy=False)
    if not np.isfinite(data).all():
        raise InputError(
            f"weights of some pairs leave the range of {dtype} when they are summed. Scale the weights first."
        )
    zeros = int((pairs.data == 0).sum())
    if zeros:
        pairs.eliminate_zeros()
        data = pairs.data.astype(dtype, copy=False)
    return users, np.diff(pairs.indptr).astype(np.int64), pairs.indices, data, merged, zeros


def keep_frequent_pairs(pairs: SpilledPairs, min_user_count: int, min_item_count: int) -> None:
    """Leave out items that lost all their pairs to weights of zero, and users and items with too few."""
    asked = min_user_count > 1 or min_item_count > 1
    if not asked and pairs.item_counts.all():
        return
    writer = pairs.writer
    matrix = LocalParts(map_parts(pairs.directory, len(pairs.item_ids), writer.parts, writer.dtype))
    users, items = np.ones(matrix.shape[0], dtype=bool), pairs.item_counts > 0
    if asked:
        before = int(items.sum())
        users, items, rounds = frequent(matrix, min_user_count, min_item_count)
        pairs.report["minimum_counts"] = {
            "min_user_count": int(min_user_count),
            "min_item_count": int(min_item_count),
            "rounds": rounds,
            "users_dropped": int((~users).sum()),
            "items_dropped": before - int(items.sum()),
        }
        if not users.any():
            raise InputError(
                f"nothing is left of {matrix.shape[0]} users and {before} items with min_user_count={min_user_count} "
                f"and "
                f"min_item_count={min_item_count} (applied in turn until both hold). Lower them."
            )
    kept = pairs.directory.parent / "kept"
    kept.mkdir()
    with PairsWriter(kept, writer.dtype, writer.id_type) as copy:
        pairs.item_counts = copy_frequent(matrix, pairs.directory, users, items, copy)
    pairs.directory, pairs.writer, pairs.item_ids = kept, copy, pairs.item_ids[items]


def write_items(pairs: SpilledPairs, names: Any) -> None:
    """Write ids, counts and, where they are known, names of the items."""
    id_type = pa.int64() if pairs.item_ids.dtype != object else pa.string()
    table = {"id": pa.array(pairs.item_ids, id_type), "count": pa.array(pairs.item_counts, pa.int64())}
    if names is not None:
        item_names, pairs.report["names"] = names_for(pairs.item_ids, names)
        table["name"] = pa.array(item_names, pa.string())
    pq.write_table(pa.table(table), pairs.directory / ITEMS_FILE)
