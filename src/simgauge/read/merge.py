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
    One stable sort of 8-byte keys; about 40 bytes per event beyond the input.

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
    key = users.astype(np.int64)
    key *= shape[1]
    key += items
    if len(key) > 1 and not (key[1:] > key[:-1]).all():
        order = np.argsort(key, kind="stable") if times is None else np.lexsort((times, key))
        key = key[order]
        weights = None if weights is None else weights[order]
        del order
    starts = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1])))
    merged = len(key) - len(starts)
    if merged and rule == "error":
        pair = divmod(int(key[np.flatnonzero(key[1:] == key[:-1])[0]]), shape[1])
        raise InputError(
            f"{merged} events repeat a user-item pair (first: user row {pair[0]}, item column {pair[1]}) and "
            "duplicates='error' was asked for. Pass duplicates='sum', 'max', 'mean', 'last' or 'count'."
        )
    data = _reduced(weights, starts, len(key), rule)
    key = key[starts]
    indptr = np.searchsorted(key, np.arange(shape[0] + 1, dtype=np.int64) * shape[1])
    key %= shape[1]
    index_type = np.int32 if len(key) <= np.iinfo(np.int32).max else np.int64
    arrays = (data, key.astype(index_type), indptr.astype(index_type))
    return sparse.csr_array(arrays, shape=shape), merged


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
