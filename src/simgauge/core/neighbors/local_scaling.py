"""Local scaling of distances between unit vectors (exponential and NICDM), as an exact search by dot product."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from simgauge.core.tables.kinds import FloatTable
from simgauge.parameters import check_choice

Method = Literal["exponential", "nicdm"]


def check_method(method: str) -> None:
    """Raise unless `method` is one of the known choices."""
    check_choice(method, "method", get_args(Method))


def local_scale(neighbor_cosines: NDArray[np.floating], method: Method, resolution: float) -> NDArray[np.float64]:
    """σ(y), the scale of the surroundings of each vector, from the cosines of its nearest neighbours.

    "exponential": the distance to the last of them. "nicdm": the mean distance. Distances are Euclidean between unit
    vectors, ``d = √(2 − 2 cos)``; below `resolution` they cannot be told from zero, and that value is used instead.

    Examples
    --------
    >>> local_scale(np.array([[1.0, 0.5]]), "nicdm", 1e-8), local_scale(np.array([[1.0, 0.5]]), "exponential", 1e-8)
    (array([0.5]), array([1.]))
    """
    distances = np.sqrt(np.clip(2 - 2 * np.asarray(neighbor_cosines, dtype=np.float64), 0, None))
    scale = distances[:, -1] if method == "exponential" else distances.mean(axis=1)
    return np.asarray(np.maximum(scale, resolution))


def scaled_tables(
    unit_items: FloatTable, unit_queries: FloatTable, scale: NDArray[np.float64]
) -> tuple[FloatTable, FloatTable]:
    """Tables whose dot product is ``(cos(x, y) − 1) / σ(y) = −d²/(2 σ(y))``, which ranks as both scalings do.

    σ(x) is one constant per query, so ``[y, −1] / σ(y)`` searched with ``[x, 1]`` is exact.

    Examples
    --------
    >>> items, queries = scaled_tables(np.eye(2), np.eye(2), np.array([0.5, 2.0]))
    >>> queries @ items.T
    array([[ 0. , -0.5],
           [-2. ,  0. ]])
    """
    items = np.column_stack([unit_items, -np.ones(len(unit_items))]) / scale[:, None]
    return items, np.column_stack([unit_queries, np.ones(len(unit_queries))])


def scaled_scores(dots: NDArray[np.floating], query_scale: NDArray[np.float64], method: Method) -> NDArray[np.floating]:
    """Scores, higher is closer, from the dot products of `scaled_tables`.

    "exponential": ``exp(−d²/(σ(x) σ(y)))``, in (0, 1]; 1 minus this is the distance of kiez and scikit-hubness.
    "nicdm": ``−d / √(σ(x) σ(y))``, their distance with the sign turned.

    References
    ----------
    Zelnik-Manor & Perona (2004); Jégou et al. (2007); Schnitzer et al. (2012), JMLR 13, Eqs. 1 and 2.
    """
    squares = np.clip(-2 * dots / query_scale[:, None], 0, None)
    return np.asarray(np.exp(-squares) if method == "exponential" else -np.sqrt(squares))
