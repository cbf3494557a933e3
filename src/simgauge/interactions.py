"""Interactions: who used what, how often; a sparse matrix with its ids, frozen."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy import sparse

from simgauge.core.matrices.interaction_matrix import as_interaction_matrix, checked_weights, take_rows
from simgauge.errors import InputError
from simgauge.frozen import frozen_json
from simgauge.labels import Ids, arrow_labels, as_ids, match_labels, read_only
from simgauge.parameters import check_offers
from simgauge.storage.atomic import atomic_directory
from simgauge.storage.manifest import check_files, own_names, read_manifest, write_manifest
from simgauge.storage.places import place_of
from simgauge.wording import counted

FORMAT_VERSION = 2
METADATA_FILE = "interactions.json"
MATRIX_FILE = "matrix.npz"
ITEMS_FILE = "items.parquet"
USERS_FILE = "users.parquet"
AGAIN = "Save the interactions again, or copy the whole folder again."


@dataclass(frozen=True, eq=False)
class Interactions:
    """Non-negative weights of user-item pairs, users in rows, with the ids of both sides.

    Parameters
    ----------
    matrix : sparse matrix or array-like, shape (n_users, n_items)
        Finite weights >= 0 (counts, ratings, 1 for "happened"). Kept as float32 when it is float32, float64
        otherwise. Duplicate entries of a sparse matrix are summed, stored zeros are removed, columns sorted.
    user_ids, item_ids : sequence of int or str, optional
        Unique labels of the rows and columns; the row and column numbers when not given.
    item_names : sequence of str, optional
        What a person calls the items; need not be unique. None when nothing but ids is known.
    report : mapping, optional
        How the data was read: rows read, dropped and why; must be JSON.
    item_ids_given, user_ids_given : bool, optional
        Whether somebody said what columns and rows are called; found by whether ids were passed.

    Attributes
    ----------
    matrix : scipy.sparse.csr_array, shape (n_users, n_items)
        CanonicalForm CSR; its arrays are read-only.
    user_ids, item_ids, item_names, report
        As above; arrays are read-only.

    Raises
    ------
    InputError
        Not two-dimensional, empty, NaN, infinite or negative weights (the first pair is named), ids that are
        duplicated or do not match the shape.

    Examples
    --------
    >>> seen = Interactions([[1.0, 0.0], [2.0, 3.0]], user_ids=["ann", "bob"], item_ids=["tea", "milk"])
    >>> seen
    Interactions(2 users, 2 items, 3 pairs, float64)
    >>> seen.item_counts
    array([2, 1])
    """

    matrix: sparse.csr_array
    user_ids: Ids = field(default=cast("Any", None))
    item_ids: Ids = field(default=cast("Any", None))
    item_names: Ids | None = None
    report: Mapping[str, Any] = field(default_factory=dict)
    item_ids_given: bool = field(default=cast("Any", None))
    user_ids_given: bool = field(default=cast("Any", None))

    def __post_init__(self) -> None:
        for side in ("item", "user"):
            if getattr(self, f"{side}_ids_given") is None:
                object.__setattr__(self, f"{side}_ids_given", getattr(self, f"{side}_ids") is not None)
        matrix = as_interaction_matrix(self.matrix)
        n_users, n_items = matrix.shape
        object.__setattr__(self, "user_ids", as_ids(self.user_ids, n_users, "user_ids"))
        object.__setattr__(self, "item_ids", as_ids(self.item_ids, n_items, "item_ids"))
        object.__setattr__(self, "matrix", checked_weights(matrix, self.user_ids, self.item_ids))
        object.__setattr__(self, "item_names", _as_names(self.item_names, n_items))
        object.__setattr__(self, "report", frozen_json(self.report, "report"))

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Of copies and pickles: arrays are read-only there too."""
        for name, value in state.items():
            object.__setattr__(self, name, read_only(value) if isinstance(value, np.ndarray) else value)
        for name in ("data", "indices", "indptr"):
            setattr(self.matrix, name, read_only(getattr(self.matrix, name)))

    @classmethod
    def from_matrix(
        cls,
        matrix: Any,
        user_ids: Sequence[Any] | Ids | None = None,
        item_ids: Sequence[Any] | Ids | None = None,
        item_names: Sequence[str] | Ids | None = None,
    ) -> Self:
        """Interactions from any scipy sparse matrix or dense array, shape (n_users, n_items).

        Examples
        --------
        >>> Interactions.from_matrix(np.eye(3), item_ids=["a", "b", "c"]).nnz
        3
        """
        return cls(
            matrix=matrix,
            user_ids=cast("Any", user_ids),
            item_ids=cast("Any", item_ids),
            item_names=cast("Any", item_names),
            report={"format": "matrix in memory"},
        )

    @property
    def n_users(self) -> int:
        """Number of users, those without interactions included."""
        return int(self.matrix.shape[0])

    @property
    def n_items(self) -> int:
        """Number of items, those without interactions included."""
        return int(self.matrix.shape[1])

    @property
    def nnz(self) -> int:
        """Number of user-item pairs with a positive weight."""
        return int(self.matrix.nnz)

    @property
    def item_counts(self) -> NDArray[np.int64]:
        """Distinct users per item, shape (n_items,): the popularity of an item."""
        counts: NDArray[np.int64] = np.bincount(self.matrix.indices, minlength=self.n_items).astype(np.int64)
        return counts

    @property
    def user_counts(self) -> NDArray[np.int64]:
        """Distinct items per user, shape (n_users,): the activity of a user."""
        counts: NDArray[np.int64] = np.diff(self.matrix.indptr).astype(np.int64)
        return counts

    def __repr__(self) -> str:
        counts = ", ".join(
            counted(number, noun)
            for number, noun in ((self.n_users, "user"), (self.n_items, "item"), (self.nnz, "pair"))
        )
        return f"Interactions({counts}, {self.matrix.dtype})"

    def align(self, item_ids: Any, user_ids: Any = None) -> Interactions:
        """The same interactions with the columns in the order of `item_ids`, as an embedding has them.

        Items of `item_ids` without interactions become empty columns; items that are not in `item_ids` are left
        out. Users are all kept, also those left without items, unless `user_ids` is given (same rule). When one
        side has integers and the other text, ids are compared as text.

        Parameters
        ----------
        item_ids : sequence of int or str
            Unique; becomes the `item_ids` of the result.
        user_ids : sequence of int or str, optional
            Unique; becomes the `user_ids` of the result.

        Returns
        -------
        Interactions
            ``report["aligned"]`` says how many ids are shared, unknown here, and left out.

        Raises
        ------
        InputError
            No id is shared; both sides' first ids are shown.

        Examples
        --------
        >>> seen = Interactions([[1.0, 2.0]], item_ids=["tea", "milk"])
        >>> aligned = seen.align(["milk", "rum", "tea"])
        >>> aligned.matrix.toarray()
        array([[2., 0., 1.]])
        >>> aligned.report["aligned"]["items"]
        {'wanted': 3, 'shared': 2, 'without_interactions': 1, 'left_out': 0}
        """
        columns, wanted_items, item_counts = match_labels(self.item_ids, item_ids, "item_ids")
        aligned = {"items": item_counts}
        matrix = take_rows(self.matrix.T.tocsr(), columns).T.tocsr()
        wanted_users = self.user_ids
        if user_ids is not None:
            rows, wanted_users, aligned["users"] = match_labels(self.user_ids, user_ids, "user_ids")
            matrix = take_rows(matrix, rows)
        names = None
        if self.item_names is not None:
            names = np.where(columns >= 0, self.item_names[columns], wanted_items.astype(str).astype(object))
        given = self.user_ids_given or user_ids is not None
        report = {**self.report, "aligned": aligned}
        return Interactions(matrix, wanted_users, wanted_items, names, report, user_ids_given=given)

    def understood(self) -> dict[str, Any]:
        """What these were read as: counts, and sentences on the first event, the weights and what was not used.

        Examples
        --------
        >>> Interactions([[1.0, 2.0]]).understood()
        {'users': 1, 'items': 2, 'pairs': 2, 'events': None, 'sentences': []}
        """
        counts = {"users": self.n_users, "items": self.n_items, "pairs": self.nnz}
        sentences = [*self.report.get("understood", ()), *self.report.get("notes", ())]
        return {**counts, "events": self.report.get("rows_read"), "sentences": sentences}

    def with_matrix(self, matrix: sparse.csr_array) -> Interactions:
        """Other weights for the same users and items, such as some of the pairs; the report is left out.

        Examples
        --------
        >>> Interactions([[1.0, 2.0]], item_ids=["tea", "milk"]).with_matrix(sparse.csr_array([[0.0, 1.0]])).item_ids
        array(['tea', 'milk'], dtype=object)
        """
        return replace(self, matrix=matrix, report={})

    def save(self, directory: str | Path) -> Path:
        """Write to a directory, atomically, without pickle; `load` reads it back bit by bit.

        The directory holds ``matrix.npz`` (as `scipy.sparse.save_npz` writes it), ``items.parquet`` (id, name),
        ``users.parquet`` (id) and ``interactions.json`` (shape, report, SHA-256 of every file, itself
        included).

        Raises
        ------
        InputError
            The directory holds something that simgauge did not write, or cannot be written to.
        """
        target = Path(directory)
        with atomic_directory(target, _own_names) as temporary:
            sparse.save_npz(temporary / MATRIX_FILE, self.matrix, compressed=False)
            items = {"id": arrow_labels(self.item_ids)}
            if self.item_names is not None:
                items["name"] = pa.array(self.item_names, pa.string())
            pq.write_table(pa.table(items), temporary / ITEMS_FILE)
            pq.write_table(pa.table({"id": arrow_labels(self.user_ids)}), temporary / USERS_FILE)
            facts = {
                "format_version": FORMAT_VERSION,
                "n_users": self.n_users,
                "n_items": self.n_items,
                "nnz": self.nnz,
                "dtype": str(self.matrix.dtype),
                "item_ids_given": self.item_ids_given,
                "user_ids_given": self.user_ids_given,
                "report": dict(self.report),
            }
            write_manifest(temporary / METADATA_FILE, facts)
        return target

    @classmethod
    def load(cls, directory: str | Path) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        InputError
            A file is missing, cut off or altered, be it by one bit, or was written by another format version.
        """
        source = Path(directory)
        facts = read_manifest(source / METADATA_FILE, version=FORMAT_VERSION, kind="saved interactions", again=AGAIN)
        try:
            check_files(source, facts, again=AGAIN)
            matrix = sparse.load_npz(place_of(source / MATRIX_FILE))
            items, users = (pq.read_table(place_of(source / name)) for name in (ITEMS_FILE, USERS_FILE))
            found = (*matrix.shape, matrix.nnz, str(matrix.dtype))
            declared = (facts["n_users"], facts["n_items"], facts["nnz"], facts["dtype"])
            if found != declared:
                raise InputError(f"{source} holds a matrix {found} where {declared} is declared. {AGAIN}")
            return cls(
                matrix=matrix,
                user_ids=users["id"].to_numpy(),
                item_ids=items["id"].to_numpy(),
                item_names=items["name"].to_numpy() if "name" in items.column_names else None,
                report=facts["report"],
                item_ids_given=bool(facts["item_ids_given"]),
                user_ids_given=bool(facts["user_ids_given"]),
            )
        except (KeyError, TypeError, ValueError, OSError, MemoryError, zipfile.BadZipFile, pa.ArrowException) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{source} does not hold saved interactions or is damaged: {error}.") from error


def _own_names(directory: Path) -> set[str]:
    return own_names(directory, METADATA_FILE, (MATRIX_FILE, ITEMS_FILE, USERS_FILE))


def _as_names(names: Any, n_items: int) -> Ids | None:
    if names is None:
        return None
    texts = np.array(["" if name is None else str(name) for name in np.asarray(names, dtype=object)], dtype=object)
    if len(texts) != n_items:
        raise InputError(f"item_names: {len(texts)} names for {n_items} items: pass one name per item.")
    texts.flags.writeable = False
    return texts


def require_interactions(value: Any, name: str) -> None:
    """Raise unless something is interactions, and not yet a frame, a file or a matrix to read them from."""
    hint = "Interactions (simgauge.read_interactions makes them from a frame, a file or a matrix)"
    check_offers(value, name, ("matrix", "item_ids", "user_ids", "align"), hint)
