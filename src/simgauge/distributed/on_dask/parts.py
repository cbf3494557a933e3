"""Matrices and tables of vectors whose parts lie on the workers of a Dask cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from simgauge.core.tables.row_parts import RowParts, Work
from simgauge.distributed.on_dask.engine import Task, engine_for
from simgauge.distributed.on_dask.held import HeldTasks, lazily
from simgauge.distributed.on_dask.sizes import know_sizes
from simgauge.distributed.one_part import as_part, common_shape, made_table, run, shape_of


class DaskParts(RowParts):
    """A matrix in parts by rows on Dask: CSR parts for interactions, ndarrays for tables of vectors.

    Parameters
    ----------
    sources : sequence of dask.delayed objects or distributed futures
        Each gives the next rows: a scipy sparse matrix, pydata sparse, ndarray or numeric frame. One width and one
        dtype in all; integers become floats as for `simgauge.spectrum`. Parts without rows are skipped.
    client : distributed.Client, optional
        That of the futures, or the current client, when not given; without one Dask's threads in this process.
    hold : bool
        True: parts are computed once and kept in the memory of the workers (Dask spills them to disk there). False:
        they are computed again in each pass, for data larger than the memory of all workers.

    Raises
    ------
    InputError
        No rows, or a partition of another width, dtype or kind (the message names it).
    ClusterError
        Workers were lost in every attempt; or a partition was scattered, so that nothing can rebuild it.

    Numerics
    --------
    One pass at the start to count the rows. Sums are added in pairs in the order of the parts, so they do not depend
    on which worker did what, and have the bits of `LocalParts` of the same parts.
    With n bytes of a part, a bytes of the arguments (p·b·itemsize for the block of a fit, p items, b =
    `krylov_basis.BLOCK`) and s bytes of a sum (the same in a fit): the driver holds a + s; a worker its parts, a, and
    about 3 s per thread. A pass sends a to every worker and moves at most (parts - 1) s between workers. So parts
    should be few and large: about one per thread, or as many as make them fit.

    A worker that is lost costs the time to compute its parts again from their sources; arguments that it alone held
    are sent again. The result is the same.

    Examples
    --------
    ::

        client = distributed.Client("scheduler:8786")
        parts = DaskParts([dask.delayed(scipy.sparse.load_npz)(path) for path in paths])
        model = simgauge.LinearAutoencoder(128).fit(parts)
    """

    def __init__(self, sources: Sequence[Task], *, client: Any = None, hold: bool = True) -> None:
        delayed = lazily()
        # numbered here, so that messages name the partition as its owner counts them
        tasks = [delayed(_held_part)(source, number) for number, source in enumerate(sources)]
        self._describe(HeldTasks(engine_for(client, sources), lambda: tasks, hold))

    @classmethod
    def of_held(cls, held: HeldTasks) -> DaskParts:
        """Parts of what the workers hold already: matrices, or records with an attribute ``matrix``."""
        parts = cls.__new__(cls)
        parts._describe(held)
        return parts

    def _describe(self, held: HeldTasks) -> None:
        shapes = list(held.each(shape_of))
        common = common_shape(shapes)
        self._set(held, [shape.rows for shape in shapes], common.columns, np.dtype(common.dtype))

    def _set(self, held: HeldTasks, counts: Sequence[int], n_columns: int, dtype: np.dtype[Any]) -> None:
        starts = np.cumsum([0, *counts]).tolist()
        self.shape, self.dtype = (starts[-1], n_columns), dtype
        self._held, self._counts = held, list(counts)
        self._filled = [(number, starts[number]) for number, rows in enumerate(counts) if rows]

    def __repr__(self) -> str:
        return f"DaskParts({self.shape[0]} x {self.shape[1]}, {self.dtype}, {len(self._filled)} parts)"

    def map(self, work: Work, *arguments: Any) -> Iterator[Any]:
        """See `RowParts.map`; a short queue, so that results do not pile up."""
        return self._held.results(lambda placed: self._runs(work, placed), arguments)

    def sum(self, work: Work, *arguments: Any) -> Any:
        """See `RowParts.sum`; added up on the workers; only the sum is copied to the driver."""
        return self._held.total(lambda placed: self._runs(work, placed), arguments)

    def apply(self, work: Work, n_columns: int, *arguments: Any) -> DaskParts:
        """See `RowParts.apply`; computed on the workers and kept there, if these parts are."""
        dtype, engine = str(self.dtype), self._held.engine

        def recipe() -> Sequence[Task]:
            self._held.restore()
            delayed, placed = lazily(), engine.place(arguments)
            return [
                delayed(made_table)(work, self._held.tasks[number], start, placed, n_columns, dtype)
                for number, start in self._filled
            ]

        table = DaskParts.__new__(DaskParts)
        held = HeldTasks(engine, recipe, self._held.holds)
        table._set(held, [self._counts[number] for number, _ in self._filled], n_columns, self.dtype)
        return table

    def _runs(self, work: Work, placed: Any) -> Iterator[Task]:
        delayed = lazily()
        return (delayed(run)(work, self._held.tasks[number], start, placed) for number, start in self._filled)


def _held_part(part: Any, number: int) -> Any:
    know_sizes()
    return as_part(part, number)
