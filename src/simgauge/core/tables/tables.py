"""What counts as a table of vectors, wherever it lies, and passes over all of its rows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.core.tables.arrays import (
    beside,
    doubled,
    is_tensor,
    namespace,
    numpy_dtype,
    on_host,
    room_beside,
    to_host,
)
from simgauge.core.tables.kinds import Array, Table
from simgauge.core.tables.row_parts import RowParts, Work, tree_sum
from simgauge.core.tables.tensor_precision import row_sums
from simgauge.errors import InputError

EXPECTED = "expected a two-dimensional table of finite numbers, one row per vector"


CLUSTER_LIBRARIES = ("dask", "dask_expr", "pyspark")

BYTES_PER_BLOCK = 32 << 20
ROWS_PER_BLOCK = 65_536
"""Rows read in one step when a whole table is scanned (keeps memory flat for memory-mapped tables)."""


def as_table(vectors: Any, name: str = "vectors") -> Any:
    """Check a table of vectors and bring it to float32 or float64 in native byte order.

    Parameters
    ----------
    vectors : array-like, torch tensor, RowParts or Embedding (its items), shape (n_rows, n_components)
        Tensors stay tensors, on their device, and parts stay where they are. float32 and float64 are kept and not
        copied when contiguous (memory-mapped tables stay mapped). float16 and integers of up to 16 bits become float32,
        other integers float64; big-endian and non-contiguous tables are copied.
    name : str
        Name of the table in error messages.

    Returns
    -------
    ndarray, tensor or RowParts, shape (n_rows, n_components)
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
    if hasattr(vectors, "item_ids") and hasattr(vectors, "items"):  # an Embedding stands for its items
        vectors = vectors.items
    if isinstance(vectors, RowParts):
        _check_finite(vectors, name)
        return vectors
    if is_tensor(vectors):
        return _as_tensor(vectors, name)
    library = type(vectors).__module__.partition(".")[0]
    if library in CLUSTER_LIBRARIES:  # NumPy would fetch all of it, silently
        raise InputError(
            f"{name}: received {type(vectors).__name__} of {library}. Pass simgauge.distributed.as_parts(table) to "
            f"work on "
            "it where it is, or compute it to get an array."
        )
    try:
        table = vectors if isinstance(vectors, np.ndarray) else np.asarray(vectors)
    except ValueError as error:
        raise InputError(f"{name}: {EXPECTED}; rows of unequal length were received ({error}).") from error
    _check_shape(table, name)
    table = np.ascontiguousarray(table, dtype=_float_type(table.dtype, name))
    _check_finite(table, name)
    return table


def _as_tensor(vectors: Array, name: str) -> Array:
    _check_shape(vectors, name)
    xp = namespace(vectors)
    known = ("float16", "float32", "float64", "int8", "uint8", "int16", "int32", "int64", "bool")
    kind = str(vectors.dtype).rpartition(".")[2]
    dtype = "float32" if kind == "bfloat16" else str(_float_type(np.dtype(kind if kind in known else "O"), name))
    table = xp.astype(vectors.detach(), getattr(xp, dtype), copy=False).contiguous()
    _check_finite(table, name)
    return table


def _check_shape(table: Array, name: str) -> None:
    if table.ndim != 2:
        raise InputError(f"{name}: {EXPECTED}; received {table.ndim} dimension(s), shape {tuple(table.shape)}.")
    if table.shape[0] == 0 or table.shape[1] == 0:
        raise InputError(f"{name}: the table is empty, shape {tuple(table.shape)}. Pass at least one row and column.")


def _float_type(dtype: np.dtype[Any], name: str) -> np.dtype[Any]:
    if dtype.kind == "f":
        return np.dtype(np.float32) if dtype.itemsize <= 4 else np.dtype(np.float64)
    if dtype.kind in "iub":
        return np.dtype(np.float32) if dtype.itemsize <= 2 else np.dtype(np.float64)
    raise InputError(f"{name}: {EXPECTED}; received dtype {dtype}. Convert it to float32 or float64.")


def _check_finite(table: Table, name: str) -> None:
    looks = [(bad, first) for bad, first in map_rows(table, _not_finite) if bad]
    if looks:
        raise InputError(
            f"{name}: {sum(bad for bad, _ in looks)} of {len(table)} rows hold NaN or infinite values "
            f"(first: row {looks[0][1]}). "
            "Remove these rows (and their ids) or retrain; simgauge never replaces values silently."
        )


def _not_finite(block: Array, first_row: int) -> tuple[int, int]:
    xp = namespace(block)
    bad = ~xp.all(xp.isfinite(block), axis=1)
    count = int(xp.count_nonzero(bad))
    return count, first_row + int(xp.argmax(xp.astype(bad, xp.uint8))) if count else -1


def rows_per_block(table: Table) -> int:
    """Rows of a block whose float64 copy stays within `BYTES_PER_BLOCK`; wide tables are read in shorter blocks.

    Examples
    --------
    >>> rows_per_block(np.ones((2, 4))), rows_per_block(np.ones((2, 1024)))
    (65536, 4096)
    """
    return min(ROWS_PER_BLOCK, max(1, BYTES_PER_BLOCK // (8 * max(1, int(table.shape[1])))))


def map_rows(table: Table, work: Work, *arguments: Any, step: int | None = None) -> Iterator[Any]:
    """``work(block, first_row, *arguments)`` for blocks of at most `step` rows that make up the table, in order.

    Blocks of `RowParts` are worked on where they are, and only the results are returned.

    Examples
    --------
    >>> list(map_rows(np.eye(3), lambda block, first: (first, block.shape), step=2))
    [(0, (2, 3)), (2, (1, 3))]
    """
    step = step or rows_per_block(table)
    if isinstance(table, RowParts):
        return chain.from_iterable(table.map(partial(_each_block, work, step), *arguments))
    return _blocks(table, 0, work, step, *arguments)


def sum_rows(table: Table, work: Work, *arguments: Any, step: int | None = None) -> Any:
    """The sum of ``work(block, first_row, *arguments)`` over blocks of rows: an array or a tuple of arrays.

    Examples
    --------
    >>> sum_rows(np.eye(3), lambda block, first: block.sum(axis=0), step=2)
    array([1., 1., 1.])
    """
    step = step or rows_per_block(table)
    if isinstance(table, RowParts):
        return table.sum(partial(_sum_of_blocks, work, step), *arguments)
    return tree_sum(_blocks(table, 0, work, step, *arguments))


def take_rows(table: Table, rows: NDArray[np.int64]) -> Array:
    """Some rows, in the order asked for: next to the table, or on the host when it is in parts.

    Examples
    --------
    >>> take_rows(np.eye(2), np.array([1]))
    array([[0., 1.]])
    """
    if isinstance(table, RowParts):
        return table.take(rows)
    return np.ascontiguousarray(table[rows]) if on_host(table) else table[np.asarray(rows)]


def apply_rows(table: Table, work: Work, n_columns: int, *arguments: Any, step: int | None = None) -> Any:
    """The table of ``work(block, first_row, *arguments)``, each (rows of the block, n_columns), in the dtype of
    `table`.

    Made next to the table: on its device, or in parts.

    Examples
    --------
    >>> apply_rows(np.eye(2), lambda block, first: 2 * block[:, :1], 1)
    array([[2.],
           [0.]])
    """
    step = step or rows_per_block(table)
    if isinstance(table, RowParts):
        return table.apply(partial(_table_of_blocks, work, n_columns, step), n_columns, *arguments)
    return _table_of_blocks(work, n_columns, step, table, 0, *arguments)


def _table_of_blocks(work: Work, n_columns: int, step: int, table: Array, first_row: int, *arguments: Any) -> Array:
    result, start = room_beside((table.shape[0], n_columns), table), 0
    for made in _blocks(table, first_row, work, step, *arguments):
        result[start : start + len(made)] = made
        start += len(made)
    return result


def _blocks(table: Array, first_row: int, work: Work, step: int, *arguments: Any) -> Iterator[Any]:
    for start in range(0, len(table), step):
        block = table[start : start + step]
        yield work(np.asarray(block) if on_host(block) else block, first_row + start, *arguments)


def _each_block(work: Work, step: int, part: Array, first_row: int, *arguments: Any) -> list[Any]:
    return list(_blocks(part, first_row, work, step, *arguments))


def _sum_of_blocks(work: Work, step: int, part: Array, first_row: int, *arguments: Any) -> Any:
    return tree_sum(_blocks(part, first_row, work, step, *arguments))


SAFE_SQUARES = (1e-280, 1e300)
"""Sums of squares within these bounds have lost nothing to overflow or underflow."""


def row_norms(table: Table) -> NDArray[np.float64]:
    """Euclidean norm of every row, shape (n_rows,), float64 on the host, free of overflow for finite input.

    Examples
    --------
    >>> row_norms(np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([5., 0.])
    """
    return np.concatenate(list(map_rows(table, norms_of_block)))


def norms_of_block(block: Array, _: int = 0) -> NDArray[np.float64]:
    """`row_norms` of one block."""
    with np.errstate(over="ignore", under="ignore"):
        squares = to_host(squared_norms(block))
        norms: NDArray[np.float64] = np.sqrt(squares)
    extreme = np.flatnonzero(~((squares > SAFE_SQUARES[0]) & (squares < SAFE_SQUARES[1])))
    if len(extreme) and not on_host(block):  # rows that are zero altogether need no second look
        xp = namespace(block)
        extreme = extreme[to_host(xp.any(block != 0, axis=1))[extreme]]
    if len(extreme):
        norms[extreme] = _scaled_norms(to_host(block[extreme]).astype(np.float64))
    return norms


def squared_norms(block: Array) -> Array:
    """Squared norm of every row, float64, next to the block; may overflow or vanish."""
    if on_host(block):
        return np.einsum("ij,ij->i", block, block, dtype=np.float64)
    wide = doubled(block)
    return row_sums(wide * wide)


def _scaled_norms(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Norms of rows whose squares leave the range of float64."""
    scale = np.abs(rows).max(axis=1, keepdims=True)
    safe = np.where(scale > 0, scale, 1.0)
    return np.asarray(safe[:, 0] * np.sqrt(np.square(rows / safe).sum(axis=1)) * (scale[:, 0] > 0))


def unit_rows(table: Array) -> Array:
    """Rows scaled to norm one, in the dtype of the table; zero rows stay zero (their cosines are defined as 0).

    Examples
    --------
    >>> unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    norms = row_norms(table)
    with np.errstate(over="ignore"):
        scale = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0).astype(numpy_dtype(table))
    if np.isfinite(scale).all():
        return table * beside(scale[:, None], table)
    xp = namespace(table)
    peak = doubled(xp.max(xp.abs(table), axis=1, keepdims=True))
    rescaled = doubled(table) / xp.where(peak > 0, peak, xp.ones_like(peak))
    return xp.astype(unit_rows(rescaled), table.dtype, copy=False)


def sample_nonzero_rows(table: Table, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Indices of `count` rows that are not zero, drawn without replacement and sorted; all of them if there are fewer.

    Numerics
    --------
    Two passes and no memory per row.

    Examples
    --------
    >>> sample_nonzero_rows(np.array([[0.0], [2.0], [3.0]]), 5, np.random.default_rng(0))
    array([1, 2])
    """
    alive = [int(number) for number in map_rows(table, _count_nonzero_rows)]
    total = sum(alive)
    wanted = np.arange(total) if total <= count else np.sort(rng.choice(total, count, replace=False))
    before = np.cumsum([0, *alive])
    found = [
        rows[wanted[(wanted >= low) & (wanted < high)] - low]
        for rows, low, high in zip(map_rows(table, _nonzero_rows), before, before[1:], strict=False)
    ]
    return np.concatenate(found)


def _count_nonzero_rows(block: Array, _: int) -> int:
    return int(np.count_nonzero(norms_of_block(block)))


def _nonzero_rows(block: Array, first_row: int) -> NDArray[np.int64]:
    return np.flatnonzero(norms_of_block(block)) + first_row
