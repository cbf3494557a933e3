"""Linear algebra of tables too tall to copy: factors, means and maps by blocks of rows, wherever the rows lie."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from simgauge.core.tables.arrays import beside, doubled, namespace, numpy_dtype, room_beside, to_host
from simgauge.core.tables.kinds import Array, Matrix, Table, Vector
from simgauge.core.tables.row_parts import RowParts
from simgauge.core.tables.tables import apply_rows, map_rows, rows_per_block, sum_rows

SINGLE_ROWS = 8192
"""Rows whose products are summed in float32; half as many cost a third more time."""

SAFE_CHOLESKY_CONDITION = 1e7
"""Above this condition number of a table, one Cholesky of its Gram loses the weak directions: use Householder."""


def triangular_factor(table: Table, mean: Matrix) -> Matrix:
    """R (k, k) or (n, k) of the thin QR of ``table − mean``, float64; the orthogonal part is never formed."""
    gram = gram_of(table, mean)
    eps = float(np.finfo(np.float64).eps)
    try:
        R = np.asarray(scipy.linalg.cholesky(gram))
        condition = float(np.linalg.cond(R))
    except scipy.linalg.LinAlgError:
        condition = np.inf
    if not condition < SAFE_CHOLESKY_CONDITION:
        triangles = table.map(_triangle, mean) if isinstance(table, RowParts) else [_triangle(table, 0, mean)]
        return _triangle(np.concatenate(list(triangles)), 0, np.zeros(table.shape[1]))
    if condition**2 * eps <= table_eps(table):
        return R
    inverse = scipy.linalg.solve_triangular(R, np.eye(len(R)))
    return np.asarray(scipy.linalg.cholesky(gram_of(table, mean, inverse)) @ R)


def _triangle(part: Array, _: int, mean: Matrix) -> Matrix:
    """R of Householder's QR, block after block: the R so far and the next block, stacked, have the same R."""
    R: Array = None
    for block in map_rows(part, lambda rows, _: doubled(rows)):
        xp = namespace(block)
        rows = block - beside(mean, block)
        R = xp.linalg.qr(rows if R is None else xp.concat([R, rows]), mode="reduced")[1]
    return to_host(R)


def gram_of(table: Table, mean: Matrix, right: Matrix | None = None) -> Matrix:
    """``Tᵀ T`` with ``T = (table − mean) @ right``, in row blocks, accumulated in float64."""
    return np.asarray(sum_rows(table, _gram_of_block, mean if mean.any() else None, right))


def wide_gram(table: Table) -> Matrix:
    """``TᵀT`` with every product in float64, whatever the dtype of the table."""
    return np.asarray(sum_rows(table, _wide_gram_of_block))


def _wide_gram_of_block(block: Array, _: int) -> Matrix:
    wide = doubled(block)
    return to_host(wide.T @ wide)


def _gram_of_block(block: Array, _: int, mean: Matrix | None, right: Matrix | None) -> Matrix:
    if mean is None and right is None and numpy_dtype(block) == np.float32:
        # short sub-blocks in single precision, summed in double
        parts = (block[start : start + SINGLE_ROWS] for start in range(0, len(block), SINGLE_ROWS))
        return np.asarray(sum(_product(part) for part in parts))
    block = doubled(block)
    block = block if mean is None else block - beside(mean, block)
    block = block if right is None else block @ beside(right, block)
    return to_host(block.T @ block)


def _product(part: Array) -> Matrix:
    """PᵀP of a short float32 block, as float64 on the host."""
    return to_host(part.T @ part).astype(np.float64)


def column_means(table: Table) -> Matrix:
    """Mean row, (k,), summed in float64."""
    return np.asarray(sum_rows(table, _column_sums) / len(table))


def _column_sums(block: Array, _: int) -> Matrix:
    xp = namespace(block)
    return to_host(xp.sum(block, axis=0, dtype=xp.float64))


def column_signs(table: Table) -> Matrix:
    """+1 or −1 per column: the sign of its entry of largest magnitude (the first one when several tie)."""
    values = np.stack(list(map_rows(table, _peaks)))
    return np.where(values[np.abs(values).argmax(axis=0), np.arange(values.shape[1])] < 0, -1.0, 1.0)


def _peaks(block: Array, _: int) -> Matrix:
    xp = namespace(block)
    rows = xp.argmax(xp.abs(block), axis=0, keepdims=True)
    return to_host(xp.take_along_axis(block, rows, axis=0)[0])


def linear_map(table: Table, matrix: Matrix, *, solve: bool = False) -> Any:
    """``table @ matrix``, or ``table @ inv(matrix)ᵀ`` by solving, in float64 and rounded to the dtype of the table."""
    return apply_rows(table, _mapped, matrix.shape[1], matrix, solve)


def _mapped(block: Array, _: int, matrix: Matrix, solve: bool) -> Array:
    xp, wide = namespace(block), doubled(block)
    factor = beside(matrix, wide)
    return xp.astype(xp.linalg.solve(factor, wide.T).T if solve else wide @ factor, block.dtype)


def scale_columns(table: Table, factors: Matrix) -> Any:
    """Columns times factors, in the dtype of the table."""
    return apply_rows(table, _columns_scaled, table.shape[1], factors)


def _columns_scaled(block: Array, _: int, factors: Matrix) -> Array:
    return block * beside(factors, block)


def affine_map(table: Table, mean: Matrix, matrix: Matrix) -> Any:
    """``(table − mean) @ matrix`` in the dtype of the table."""
    arguments = mean @ matrix, matrix
    if isinstance(table, RowParts):
        return table.apply(_affine_table, matrix.shape[1], *arguments)
    return _affine_table(table, 0, *arguments)


def _affine_table(table: Array, _: int, offset: Matrix, matrix: Matrix) -> Array:
    """Products straight into their places: copies of blocks cost a third of the whole."""
    xp, factor = namespace(table), beside(matrix, table)
    result = room_beside((len(table), matrix.shape[1]), table)
    step = rows_per_block(table)
    for start in range(0, len(table), step):
        rows = slice(start, start + step)
        xp.matmul(table[rows], factor, out=result[rows])
        if offset.any():
            result[rows] -= beside(offset, table)
    return result


def rank_tolerance(n_components: int, eps: float) -> float:
    """Share of the largest singular value below which one is rounding noise: ``4 √k ε``.

    A k x k triangular factor is known to a few ε in each entry; the noise of its singular values grows as √k.
    """
    return float(4 * np.sqrt(n_components) * eps)


def numerical_rank(singular_values: Vector, eps: float) -> int:
    """Singular values (non-increasing) that stand out of rounding noise; 0 when all are zero.

    Examples
    --------
    >>> numerical_rank(np.array([2.0, 1.0, 1e-17]), 2.2e-16)
    2
    """
    s = singular_values
    return int(np.sum(s > rank_tolerance(len(s), eps) * s[0])) if s[0] > 0 else 0


def table_eps(table: Table) -> float:
    """Machine epsilon of the dtype of a table."""
    return float(np.finfo(numpy_dtype(table)).eps)
