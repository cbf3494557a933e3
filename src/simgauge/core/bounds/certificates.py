"""Which neighbour lists survive every metric of a given condition number: a certificate κ° per list and neighbour."""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simgauge.core.bounds.rivals import Certified, certify
from simgauge.core.tables.tables import as_table
from simgauge.errors import InputError, ParameterError
from simgauge.parameters import check_integer

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@overload
def neighbor_certificate(
    vectors: Any,
    k: int,
    *,
    neighbors: ArrayLike | None = None,
    rows: ArrayLike | None = None,
    per_neighbor: bool = False,
    return_pairs: Literal[False] = False,
) -> Floats: ...
@overload
def neighbor_certificate(
    vectors: Any,
    k: int,
    *,
    neighbors: ArrayLike | None = None,
    rows: ArrayLike | None = None,
    per_neighbor: bool = False,
    return_pairs: Literal[True],
) -> Certified: ...
def neighbor_certificate(
    vectors: Any,
    k: int,
    *,
    neighbors: ArrayLike | None = None,
    rows: ArrayLike | None = None,
    per_neighbor: bool = False,
    return_pairs: bool = False,
) -> Floats | Certified:
    """Condition number at which a metric can first change a top-k list of cosine neighbours, exactly.

    Let κ°(i; j, l) be the smallest condition number of a metric under which row l comes as near to row i as its
    neighbour j (`swap_threshold`). Then, over all rows l outside the list,

    - κ°(i) = min over listed j and outside l of κ°(i; j, l): for κ < κ°(i) the list of i keeps its k members (their
      order may change), and a metric with κ = κ°(i) makes a member and an outsider tie;
    - κ°(i, j) = min over outside l of κ°(i; j, l): for κ < κ°(i, j) neighbour j stays in the list of i.

    The first is jointly exact: the metrics with cond(M) <= κ are connected, so the first change of a list is a tie, and
    the smallest metric that ties any pair is the smallest that changes the list. The second is a guarantee: j can fall
    behind one outsider and still be among the k nearest, because another member has fallen as well.

    Parameters
    ----------
    vectors : array-like, torch tensor or RowParts, shape (n_rows, n_components)
        For a tensor, vectors stay on its device; angles of n_lists x m pairs are copied to the host.
    k : int
        Neighbours in a list, 1 <= k <= n_rows − 1. With k = n_rows − 1 nothing is left outside and κ° is inf.
    neighbors : array-like of int, shape (n_lists, >= k), optional
        The lists, without the rows themselves; columns beyond k are not read. Found by exact search when not given.
        Outsiders are always sought in the whole table.
    rows : array-like of int, shape (n_lists,), optional
        Rows whose lists are certified, for a sample of a large table; `neighbors` then has one row for each. All rows
        when not given.
    per_neighbor : bool
        κ°(i, j) for the k neighbours instead of κ°(i).
    return_pairs : bool
        Also return which two rows tie.

    Returns
    -------
    ndarray, shape (n_lists,), or (n_lists, k) with per_neighbor=True, float64
        κ° >= 1, the condition number of the **metric** (a gauge of condition number g moves cosines by a metric of g²);
        inf where no metric can make a change. Columns follow `neighbors` where given, otherwise nearness.
    Certified(thresholds, neighbors, rivals), only with return_pairs=True
        The same numbers, the member that ties first and the outsider that ties with it (−1 where κ° is inf).
        ``tying_gauge(vectors, (row, neighbor, rival))`` is the gauge that ties them.

    Gauge
    -----
    A statement relative to the gauge of these vectors: κ = 1 is the cosine as it is here. Invariant to rotations and to
    the length of rows.

    Numerics
    --------
    Angles are computed in float64 from differences of the vectors, never from scores. The ratio
    tan(φ_il/2)/tan(φ_ij/2), which bounds κ°(i; j, l) from below, says which rows have to be compared: lists grow until
    the last row is beyond it by more than the rounding of the search, so any number of near ties is complete. Ties
    between the list and the outside give 1; so does a given list that contradicts the angles. A neighbour with the
    direction of the row gets inf, unless an outsider has that direction too (then 1). A zero vector has cosine 0 with
    everything, under any gauge; the list of a zero row gets 1.

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
    >>> angles = np.radians([0, 10, 40, 120, -50])
    >>> vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    >>> neighbor_certificate(vectors, 2).round(2)
    array([1.42, 3.  , 2.65,  inf,  inf])
    >>> neighbor_certificate(vectors, 2, per_neighbor=True)[0].round(2)
    array([25.31,  1.42])
    """
    table = as_table(vectors)
    size, asked = as_list_size(k, len(table)), as_rows(rows, len(table))
    given = None if neighbors is None else _as_neighbors(neighbors, len(table), size, asked)
    found = certify(table, size, asked, given, per_neighbor=per_neighbor)
    if not per_neighbor:
        found = Certified(found.thresholds[:, 0], found.neighbors[:, 0], found.rivals[:, 0])
    return found if return_pairs else found.thresholds


@overload
def certified_share(certificates: ArrayLike, condition_number: float) -> float: ...
@overload
def certified_share(certificates: ArrayLike, condition_number: list[float] | NDArray[Any]) -> Floats: ...
def certified_share(certificates: ArrayLike, condition_number: float | list[float] | NDArray[Any]) -> float | Floats:
    """Share of lists (or of neighbours) that no metric of this condition number can change.

    Parameters
    ----------
    certificates : array-like
        κ° from `neighbor_certificate`, of any shape.
    condition_number : float or array-like
        κ >= 1 of the metric; `numpy.inf` counts what no metric at all can change.

    Returns
    -------
    float, or ndarray of the shape of condition_number
        Share in [0, 1] with κ° > κ (or κ° = inf).

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


def as_list_size(k: int, n_rows: int) -> int:
    """Check the number of neighbours in a list against the rows of the table."""
    if n_rows < 2:
        raise InputError("vectors: a table of one row has no neighbours. Pass at least two rows.")
    return check_integer(k, "k", 1, n_rows - 1, meaning="a number of neighbours among the other rows")


def as_rows(rows: ArrayLike | None, n_rows: int) -> Indices:
    """Check the rows whose lists are certified; all of them when not given."""
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
    if index.ndim != 2 or len(index) != len(rows) or index.shape[1] < size or index.dtype.kind not in "iu":
        raise InputError(
            f"neighbors: expected integer row indices of shape ({len(rows)}, {size}) or wider; received shape "
            f"{index.shape}, dtype {index.dtype}. Use top_k(vectors, {size})."
        )
    index = index[:, :size]
    if index.min() < 0 or index.max() >= n_rows:
        raise InputError(f"neighbors: row indices must lie in 0..{n_rows - 1}; received {index.min()}..{index.max()}.")
    own = rows[(index == rows[:, None]).any(axis=1)]
    if own.size:
        raise InputError(f"neighbors: row {own[0]} is listed as its own neighbour. Leave the row itself out.")
    return index.astype(np.intp, copy=False)
