"""The largest entries of every row of a block of scores."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def largest_per_row(scores: NDArray[np.floating[Any]], k: int) -> tuple[NDArray[np.int64], NDArray[np.floating[Any]]]:
    """Columns of the k largest scores of every row, and these scores; equal scores by the lower column.

    Parameters
    ----------
    scores : ndarray, shape (n, m)
        −inf for what must not be listed.
    k : int
        From 1 to m.

    Examples
    --------
    >>> largest_per_row(np.array([[1.0, 3.0, 3.0, 2.0]]), 3)
    (array([[1, 2, 3]]), array([[3., 3., 2.]]))
    """
    m = scores.shape[1]
    indices = np.empty((len(scores), k), dtype=np.int64)
    last = np.partition(scores, m - k, axis=1)[:, m - k]
    for row, values in enumerate(scores):
        reached = np.flatnonzero(values >= last[row])
        indices[row] = reached[np.argsort(-values[reached], kind="stable")[:k]]
    return indices, np.take_along_axis(scores, indices, axis=1)
