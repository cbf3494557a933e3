"""Two tables whose rows belong together in pairs, read block by block on the host in float64."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simgauge.core.tables.arrays import numpy_dtype, to_host
from simgauge.core.tables.kinds import Array, FloatTable, Matrix
from simgauge.core.tables.tables import take_rows

BLOCK_BYTES = 16 << 20
"""Size of one float64 pair of blocks."""


class PickedRows:
    """Some rows of a table, in a given order, read by slices: `len`, `shape`, and ``picked[start:stop]`` on the
    host."""

    def __init__(self, table: Array, rows: NDArray[np.int64]) -> None:
        self.shape = (len(rows), int(table.shape[1]))
        self.dtype = numpy_dtype(table)
        self._table, self._rows = table, rows

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | NDArray[np.int64]) -> FloatTable:
        return to_host(take_rows(self._table, self._rows[rows]))

    def picked(self, rows: NDArray[np.int64]) -> PickedRows:
        """Some of these rows, in another order."""
        return PickedRows(self._table, self._rows[rows])


@dataclass(frozen=True, eq=False)
class RowPairs:
    """Row i of `first` and row i of `second` describe the same thing."""

    first: PickedRows
    second: PickedRows

    @property
    def widths(self) -> tuple[int, int]:
        """Columns of both."""
        return self.first.shape[1], self.second.shape[1]

    def __len__(self) -> int:
        return len(self.first)

    def sample(self, count: int, rng: np.random.Generator) -> tuple[Matrix, Matrix]:
        """At most `count` pairs of rows, drawn without replacement, float64."""
        n = len(self)
        rows = np.arange(n) if n <= count else np.sort(rng.choice(n, count, replace=False))
        return self.first[rows].astype(np.float64), self.second[rows].astype(np.float64)

    def blocks(self) -> Iterator[tuple[FloatTable, FloatTable]]:
        """All pairs, in order, in the dtypes of the tables."""
        step = max(1, BLOCK_BYTES // (8 * sum(self.widths)))
        for start in range(0, len(self), step):
            rows = slice(start, start + step)
            yield self.first[rows], self.second[rows]
