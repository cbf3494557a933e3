"""Files of named arrays (npz, safetensors, checkpoints, HDF5): the table that is meant, the two sides, ids beside
it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.errors import InputError
from simgauge.labels import says_positions
from simgauge.read.sources.columns import find_column
from simgauge.read.vectors.id_columns import looks_like_id
from simgauge.read.vectors.reading import ROW_NUMBERS
from simgauge.read.vectors.vector_table import Options, VectorTable, vector_table

ID_ARRAYS = {
    "item": ("item_ids", "ids", "items_ids", "words", "keys", "labels", "vocab", "tokens", "index"),
    "user": ("user_ids", "users_ids", "uids"),
}
NAME_ARRAYS = ("item_names", "names", "titles", "item_titles", "texts")
EVERY = "*"
"""Key that takes all arrays of one dimension as rows."""
MOST_LISTED = 20


class NamedArrays:
    """Arrays of one file by name.

    Parameters
    ----------
    label : str
        The file's name.
    shapes : mapping of name to shape
    read : callable
        Takes a name, gives the array.
    labels : mapping of name to labels, optional
        What lies beside arrays and is no array: lists of texts or integers, in row order.
    kind : str
        What messages call one of them.
    """

    def __init__(
        self,
        label: str,
        shapes: Mapping[str, tuple[int, ...]],
        read: Callable[[str], Any],
        labels: Mapping[str, Any] | None = None,
        kind: str = "array",
    ) -> None:
        self.label, self.shapes, self.read, self.kind = label, dict(shapes), read, kind
        self.labels = dict(labels or {})

    def table(self, key: str | None, options: Options, origin: dict[str, Any]) -> VectorTable:
        """The table asked for, the only one, or the two sides.

        Raises
        ------
        InputError
            No such array, or several and none is named; all are listed.
        """
        tables = [name for name, shape in self.shapes.items() if len(shape) == 2]
        tables = [name for name in tables if self.shapes[name][1] > 1] or tables  # a single column is a bias
        if key == EVERY:
            return self._stacked(options, origin)
        if key is not None:
            wanted = key if key in self.shapes or f"{key}.weight" not in self.shapes else f"{key}.weight"
            position = find_column(wanted, list(self.shapes), role="vectors", where=self.label)
            return self._one(list(self.shapes)[position], options, origin)
        pairs = [(name, user) for name in tables if (user := user_name(name)) in tables and user != name]
        if len(pairs) == 1:
            item, user = pairs[0]
            chosen = self._one(item if options.side == "item" else user, options, origin, {user, item})
            if options.both:
                chosen.other_side = self._one(user, Options("user"), origin, {user, item})
            return chosen
        if len(tables) == 1:
            return self._one(tables[0], options, origin)
        if not tables and (length := self._common_length()):
            raise InputError(
                f"{self.label} holds no table and {len(self.shapes)} {self.kind}s of one dimension, {length} numbers "
                f"each. "
                f"If each is the vector of what it is named for, pass {self.label}:{EVERY}."
            )
        listed = ", ".join(f"{name} {tuple(shape)}" for name, shape in list(self.shapes.items())[:MOST_LISTED])
        raise InputError(
            f"{self.label} holds {len(tables)} tables: {listed or 'nothing'}. Say which, such as "
            f"{self.label}:{next(iter(tables or self.shapes), 'name')}."
        )

    def _common_length(self) -> int | None:
        """Length of the arrays, where all have one dimension and the same length of two or more."""
        lengths = {shape[0] if len(shape) == 1 else 0 for shape in self.shapes.values()}
        return next(iter(lengths)) if len(lengths) == 1 < len(self.shapes) and min(lengths) > 1 else None

    def _stacked(self, options: Options, origin: dict[str, Any]) -> VectorTable:
        """Arrays of one dimension as rows; their names are the ids."""
        if self._common_length() is None:
            raise InputError(f"{self.label}: only {self.kind}s of one dimension and one length can be stacked.")
        ids = None if says_positions(options.ids) else np.array(list(self.shapes), dtype=object)
        return vector_table(
            np.stack([np.asarray(self.read(name)) for name in self.shapes]),
            origin,
            f"all {self.kind}s",
            ids=ids,
            ids_from=ROW_NUMBERS if ids is None else "their names",
        )

    def _one(self, name: str, options: Options, origin: dict[str, Any], used: set[str] | None = None) -> VectorTable:
        vectors = self.read(name)
        ids, source = (None, None) if says_positions(options.ids) else self._ids(name, options.side)
        names = self._names(name) if options.side == "item" else None
        used = {name, *(used or ()), *(part for part in (source, names) if part)}
        left = [f"{other} {tuple(shape)}" for other, shape in self.shapes.items() if other not in used]
        left += [f"{other} ({len(values)} labels)" for other, values in self.labels.items() if other not in used]
        if len(left) > MOST_LISTED:
            left = [*left[:MOST_LISTED], f"{len(left) - MOST_LISTED} more"]
        return vector_table(
            vectors,
            origin | {"key": name},
            f"{self.kind} {name}",
            ids=ids,
            ids_from=ROW_NUMBERS if source is None else f"{self.kind if source in self.shapes else 'list'} {source}",
            names=None if names is None else self._labels(names),
            names_from="none" if names is None else f"{self.kind if names in self.shapes else 'list'} {names}",
            left_out=tuple(left),
        )

    def _ids(self, table: str, side: str) -> tuple[NDArray[Any] | None, str | None]:
        """Labels of that side in the same file, one for each row: by a usual name, or the only such list of texts."""
        n_rows = self.shapes[table][0]
        fitting = [name for name, shape in self.shapes.items() if tuple(shape) == (n_rows,)]
        fitting += [name for name, values in self.labels.items() if len(values) == n_rows]
        other = ID_ARRAYS["user" if side == "item" else "item"]
        usual = [name for name in ID_ARRAYS[side] if name in fitting]
        called = [name for name in fitting if looks_like_id(name) and name.casefold() not in other]
        texts = [name for name in fitting if name in self.labels and name.casefold() not in other]
        for name in (*usual, *called, *texts):
            values = self._labels(name)
            if values.dtype.kind in "iuUSO" and len(np.unique(values)) == n_rows:
                return values, name
        return None, None

    def _names(self, table: str) -> str | None:
        """Names of the rows in the same file."""
        fitting = {name for name, shape in self.shapes.items() if tuple(shape) == self.shapes[table][:1]}
        fitting |= {name for name, values in self.labels.items() if len(values) == self.shapes[table][0]}
        found = [name for name in NAME_ARRAYS if name in fitting and self._labels(name).dtype.kind in "USO"]
        return found[0] if found else None

    def _labels(self, name: str) -> NDArray[Any]:
        return np.asarray(self.read(name) if name in self.shapes else self.labels[name])


def user_name(name: str) -> str:
    """Name of the users' table where the items' has this name.

    Examples
    --------
    >>> user_name("item_factors"), user_name("itemEmbedding.weight")
    ('user_factors', 'userEmbedding.weight')
    """
    return name.replace("item", "user").replace("Item", "User").replace("ITEM", "USER")


def labels_beside(state: Mapping[str, Any], prefix: str = "") -> dict[str, list[Any]]:
    """Lists of texts or integers of a checkpoint, and vocabularies (text -> row) in the order of their rows.

    Examples
    --------
    >>> labels_beside({"ids": ["tea", "milk"], "stoi": {"milk": 1, "tea": 0}, "epoch": 3, "lr": [0.1]})
    {'ids': ['tea', 'milk'], 'stoi': ['tea', 'milk']}
    """
    found: dict[str, list[Any]] = {}
    for name, value in state.items():
        label = f"{prefix}{name}"
        if isinstance(value, (list, tuple)) and value and all(type(entry) in (str, int) for entry in value):
            found[label] = list(value)
        elif isinstance(value, Mapping) and value:
            rows = list(value.values())
            if all(type(row) is int for row in rows) and sorted(rows) == list(range(len(rows))):
                found[label] = sorted(value, key=value.__getitem__)
            elif list(value) == list(range(len(value))) and all(isinstance(row, str) for row in rows):
                found[label] = rows
            else:
                found |= labels_beside(value, f"{label}.")
    return found
