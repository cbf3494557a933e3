"""Embedding: one or two tables of vectors with their ids, names and provenance, frozen."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simgauge.core.tables.arrays import numpy_dtype, to_host
from simgauge.core.tables.kinds import Table
from simgauge.core.tables.row_parts import RowParts
from simgauge.core.tables.tables import as_table
from simgauge.errors import InputError
from simgauge.frozen import frozen_json
from simgauge.labels import Ids, arrow_labels, as_ids, read_only
from simgauge.storage.embedding_directory import RowBlocks, read_embedding_directory, write_embedding
from simgauge.tabular import Tabular
from simgauge.wording import counted


@dataclass(frozen=True, eq=False, repr=False)
class Embedding(Tabular):
    """Vectors of items and, for a two-sided model, of users, whose scores are ``users @ items.T``.

    "Items" and "users" are the recommender's words; read documents and queries, words and contexts, classes
    and samples for them where those are the two sides of the model.

    Parameters
    ----------
    items : array-like, torch tensor or RowParts, shape (n_items, n_components)
        float32 or float64 (other numbers are converted as `core.tables.tables.as_table` says). Finite. Tensors stay on
        their device and parts where they are: gauges and audits work there.
    users : array-like, shape (n_users, n_components), optional
        The other side, in the same latent space.
    item_ids, user_ids : sequence of int or str, or "positions", optional
        Unique labels of the rows; the row numbers when not given (None for users in parts). "positions" says that the
        row numbers are meant: without it, what meets ids of other sources by mere position is refused when in doubt.
    item_names : sequence of str, optional
        What a person calls the items; need not be unique. The ids when not given.
    provenance : mapping, optional
        What is known of the origin (library, objective, gauge, file); must be JSON.

    item_ids_given, user_ids_given : bool, optional
        Whether somebody said what the rows are called; found by whether ids were passed.

    Attributes
    ----------
    items, users, item_ids, user_ids, item_names, provenance, item_ids_given, user_ids_given
        As above; arrays are read-only.

    Gauge
    -----
    For any invertible G, ``items @ G`` with ``users @ inv(G).T`` is the same model: the scores are the
    same, the cosines are not.

    Raises
    ------
    InputError
        Tables with different numbers of columns, NaN or infinite values, ids that are duplicated or do not
        match the number of rows.

    Examples
    --------
    >>> embedding = Embedding([[1.0, 0.0], [0.0, 2.0]], users=[[1.0, 1.0]], item_names=["tea", "milk"])
    >>> embedding
    Embedding(2 items, 1 user, 2 components, float64)
    >>> embedding.find_items(["milk"])
    array([1])
    """

    items: Table
    users: Table | None = None
    item_ids: Ids = field(default=cast("Any", None))
    user_ids: Ids | None = None
    item_names: Ids = field(default=cast("Any", None))
    provenance: Mapping[str, Any] = field(default_factory=dict)
    item_ids_given: bool = field(default=cast("Any", None))
    user_ids_given: bool = field(default=cast("Any", None))

    def __post_init__(self) -> None:
        for side in ("item", "user"):
            if getattr(self, f"{side}_ids_given") is None:
                object.__setattr__(self, f"{side}_ids_given", getattr(self, f"{side}_ids") is not None)
        items = as_table(self.items, "items")
        users = None if self.users is None else as_table(self.users, "users")
        if users is not None and users.shape[1] != items.shape[1]:
            raise InputError(
                f"items have {items.shape[1]} columns and users {users.shape[1]}: both tables must come from the "
                "same latent space. If one holds a bias column, drop it or add the constant column to the other."
            )
        if users is None and self.user_ids is not None:
            raise InputError("user_ids were given without users: pass the users' table too.")
        item_ids = as_ids(self.item_ids, len(items), "item_ids")
        object.__setattr__(self, "items", read_only(items))
        object.__setattr__(self, "users", None if users is None else read_only(users))
        object.__setattr__(self, "item_ids", item_ids)
        if users is not None and not (self.user_ids is None and isinstance(users, RowParts)):
            object.__setattr__(self, "user_ids", as_ids(self.user_ids, len(users), "user_ids"))
        object.__setattr__(self, "item_names", _as_names(self.item_names, item_ids))
        object.__setattr__(self, "provenance", frozen_json(self.provenance, "provenance"))

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Of copies and pickles: arrays are read-only there too."""
        for name, value in state.items():
            object.__setattr__(self, name, read_only(value) if isinstance(value, np.ndarray) else value)

    @property
    def n_items(self) -> int:
        """Number of item vectors."""
        return len(self.items)

    @property
    def n_users(self) -> int:
        """Number of user vectors, 0 when there is only one table."""
        return 0 if self.users is None else len(self.users)

    @property
    def n_components(self) -> int:
        """Dimensions of the latent space."""
        return int(self.items.shape[1])

    def __repr__(self) -> str:
        counts = [counted(self.n_items, "item")] + ([counted(self.n_users, "user")] if self.n_users else [])
        return f"Embedding({', '.join(counts)}, {counted(self.n_components, 'component')}, {numpy_dtype(self.items)})"

    def to_arrow(self) -> pa.Table:
        """One row an item: id, name and vector (a list of fixed size)."""
        flat = pa.array(to_host(self.items).ravel())
        vectors = pa.FixedSizeListArray.from_arrays(flat, self.n_components)
        return pa.table({"id": arrow_labels(self.item_ids), "name": arrow_labels(self.item_names), "vector": vectors})

    def _repr_html_(self) -> str:
        return f"<code>{escape(repr(self))}</code>"

    def with_tables(self, items: Table, users: Table | None = None, **provenance: Any) -> Embedding:
        """The same rows with other vectors; `provenance` is added to what is known already."""
        return Embedding(
            items=items,
            users=users,
            item_ids=self.item_ids,
            user_ids=None if users is None else self.user_ids,
            item_names=self.item_names,
            provenance={**self.provenance, **provenance},
            item_ids_given=self.item_ids_given,
            user_ids_given=self.user_ids_given and users is not None,
        )

    def find_items(self, wanted: Sequence[Any]) -> NDArray[np.int64]:
        """Row numbers of items given by name or id (names first; case is ignored if that makes it unique).

        Raises
        ------
        InputError
            Not found (the nearest names are offered), or several items have that name (their ids are listed).
        """
        return np.array([self._find_item(value) for value in wanted], dtype=np.int64)

    def _find_item(self, wanted: Any) -> int:
        text = str(wanted)
        names = np.asarray([str(name) for name in self.item_names], dtype=object)
        for rows in (
            np.flatnonzero(names == text),
            np.flatnonzero(np.asarray([str(item) for item in self.item_ids], dtype=object) == text),
            np.flatnonzero(np.asarray([name.casefold() for name in names], dtype=object) == text.casefold()),
        ):
            if len(rows) == 1:
                return int(rows[0])
            if len(rows) > 1:
                listed = ", ".join(
                    repr(self.item_ids[row].item() if hasattr(self.item_ids[row], "item") else self.item_ids[row])
                    for row in rows[:5]
                )
                raise InputError(f"{len(rows)} items are called {text!r}: pass one of the ids {listed}.")
        parts = [name for name in names if text.casefold() in name.casefold()][:3]
        near = parts or difflib.get_close_matches(text, [str(name) for name in names], n=3, cutoff=0.5)
        hint = f" Did you mean {' or '.join(repr(name) for name in near)}?" if near else ""
        raise InputError(f"no item is called {text!r} and none has that id.{hint}")

    def save(self, directory: str | Path, *, more: Mapping[str, bytes] | None = None) -> Path:
        """Write the embedding to a directory, atomically, without pickle; `load` reads it back bit by bit.

        The directory holds ``vectors.safetensors`` (tensors ``items``, ``users``), ``items.parquet`` (id, name),
        ``users.parquet`` (id), ``simgauge.json`` (shapes, provenance, SHA-256 of every file, itself included) and
        ``README.md``, a model card. A card that somebody has edited, or a README.md of the user, stays as it is.

        Parameters
        ----------
        directory : str or Path
            New, empty, or a saved embedding, which is replaced. Files in it that simgauge did not write stay.
        more : mapping of str to bytes, optional
            Files that belong to it and are written, checked and replaced together with it, by name.

        Raises
        ------
        InputError
            The directory was not written by simgauge, or cannot be written to; its disk is full.

        Warns
        -----
        KeptFilesWarning
            The directory holds files that simgauge did not write.
        """
        return write_embedding(
            directory,
            items=RowBlocks.of(self.items),
            users=None if self.users is None else RowBlocks.of(self.users),
            item_ids=self.item_ids,
            item_names=self.item_names,
            user_ids=[] if self.users is None else [arrow_labels(self.user_ids)],
            provenance=self.provenance,
            ids_given=(self.item_ids_given, self.user_ids_given),
            more=more,
        )

    @classmethod
    def load(cls, directory: str | Path, *, mmap: bool = False) -> Self:
        """Read what `save` wrote; with `mmap`, tables stay on disk as read-only memory maps.

        Raises
        ------
        InputError
            A file is missing, cut off or altered, be it by one bit, or was written by another format version.
        """
        saved = read_embedding_directory(Path(directory), mmap=mmap)
        return cls(
            items=saved.tables["items"],
            users=saved.tables.get("users"),
            item_ids=saved.item_ids,
            user_ids=saved.user_ids,
            item_names=saved.item_names,
            provenance=saved.provenance,
            item_ids_given=saved.ids_given[0],
            user_ids_given=saved.ids_given[1],
        )


def _as_names(names: Any, item_ids: Ids) -> Ids:
    if names is None:
        return item_ids
    texts = ["" if value is None else str(value) for value in np.asarray(names, dtype=object).ravel().tolist()]
    if len(texts) != len(item_ids):
        raise InputError(f"item_names: {len(texts)} names for {len(item_ids)} items: pass one name per item.")
    return read_only(np.array(texts, dtype=object))
