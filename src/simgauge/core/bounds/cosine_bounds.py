"""How far the cosine of two vectors can move under metrics of a given condition number: exact, attained bounds."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, NamedTuple, get_args, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simgauge.core.bounds.diagonal import diagonal_bounds, unbounded_diagonal
from simgauge.core.bounds.user_item_bounds import user_item_bounds
from simgauge.core.tables.arrays import doubled, is_tensor, namespace, numpy_dtype, on_host, to_host
from simgauge.core.tables.kinds import Array
from simgauge.core.tables.tables import as_table, take_rows, unit_rows
from simgauge.core.tables.tensor_precision import row_lengths
from simgauge.errors import InputError, ParameterError
from simgauge.parameters import check_choice

Group = Literal["linear", "diagonal"]
Sides = Literal["items", "users", "user-item"]
Floats = NDArray[np.float64]

ENTRIES_PER_BLOCK, DEVICE_ENTRIES_PER_BLOCK = 1 << 17, 1 << 24
"""Pairs x components worked on at once: fits the cache of a core, and keeps the memory of a call flat. On a device 128
MiB in float64, so that starting its kernels costs little."""


class AttainedBounds(NamedTuple):
    """Bounds with a metric that attains each; see `cosine_bounds`."""

    low: Floats
    high: Floats
    low_metric: Floats
    high_metric: Floats


@overload
def cosine_bounds(
    vectors: Any,
    pairs: ArrayLike,
    condition_number: float,
    group: Group = "linear",
    *,
    users: Any = None,
    sides: Sides = "items",
    return_metric: Literal[False] = False,
) -> tuple[Floats, Floats]: ...
@overload
def cosine_bounds(
    vectors: Any,
    pairs: ArrayLike,
    condition_number: float,
    group: Group = "linear",
    *,
    users: Any = None,
    sides: Sides = "items",
    return_metric: Literal[True],
) -> AttainedBounds: ...
def cosine_bounds(
    vectors: Any,
    pairs: ArrayLike,
    condition_number: float,
    group: Group = "linear",
    *,
    users: Any = None,
    sides: Sides = "items",
    return_metric: bool = False,
) -> tuple[Floats, Floats] | AttainedBounds:
    """Lowest and highest cosine that pairs of vectors can take over all metrics of a condition number.

    Replacing items Q by Q G (and users P by P G^-T) keeps every prediction P Qᵀ and changes the cosine of two items to
    x M y / √(x M x · y M y), M = G Gᵀ, of two users to that under M⁻¹, and of a user p and an item q to
    p·q / √(p M⁻¹ p · q M q). The bounds are exact over all M of the group with cond(M) <= κ.

    "linear": any symmetric positive definite M. An angle φ becomes anything in
    [2·atan(tan(φ/2)/√κ), 2·atan(tan(φ/2)·√κ)] (generalised Wielandt inequality). "diagonal": M = diag(d),
    d in [1, κ]^n_components, the paper's rescaling D of the axes as they are: the result depends on the basis, so pass
    vectors in the canonical one (Z(α)) unless their own axes mean something. A user and an item: see
    `user_item_bounds`.

    Parameters
    ----------
    vectors : array-like or torch tensor, shape (n_rows, n_components)
        float32 or float64; the length of a row does not matter. Rows of a tensor are gathered on its device.
    pairs : array-like of int, shape (n_pairs, 2)
        Row indices, each >= 0 and below the rows of its table: of two items, of two users, or (user, item).
    condition_number : float
        κ >= 1 of the **metric**. A gauge G of condition number g gives κ = g². `numpy.inf` for unbounded: the bounds
        are then approached, not attained.
    group : {"linear", "diagonal"}
        "diagonal" is not offered for a user and an item.
    users : array-like or torch tensor, shape (n_users, n_components), optional
        The other table, with `sides` other than "items".
    sides : {"items", "users", "user-item"}
        Whose cosines.
    return_metric : bool
        Also return a metric that attains each bound (finite κ only).

    Returns
    -------
    low, high : ndarray, shape (n_pairs,), float64
        In [-1, 1], low <= cosine <= high.
        NumPy, also for tensors.
    low_metric, high_metric : ndarray, shape (n_pairs, n_components), only with return_metric=True
        "diagonal": the d in [1, κ]. "linear": a vector e with M = I + (κ − 1) e eᵀ, of norm one, or zero where the
        bound is the cosine itself, or below one where a cosine of ±1 takes less than κ. M is the metric of the users
        with sides="users", and of the items otherwise. `attaining_gauge` turns them into a G.

    Gauge
    -----
    The bounds are a statement about the gauge, and relative to it: they are invariant to rotations ("linear") or to
    permutations and signs of the axes ("diagonal") only. Vectors that have been moved by G have other bounds.

    Numerics
    --------
    Float64 throughout. "linear" uses ‖u − v‖ and ‖u + v‖ of the unit vectors, not the arc cosine, so small angles are
    exact to rounding. Parallel (antiparallel) vectors keep cosine 1 (-1); with κ = inf, vectors count as parallel when
    ‖u − v‖ is within 2 eps of the table's dtype. A zero vector stays zero under any gauge; its cosine is defined as 0
    and so are its bounds. "diagonal" is solved exactly (see `simgauge.core.bounds.diagonal`), to an accuracy of about
    κ·eps; the values returned are those of a feasible d. Cost O(k log k) a pair, memory flat, threads over blocks.
    Tensors: "linear" is computed on the device. "diagonal" takes the unit rows of the asked pairs, and nothing else, to
    the host (16 n_components bytes a pair): its windows differ from pair to pair, which a device does not do well.

    Raises
    ------
    InputError
        Bad vectors, pairs that are not integer, not of shape (n_pairs, 2) or out of range, or users missing.
    ParameterError
        condition_number below 1 or NaN, unknown group or sides, or return_metric=True with κ = inf.

    References
    ----------
    Steck, Ekanadham, Kallus (2024), arXiv:2403.05440, Eq. 3 and 4, for the freedom. Bauer and Householder (1960) for
    the generalised Wielandt inequality ("linear"); Cassels' inequality (unbounded "diagonal").

    Examples
    --------
    >>> low, high = cosine_bounds([[1.0, 0.0], [0.6, 0.8]], [[0, 1]], 4.0)
    >>> low.round(6), high.round(6)
    (array([0.]), array([0.882353]))
    >>> low, high = cosine_bounds([[1.0, 2.0], [2.0, 1.0]], [[0, 1]], np.inf, group="diagonal")
    >>> low.round(6), high.round(6)
    (array([0.8]), array([1.]))
    """
    first, table = _as_sides(vectors, users, sides, group)
    index = _as_pairs(pairs, len(first), len(table))
    kappa = _as_condition_number(condition_number, return_metric)
    solve = user_item_bounds if sides == "user-item" else _linear if group == "linear" else _diagonal
    tiny = 2 * float(np.finfo(numpy_dtype(table)).eps)
    found = AttainedBounds(*np.zeros((2, len(index))), *_metrics(len(index), table.shape[1], group, return_metric))

    def work(start: int) -> None:
        block = index[start : start + step]
        x, y = _unit(first, block[:, 0]), _unit(table, block[:, 1])
        if group == "diagonal":
            x, y = to_host(x), to_host(y)
        usable = np.flatnonzero(to_host(_any(x) & _any(y)))
        parts = solve(take_rows(x, usable), take_rows(y, usable), kappa, tiny)
        for target, part in zip(found[: 4 if return_metric else 2], parts, strict=False):
            target[start + usable] = to_host(part)

    near = not is_tensor(table) or table.device.type == "cpu"
    step = max(1, (ENTRIES_PER_BLOCK if near else DEVICE_ENTRIES_PER_BLOCK) // table.shape[1])
    starts = range(0, len(index), step)
    if on_host(table):
        _in_threads(work, starts)
    else:
        for start in starts:
            work(start)
    return found if return_metric else (found.low, found.high)


def _linear(x: Array, y: Array, kappa: float, tiny: float) -> tuple[Array, Array, Array, Array]:
    """tan²(φ/2) = |x − y|²/|x + y|² times or over κ, and cos φ = (1 − tan²)/(1 + tan²)."""
    apart, along = x - y, x + y
    distance, closeness = row_lengths(apart), row_lengths(along)
    if np.isinf(kappa):
        distance[distance <= tiny] = 0.0
        closeness[closeness <= tiny] = 0.0
    opening, closing, one = distance * distance, closeness * closeness, namespace(x).ones_like(distance)
    low = (closing / kappa - opening) / (closing / kappa + opening) if np.isfinite(kappa) else -one
    high = (closing - opening / kappa) / (closing + opening / kappa) if np.isfinite(kappa) else one
    low[distance == 0], high[closeness == 0] = 1.0, -1.0
    return low, high, _normalized(apart, distance), _normalized(along, closeness)


def _normalized(rows: Array, norms: Array) -> Array:
    xp = namespace(rows)
    return rows / xp.where(norms > 0, norms, xp.ones_like(norms))[:, None]  # rows without length are zero already


def _any(rows: Array) -> Array:
    return namespace(rows).any(rows != 0, axis=1)


def _diagonal(x: Floats, y: Floats, kappa: float, tiny: float) -> tuple[Floats, Floats, Floats, Floats]:
    if np.isfinite(kappa):
        return diagonal_bounds(x, y, kappa)
    low, high = unbounded_diagonal(x, y)
    same, opposite = np.linalg.norm(x - y, axis=1) <= tiny, np.linalg.norm(x + y, axis=1) <= tiny
    return np.where(same, 1.0, low), np.where(opposite, -1.0, high), x, y


def _unit(table: Array, rows: NDArray[np.intp]) -> Array:
    return unit_rows(doubled(take_rows(table, rows)))


def _metrics(n_pairs: int, n_components: int, group: str, wanted: bool) -> Floats:
    """Room for both metrics; the identity for pairs with a zero vector."""
    shape = (2, n_pairs if wanted else 0, n_components)
    return np.ones(shape) if group == "diagonal" else np.zeros(shape)


def _in_threads(work: Callable[[int], None], starts: range) -> None:
    """Run the blocks on all cores: NumPy lets go of the interpreter in sorts, sums and look-ups."""
    workers = min(len(starts), os.cpu_count() or 1, 8)
    if workers <= 1:
        for start in starts:
            work(start)
        return
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, starts))


def _as_sides(vectors: Any, users: Any, sides: str, group: str) -> tuple[Array, Array]:
    """The tables that the first and the second index of a pair refer to."""
    check_choice(group, "group", get_args(Group))
    check_choice(sides, "sides", get_args(Sides))
    if sides == "items":
        table = as_table(vectors)
        return table, table
    if users is None:
        raise InputError(f"sides={sides!r}: pass the user vectors too, cosine_bounds(items, ..., users=users).")
    other = as_table(users, "users")
    if sides == "users":
        return other, other
    if group == "diagonal":
        raise ParameterError("sides='user-item' is offered for group='linear' only.")
    table = as_table(vectors)
    places = [str(side.device) if is_tensor(side) else "the host" for side in (other, table)]
    if places[0] != places[1]:
        raise InputError(f"users lie on {places[0]}, items on {places[1]}: bring both to one place first.")
    if other.shape[1] != table.shape[1]:
        raise InputError(
            f"users have {other.shape[1]} components, items {table.shape[1]}: pass the two tables of one model."
        )
    return other, table


def _as_pairs(pairs: ArrayLike, n_first: int, n_second: int) -> NDArray[np.intp]:
    index = np.asarray(pairs)
    if index.size == 0:
        return np.empty((0, 2), dtype=np.intp)
    if index.ndim != 2 or index.shape[1] != 2 or index.dtype.kind not in "iu":
        raise InputError(
            f"pairs: expected row indices of shape (n_pairs, 2), integers; received shape {index.shape}, dtype "
            f"{index.dtype}. For all pairs of n rows pass numpy.stack(numpy.triu_indices(n, 1), axis=1)."
        )
    for column, n_rows in zip(index.T, (n_first, n_second), strict=True):
        if column.min() < 0 or column.max() >= n_rows:
            raise InputError(
                f"pairs: row indices must lie in 0..{n_rows - 1}; received {column.min()}..{column.max()}. "
                "Ids are not row indices: look them up first."
            )
    return index.astype(np.intp, copy=False)


def _as_condition_number(condition_number: float, return_metric: bool) -> float:
    try:
        kappa = float(condition_number)
    except (TypeError, ValueError):
        kappa = np.nan
    if not kappa >= 1:
        raise ParameterError(
            f"condition_number={condition_number!r}: expected a number >= 1, the largest over the smallest eigenvalue "
            "of the metric (numpy.inf for no limit). The identity has 1."
        )
    if np.isinf(kappa) and return_metric:
        raise ParameterError(
            "return_metric=True with condition_number=inf: these bounds are approached, not attained. "
            "Pass a finite number."
        )
    return kappa
