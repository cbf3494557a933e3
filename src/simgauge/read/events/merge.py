"""Events to pairs: repeated events merged by a rule, rare users and items left out. Arrays in, arrays out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from simgauge.errors import InputError, ParameterError

RULES = ("sum", "max", "mean", "last", "count", "error")

Codes = NDArray[np.int32]


def merge_events(
    users: Codes,
    items: Codes,
    weights: NDArray[np.float64] | None,
    shape: tuple[int, int],
    rule: str = "sum",
    times: NDArray[np.float64] | None = None,
) -> tuple[sparse.csr_array, int]:
    """One weight per user-item pair, summed in the order of the events, so that the result is the same every time.

    Parameters
    ----------
    users, items : ndarray of int32, shape (n_events,)
        Row and column of every event.
    weights : ndarray, shape (n_events,), optional
        1 each when None.
    shape : (n_users, n_items)
    rule : {"sum", "max", "mean", "last", "count", "error"}
        "last": of the latest time, or the later event when there are no times or equal ones. "count": how many
        events, whatever their weights. "error": repeated events are refused.
    times : ndarray, shape (n_events,), optional
        Used by "last" only.

    Returns
    -------
    csr_array, int
        The pairs (zero weights still stored), and how many events were merged into others.

    Numerics
    --------
    Two counting sorts, O(n_events); about 40 bytes per event beyond the input.

    Raises
    ------
    ParameterError
        Unknown rule.
    InputError
        Repeated events under the rule "error".

    Examples
    --------
    >>> events = np.array([0, 0, 1], dtype=np.int32), np.array([1, 1, 0], dtype=np.int32)
    >>> pairs, merged = merge_events(*events, np.array([2.0, 3.0, 1.0]), (2, 2))
    >>> pairs.toarray(), merged
    (array([[0., 5.], [1., 0.]]), 1)
    """
    if rule not in RULES:
        raise ParameterError(f"duplicates={rule!r}: expected one of {', '.join(map(repr, RULES))}.")
    if times is not None or not _ascending(users, items):
        order = None if times is None else np.argsort(times, kind="stable")
        order = _stable_order(items, shape[1], order)
        order = _stable_order(users, shape[0], order)
        users, items, weights = users[order], items[order], None if weights is None else weights[order]
        del order
    repeated = (users[1:] == users[:-1]) & (items[1:] == items[:-1])
    starts = np.flatnonzero(np.concatenate(([True], ~repeated)))
    if rule == "error" and repeated.any():
        first = int(repeated.argmax())
        raise InputError(
            f"{int(repeated.sum())} events repeat a user-item pair (first: user row {users[first]}, item column "
            f"{items[first]}) and duplicates='error' was asked for. Pass 'sum', 'max', 'mean', 'last' or 'count'."
        )
    data = _reduced(weights, starts, len(users), rule)
    indptr = np.concatenate(([0], np.cumsum(np.bincount(users[starts], minlength=shape[0]))))
    index_type = np.int32 if len(starts) <= np.iinfo(np.int32).max else np.int64
    arrays = (data, items[starts].astype(index_type), indptr.astype(index_type))
    pairs = sparse.csr_array(arrays, shape=shape)
    return pairs, len(users) - len(starts)


def _ascending(users: Codes, items: Codes) -> bool:
    after = users[1:] > users[:-1]
    return bool((after | ((users[1:] == users[:-1]) & (items[1:] >= items[:-1]))).all())


def _stable_order(codes: Codes, n_codes: int, order: NDArray[Any] | None) -> NDArray[Any]:
    """Positions that sort `codes` (visited in `order`) and keep the order of equal ones, by counting: O(n).

    scipy's change from rows to columns is that counting sort.
    """
    visited = codes if order is None else codes[order]
    n_events = len(visited)
    one_per_row = (
        np.zeros(n_events, dtype=np.int8),
        visited,
        np.arange(n_events + 1, dtype=np.int32 if n_events < 2**31 - 1 else np.int64),
    )
    by_code: NDArray[Any] = sparse.csr_array(one_per_row, shape=(n_events, n_codes)).tocsc().indices
    return by_code if order is None else order[by_code]


def _reduced(
    weights: NDArray[np.float64] | None, starts: NDArray[np.int64], n_events: int, rule: str
) -> NDArray[np.float64]:
    sizes = np.diff(starts, append=n_events)
    if rule == "count" or (weights is None and rule == "sum"):
        return sizes.astype(np.float64)
    if weights is None:
        return np.ones(len(starts))
    if rule == "last":
        return weights[starts + sizes - 1]
    reduced: NDArray[np.float64] = (np.maximum if rule == "max" else np.add).reduceat(weights, starts)
    return reduced / sizes if rule == "mean" else reduced


def keep_frequent(
    pairs: sparse.csr_array, min_user_count: int, min_item_count: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], int]:
    """Users with `min_user_count` items or more and items with `min_item_count` users or more, to a fixed point.

    Leaving out an item may leave a user with too few, and so on; the two rules are applied in turn until both hold.

    Returns
    -------
    ndarray of bool (n_users,), ndarray of bool (n_items,), int
        Which rows and columns stay, and after how many rounds nothing changed any more.

    Examples
    --------
    >>> users, items, rounds = keep_frequent(sparse.csr_array([[1.0, 1.0], [0.0, 1.0]]), 1, 2)
    >>> users, items
    (array([ True,  True]), array([False,  True]))
    """
    rows = np.repeat(np.arange(pairs.shape[0], dtype=np.int32), np.diff(pairs.indptr))
    columns: NDArray[Any] = pairs.indices
    rounds = 0
    while True:
        users = np.bincount(rows, minlength=pairs.shape[0]) >= min_user_count
        items = np.bincount(columns, minlength=pairs.shape[1]) >= min_item_count
        stay = users[rows] & items[columns]
        if stay.all():
            return users, items, rounds
        rows, columns = rows[stay], columns[stay]
        rounds += 1
