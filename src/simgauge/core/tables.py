"""What counts as a table of vectors: two dimensions, finite, float32 or float64, native byte order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.errors import InputError

EXPECTED = "expected a two-dimensional table of finite numbers, one row per vector"

FloatTable = NDArray[np.floating[Any]]

ROWS_PER_BLOCK = 65_536
"""Rows looked at in one step when a whole table is scanned (keeps memory flat for memory-mapped tables)."""


def as_table(vectors: Any, name: str = "vectors") -> FloatTable:
    """Check a table of vectors and bring it to float32 or float64 in native byte order.

    Parameters
    ----------
    vectors : array-like, shape (n_rows, n_components)
        float32 and float64 are kept and not copied when contiguous (memory-mapped tables stay mapped).
        float16 and integers of up to 16 bits become float32, other integers float64; big-endian and
        non-contiguous tables are copied.
    name : str
        How the table is called in error messages.

    Returns
    -------
    ndarray, shape (n_rows, n_components)
        C-contiguous, float32 or float64.

    Raises
    ------
    InputError
        Not two-dimensional, empty, not numeric, or with NaN or infinite entries (the first row is named).

    Examples
    --------
    >>> as_table([[1, 2], [3, 4]]).dtype
    dtype('float64')
    >>> as_table([[1.0, float("nan")]], "items")
    Traceback (most recent call last):
        ...
    simgauge.errors.InputError: items: 1 of 1 rows hold NaN or infinite values (first: row 0). ...
    """
    try:
        table = vectors if isinstance(vectors, np.ndarray) else np.asarray(vectors)
    except ValueError as error:
        raise InputError(f"{name}: {EXPECTED}; rows of unequal length were received ({error}).") from error
    if table.ndim != 2:
        raise InputError(f"{name}: {EXPECTED}; received {table.ndim} dimension(s), shape {table.shape}.")
    if table.shape[0] == 0 or table.shape[1] == 0:
        raise InputError(f"{name}: the table is empty, shape {table.shape}. Pass at least one row and column.")
    table = np.ascontiguousarray(table, dtype=_float_type(table.dtype, name))
    _check_finite(table, name)
    return table


def _float_type(dtype: np.dtype[Any], name: str) -> np.dtype[Any]:
    if dtype.kind == "f":
        return np.dtype(np.float32) if dtype.itemsize <= 4 else np.dtype(np.float64)
    if dtype.kind in "iub":
        return np.dtype(np.float32) if dtype.itemsize <= 2 else np.dtype(np.float64)
    raise InputError(f"{name}: {EXPECTED}; received dtype {dtype}. Convert it to float32 or float64.")


def _check_finite(table: FloatTable, name: str) -> None:
    bad_rows, first = 0, -1
    for start in range(0, len(table), ROWS_PER_BLOCK):
        bad = ~np.isfinite(table[start : start + ROWS_PER_BLOCK]).all(axis=1)
        if bad.any():
            first = first if bad_rows else start + int(bad.argmax())
            bad_rows += int(bad.sum())
    if bad_rows:
        raise InputError(
            f"{name}: {bad_rows} of {len(table)} rows hold NaN or infinite values (first: row {first}). "
            "Remove these rows (and their ids) or retrain; simgauge never replaces values silently."
        )


SAFE_SQUARES = (1e-280, 1e300)
"""Sums of squares within these bounds have lost nothing to overflow or underflow."""


def row_norms(table: FloatTable) -> NDArray[np.float64]:
    """Euclidean norm of every row, shape (n_rows,), float64, free of overflow for finite input.

    Examples
    --------
    >>> row_norms(np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([5., 0.])
    """
    norms = np.empty(len(table))
    for start in range(0, len(table), ROWS_PER_BLOCK):
        block = np.asarray(table[start : start + ROWS_PER_BLOCK])
        with np.errstate(over="ignore", under="ignore"):
            squares = np.einsum("ij,ij->i", block, block, dtype=np.float64)
        plain = (squares > SAFE_SQUARES[0]) & (squares < SAFE_SQUARES[1])
        part = np.sqrt(squares)
        if not plain.all():
            part[~plain] = _scaled_norms(block[~plain].astype(np.float64))
        norms[start : start + ROWS_PER_BLOCK] = part
    return norms


def _scaled_norms(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Norms of rows whose squares leave the range of float64."""
    scale = np.abs(rows).max(axis=1, keepdims=True)
    safe = np.where(scale > 0, scale, 1.0)
    return np.asarray(safe[:, 0] * np.sqrt(np.square(rows / safe).sum(axis=1)) * (scale[:, 0] > 0))


def unit_rows(table: FloatTable) -> FloatTable:
    """Rows scaled to norm one, in the dtype of the table; zero rows stay zero (their cosines are defined as 0).

    Examples
    --------
    >>> unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    norms = row_norms(table)
    with np.errstate(over="ignore"):
        scale = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0).astype(table.dtype)
    if np.isfinite(scale).all():
        return np.asarray(table * scale[:, None])
    peak = np.abs(table).max(axis=1, keepdims=True).astype(np.float64)
    rescaled = table / np.where(peak > 0, peak, 1.0)
    return unit_rows(rescaled).astype(table.dtype, copy=False)
