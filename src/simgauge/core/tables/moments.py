"""One pass over a table: means, scatter and norms, from which spectrum, axes, norms and random cosines follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simgauge.core.tables.arrays import beside, doubled, namespace, to_host
from simgauge.core.tables.kinds import Array, Matrix, Table, Vector
from simgauge.core.tables.row_parts import Pieces, in_order
from simgauge.core.tables.tables import norms_of_block, sum_rows, take_rows
from simgauge.errors import InputError

BLOCK_BYTES = 16 << 20
"""Size of one float64 row block; a handful of them is all the memory a pass needs beyond k x k."""

SHIFT_ROWS = 16_384
"""Rows whose mean is subtracted before products are summed, so that a large common mean swallows no variance."""


@dataclass(frozen=True, eq=False)
class TableMoments:
    """Moments of a table after one pass over its rows: O(k²) numbers and one norm per row."""

    n_rows: int
    """n."""
    mean: Vector
    """(k,): mean row."""
    scatter: Matrix
    """(k, k): ``Σ (x − mean)(x − mean)ᵀ``."""
    norms: Vector
    """(n,): norms of the rows as given."""
    direction_sum: Vector
    """(k,): sum of the rows scaled to norm one; zero rows add nothing."""
    direction_squares: Vector
    """(k,): sum of their squared entries."""

    @property
    def n_components(self) -> int:
        """k."""
        return len(self.mean)

    @property
    def n_directions(self) -> int:
        """Rows that are not zero and so have a direction."""
        return int(np.count_nonzero(self.norms))

    @property
    def gram(self) -> Matrix:
        """``XᵀX`` (k, k)."""
        return self.scatter + self.n_rows * np.outer(self.mean, self.mean)

    def variances(self) -> Vector:
        """Eigenvalues of the covariance ``scatter / n``, non-increasing, min(n, k) of them; rounding noise becomes 0.

        Numerics
        --------
        Float64 sums resolve a variance down to about k · 2e-16 of the largest.
        """
        return self._eigenvalues(self.scatter) / self.n_rows

    def singular_values(self) -> Vector:
        """Singular values of the table as it is (not centred), non-increasing, min(n, k) of them.

        Numerics
        --------
        From the Gram matrix: values below about √(k · 2e-16) of the largest come out as 0.
        """
        return np.sqrt(self._eigenvalues(self.gram))

    def _eigenvalues(self, symmetric: Matrix) -> Vector:
        values = np.linalg.eigvalsh(symmetric)[::-1][: min(self.n_rows, self.n_components)]
        eps = float(np.finfo(np.float64).eps)
        rounding_of_rows = (4 * eps) ** 2 * (np.trace(self.scatter) + self.n_rows * self.mean @ self.mean)
        floor = self.n_components * max(eps * float(values[0]), float(rounding_of_rows))
        return np.where(values > floor, values, 0.0)


def table_moments(table: Table) -> TableMoments:
    """Moments of a table in one pass, in row blocks, accumulated in float64.

    Parameters
    ----------
    table : ndarray, tensor or RowParts, shape (n, k)
        float32 or float64; may be memory-mapped.

    Gauge
    -----
    ``items @ G`` has mean ``Gᵀ mean`` and scatter ``Gᵀ scatter G``: nothing here is invariant under a general G. Under
    an orthogonal G norms and eigenvalues stay.

    Numerics
    --------
    n k² multiplications in float64, memory O(k²) beyond 16 MiB blocks. Rows are shifted by the mean of the first rows,
    so a large common mean does not swallow the variances.

    Raises
    ------
    InputError
        Entries so large that their squares overflow.

    Examples
    --------
    >>> moments = table_moments(np.array([[3.0, 4.0], [0.0, 0.0], [0.0, 2.0]]))
    >>> moments.mean, moments.norms, moments.n_directions
    (array([1., 2.]), array([5., 0., 2.]), 2)
    """
    n_rows, k = table.shape
    step = rows_per_block(k)
    sample = doubled(take_rows(table, np.arange(min(n_rows, SHIFT_ROWS))))
    shift = to_host(namespace(sample).mean(sample, axis=0))
    pieces, *sums = sum_rows(table, _block_moments, shift, step=step)
    norms, mean, scatter = in_order(pieces), sums[0] / n_rows, sums[1]
    with np.errstate(over="ignore", invalid="ignore"):
        scatter = scatter - n_rows * np.outer(mean, mean)
    if not np.isfinite(scatter).all():
        raise InputError(
            f"the largest norm is {norms.max():g}: squares overflow. Divide the table by a constant first."
        )
    return TableMoments(
        n_rows=n_rows,
        mean=shift + mean,
        scatter=scatter,
        norms=norms,
        direction_sum=sums[2],
        direction_squares=sums[3],
    )


def _block_moments(block: Array, first_row: int, shift: Vector) -> tuple[Pieces, Vector, Matrix, Vector, Vector]:
    """Norms of the rows, then four sums: rows and their products about the shift, directions and their squares."""
    xp = namespace(block)
    norms, directions = unit_directions(doubled(block))
    with np.errstate(over="ignore", invalid="ignore"):
        shifted = doubled(block) - beside(shift, directions)
        sums = (
            xp.sum(shifted, axis=0),
            shifted.T @ shifted,
            xp.sum(directions, axis=0),
            xp.sum(directions * directions, axis=0),
        )
    rows, products, direction_sum, direction_squares = map(to_host, sums)
    return [(first_row, norms)], rows, products, direction_sum, direction_squares


def rows_per_block(n_columns: int) -> int:
    """Rows whose float64 block holds about 16 MiB."""
    return max(1, BLOCK_BYTES // (8 * n_columns))


def row_blocks(n_rows: int, n_columns: int) -> list[slice]:
    """Slices of rows whose float64 blocks hold about 16 MiB.

    Examples
    --------
    >>> row_blocks(3, 2)
    [slice(0, 3, None)]
    """
    step = rows_per_block(n_columns)
    return [slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step)]


def unit_directions(block: Array) -> tuple[Vector, Array]:
    """Norms of the rows of a float64 block (on the host), and the rows scaled to norm one; zero rows stay zero."""
    norms = norms_of_block(block)
    scale = np.where(norms > 0, norms, 1.0)
    return norms, block / beside(scale[:, None], block)
