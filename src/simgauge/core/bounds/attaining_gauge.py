"""The gauge under which a cosine becomes its bound."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from simgauge.core.bounds.cosine_bounds import Group, Sides, cosine_bounds
from simgauge.core.tables.kinds import Matrix
from simgauge.errors import InputError
from simgauge.parameters import check_choice


def attaining_gauge(
    vectors: Any,
    pair: ArrayLike,
    condition_number: float,
    side: Literal["low", "high"] = "low",
    group: Group = "linear",
    *,
    users: Any = None,
    sides: Sides = "items",
) -> Matrix:
    """A gauge G that brings the cosine of one pair to its bound: ``items @ G`` and ``users @ inv(G).T``.

    All predictions stay the same.

    Parameters
    ----------
    vectors, condition_number, group, users, sides
        As in `cosine_bounds`; κ is finite and is the condition number of the metric G Gᵀ, so cond(G) <= √κ.
    pair : array-like of int, shape (2,)
        Two items, two users, or (user, item).
    side : {"low", "high"}

    Returns
    -------
    ndarray, shape (n_components, n_components), float64
        Symmetric positive definite; diagonal for group "diagonal".

    Raises
    ------
    InputError, ParameterError
        As in `cosine_bounds`.

    Examples
    --------
    >>> items = np.array([[1.0, 0.0], [0.6, 0.8]])
    >>> moved = items @ attaining_gauge(items, [0, 1], 4.0, "high")
    >>> cosine = moved[0] @ moved[1] / np.sqrt((moved[0] @ moved[0]) * (moved[1] @ moved[1]))
    >>> round(float(cosine), 6)
    0.882353
    """
    check_choice(side, "side", ("low", "high"))
    one_pair = np.asarray(pair)
    if one_pair.shape != (2,):
        raise InputError(f"pair: expected two row indices; received shape {one_pair.shape}.")
    bounds = cosine_bounds(
        vectors, one_pair[None], condition_number, group, users=users, sides=sides, return_metric=True
    )
    metric = (bounds.low_metric if side == "low" else bounds.high_metric)[0]
    gauge: Matrix = np.diag(np.sqrt(metric)) if group == "diagonal" else _root(metric, condition_number)
    return (
        np.asarray(np.linalg.inv(gauge)) if sides == "users" else gauge
    )  # users move by the inverse of what moves the items


def _root(axis: Matrix, condition_number: float) -> Matrix:
    """Square root of I + (κ − 1) e eᵀ."""
    length = float(axis @ axis)
    if length == 0:
        return np.eye(len(axis))
    stretch = np.sqrt(1 + (condition_number - 1) * length) - 1
    root: Matrix = np.eye(len(axis)) + stretch / length * np.outer(axis, axis)
    return root
