"""PartitionedInteractions: who used what, with the users left where the partitions are."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simgauge.core.tables.row_parts import RowParts
from simgauge.distributed.event_blocks import Columns, Survey
from simgauge.errors import DroppedDataWarning, InputError, ParameterError
from simgauge.frozen import frozen_json
from simgauge.labels import Ids, as_ids
from simgauge.read.sources.columns import ITEM_NAMES, USER_NAMES, find_column, usual_column

UNKNOWN_RULES = ("error", "drop")


@dataclass(frozen=True, eq=False)
class PartitionedInteractions:
    """Weights of user-item pairs in parts by users, on the workers of a cluster.

    Made by `from_dask` and `from_spark`. `LinearAutoencoder.fit` and `embedding` take it as it is.

    Attributes
    ----------
    matrix : RowParts, shape (n_users, n_items)
        CSR parts; every user has one row, in one part.
    item_ids : ndarray, shape (n_items,)
        int64 or str, the labels of the columns, here.
    report : mapping
        What was read, merged and dropped.
    """

    matrix: RowParts
    item_ids: Ids
    report: Mapping[str, Any] = field(default_factory=dict)
    read_user_ids: Callable[[], Iterator[NDArray[Any]]] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "item_ids", as_ids(self.item_ids, self.matrix.shape[1], "item_ids"))
        object.__setattr__(self, "report", frozen_json(self.report, "report"))

    @property
    def n_users(self) -> int:
        """Rows of the matrix."""
        return self.matrix.shape[0]

    @property
    def n_items(self) -> int:
        """Columns of the matrix."""
        return self.matrix.shape[1]

    @property
    def nnz(self) -> int:
        """User-item pairs; one pass, remembered."""
        return self.matrix.extent.stored

    def __repr__(self) -> str:
        return f"PartitionedInteractions({self.n_users} users, {self.n_items} items, {self.matrix.dtype})"

    def user_id_parts(self) -> Iterator[NDArray[Any]]:
        """Labels of the rows, part by part, in the order of the rows; one part at a time is copied to the driver."""
        if self.read_user_ids is None:
            raise InputError("these interactions were made without user ids.")
        return self.read_user_ids()

    def gather_user_ids(self) -> NDArray[Any]:
        """Labels of all rows, here: 8 bytes a user, or its text."""
        return np.concatenate(list(self.user_id_parts()))


def event_columns(names: Sequence[str], user: str | None, item: str | None, weight: str | None, where: str) -> Columns:
    """The columns by name; usual names are looked for where user or item is not given.

    Examples
    --------
    >>> event_columns(["userId", "movieId", "rating"], None, None, None, "events")
    Columns(user='userId', item='movieId', weight=None)
    """
    found = []
    for role, given, usual in (("user", user, USER_NAMES), ("item", item, ITEM_NAMES)):
        position = usual_column(usual, names) if given is None else find_column(given, names, role=role, where=where)
        if position is None:
            position = find_column(role, names, role=f"{role} (pass {role}= to name it)", where=where)
        found.append(names[position])
    if weight is not None:
        found.append(names[find_column(weight, names, role="weight", where=where)])
    if len(set(found)) < len(found):
        raise InputError(f"{where}: one column was given for two roles: {', '.join(found)}. Pass different columns.")
    return Columns(*found)


def check_options(unknown_items: str, item_ids: Any, dtype: Any) -> str:
    """The name of the dtype, when the options are sound."""
    if unknown_items not in UNKNOWN_RULES:
        raise ParameterError(f"unknown_items={unknown_items!r}: expected 'error' or 'drop'.")
    if unknown_items == "drop" and item_ids is None:
        raise ParameterError("unknown_items='drop' needs item_ids: without them every item is known.")
    if np.dtype(dtype) not in (np.float32, np.float64):
        raise ParameterError(f"dtype={dtype!r}: expected float32 or float64.")
    return str(np.dtype(dtype))


def chosen_items(survey: Survey, item_ids: Any, unknown_items: str, where: str) -> pa.Array:
    """The labels of the columns: those given, or all that occur, ascending.

    Raises
    ------
    InputError
        No rows, weights that cannot be used, ids of two kinds, items that are not in `item_ids`.
    """
    if survey.rows == 0:
        raise InputError(f"{where} holds no rows. Pass a table with at least one event.")
    if survey.bad_weights:
        raise InputError(
            f"{where}: {survey.bad_weights} weights are missing, NaN, infinite or negative (first: "
            f"{survey.first_bad}). "
            "Weights must be finite numbers >= 0: remove these rows, map ratings to preferences first, or leave weight "
            "out so that every event counts 1."
        )
    for role, kinds in survey.kinds.items():
        if len(kinds) > 1:
            listed = ", ".join(f"{kind} in partition {number}" for kind, number in sorted(kinds.items()))
            raise InputError(f"{where}: {role} ids are of two kinds ({listed}). Convert them to one kind first.")
    if survey.items is None:
        raise InputError(
            f"{where}: none of the {survey.rows} rows has a user id, an item id and a weight above zero, so nothing is "
            "left."
        )
    if item_ids is None:
        return survey.items.take(pa.compute.array_sort_indices(survey.items))
    labels = as_ids(item_ids, len(item_ids), "item_ids")
    given = pa.array(labels, pa.string() if labels.dtype == object else pa.int64())
    if given.type != survey.items.type:
        raise InputError(
            f"{where}: items are {_kind(survey.items.type)} there and {_kind(given.type)} in item_ids. Pass one kind."
        )
    unknown = survey.items.filter(pa.compute.invert(pa.compute.is_in(survey.items, value_set=given)))
    if len(unknown) and unknown_items == "error":
        shown = ", ".join(repr(value) for value in unknown[:3].to_pylist())
        raise InputError(
            f"{where}: {len(unknown)} items are not among the {len(given)} item_ids (such as {shown}). Add them, or "
            f"pass "
            "unknown_items='drop' to leave their events out."
        )
    return given


def finished_report(survey: Survey, columns: Columns, where: str, merged: int, unknown: int) -> dict[str, Any]:
    """The report of what was read; a warning where rows were left out."""
    dropped = {"missing user id": survey.no_user, "missing item id": survey.no_item, "unknown item": unknown}
    if any(dropped.values()):
        listed = ", ".join(f"{count} ({reason})" for reason, count in dropped.items() if count)
        warnings.warn(f"{where}: rows left out: {listed}.", DroppedDataWarning, stacklevel=3)
    return {
        "source": where,
        "columns": columns._asdict(),
        "rows_read": survey.rows,
        "rows_dropped": dropped,
        "rows_of_weight_zero_dropped": survey.weight_zero,
        "duplicates": {"rule": "sum", "events_merged": merged},
    }


def _kind(arrow_type: pa.DataType) -> str:
    return "text" if pa.types.is_string(arrow_type) else "integers"
