"""Matrices and tables of vectors whose parts are the elements of a Spark RDD."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np

from simgauge.core.tables.row_parts import RowParts, Work, tree_sum
from simgauge.distributed.on_spark.jobs import cancellable
from simgauge.distributed.on_spark.sum import pieces, reduced
from simgauge.distributed.one_part import PartShape, Placed, common_shape, made_table, run, shape_of
from simgauge.errors import InputError, optional_import

Starts = dict[int, list[int]]
"""Partition -> first row of each of its parts."""


class SparkParts(RowParts):
    """A matrix in parts by rows on Spark's executors.

    Made by `from_spark`, `table_from_spark` and `from_spark_als`; or from an RDD of your own.

    Parameters
    ----------
    rdd : pyspark.RDD
        Its elements are the next rows: CSR or ndarrays of one width and dtype (float32 or float64), each less than 2
        GiB, in an order that is the same whenever a partition is computed again.

    Raises
    ------
    InputError
        No rows, or an element of another width, dtype or kind (the message names it); no RDD.

    Numerics
    --------
    The RDD is persisted (MEMORY_AND_DISK): repeated passes read the same rows in the same order. An executor that is
    lost costs the time to compute its partitions again. One pass at the start to count the rows.

    With a bytes of the arguments (p·b·itemsize for the block of a fit, p items, b = `krylov_basis.BLOCK`) and s bytes
    of a sum (the same in a fit): the driver holds 2 (a + s), so ``spark.driver.maxResultSize`` must exceed s; each
    Python worker, one per core, holds a + s (log2(elements of a partition) + 1) and one element. A pass broadcasts a to
    every executor and moves about 1.07 s per partition in the first shuffle: partitions should be few, about one per
    core.

    Examples
    --------
    ::

        rdd = spark.sparkContext.parallelize(paths, len(paths)).map(scipy.sparse.load_npz)
        model = simgauge.LinearAutoencoder(128).fit(SparkParts(rdd))
    """

    def __init__(self, rdd: Any) -> None:
        if not hasattr(rdd, "mapPartitionsWithIndex"):
            raise InputError(f"expected a Spark RDD, received {type(rdd).__name__}. For DataFrames: from_spark.")
        held = _persisted(rdd)
        shapes: dict[int, list[PartShape]] = dict(
            cancellable(rdd.context, held.mapPartitionsWithIndex(_shapes).collect)
        )
        flat = [(number, place, shape) for number, there in sorted(shapes.items()) for place, shape in enumerate(there)]
        names = [f"partition {number}, element {place}" for number, place, _ in flat]
        common = common_shape([shape for *_, shape in flat], names)
        counts = {number: [shape.rows for shape in there] for number, there in sorted(shapes.items())}
        self._set(held, counts, common.columns, np.dtype(common.dtype))

    def _set(self, rdd: Any, counts: dict[int, list[int]], n_columns: int, dtype: np.dtype[Any]) -> None:
        self.rdd, self._counts, self.dtype = rdd, counts, dtype
        starts = iter(np.cumsum([0, *itertools.chain.from_iterable(counts.values())]).tolist())
        self._starts: Starts = {number: [next(starts) for _ in rows] for number, rows in counts.items()}
        self.shape = (next(starts), n_columns)
        self._filled = [number for number, rows in counts.items() if any(rows)]

    def __repr__(self) -> str:
        return f"SparkParts({self.shape[0]} x {self.shape[1]}, {self.dtype}, {len(self._filled)} partitions)"

    def map(self, work: Work, *arguments: Any) -> Iterator[Any]:
        """See `RowParts.map`; as many partitions at a time as there are cores, so that results do not pile up."""
        broadcast = self.rdd.context.broadcast(Placed(arguments))
        try:
            yield from self.each(_mapper(work, broadcast, self._starts))
        finally:
            broadcast.destroy()

    def each(self, mapper: Callable[[int, Iterable[Any]], Iterator[Any]]) -> Iterator[Any]:
        """Results of `mapper` for the partitions with rows, in order; called as ``mapper(number, elements)``."""
        context, mapped = self.rdd.context, self.rdd.mapPartitionsWithIndex(mapper)
        window = max(context.defaultParallelism, 1)
        for first in range(0, len(self._filled), window):
            there = self._filled[first : first + window]
            yield from cancellable(context, partial(context.runJob, mapped, list, there))

    def sum(self, work: Work, *arguments: Any) -> Any:
        """See `RowParts.sum`; added up on the executors; only the sum is copied to the driver."""
        broadcast = self.rdd.context.broadcast(Placed(arguments))
        mapper = _mapper(work, broadcast, self._starts)
        order = {number: position for position, number in enumerate(self._filled)}

        def partial_sums(number: int, elements: Iterable[Any]) -> Iterator[Any]:
            return pieces(tree_sum(mapper(number, elements)), order[number]) if number in order else iter(())

        try:
            partials = self.rdd.mapPartitionsWithIndex(partial_sums)
            return cancellable(self.rdd.context, lambda: reduced(partials, len(self._filled)))
        finally:
            broadcast.destroy()

    def apply(self, work: Work, n_columns: int, *arguments: Any) -> SparkParts:
        """See `RowParts.apply`; computed when it is first needed, and persisted then."""
        broadcast, starts, dtype = self.rdd.context.broadcast(Placed(arguments)), self._starts, str(self.dtype)

        def tables(number: int, elements: Iterable[Any]) -> Iterator[Any]:
            for start, element in _filled_elements(elements, starts.get(number, [])):
                yield made_table(work, element, start, broadcast.value, n_columns, dtype)

        table = SparkParts.__new__(SparkParts)
        table._broadcast = broadcast  # type: ignore[attr-defined]  # partitions that are lost need it again
        counts = {number: [rows for rows in there if rows] for number, there in self._counts.items()}
        table._set(_persisted(self.rdd.mapPartitionsWithIndex(tables)), counts, n_columns, self.dtype)
        return table

    def unpersist(self) -> None:
        """Free the memory and disk of the executors now; Spark does it by itself when nothing refers to it any more."""
        self.rdd.unpersist()


def _persisted(rdd: Any) -> Any:
    level = optional_import("pyspark", extra="spark", purpose="work on Spark").StorageLevel.MEMORY_AND_DISK
    return rdd if rdd.is_cached else rdd.persist(level)


def _shapes(number: int, elements: Iterable[Any]) -> Iterator[tuple[int, list[PartShape]]]:
    yield number, [shape_of(element) for element in elements]


def _filled_elements(elements: Iterable[Any], starts: list[int]) -> Iterator[tuple[int, Any]]:
    for start, element in zip(starts, elements, strict=True):
        if shape_of(element).rows:
            yield start, element


def _mapper(work: Work, broadcast: Any, starts: Starts) -> Callable[[int, Iterable[Any]], Iterator[Any]]:
    def mapper(number: int, elements: Iterable[Any]) -> Iterator[Any]:
        for start, element in _filled_elements(elements, starts.get(number, [])):
            yield run(work, element, start, broadcast.value)

    return mapper
