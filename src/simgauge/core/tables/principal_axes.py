"""Principal axes of a table of vectors: the mean, the directions and the spread along each, plain or weighted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.linalg

from simgauge.core.tables.algebra import rank_tolerance, triangular_factor
from simgauge.core.tables.kinds import FloatTable, Matrix
from simgauge.core.tables.tables import rows_per_block
from simgauge.errors import InputError


class PrincipalAxes(NamedTuple):
    """Eigenvectors of the covariance (or of the second moment) of the rows of a table."""

    mean: Matrix
    """(k,): subtracted from the rows; zero where the rows are not centred."""
    variances: Matrix
    """(k,): mean square along each axis, non-increasing; exactly 0 where it cannot be told from rounding."""
    axes: Matrix
    """(k, k): orthonormal columns."""

    @property
    def rank(self) -> int:
        """Axes along which the rows differ at all."""
        return int(np.count_nonzero(self.variances))


def principal_axes(table: FloatTable, weights: Matrix | None = None, center: bool = True) -> PrincipalAxes:
    """Principal axes of the rows, in float64, without a copy of the table.

    Parameters
    ----------
    table : ndarray, shape (n, k)
    weights : ndarray, shape (n,), optional
        Non-negative, not all zero; how often each row counts. 1 each when not given.
    center : bool
        Subtract the (weighted) mean first.

    Returns
    -------
    PrincipalAxes
        All k axes; those without spread come last, with variance 0, and complete the basis.

    Gauge
    -----
    Axes and variances depend on the gauge of the table. The mean moves with it.

    Numerics
    --------
    One or two passes, 2 n k² flops each. A direction whose root mean square is below ``4 √k ε`` of the largest, or of
    the mean that was subtracted, is rounding noise of the dtype of the table.

    Raises
    ------
    InputError
        All rows are equal (all zero where they are not centred), or weights that cannot be used.

    Examples
    --------
    >>> mean, variances, axes = principal_axes(np.array([[1.0, 0.0], [3.0, 0.0], [2.0, 0.3], [2.0, -0.3]]))
    >>> mean, variances.round(3), np.abs(axes)
    (array([2., 0.]), array([0.5  , 0.045]), array([[1., 0.],
           [0., 1.]]))
    """
    n_rows, k = table.shape
    if weights is None:
        mean = weighted_mean(table, np.ones(n_rows)) if center else np.zeros(k)
        R = triangular_factor(table, mean)
        total = float(n_rows)
    else:
        weights = _checked_weights(weights, n_rows)
        total = float(weights.sum())
        mean = weighted_mean(table, weights) if center else np.zeros(k)
        R = triangular_factor(_weighted_rows(table, weights, mean), np.zeros(k))
    _, s, axes_t = scipy.linalg.svd(R, full_matrices=True)
    spread = np.zeros(k)
    spread[: len(s)] = s / np.sqrt(total)
    noise = rank_tolerance(k, float(np.finfo(table.dtype).eps))
    spread[spread <= noise * max(float(spread[0]), float(np.linalg.norm(mean)))] = 0.0
    if not spread.any():
        same = "the same vector" if center else "zero"
        raise InputError(f"all {n_rows} rows are {same}: they have no principal axes. Is this the right table?")
    return PrincipalAxes(mean, spread**2, np.ascontiguousarray(axes_t.T))


def weighted_mean(table: FloatTable, weights: Matrix) -> Matrix:
    """Σ w x / Σ w, shape (k,), in float64: a first sum, and a second one of what is left after subtracting it.

    Without the second, rounding of a long sum looks like spread in columns that are large and constant.

    Examples
    --------
    >>> weighted_mean(np.array([[0.0], [4.0]]), np.array([3.0, 1.0]))
    array([1.])
    """
    mean = np.zeros(table.shape[1])
    for _ in range(2):
        rest = np.zeros(table.shape[1])
        step = rows_per_block(table)
        for start in range(0, len(table), step):
            rows = slice(start, start + step)
            rest += weights[rows] @ (np.asarray(table[rows], dtype=np.float64) - mean)
        mean = mean + rest / weights.sum()
    return mean


def _weighted_rows(table: FloatTable, weights: Matrix, mean: Matrix) -> FloatTable:
    rows = np.empty_like(table)
    roots = np.sqrt(weights / weights.max())
    step = rows_per_block(table)
    for start in range(0, len(table), step):
        block = slice(start, start + step)
        rows[block] = (table[block] - mean) * roots[block, None]
    return np.asarray(rows * np.sqrt(weights.max()).astype(table.dtype))


def _checked_weights(weights: Matrix, n_rows: int) -> Matrix:
    values = np.asarray(weights, dtype=np.float64)
    if values.shape != (n_rows,) or not np.isfinite(values).all() or (values < 0).any() or not values.any():
        raise InputError(
            f"weights: expected {n_rows} finite numbers >= 0, one per row and not all zero; received shape "
            f"{values.shape}. Are the interactions aligned with the embedding?"
        )
    return values
