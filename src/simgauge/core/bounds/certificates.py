"""Which neighbour lists survive every metric of a given condition number: a certificate κ* per list and neighbour."""

from __future__ import annotations

from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simgauge.core.bounds.cosine_bounds import row_lengths
from simgauge.core.neighbors.topk import top_k
from simgauge.core.tables.arrays import doubled, namespace, to_host
from simgauge.core.tables.kinds import Array
from simgauge.core.tables.tables import as_table, take_rows, unit_rows
from simgauge.errors import InputError, ParameterError
from simgauge.parameters import check_integer

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

ENTRIES_PER_BLOCK = 1 << 20
"""Rows x neighbours x components gathered at once."""

SPARE_NEIGHBORS = 8
"""Neighbours looked up beyond k + 1, so that near ties in float32 are ordered again by their float64 angles."""

RESOLUTION = 4 * float(np.finfo(np.float64).eps)
"""Half-angle tangents below this are rounding: the directions count as equal."""


def neighbor_certificate(
    vectors: Any,
    k: int,
    *,
    neighbors: ArrayLike | None = None,
    rows: ArrayLike | None = None,
    per_neighbor: bool = False,
) -> Floats:
    """Condition number that a metric must exceed before it can change a top-k list of cosine neighbours.

    With φ_ij the angle between rows i and j, no metric M with cond(M) < tan(φ_il/2)/tan(φ_ij/2) can bring l before j in
    the list of i: tan(φ_ij/2) grows by √κ at most, tan(φ_il/2) shrinks by √κ at most (see `cosine_bounds`). Let t_in be
    the largest tan(φ/2) among the k listed neighbours and t_out the smallest among all other rows. Then

        κ*(i) = t_out / t_in       : for κ < κ*(i) the list of i keeps its k members (their order may change);
        κ*(i, j) = t_out / t_ij    : for κ < κ*(i, j) neighbour j stays in the list of i.

    Parameters
    ----------
    vectors : array-like or torch tensor, shape (n_rows, n_components)
        For a tensor, angles are computed on its device and come to the host, n_lists x m in all.
    k : int
        Neighbours in a list, 1 <= k <= n_rows − 1. With k = n_rows − 1 nothing is left outside and κ* is inf.
    neighbors : array-like of int, shape (n_lists, >= k + 1), optional
        Nearest rows by cosine without the row itself, nearest first, at least k + 1 of them (with k = n_rows − 1, at
        least k). The first k are the list; the others are the nearest outsiders: every row not given must be at least
        as far as one of these. Found by exact search when not given.
    rows : array-like of int, shape (n_lists,), optional
        Rows whose lists are certified, for a sample of a large table; `neighbors` then has one row for each. All rows
        when not given. Outsiders are always looked for in the whole table.
    per_neighbor : bool
        κ*(i, j) for the k neighbours instead of κ*(i).

    Returns
    -------
    ndarray, shape (n_lists,), or (n_lists, k) with per_neighbor=True, float64
        κ* >= 1, the condition number of the **metric** (a gauge of condition number g moves cosines by a metric of g²);
        inf where no metric can make a change. Columns follow `neighbors` where given, otherwise nearness.

    Gauge
    -----
    A statement relative to the gauge of these vectors: κ = 1 is the cosine as it is here. Invariant to rotations and to
    the length of rows.

    Numerics
    --------
    Angles are computed in float64 from the vectors, never from scores. Ties between the list and the outside give 1;
    so does a list that contradicts the angles (rounding in the search that made it). A neighbour with the direction of
    the row has angle 0 and gets inf, unless an outsider has that direction too (then 1). A zero vector has cosine 0
    with everything, under any gauge: as a neighbour it counts as orthogonal, and the list of a zero row gets 1.

    The certificate is sufficient: below κ* nothing can happen. It is also sharp when both extremes fit in one metric,
    as for a neighbour j and an outsider l = −j; in general the list survives more, and in two dimensions no metric
    ever swaps two directions on the same side of i.

    Raises
    ------
    InputError
        Bad vectors, or a single row; neighbors of the wrong shape, out of range, or holding the row itself.
    ParameterError
        k below 1 or above n_rows − 1.

    References
    ----------
    Steck, Ekanadham, Kallus (2024), arXiv:2403.05440, Eq. 3 and 4, for the freedom.

    Examples
    --------
    >>> angles = np.radians([0, 10, 40, 120])
    >>> vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    >>> neighbor_certificate(vectors, 2).round(2)
    array([4.76, 5.33, 2.31, 1.21])
    >>> neighbor_certificate(vectors, 2, per_neighbor=True)[0].round(2)
    array([19.8 ,  4.76])
    """
    table = as_table(vectors)
    size, listed = _as_list_size(k, len(table)), _as_rows(rows, len(table))
    index = _search(table, size, listed) if neighbors is None else _as_neighbors(neighbors, len(table), size, listed)
    certificates = np.empty((len(listed), size) if per_neighbor else len(listed))
    step = max(1, ENTRIES_PER_BLOCK // (index.shape[1] * table.shape[1]))
    for start in range(0, len(listed), step):
        block = slice(start, start + step)
        tangents = _half_angle_tangents(table, listed[block], index[block])
        if neighbors is None:
            tangents.sort(axis=1)
        inside = tangents[:, :size] if per_neighbor else tangents[:, :size].max(axis=1, keepdims=True)
        outside = tangents[:, size:].min(axis=1, keepdims=True, initial=np.inf)
        ratio = _ratio(inside, outside, alone=size == len(table) - 1)
        certificates[block] = ratio if per_neighbor else ratio[:, 0]
    return certificates


@overload
def certified_share(certificates: ArrayLike, condition_number: float) -> float: ...
@overload
def certified_share(certificates: ArrayLike, condition_number: list[float] | NDArray[Any]) -> Floats: ...
def certified_share(certificates: ArrayLike, condition_number: float | list[float] | NDArray[Any]) -> float | Floats:
    """Share of lists (or of neighbours) that no metric of this condition number can change.

    Parameters
    ----------
    certificates : array-like
        κ* from `neighbor_certificate`, of any shape.
    condition_number : float or array-like
        κ >= 1 of the metric; `numpy.inf` counts what no metric at all can change.

    Returns
    -------
    float, or ndarray of the shape of condition_number
        Share in [0, 1] with κ* > κ (or κ* = inf).

    Raises
    ------
    InputError
        No certificates, or entries below 1 or NaN.
    ParameterError
        condition_number below 1 or NaN.

    Examples
    --------
    >>> certified_share([1.0, 1.5, 3.0, np.inf], 2.0)
    0.5
    >>> certified_share([1.0, 1.5, 3.0, np.inf], [1.0, 2.0, np.inf])
    array([0.75, 0.5 , 0.25])
    """
    found = np.sort(np.asarray(certificates, dtype=np.float64), axis=None)
    if found.size == 0 or not found[0] >= 1 or np.isnan(found[-1]):
        raise InputError(
            "certificates: expected numbers >= 1 from neighbor_certificate; received "
            f"{'none' if found.size == 0 else 'values below 1 or NaN'}."
        )
    kappa = np.asarray(condition_number, dtype=np.float64)
    if not (kappa >= 1).all():
        raise ParameterError(
            f"condition_number={condition_number!r}: expected numbers >= 1 (numpy.inf for any metric)."
        )
    beyond = found.size - np.searchsorted(found, kappa, side="right")
    share = np.where(np.isinf(kappa), np.isinf(found).mean(), beyond / found.size)
    return float(share) if share.ndim == 0 else share


def _half_angle_tangents(table: Array, rows: Indices, index: Indices) -> Floats:
    """tan(φ/2) = |u − v|/|u + v| of rows and their neighbours, shape of index; accurate for the smallest angles."""
    row = unit_rows(doubled(take_rows(table, rows)))[:, None, :]
    other = unit_rows(doubled(take_rows(table, index.reshape(-1)))).reshape((*index.shape, table.shape[1]))
    apart, along = to_host(row_lengths(row - other)), to_host(row_lengths(row + other))
    xp = namespace(row)
    defined = to_host(xp.any(row != 0, axis=2) & xp.any(other != 0, axis=2))
    tangents = np.divide(apart, along, out=np.full_like(apart, np.inf), where=along > 0)
    tangents[tangents <= RESOLUTION] = 0.0
    tangents[tangents >= 1 / RESOLUTION] = np.inf
    return np.where(defined, tangents, 1.0)


def _ratio(inside: Floats, outside: Floats, *, alone: bool) -> Floats:
    if alone:
        return np.full_like(inside, np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = outside / inside
    # 0/0 and inf/inf are ties; a ratio below one is a list that rounding has put in the wrong order
    result: Floats = np.fmax(np.where(np.isnan(ratio), 1.0, ratio), 1.0)
    return result


def _search(table: Array, size: int, rows: Indices) -> Indices:
    found = top_k(table, min(size + 1 + SPARE_NEIGHBORS, len(table) - 1), rows=rows)
    return np.asarray(found[0], dtype=np.intp)


def _as_list_size(k: int, n_rows: int) -> int:
    if n_rows < 2:
        raise InputError("vectors: a table of one row has no neighbours. Pass at least two rows.")
    return check_integer(k, "k", 1, n_rows - 1, meaning="a number of neighbours among the other rows")


def _as_rows(rows: ArrayLike | None, n_rows: int) -> Indices:
    if rows is None:
        return np.arange(n_rows, dtype=np.intp)
    index = np.asarray(rows)
    if index.ndim != 1 or index.size == 0 or index.dtype.kind not in "iu" or index.min() < 0 or index.max() >= n_rows:
        raise InputError(
            f"rows: expected a list of row indices in 0..{n_rows - 1}; received shape {index.shape}, "
            f"dtype {index.dtype}."
        )
    return index.astype(np.intp, copy=False)


def _as_neighbors(neighbors: ArrayLike, n_rows: int, size: int, rows: Indices) -> Indices:
    index = np.asarray(neighbors)
    wanted = min(size + 1, n_rows - 1)
    if index.ndim != 2 or len(index) != len(rows) or index.shape[1] < wanted or index.dtype.kind not in "iu":
        raise InputError(
            f"neighbors: expected integer row indices of shape ({len(rows)}, {wanted}) or wider; received shape "
            f"{index.shape}, dtype {index.dtype}. The {wanted - size} beyond k={size} say how near the next rows are: "
            f"use top_k(vectors, {wanted})."
        )
    if index.min() < 0 or index.max() >= n_rows:
        raise InputError(f"neighbors: row indices must lie in 0..{n_rows - 1}; received {index.min()}..{index.max()}.")
    own = rows[(index == rows[:, None]).any(axis=1)]
    if own.size:
        raise InputError(f"neighbors: row {own[0]} is listed as its own neighbour. Leave the row itself out.")
    return index.astype(np.intp, copy=False)
