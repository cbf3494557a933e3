"""How finely the entries of a table are stored: short floats, or a grid of equal steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simgauge.core.tables.kinds import Matrix, Vector

MAX_LEVELS = 4096
"""Steps a grid may span (12 bits): float32 numbers are multiples of some tiny step too, which says nothing."""

MAX_MULTIPLE = 8
"""The smallest difference that was seen may be a small multiple of the step."""

LOOKS = 32
"""Columns (rows) in which a grid is looked for before all are measured."""

GRID_TOLERANCE = 1e-2
"""Share of a step by which entries may miss the grid: float32 arithmetic on 12 bits leaves 2^-12, with room for two
roundings."""

FLOATS = ((4, "8-bit floats"), (8, "bfloat16"), (11, "float16"), (24, "float32"), (53, "float64"))
"""Significant bits, the leading bit included, of the format that is named."""

SMALLEST = {"8-bit floats": 2.0**-10, "bfloat16": 0.0, "float16": 2.0**-25, "float32": 0.0, "float64": 0.0}
"""Half of the smallest positive number of a format: below it rounding is absolute. Exponents of the others reach
1e-38."""


@dataclass(frozen=True, eq=False)
class Precision:
    """A bound of the rounding of every entry."""

    name: str
    relative: float = 0.0
    """Unit roundoff: share of the entry."""
    absolute: float | Vector = 0.0
    """Half a step: one number, or one for each column."""
    of_row_peak: float = 0.0
    """Half a step as a share of the largest magnitude of the row."""

    def noise(self, block: Matrix) -> Matrix:
        """Largest rounding error of each entry."""
        size = np.abs(block)
        return np.asarray(self.relative * size + self.absolute + self.of_row_peak * size.max(axis=1, keepdims=True))


def precision_of(table: Matrix) -> Precision:
    """Precision in which a table is stored, judged by its values and not by its dtype.

    Parameters
    ----------
    table : ndarray, shape (n, k), float64
        The table, or a sample of its rows.

    Returns
    -------
    Precision
        A grid of at most 4,096 steps of the whole table, of each column or of each row (steps in proportion to the
        row's largest magnitude); otherwise the shortest float format that holds every entry.

    Numerics
    --------
    Sorts of columns and rows, O(n k log n).

    Examples
    --------
    >>> precision_of(np.random.default_rng(0).normal(size=(50, 4)).astype(np.float16).astype(float)).name
    'float16'
    >>> precision_of(np.round(30 * np.random.default_rng(0).normal(size=(50, 4)))).name
    'a grid of steps'
    """
    step = _step(np.unique(table))
    if step:
        return Precision("a grid of steps", absolute=step / 2)
    some = table[:, :LOOKS]
    if len(table) > 1 and all(_step(np.unique(column)) is not None for column in some.T):
        steps = [_step(np.unique(column)) for column in table.T]
        if all(step is not None for step in steps):
            return Precision("a grid of steps in each column", absolute=np.array(steps, dtype=np.float64) / 2)
    shares = [_row_share(row) for row in table[:LOOKS]]
    if all(share is not None for share in shares):
        found = np.array(shares, dtype=np.float64)
        if np.ptp(found) <= GRID_TOLERANCE * found.mean():
            return Precision("a grid of steps in each row", of_row_peak=float(found.mean()) / 2)
    bits = _significant_bits(table)
    width, name = next((width, name) for width, name in FLOATS if bits <= width)
    return Precision(name, relative=2.0**-width, absolute=SMALLEST[name])


def _row_share(row: Vector) -> float | None:
    peak, step = np.abs(row).max(), _step(np.unique(row))
    return step / peak if step and peak > 0 else None


def _step(values: Vector) -> float | None:
    """Step of the grid that sorted, distinct values lie on; 0 for a constant, None when there is no grid to be seen."""
    if len(values) == 1:
        return 0.0
    if len(values) > MAX_LEVELS + 1 or len(values) < 2:
        return None
    differences = np.diff(values)
    for parts in range(1, MAX_MULTIPLE + 1):
        step = float(differences.min()) / parts
        multiples = differences / step
        span = (values[-1] - values[0]) / step
        if span > MAX_LEVELS:
            return None
        if np.abs(multiples - np.round(multiples)).max() <= GRID_TOLERANCE:
            return step if len(values) > 3 else None
    return None


def _significant_bits(table: Matrix) -> int:
    bits = np.ascontiguousarray(table).view(np.int64) & ((1 << 52) - 1)
    bits = bits[bits != 0]
    if not len(bits):
        return 1
    lowest = (bits & -bits).min()
    return 53 - int(lowest).bit_length() + 1
