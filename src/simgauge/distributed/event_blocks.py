"""Events of one partition, in Arrow: checked, counted, and made into rows of a sparse matrix. Runs on the workers.

What counts as missing, bad and dropped is as `read_interactions` has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse

from simgauge.errors import InputError
from simgauge.read.events.merge import merge_events
from simgauge.read.sources.codes import Coder, as_integers


class Columns(NamedTuple):
    """Names of the columns that play the roles."""

    user: str
    item: str
    weight: str | None = None

    @property
    def named(self) -> list[str]:
        """Those that there are, in order."""
        return [name for name in self if name is not None]


@dataclass(frozen=True)
class Survey:
    """Counts of one partition, or of several together: `a + b` is the survey of both."""

    rows: int = 0
    no_user: int = 0
    no_item: int = 0
    weight_zero: int = 0
    bad_weights: int = 0
    first_bad: str = ""
    """Where the first weight is that cannot be used, and what it is."""
    kinds: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """role -> "integer" or "text" -> first partition that has such ids."""
    items: Any = None
    """Distinct items of the events with a positive weight, an Arrow array; None for none."""

    def __add__(self, other: Survey) -> Survey:
        kinds = {role: {**other.kinds.get(role, {}), **self.kinds.get(role, {})} for role in ("user", "item")}
        both = [survey.items for survey in (self, other) if survey.items is not None]
        # of unlike kinds only the message is wanted, which does not need them
        alike = len({items.type for items in both}) == 1
        return Survey(
            self.rows + other.rows,
            self.no_user + other.no_user,
            self.no_item + other.no_item,
            self.weight_zero + other.weight_zero,
            self.bad_weights + other.bad_weights,
            self.first_bad or other.first_bad,
            kinds,
            pc.unique(pa.chunked_array(both)) if alike else both[0] if both else None,
        )


class EventBlock(NamedTuple):
    """Whole users of one partition."""

    matrix: sparse.csr_array
    """(users here, n_items); duplicates summed."""
    user_ids: NDArray[Any]
    """int64 or object of str, ascending."""
    merged: int
    """Events that were added to others of the same user and item."""
    unknown: int
    """Events of items that are not among the ids."""


def clean_events(table: pa.Table, columns: Columns, number: int) -> tuple[pa.Table, Survey]:
    """The usable events as columns user, item (int64 or string) and weight (float64), and what was counted.

    Raises
    ------
    InputError
        A column is missing or of a type that is no id or no number; the message names the partition.

    Examples
    --------
    >>> table = pa.table({"u": ["ann", None], "i": [7, 8]})
    >>> events, survey = clean_events(table, Columns("u", "i"), 0)
    >>> events.to_pylist(), survey.no_user
    ([{'user': 'ann', 'item': 7, 'weight': 1.0}], 1)
    """
    where = f"partition {number}"
    absent = [name for name in columns.named if name not in table.column_names]
    if absent:
        raise InputError(
            f"{where} lacks the column {', '.join(map(repr, absent))}: it has {', '.join(table.column_names)}. All "
            "partitions need the same columns."
        )
    users, user_kind = _ids(table[columns.user], "user", where)
    items, item_kind = _ids(table[columns.item], "item", where)
    weights = _weights(table[columns.weight], where) if columns.weight else np.ones(len(table))
    no_user, no_item = (np.asarray(ids.is_null()) for ids in (users, items))
    bad = ~(np.isfinite(weights) & (weights >= 0))
    usable = ~no_user & ~no_item & ~bad & (weights > 0)
    mask = pa.array(usable)
    kept = pa.table({"user": users.filter(mask), "item": items.filter(mask), "weight": weights[usable]})
    kinds = {
        role: {kind: number} for role, kind in (("user", user_kind), ("item", item_kind)) if kind and len(table) > 0
    }
    survey = Survey(
        rows=len(table),
        no_user=int(no_user.sum()),
        no_item=int((no_item & ~no_user).sum()),
        weight_zero=int((weights == 0).sum()),
        bad_weights=int(bad.sum()),
        first_bad=_first(bad, users, items, weights, where),
        kinds=kinds,
        items=pc.unique(kept["item"]) if len(kept) else None,
    )
    return kept, survey


def encode(
    users: pa.Array, columns: NDArray[np.int32], weights: NDArray[np.float64], n_items: int, dtype: str
) -> EventBlock:
    """Rows of the sparse matrix of clean events, in ascending order of the users; column -1 is an unknown item.

    Examples
    --------
    >>> block = encode(pa.array([5, 4, 5]), np.array([1, 0, 1], np.int32), np.array([1.0, 1.0, 2.0]), 3, "float64")
    >>> block.user_ids, block.matrix.toarray(), block.merged
    (array([4, 5]), array([[1., 0., 0.], [0., 3., 0.]]), 1)
    """
    known = columns >= 0
    coder = Coder("user", "integer" if pa.types.is_integer(users.type) else "text")
    coder.add(users.filter(pa.array(known)))
    rows, user_ids = coder.finish()
    unknown = int((~known).sum())
    if not len(rows):
        return EventBlock(sparse.csr_array((0, n_items), dtype=dtype), user_ids, 0, unknown)
    matrix, merged = merge_events(rows, columns[known], weights[known], (len(user_ids), n_items))
    return EventBlock(matrix.astype(dtype, copy=False), user_ids, merged, unknown)


def column_numbers(items: pa.ChunkedArray, item_ids: pa.Array) -> NDArray[np.int32]:
    """Position of every item among the ids, -1 where it is not there."""
    found = pc.index_in(items.cast(item_ids.type), value_set=item_ids)
    return np.asarray(pc.fill_null(found, -1), dtype=np.int32)


def _ids(column: pa.ChunkedArray, role: str, where: str) -> tuple[pa.Array, str]:
    ids = column.combine_chunks()
    if pa.types.is_dictionary(ids.type):
        ids = ids.cast(ids.type.value_type)
    if pa.types.is_null(ids.type):
        return pa.nulls(len(ids), pa.int64()), ""
    if pa.types.is_string(ids.type) or pa.types.is_large_string(ids.type) or pa.types.is_string_view(ids.type):
        texts = ids.cast(pa.string())
        return pc.if_else(pc.equal(texts, ""), None, texts), "text"
    if pa.types.is_integer(ids.type):
        return _signed(ids, role, where), "integer"
    if pa.types.is_floating(ids.type):
        present = pc.fill_null(pc.invert(pc.is_nan(ids)), False)
        try:
            whole = as_integers(ids.filter(present), "float", role)
        except InputError as error:
            raise InputError(f"{where}: {error}") from error
        values, mask = np.zeros(len(ids), dtype=np.int64), np.asarray(present)
        values[mask] = np.asarray(whole)
        return pa.array(values, mask=~mask), "integer" if mask.any() else ""
    raise InputError(f"{where}: {role} ids must be integers or text, received {ids.type}. Convert the column first.")


def _signed(ids: pa.Array, role: str, where: str) -> pa.Array:
    try:
        return ids.cast(pa.int64())
    except pa.ArrowInvalid as error:
        raise InputError(
            f"{where}: {role} ids do not fit into 64 bits with sign ({error}). Convert them to text first."
        ) from error


def _weights(column: pa.ChunkedArray, where: str) -> NDArray[np.float64]:
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type)):
        if pa.types.is_null(column.type):
            return np.full(len(column), np.nan)
        raise InputError(f"{where}: weights must be numbers, received {column.type}. Convert the column first.")
    return np.asarray(pc.fill_null(column.cast(pa.float64()), np.nan), dtype=np.float64)


def _first(bad: NDArray[np.bool_], users: pa.Array, items: pa.Array, weights: NDArray[np.float64], where: str) -> str:
    if not bad.any():
        return ""
    row = int(bad.argmax())
    return f"{where}, row {row}: user {users[row]}, item {items[row]}, weight {weights[row]}"
