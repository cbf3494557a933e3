"""Names of the kinds of arrays that signatures speak of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = Any
"""A NumPy array or a torch tensor: what follows the array API."""

Table = Any
"""Rows of vectors, float32 or float64: an ndarray, a memory map, a torch tensor or `RowParts`."""

FloatTable = NDArray[np.floating[Any]]
"""A table on the host, float32 or float64."""

MatrixLike = Any
"""An interaction matrix X: dense or scipy sparse, a torch tensor, or `RowParts` of them."""

Vector = NDArray[np.float64]
"""One dimension, float64."""

Matrix = NDArray[np.float64]
"""Two dimensions, float64."""

Cube = NDArray[np.float64]
"""Three dimensions, float64."""

Lists = tuple[NDArray[np.int64], NDArray[np.floating[Any]]]
"""Neighbour lists: indices (n, k) and scores (n, k), best first."""
