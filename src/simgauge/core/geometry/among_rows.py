"""Lists of neighbours among some rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.core.neighbors.topk import top_k
from simgauge.core.tables.directions import directed_rows
from simgauge.core.tables.tables import row_norms, take_rows
from simgauge.errors import InputError


def directed_in_all(tables: Sequence[Any], n_rows: int) -> NDArray[np.int64]:
    """Rows that are zero in none of the tables.

    Examples
    --------
    >>> directed_in_all([np.diag([1.0, 1.0, 0.0]), np.diag([0.0, 1.0, 1.0])], 3)
    array([1])
    """
    kept = np.arange(n_rows)
    for table in tables:
        rows = directed_rows(table)
        kept = kept if rows is None else np.intersect1d(kept, rows)
    return kept


def top_k_among(
    table: Any, asked: Any, rows: NDArray[np.int64], kept: NDArray[np.int64], k: int, metric: str
) -> tuple[NDArray[np.int64], Any]:
    """Lists among the rows that are kept, as rows of the whole table; `asked` is None where the table asks itself.

    Examples
    --------
    >>> table = np.array([[1.0, 0.0], [0.0, 0.0], [1.0, 1.0], [1.0, 0.1]])
    >>> top_k_among(table, None, np.array([2]), np.array([0, 2, 3]), 2, "cosine")[0]
    array([[3, 0]])
    """
    if len(kept) == len(table):
        return top_k(table, k, metric, asked, rows=rows)
    own = np.searchsorted(kept, rows) if asked is None else rows
    places, scores = top_k(take_rows(table, kept), k, metric, asked, rows=own)
    return kept[places], scores


def refuse_zero_rows(asked: Any, rows: NDArray[np.int64], names: Sequence[str], where: str, metric: str) -> None:
    """Raise where a row that is asked for is zero; `names` are those of the rows, and `where` goes into the message.

    Raises
    ------
    InputError
        A zero vector is near to nothing.
    """
    zero = [name for name, norm in zip(names, row_norms(take_rows(asked, rows)), strict=True) if norm == 0]
    if zero:
        without = "it has no cosine with anything" if metric == "cosine" else "all its dot products are 0"
        raise InputError(f"{zero[0]} has a zero vector{where}: {without}, so it has no nearest neighbours.")
