"""Labels of rows, and where the labels of one source lie among those of another: one rule for all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simgauge.core.tables.arrays import on_host
from simgauge.errors import InputError
from simgauge.wording import some_of

Ids = Any
"""An int64 array, or an object array of str; anything array-like where an Embedding is made."""


POSITIONS = "positions"
"""Passed in place of ids, it says that the ids are the row numbers, counted from 0, and that this is meant."""


def says_positions(ids: Any) -> bool:
    """Whether the row numbers are meant, see `POSITIONS`."""
    return isinstance(ids, str) and ids == POSITIONS


def as_ids(ids: Any, n_rows: int, name: str) -> Ids:
    """Unique row labels as an int64 or an object array of str, read-only; row numbers for None and "positions"."""
    if ids is None or says_positions(ids):
        return read_only(np.arange(n_rows, dtype=np.int64))
    labels = _as_labels(ids, name)
    if labels.ndim != 1 or len(labels) != n_rows:
        raise InputError(f"{name}: {labels.size} labels for {n_rows} rows: pass exactly one label per row.")
    unique, counts = np.unique(labels, return_counts=True)
    if len(unique) != n_rows:
        repeated = [str(value) for value in unique[counts > 1][:3]]
        raise InputError(
            f"{name}: {n_rows - len(unique)} labels are duplicates (such as {', '.join(map(repr, repeated))}); "
            "every row needs a label of its own."
        )
    return read_only(labels)


def _as_labels(ids: Any, name: str) -> Ids:
    labels = np.asarray(ids)
    if labels.dtype.kind == "u" and labels.size and labels.max() > np.iinfo(np.int64).max:
        raise InputError(f"{name}: {labels.max()} does not fit into 64 bits with sign; pass these ids as text.")
    if labels.dtype.kind in "iu":
        return labels.astype(np.int64)
    if labels.dtype.kind in "OUTS":
        if any(value is None or value != value for value in labels.ravel().tolist()):
            raise InputError(f"{name}: some labels are missing (null): give every row a label.")
        texts = [
            value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
            for value in labels.ravel().tolist()
        ]
        return np.array(texts, dtype=object).reshape(labels.shape)
    raise InputError(f"{name}: labels must be integers or text, received {labels.dtype}.")


def read_only(array: Any) -> Any:
    """A view of the array that cannot be written to; tensors and parts, which have no such flag, as they are."""
    if not on_host(array):
        return array
    view: Any = array.view()
    view.flags.writeable = False
    return view


def as_label_array(values: Any, name: str) -> NDArray[Any]:
    """One-dimensional array of integers, or of text as objects; not empty, not necessarily unique."""
    array = np.asarray(values)
    if array.ndim != 1 or len(array) == 0:
        raise InputError(f"{name}: expected one label per row, one dimension, received shape {array.shape}.")
    labels: NDArray[Any] = _as_labels(array, name)
    return labels


def distinct_labels(*labels: NDArray[Any]) -> NDArray[Any]:
    """Every label once, in ascending order; as text where some are integers and others text.

    Examples
    --------
    >>> distinct_labels(np.array([7, 9]), np.array(["9", "8"], dtype=object))
    array(['7', '8', '9'], dtype=object)
    """
    numbers = all(part.dtype.kind in "iu" for part in labels)
    parts = [part if numbers else part.astype(str).astype(object) for part in labels]
    return np.asarray(np.unique(np.concatenate(parts)))


def positions_of(wanted: Any, known: Any) -> NDArray[np.int64]:
    """Row of every wanted label among the known ones, -1 where there is none.

    The one rule by which ids of two sources meet: integers with integers as numbers, everything else as text, so that
    7 and "7" are the same item, and "007" is another.

    Parameters
    ----------
    wanted, known : ndarray of int64, or of str as objects, one dimension
        `known` unique, as `as_ids` makes it.

    Examples
    --------
    >>> positions_of(np.array([7, 9]), np.array(["9", "8"], dtype=object)).tolist()
    [-1, 0]
    """
    asked, there = np.asarray(wanted), np.asarray(known)
    as_text = not (asked.dtype.kind in "iu" and there.dtype.kind in "iu")
    found = pc.index_in(_arrow(asked, as_text), value_set=_arrow(there, as_text))
    rows: NDArray[np.int64] = np.asarray(found.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False))
    return rows


def same_labels(one: Ids, other: Ids) -> bool:
    """Whether two tables have the same labels in the same order, by the rule of `positions_of`.

    Examples
    --------
    >>> numbers, text = np.array([7, 9]), np.array(["7", "9"], dtype=object)
    >>> same_labels(numbers, text), same_labels(numbers, text[::-1])
    (True, False)
    """
    if one is other:
        return True
    return len(one) == len(other) and bool(np.array_equal(positions_of(one, other), np.arange(len(one))))


def rows_of(wanted: NDArray[Any], known: Ids, what: str) -> NDArray[np.int64]:
    """Row of every wanted id among the known ones, -1 where there is none; see `positions_of`.

    Raises
    ------
    InputError
        No id is shared; both sides' first ids are shown.

    Examples
    --------
    >>> rows_of(np.array([7, 9]), np.array(["9", "8"], dtype=object), "items").tolist()
    [-1, 0]
    """
    rows = positions_of(wanted, known)
    if not (rows >= 0).any():
        raise InputError(
            f"none of the {len(rows)} {what} of the evidence ({some_of(np.asarray(wanted)[:4].tolist())}) is in the "
            f"embedding ({some_of(np.asarray(known)[:4].tolist())}). Pass evidence with the ids of the embedding."
        )
    return rows


def match_labels(known: Ids, wanted: Any, name: str) -> tuple[NDArray[np.int64], Ids, dict[str, int]]:
    """Position in `known` of every wanted label, -1 where there is none, with the labels and how many are shared.

    Raises
    ------
    InputError
        No label is shared, or the wanted ones are not unique.
    """
    wanted = np.asarray(wanted, dtype=object) if isinstance(wanted, (list, tuple)) and not wanted else wanted
    labels = as_ids(wanted, len(wanted), name)
    found = positions_of(labels, known)
    shared = int((found >= 0).sum())
    if shared == 0:
        raise InputError(
            f"{name}: none of the {len(labels)} ids wanted ({some_of(labels[:4].tolist())}) occurs among the "
            f"{len(known)} of the interactions ({some_of(known[:4].tolist())}). Pass the ids that the interactions "
            "were recorded with."
        )
    counts = {
        "wanted": len(labels),
        "shared": shared,
        "without_interactions": len(labels) - shared,
        "left_out": len(known) - shared,
    }
    return found, labels, counts


def arrow_labels(ids: Any) -> pa.Array:
    """Labels as an Arrow array: int64, or text."""
    array = np.asarray(ids)
    return _arrow(array, array.dtype.kind not in "iu")


def _arrow(labels: NDArray[Any], as_text: bool) -> pa.Array:
    if not as_text:
        return pa.array(labels, pa.int64())
    if labels.dtype.kind in "iu":
        return pa.array(labels, pa.int64()).cast(pa.large_string())
    return pa.array(labels, pa.large_string())
