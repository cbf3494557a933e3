"""Tables of vectors in Spark DataFrames, and the two of an ALS model, left on the executors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simgauge.distributed.on_spark.events import INTEGERS, parts_wanted
from simgauge.distributed.on_spark.parts import SparkParts
from simgauge.embedding import Embedding
from simgauge.errors import InputError, optional_import
from simgauge.read.libraries.found_tables import described, library_version
from simgauge.read.libraries.spark_als import CONVENTION, als_stage
from simgauge.read.sources.columns import ID_NAMES, VECTOR_NAMES, find_column, usual_column

SOURCE = "Spark DataFrame"


class SparkTable(NamedTuple):
    """Vectors on the executors, ids here."""

    parts: SparkParts
    """ndarray parts, (n_rows, n_components), in ascending order of the ids."""
    ids: NDArray[Any]
    """int64 or object of str, shape (n_rows,)."""


class _Rows(NamedTuple):
    matrix: NDArray[np.floating[Any]]
    ids: NDArray[Any]
    problem: str


def table_from_spark(
    frame: Any, id_column: str | None = None, vector_column: str | None = None, *, n_parts: int | None = None
) -> SparkTable:
    """A table of vectors from a Spark DataFrame with an id and a vector a row.

    Parameters
    ----------
    frame : pyspark.sql.DataFrame
        Ids of an integer type or text; vectors as array<float>, array<double> or Spark ML vectors, of one length.
    id_column, vector_column : str, optional
        Usual names (id, features, vector, ...) are looked for when not given.
    n_parts : int, optional
        Partitions; the cores of the session when not given.

    Returns
    -------
    SparkTable
        Rows in ascending order of the ids over all partitions: sorted by Spark, then persisted (MEMORY_AND_DISK), so
        that every pass sees the same rows in the same order. float32 of array<float>, else float64.

    Raises
    ------
    InputError
        No such column, another type, missing ids or vectors, vectors of unequal length, an id twice (the message names
        the partition), no rows.

    Numerics
    --------
    Two passes over `frame` (one for the ranges of the ids) and one shuffle. Here: the ids, 8 bytes a row.
    """
    n_parts = parts_wanted(frame, n_parts)
    id_name = _column(frame, id_column, ID_NAMES, "id_column")
    vector_name = _column(frame, vector_column, VECTOR_NAMES, "vector_column")
    vectors, dtype = _vectors(frame, vector_name)
    kind = frame.schema[id_name].dataType.typeName()
    if kind not in (*INTEGERS, "string"):
        raise InputError(f"{SOURCE}: ids must be integers or text; {id_name!r} is {kind}. Cast the column first.")
    functions = optional_import("pyspark.sql.functions", extra="spark", purpose="read Spark DataFrames")
    named = frame.select(functions.col(f"`{id_name}`").alias("id"), vectors.alias("vector"))
    ordered = named.repartitionByRange(n_parts, "id").sortWithinPartitions("id")

    def encoded(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return (_row_of(pa.Table.from_batches([batch]), dtype) for batch in batches if batch.num_rows)

    id_type = "string" if kind == "string" else "long"
    schema = f"ids array<{id_type}>, width long, vectors binary, problem string"
    rows = ordered.mapInArrow(encoded, schema).rdd.map(lambda row: _rows_of(row, dtype, id_type))
    level = optional_import("pyspark", extra="spark", purpose="work on Spark").StorageLevel.MEMORY_AND_DISK
    held = rows.persist(level)
    _refuse(held)
    parts = SparkParts(held)
    ids = np.concatenate(list(parts.each(_ids)))
    repeated = np.flatnonzero(ids[1:] == ids[:-1])
    if len(repeated):
        raise InputError(
            f"{SOURCE}: {len(repeated)} ids occur twice (such as {ids[repeated[0]]}). Keep one row per id."
        )
    return SparkTable(parts, ids)


def from_spark_als(model: Any, *, n_parts: int | None = None) -> Embedding:
    """The tables of a fitted ALSModel as an Embedding whose vectors stay on the executors.

    `simgauge.from_library` reads the same model into the memory of this process.

    Parameters
    ----------
    model : pyspark.ml.recommendation.ALSModel, or a PipelineModel with one
    n_parts : int, optional
        Partitions of each table; the cores of the session when not given.

    Returns
    -------
    Embedding
        ``items`` and ``users`` are `SparkParts` in ascending order of Spark's ids, float32; ``item_ids`` and
        ``user_ids`` are here, 8 bytes a row.

    Raises
    ------
    InputError
        No such model.
    """
    model = als_stage(model)
    items = table_from_spark(model.itemFactors, "id", "features", n_parts=n_parts)
    users = table_from_spark(model.userFactors, "id", "features", n_parts=n_parts)
    about = described(
        model,
        objective="als-wr",
        biases="none",
        convention=CONVENTION,
        items_from="itemFactors",
        users_from="userFactors",
    )
    about.update(version=library_version("pyspark"), bias_columns=[])
    return Embedding(
        items=items.parts,
        users=users.parts,
        item_ids=items.ids,
        user_ids=users.ids,
        provenance=about,
    )


def _column(frame: Any, given: str | None, usual: tuple[str, ...], role: str) -> str:
    names = frame.columns
    position = usual_column(usual, names) if given is None else find_column(given, names, role=role, where=SOURCE)
    if position is None:
        listed = ", ".join(names)
        raise InputError(
            f"{SOURCE}: no column is known to be the {role.removesuffix('_column')}; its columns: {listed}. For a "
            f"table "
            "of vectors pass table_from_spark(frame, id_column, vector_column), for events from_spark(frame, user, "
            "item)."
        )
    return str(names[position])


def _vectors(frame: Any, name: str) -> tuple[Any, str]:
    functions = optional_import("pyspark.sql.functions", extra="spark", purpose="read Spark DataFrames")
    kind = frame.schema[name].dataType
    column = functions.col(f"`{name}`")
    if kind.typeName() == "array":
        inner = kind.elementType.typeName()
        if inner in ("float", "double", *INTEGERS):
            dtype = "float32" if inner == "float" else "float64"
            return column.cast(f"array<{'float' if inner == 'float' else 'double'}>"), dtype
    if type(kind).__name__ == "VectorUDT":
        ml = optional_import("pyspark.ml.functions", extra="spark", purpose="read Spark ML vectors")
        return ml.vector_to_array(column), "float64"
    raise InputError(
        f"{SOURCE}: {name!r} is {kind.simpleString()}; expected array<float>, array<double> or ML vectors."
    )


def _row_of(table: pa.Table, dtype: str) -> pa.RecordBatch:
    ids, vectors = table["id"].combine_chunks(), table["vector"].combine_chunks()
    lengths = np.asarray(pa.compute.fill_null(pa.compute.list_value_length(vectors), -1))
    problem = ""
    if ids.null_count:
        problem = f"{ids.null_count} rows without id"
    elif (lengths < 0).any():
        problem = f"{int((lengths < 0).sum())} ids without vector (such as {ids[int((lengths < 0).argmax())]})"
    elif (lengths != lengths[0]).any():
        other = int((lengths != lengths[0]).argmax())
        problem = f"vectors of unequal length ({lengths[0]} for {ids[0]}, {lengths[other]} for {ids[other]})"
    elif vectors.flatten().null_count:
        problem = f"{vectors.flatten().null_count} missing numbers in its vectors"
    values = b"" if problem else np.asarray(vectors.flatten(), dtype=dtype).tobytes()
    id_type = pa.string() if not pa.types.is_integer(ids.type) else pa.int64()
    return pa.record_batch(
        {
            "ids": pa.array([[] if problem else ids.to_pylist()], pa.list_(id_type)),
            "width": pa.array([int(lengths[0])], pa.int64()),
            "vectors": pa.array([values], pa.binary()),
            "problem": pa.array([problem], pa.string()),
        }
    )


def _rows_of(row: Any, dtype: str, id_type: str) -> _Rows:
    ids = np.array(row["ids"], dtype=object if id_type == "string" else np.int64)
    return _Rows(np.frombuffer(row["vectors"], dtype).reshape(len(ids), -1 if len(ids) else 0), ids, row["problem"])


def _refuse(rows: Any) -> None:
    def problems(number: int, elements: Iterable[_Rows]) -> Iterator[str]:
        return (f"partition {number} has {element.problem}" for element in elements if element.problem)

    found = rows.mapPartitionsWithIndex(problems).take(1)
    if found:
        raise InputError(f"{SOURCE}: {found[0]}. Every row needs an id and a vector of the same length.")


def _ids(_: int, elements: Iterable[_Rows]) -> Iterator[NDArray[Any]]:
    return (element.ids for element in elements)
