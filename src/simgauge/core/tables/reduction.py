"""Smaller forms of a table of vectors: fewer columns, fewer bits; as the numbers that a store would compare."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import scipy.linalg

from simgauge.core.tables.kinds import FloatTable, Matrix
from simgauge.core.tables.tables import unit_rows
from simgauge.parameters import check_choice, check_integer

Precision = Literal["float32", "float16", "int8", "binary"]
Order = Literal["principal", "columns"]

BITS: dict[str, int] = {"float32": 32, "float16": 16, "int8": 8, "binary": 1}


def principal_rotation(table: FloatTable) -> Matrix:
    """Rotation (k, k) to the principal axes of the rows about the origin, strongest first.

    Cosines of whole rows stay as they are; of all subspaces of d dimensions the first d columns then lose the least of
    the squared norm (Eckart and Young).

    Gauge
    -----
    Axes of equal strength are arbitrary.
    """
    wide = table.astype(np.float64)
    _, axes = scipy.linalg.eigh(wide.T @ wide)
    return np.ascontiguousarray(axes[:, ::-1])


def truncated(
    table: FloatTable, n_components: int, order: Order = "columns", rotation: Matrix | None = None
) -> FloatTable:
    """The first columns of a table, as they are or after the rotation to its principal axes.

    Parameters
    ----------
    table : ndarray, shape (n, k)
    n_components : int, 1 <= n_components <= k
    order : {"columns", "principal"}
    rotation : ndarray, shape (k, k), optional
        For "principal", when it is known already.

    Examples
    --------
    >>> table = np.array([[0.1, 2.0], [0.0, 1.0]])
    >>> truncated(table, 1).ravel()
    array([0.1, 0. ])
    >>> np.abs(truncated(table, 1, "principal")).ravel().round(2)
    array([2., 1.])
    """
    check_choice(order, "order", get_args(Order))
    check_integer(n_components, "n_components", 1, table.shape[1], meaning="the columns that are kept")
    if order == "columns":
        return np.ascontiguousarray(table[:, :n_components])
    axes = principal_rotation(table) if rotation is None else rotation
    return np.asarray(table @ axes[:, :n_components].astype(table.dtype))


def quantised(table: FloatTable, precision: Precision) -> FloatTable:
    """Unit rows in a lower precision, as float32 numbers whose cosine is what a store with that precision compares.

    Parameters
    ----------
    table : ndarray, shape (n, k)
    precision : {"float32", "float16", "int8", "binary"}
        "int8": entries of unit rows in 127 steps each side of zero, up to the largest entry of each column. "binary":
        signs, so that cosine ranks as Hamming distance does.

    Examples
    --------
    >>> quantised(np.array([[3.0, -4.0]]), "binary")
    array([[ 1., -1.]], dtype=float32)
    """
    check_choice(precision, "precision", get_args(Precision))
    unit = np.asarray(unit_rows(table), dtype=np.float32)
    if precision == "float32":
        return unit
    if precision == "float16":
        return unit.astype(np.float16).astype(np.float32)
    if precision == "binary":
        return np.where(unit >= 0, np.float32(1), np.float32(-1))
    largest = np.abs(unit).max(axis=0)
    step = np.where(largest > 0, largest, 1) / 127
    return np.asarray(np.rint(unit / step) * step, dtype=np.float32)


def bytes_per_row(n_components: int, precision: Precision) -> int:
    """Bytes of a row in a store.

    Examples
    --------
    >>> bytes_per_row(100, "binary")
    13
    """
    return -(-n_components * BITS[precision] // 8)
