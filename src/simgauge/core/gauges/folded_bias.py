"""Biases folded into factors: constant columns, constant directions, and the columns of the other table they
multiply."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simgauge.core.tables.arrays import beside, doubled, namespace, to_host
from simgauge.core.tables.kinds import Array, Table
from simgauge.core.tables.tables import as_table, map_rows, sum_rows
from simgauge.errors import InputError, ParameterError

Floats = NDArray[np.float64]

CONSTANT = 1e-5
"""Largest relative deviation of a column, or residual of a direction, to call it constant: float32 with room to
spare."""


class ConstantColumn(NamedTuple):
    """A column with one non-zero value."""

    column: int
    value: float
    deviation: float


class BiasColumn(NamedTuple):
    """A bias folded into one table: its column, which the constant column of the other table multiplies."""

    side: Literal["items", "users", "both"]
    column: int
    multiplier: float
    deviation: float
    spread: float


class ConstantDirection(NamedTuple):
    """The best w with table @ w = 1."""

    weights: Floats
    residual: float
    found: bool


def constant_columns(table: Any, *, tolerance: float = CONSTANT) -> list[ConstantColumn]:
    """Columns that hold one non-zero value in every row.

    Parameters
    ----------
    table : array-like, shape (n_rows, n_components)
        Two rows or more.
    tolerance : float
        Largest |entry − mean| relative to |mean|.

    Returns
    -------
    list of ConstantColumn
        column : index. value : its mean. deviation : largest |entry − mean| / |mean|.

    Gauge
    -----
    Holds for the columns as given: a rotation hides such a column, see `constant_direction`.

    Raises
    ------
    InputError
        Bad table, or a single row.
    ParameterError
        tolerance not in [0, 1).

    Examples
    --------
    >>> constant_columns([[0.3, 1.0], [-0.2, 1.0], [0.9, 1.0]])
    [ConstantColumn(column=1, value=1.0, deviation=0.0)]
    """
    checked = _several_rows(table, "table")
    if not 0 <= tolerance < 1:
        raise ParameterError(f"tolerance={tolerance!r}: expected a number in [0, 1).")
    low, high, mean = _column_ranges(checked)
    apart = np.maximum(high - mean, mean - low)
    constant = (apart <= tolerance * np.abs(mean)) & (mean != 0)
    return [ConstantColumn(int(j), float(mean[j]), float(apart[j] / abs(mean[j]))) for j in np.flatnonzero(constant)]


def bias_columns(items: Any, users: Any, *, tolerance: float = CONSTANT) -> list[BiasColumn]:
    """Columns in which a bias is folded: where one table is constant, the other table's column is a bias.

    With users[:, j] = v for all users, every score of item i contains v·items[i, j]: an item bias, which belongs in
    scores and not in cosines between items. `implicit` stores BPR and logistic factors like this.

    Parameters
    ----------
    items, users : array-like, shape (n_rows, n_components)
    tolerance : float
        As in `constant_columns`.

    Returns
    -------
    list of BiasColumn, by column
        side : table that holds the bias ("both": both columns are constant, an offset of all scores).
        column : index. multiplier : the constant of the other table. deviation : how constant it is.
        spread : standard deviation of the bias times |multiplier|, in units of scores.

    Gauge
    -----
    As in `constant_columns`.

    Raises
    ------
    InputError
        Bad tables, single rows, or different n_components.

    Examples
    --------
    >>> users = [[0.3, 1.0], [-0.2, 1.0]]
    >>> items = [[0.5, -2.0], [0.1, 2.0]]
    >>> bias_columns(items, users)
    [BiasColumn(side='items', column=1, multiplier=1.0, deviation=0.0, spread=2.0)]
    """
    tables = {"items": _several_rows(items, "items"), "users": _several_rows(users, "users")}
    if tables["items"].shape[1] != tables["users"].shape[1]:
        raise InputError(
            f"items and users: expected the same n_components; received {tables['items'].shape[1]} and "
            f"{tables['users'].shape[1]}."
        )
    constants = {
        side: {found.column: found for found in constant_columns(table, tolerance=tolerance)}
        for side, table in tables.items()
    }
    result = []
    for column in sorted(constants["items"].keys() | constants["users"].keys()):
        side: Literal["items", "users", "both"] = "items" if column in constants["users"] else "users"
        other = constants["users" if side == "items" else "items"][column]
        spread = _column_deviation(tables[side], column) * abs(other.value)
        if column in constants["items"] and column in constants["users"]:
            side = "both"
        result.append(BiasColumn(side, column, other.value, other.deviation, spread))
    return result


def constant_direction(table: Any, *, tolerance: float = CONSTANT) -> ConstantDirection:
    """A direction w in which every row has the same coordinate: table @ w = 1, by least squares.

    A gauge mixes a constant column into all others, but cannot remove it: users P with P w = 1 still carry an item
    bias, Q g for any g with w·g = 1. With g the mean user vector the bias of an item is its mean predicted score;
    `canonical_form(center="users")` takes exactly that out. Items with such a direction carry a bias of the users,
    which `center="items"` takes out.

    Parameters
    ----------
    table : array-like, shape (n_rows, n_components)
        More rows than twice the components, or any table fits by chance.
    tolerance : float
        Largest residual to call the direction constant.

    Returns
    -------
    ConstantDirection
        weights : w, shape (n_components,), the shortest one. residual : ‖table @ w − 1‖/√n_rows in [0, 1].
        found : residual <= tolerance and n_rows > 2·n_components.

    Gauge
    -----
    residual and found are the same in every gauge (table @ G), up to rounding; w becomes G⁻¹w.

    Numerics
    --------
    Four passes over the rows: a Gram matrix, and two steps of refinement. Columns may differ in scale; beyond a
    condition number of 1e7 of the table (columns set to one scale) the residual may come out too large, never too
    small.

    Raises
    ------
    InputError
        Bad table, or a single row.
    ParameterError
        tolerance not in [0, 1).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> users = np.column_stack([rng.normal(size=(50, 3)), np.ones(50)]) @ rng.normal(size=(4, 4))
    >>> constant_columns(users), constant_direction(users).found
    ([], True)
    >>> constant_direction(rng.normal(size=(50, 4))).found
    False
    """
    checked = _several_rows(table, "table")
    if not 0 <= tolerance < 1:
        raise ParameterError(f"tolerance={tolerance!r}: expected a number in [0, 1).")
    n_rows, n_components = checked.shape
    low, high, _ = _column_ranges(checked)
    scale = np.maximum(np.abs(low), np.abs(high))
    scale[scale == 0] = 1.0
    gram = sum_rows(checked, _scaled_gram, scale)
    levels, basis = np.linalg.eigh(gram)
    kept = levels > max(levels[-1], 0.0) * n_components * np.finfo(np.float64).eps
    inverse = (basis[:, kept] / levels[kept]) @ basis[:, kept].T
    weights = np.zeros(n_components)
    for _ in range(3):
        # the second and third time around this takes out the rounding of the normal equations
        missing, square = sum_rows(checked, _shortfall, scale, weights)
        best, residual = weights, float(np.sqrt(square / n_rows))
        weights = weights + inverse @ missing
    found = residual <= tolerance and n_rows > 2 * n_components
    return ConstantDirection(best / scale, min(residual, 1.0), found)


def _column_ranges(table: Table) -> tuple[Floats, Floats, Floats]:
    """Smallest and largest entry and mean of every column."""
    looks = list(map_rows(table, _block_ranges))
    low, high, total = (np.stack(part) for part in zip(*looks, strict=True))
    return low.min(axis=0), high.max(axis=0), total.sum(axis=0) / len(table)


def _block_ranges(block: Array, _: int) -> tuple[Floats, Floats, Floats]:
    xp = namespace(block)
    low, high, total = xp.min(block, axis=0), xp.max(block, axis=0), xp.sum(block, axis=0, dtype=xp.float64)
    return to_host(low).astype(np.float64), to_host(high).astype(np.float64), to_host(total)


def _column_deviation(table: Table, column: int) -> float:
    mean = float(sum_rows(table, _power_sum, column, 0.0, 1)) / len(table)
    return float(np.sqrt(sum_rows(table, _power_sum, column, mean, 2) / len(table)))


def _power_sum(block: Array, _: int, column: int, mean: float, power: int) -> Floats:
    return to_host(namespace(block).sum((doubled(block[:, column]) - mean) ** power))


def _scaled(block: Array, scale: Floats) -> Array:
    wide = doubled(block)
    return wide / beside(scale, wide)


def _scaled_gram(block: Array, _: int, scale: Floats) -> Floats:
    rows = _scaled(block, scale)
    return to_host(rows.T @ rows)


def _shortfall(block: Array, _: int, scale: Floats, weights: Floats) -> tuple[Floats, float]:
    rows = _scaled(block, scale)
    short = 1.0 - rows @ beside(weights, rows)
    return to_host(rows.T @ short), float(short @ short)


def _several_rows(table: Any, name: str) -> Any:
    checked = as_table(table, name)
    if len(checked) < 2:
        raise InputError(f"{name}: one row is constant in every column. Pass at least two rows.")
    return checked
