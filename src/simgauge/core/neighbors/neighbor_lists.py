"""What counts as a table of neighbours: whole numbers, one row per query, each the position of a row of the table."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.errors import InputError, ParameterError

Indices = NDArray[np.int64]


def as_neighbor_lists(indices: Any, n_rows: int | None = None, name: str = "indices") -> Indices:
    """Check neighbour lists, shape (n_queries, k), and bring them to int64.

    Parameters
    ----------
    indices : array-like of int, shape (n_queries, k)
        Row positions of the neighbours of every query. Padding such as −1 is refused: an incomplete list has no k.
    n_rows : int, optional
        Rows of the table that was searched; positions must lie in [0, n_rows).
    name : str
        How the lists are called in error messages.

    Raises
    ------
    InputError
        Not two-dimensional, empty, not whole numbers, or a position outside the table.
    ParameterError
        `n_rows` below 1.

    Examples
    --------
    >>> as_neighbor_lists([[1, 2], [0, 2]], n_rows=3).shape
    (2, 2)
    """
    lists = np.asarray(indices)
    if lists.ndim != 2 or lists.size == 0:
        raise InputError(f"{name}: expected neighbour lists of shape (n_queries, k), received shape {lists.shape}.")
    if lists.dtype.kind not in "iu":
        raise InputError(f"{name}: expected whole numbers (row positions), received dtype {lists.dtype}.")
    if n_rows is not None and n_rows < 1:
        raise ParameterError(f"n_rows={n_rows}: expected the number of rows that were searched, 1 or more.")
    low, high = int(lists.min()), int(lists.max())
    if low < 0 or (n_rows is not None and high >= n_rows):
        last = "" if n_rows is None else n_rows - 1
        raise InputError(
            f"{name}: positions must lie in 0..{last}, received {low}..{high}. "
            "Lists padded with -1 come from an index that found fewer than k neighbours: search with a smaller k."
        )
    return lists.astype(np.int64, copy=False)
