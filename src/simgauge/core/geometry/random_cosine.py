"""The cosine of two rows drawn at random: exact mean and spread from sums, no sampling of pairs."""

from __future__ import annotations

import numpy as np

from simgauge.core.tables.arrays import beside, doubled, to_host
from simgauge.core.tables.kinds import Array, Table, Vector
from simgauge.core.tables.moments import TableMoments, rows_per_block, unit_directions
from simgauge.core.tables.tables import sum_rows
from simgauge.errors import ParameterError


def mean_random_cosine(moments: TableMoments) -> float:
    """Mean cosine over all pairs of different rows, exactly: ``(‖Σu‖² − m) / (m (m − 1))`` for m unit rows u.

    Rows that are zero have no direction and are left out. Fewer than two directions give 0.

    Gauge
    -----
    Unchanged by orthogonal G and by any scaling of single rows; changes under a general G.

    References
    ----------
    Ethayarajh (2019), arXiv 1909.00512, section 3.4 (anisotropy baseline), there by sampling.

    Examples
    --------
    >>> from simgauge.core.tables.moments import table_moments
    >>> mean_random_cosine(table_moments(np.array([[1.0, 0.0], [0.0, 3.0], [2.0, 0.0]])))
    0.3333333333333333
    """
    return mean_over_pairs(float(moments.direction_sum @ moments.direction_sum), moments.n_directions)


def centered_random_cosine(table: Table, mean: Vector) -> float:
    """Mean random cosine after `mean` is subtracted from every row: what centring would buy. A second pass, O(n k).

    Parameters
    ----------
    table : ndarray, shape (n, k)
    mean : ndarray, shape (k,)
        Usually `TableMoments.mean` of the raw rows. Rows that become zero (to 16 roundings) are left out.

    Gauge
    -----
    The mean moves with the table (``Gᵀ mean``); the result is unchanged by orthogonal G, a common scale and a common
    shift, and changes under a general G.

    Examples
    --------
    >>> table = np.array([[1.0, 5.0], [-1.0, 5.0]])
    >>> centered_random_cosine(table, table.mean(axis=0))
    -1.0
    """
    if mean.shape != (table.shape[1],):
        raise ParameterError(f"mean of shape {mean.shape}: expected one number per column, ({table.shape[1]},).")
    total, count = sum_rows(table, _centered_directions, mean, step=rows_per_block(table.shape[1]))
    return mean_over_pairs(float(total @ total), count)


def _centered_directions(block: Array, _: int, mean: Vector) -> tuple[Vector, int]:
    wide = doubled(block)
    norms, directions = unit_directions(wide - beside(mean, wide))
    present = norms > 16 * np.finfo(np.float64).eps * float(np.linalg.norm(mean))
    return to_host(beside(present, wide) @ directions), int(present.sum())


def mean_over_pairs(sum_with_diagonal: float, count: int) -> float:
    """Mean over pairs of different rows, from the sum over all pairs of unit rows, each with itself included."""
    return (sum_with_diagonal - count) / (count * (count - 1)) if count > 1 else 0.0
