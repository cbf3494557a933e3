"""One part of a matrix, on the worker that holds it: brought to CSR or ndarray, described, and worked on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from simgauge.core.matrices.matrix_input import as_matrix
from simgauge.core.tables.kinds import MatrixLike
from simgauge.core.tables.row_parts import Work
from simgauge.errors import InputError


class PartShape(NamedTuple):
    """Properties in which all parts must agree."""

    rows: int
    columns: int
    dtype: str
    is_sparse: bool

    def __str__(self) -> str:
        return f"{self.columns} columns, {self.dtype}, {'sparse' if self.is_sparse else 'dense'}"


def as_part(part: Any, number: int) -> MatrixLike:
    """CSR or ndarray, float32 or float64, of what a partition holds; not copied where it is that already.

    Examples
    --------
    >>> as_part([[1, 2]], 0)
    array([[1., 2.]])
    >>> as_part(np.zeros((0, 3)), 0).shape
    (0, 3)
    """
    if hasattr(part, "tocsr") and not sp.issparse(part):  # pydata/sparse
        part = part.tocsr()
    if hasattr(part, "to_numpy"):
        part = part.to_numpy()
    shape = np.shape(part) if not sp.issparse(part) else part.shape
    if len(shape) == 2 and shape[0] == 0:
        dtype = np.float32 if np.dtype(part.dtype).kind == "f" and part.dtype.itemsize <= 4 else np.float64
        return sp.csr_array(shape, dtype=dtype) if sp.issparse(part) else np.zeros(shape, dtype=dtype)
    matrix = _finite_or_not(part, f"partition {number}")
    return sp.csr_array(matrix) if sp.issparse(matrix) else np.ascontiguousarray(matrix)


def _finite_or_not(part: Any, name: str) -> MatrixLike:
    """As `as_matrix`, but NaN are left to the check of the whole, which counts them over all partitions."""
    if sp.issparse(part) and part.dtype in (np.float32, np.float64):
        return part
    if isinstance(part, np.ndarray) and part.ndim == 2 and part.dtype in (np.float32, np.float64):
        return part
    return as_matrix(part, name)


def matrix_of(held: Any) -> MatrixLike:
    """The part itself, where a worker holds more than that (the ids of its rows)."""
    return getattr(held, "matrix", held)


def shape_of(held: Any) -> PartShape:
    """The description of one part."""
    part = matrix_of(held)
    return PartShape(int(part.shape[0]), int(part.shape[1]), str(part.dtype), bool(sp.issparse(part)))


def common_shape(shapes: Sequence[PartShape], names: Sequence[str] | None = None) -> PartShape:
    """The description that all parts with rows share, `rows` being those of all together.

    `names` are what messages call the parts: "partition 0", "partition 1" and so on when not given.

    Raises
    ------
    InputError
        Nothing at all, or a part of another width or dtype; the message names it.

    Examples
    --------
    >>> common_shape([PartShape(2, 3, "float64", False), PartShape(0, 9, "float32", True)]).rows
    2
    """
    names = names or [f"partition {number}" for number in range(len(shapes))]
    filled = [(name, shape) for name, shape in zip(names, shapes, strict=True) if shape.rows]
    if not filled or filled[0][1].columns == 0:
        raise InputError(
            f"all {len(shapes)} partitions are empty, so there is nothing to work on. Pass at least one row and column."
        )
    first_name, first = filled[0]
    for name, shape in filled:
        if shape[1:] != first[1:]:
            raise InputError(
                f"{name} has {shape}, but {first_name} has {first}. All partitions need one "
                "number of columns and one dtype, and must all be sparse or all dense: convert this one first."
            )
    return first._replace(rows=sum(shape.rows for _, shape in filled))


class Placed:
    """Arguments on their way to the workers; no library looks into it."""

    def __init__(self, arguments: tuple[Any, ...]) -> None:
        self.arguments = arguments

    def __sizeof__(self) -> int:
        """Dask asks for it, to know what a copy to another worker costs."""
        return object.__sizeof__(self) + sum(int(getattr(value, "nbytes", 0)) for value in self.arguments)


def run(work: Work, held: Any, first_row: int, placed: Placed) -> Any:
    """``work(part, first_row, *arguments)``."""
    return work(matrix_of(held), first_row, *placed.arguments)


def made_table(work: Work, held: Any, first_row: int, placed: Placed, n_columns: int, dtype: str) -> MatrixLike:
    """The part of a table that `RowParts.apply` makes of one part."""
    part = matrix_of(held)
    return np.asarray(work(part, first_row, *placed.arguments), dtype=dtype).reshape(part.shape[0], n_columns)
