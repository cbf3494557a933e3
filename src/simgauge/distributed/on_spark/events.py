"""Events of a Spark DataFrame to interactions in parts: one row a user, in ascending order of the users."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from simgauge.distributed.event_blocks import Columns, EventBlock, Survey, column_numbers, encode
from simgauge.distributed.on_spark.parts import SparkParts
from simgauge.distributed.partitioned import (
    PartitionedInteractions,
    check_options,
    chosen_items,
    event_columns,
    finished_report,
)
from simgauge.errors import InputError, optional_import
from simgauge.parameters import check_integer

SOURCE = "Spark DataFrame"

BLOCK_EVENTS = 1 << 22
"""Events that one element of the result is made of; the memory of a Python worker while events are read."""

INTEGERS = ("byte", "short", "integer", "long")
NUMBERS = (*INTEGERS, "float", "double", "boolean")


def from_spark(
    frame: Any,
    user: str | None = None,
    item: str | None = None,
    weight: str | None = None,
    *,
    item_ids: Any = None,
    unknown_items: str = "error",
    n_parts: int | None = None,
    dtype: Any = np.float64,
) -> PartitionedInteractions:
    """Interactions from a Spark DataFrame of events, left on the executors.

    Parameters
    ----------
    frame : pyspark.sql.DataFrame
        One row an event, in any order. Of a classic session: Spark Connect has no RDDs.
    user, item, weight, item_ids, unknown_items, dtype
        As for `from_dask`. Ids are of an integer type or text.
    n_parts : int, optional
        Partitions of the result; the default parallelism of the session, which is its cores, when not given.

    Returns
    -------
    PartitionedInteractions
        Rows in ascending order of the user ids over all partitions, as `read_interactions` has them. Repeated events
        of a pair are summed.

    Warns
    -----
    DroppedDataWarning
        Events without a user or item id, or of unknown items, were left out; ``report`` counts them.

    Raises
    ------
    InputError
        No such column, no rows, NaN, infinite, negative or missing weights, ids of other types, items that are not in
        `item_ids`, a frame of Spark Connect.

    Numerics
    --------
    Three passes over the events (counts, distinct items, a sample for the ranges of users) and one shuffle with a sort
    by user. The result is persisted (MEMORY_AND_DISK), about 12 bytes a pair, so `frame` need not be; cache it when
    it is expensive to read three times. Here: `item_ids`, and nothing else. A Python worker: `item_ids` and about 100
    bytes for each of BLOCK_EVENTS events, or of those of one user where these are more.

    Examples
    --------
    ::

        seen = simgauge.distributed.from_spark(spark.read.parquet("events"), user="user_id", item="item_id")
        model = simgauge.LinearAutoencoder(128).fit(seen)
    """
    dtype = check_options(unknown_items, item_ids, dtype)
    n_parts = parts_wanted(frame, n_parts)
    columns = event_columns(frame.columns, user, item, weight, SOURCE)
    events = _named(frame, columns)
    survey = _surveyed(events)
    labels = chosen_items(survey, item_ids, unknown_items, SOURCE)
    text_users = "text" in survey.kinds["user"]
    broadcast = frame.sparkSession.sparkContext.broadcast(labels)
    ordered = (
        events.where("usable")
        .select("user", "item", "weight")
        .repartitionByRange(n_parts, "user")
        .sortWithinPartitions("user", "item", "weight")
    )

    def encoded(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for table in whole_users(batches):
            yield _row_of(_block(table, broadcast.value, dtype), text_users)

    kind = "string" if text_users else "long"
    schema = f"users array<{kind}>, indptr binary, indices binary, data binary, merged long, unknown long"
    n_items = len(labels)
    rows = ordered.mapInArrow(encoded, schema).rdd
    parts = SparkParts(rows.map(lambda row: _block_of(row, n_items, dtype, text_users)))
    counts = np.sum(parts.rdd.map(lambda block: (block.merged, block.unknown)).collect(), axis=0)
    report = finished_report(survey, columns, SOURCE, *counts.tolist())
    ids = np.array(labels.to_pylist(), dtype=object if pa.types.is_string(labels.type) else np.int64)
    return PartitionedInteractions(parts, ids, report, lambda: parts.each(_users))


def parts_wanted(frame: Any, n_parts: int | None) -> int:
    """The number of partitions, of a frame that can be used.

    Raises
    ------
    InputError
        No Spark DataFrame, or one of Spark Connect.
    """
    if not hasattr(frame, "mapInArrow"):
        raise InputError(f"expected a Spark DataFrame, received {type(frame).__name__}.")
    if ".connect." in type(frame).__module__:
        raise InputError(
            "this DataFrame is of Spark Connect, which has no RDDs to add up sums on. Run this in a classic session "
            "(spark-submit, or SparkSession.builder.master(...))."
        )
    if n_parts is None:
        return max(int(frame.sparkSession.sparkContext.defaultParallelism), 1)
    return check_integer(n_parts, "n_parts", 1, hint="None: as many as the session has cores.")


def _named(frame: Any, columns: Columns) -> Any:
    """Columns user, item (bigint or string), weight (double, null where there is none), and whether a row is usable."""
    F = optional_import("pyspark.sql.functions", extra="spark", purpose="read Spark DataFrames")
    chosen = []
    for role, name in zip(("user", "item"), columns, strict=False):
        kind = frame.schema[name].dataType.typeName()
        if kind not in (*INTEGERS, "string", "varchar", "char"):
            raise InputError(
                f"{SOURCE}: {role} ids must be integers or text; {name!r} is {kind}. Cast the column first."
            )
        column = F.col(f"`{name}`")
        chosen.append((column.cast("long") if kind in INTEGERS else F.nullif(column, F.lit(""))).alias(role))
    if columns.weight is None:
        chosen.append(F.lit(1.0).alias("weight"))
    else:
        kind = frame.schema[columns.weight].dataType.typeName()
        if kind not in NUMBERS and kind != "decimal":
            raise InputError(f"{SOURCE}: weights must be numbers; {columns.weight!r} is {kind}. Cast the column first.")
        chosen.append(F.col(f"`{columns.weight}`").cast("double").alias("weight"))
    weight = F.col("weight")
    bad = weight.isNull() | F.isnan(weight) | (weight < 0) | (weight == float("inf"))
    usable = F.col("user").isNotNull() & F.col("item").isNotNull() & ~F.col("bad") & (weight > 0)
    return frame.select(*chosen).withColumn("bad", bad).withColumn("usable", usable)


def _surveyed(events: Any) -> Survey:
    F = optional_import("pyspark.sql.functions", extra="spark", purpose="read Spark DataFrames")
    user, item = F.col("user"), F.col("item")
    asked = {
        "rows": F.lit(True),
        "no_user": user.isNull(),
        "no_item": item.isNull() & user.isNotNull(),
        "weight_zero": F.col("weight") == 0,
        "bad_weights": F.col("bad"),
    }
    counts = events.agg(*(F.count_if(condition).alias(name) for name, condition in asked.items())).first().asDict()
    first_bad = ""
    if counts["bad_weights"]:
        row = events.where("bad").first()
        first_bad = f"user {row['user']}, item {row['item']}, weight {row['weight']}"
    items = events.where("usable").select("item").distinct().toArrow()["item"].combine_chunks()
    items = items if pa.types.is_integer(items.type) else items.cast(pa.string())
    kinds = {role: {"text" if dict(events.dtypes)[role] == "string" else "integer": 0} for role in ("user", "item")}
    return Survey(**counts, first_bad=first_bad, kinds=kinds, items=items if len(items) else None)


def whole_users(batches: Iterable[pa.RecordBatch], limit: int = BLOCK_EVENTS) -> Iterator[pa.Table]:
    """Batches of events in the order of the users, put together and cut so that no user is cut.

    Examples
    --------
    >>> batches = pa.table({"user": [1, 1, 2, 2, 3]}).to_batches(max_chunksize=2)
    >>> [table["user"].to_pylist() for table in whole_users(batches, limit=2)]
    [[1, 1], [2, 2], [3]]
    """
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(len(one) for one in waiting) > limit:
            table = pa.Table.from_batches(waiting)
            last = table["user"][-1]
            cut = pa.compute.index(table["user"], last).as_py()
            if cut:
                yield table.slice(0, cut)
                waiting = table.slice(cut).to_batches()
    if waiting and (table := pa.Table.from_batches(waiting)).num_rows:
        yield table


def _block(table: pa.Table, labels: pa.Array, dtype: str) -> EventBlock:
    users = table["user"].combine_chunks()
    users = users if pa.types.is_integer(users.type) else users.cast(pa.string())
    return encode(users, column_numbers(table["item"], labels), table["weight"].to_numpy(), len(labels), dtype)


def _row_of(block: EventBlock, text_users: bool) -> pa.RecordBatch:
    matrix = block.matrix
    return pa.record_batch(
        {
            "users": pa.array([block.user_ids.tolist()], pa.list_(pa.string() if text_users else pa.int64())),
            "indptr": [matrix.indptr.astype(np.int64).tobytes()],
            "indices": [matrix.indices.astype(np.int32).tobytes()],
            "data": [matrix.data.tobytes()],
            "merged": [block.merged],
            "unknown": [block.unknown],
        }
    )


def _block_of(row: Any, n_items: int, dtype: str, text_users: bool) -> EventBlock:
    users = np.array(row["users"], dtype=object if text_users else np.int64)
    index = np.int32 if len(row["indices"]) < 1 << 31 else np.int64
    arrays = (
        np.frombuffer(row["data"], dtype),
        np.frombuffer(row["indices"], np.int32).astype(index, copy=False),
        np.frombuffer(row["indptr"], np.int64).astype(index),
    )
    return EventBlock(sparse.csr_array(arrays, shape=(len(users), n_items)), users, row["merged"], row["unknown"])


def _users(_: int, blocks: Iterable[EventBlock]) -> Iterator[NDArray[Any]]:
    return (block.user_ids for block in blocks)
