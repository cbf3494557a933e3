"""What every store can do: take rows as a whole or not at all, give them back, and search."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from simgauge.errors import InputError, ParameterError
from simgauge.progress import Progress, logged
from simgauge.stores.condition import Condition
from simgauge.stores.rows import ExportRows

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


@dataclass(frozen=True, eq=False)
class StoredVectors:
    """What a store holds, read back from it."""

    ids: NDArray[Any]
    """(n,), int64 or text, as the store gives them."""
    vectors: NDArray[np.float32]
    """(n, n_components), as the store gives them: some normalise what they take."""
    metric: str | None
    """The store's own metric for searches: "cosine", "dot" or "l2"; None where it is chosen in each query."""
    count: int
    """Rows by the store's own count."""
    card: Mapping[str, Any] | None = None
    """What simgauge wrote beside the vectors; None where it did not write them."""
    index: str | None = None
    """The index that approximate searches use; None where every search is exact."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Written:
    """What a write did."""

    n_rows: int
    index: str | None = None
    notes: tuple[str, ...] = field(default_factory=tuple)


NOTHING = np.empty((0, 0), np.float32)
"""The vectors of a description without rows."""


class Store(ABC):
    """A table or collection of one store, or a file.

    Parameters
    ----------
    address : str
        Path or address, as the kind of store understands it.
    table : str
        Table or collection; letters, digits and underscores. Files ignore it.
    vector, id_column : str
        Columns of the vectors and ids, where the store has columns.
    """

    kind: ClassVar[str]
    searches: ClassVar[bool] = True
    """Whether the store answers queries; a plain file does not."""
    appends: ClassVar[bool] = True
    """Whether rows can be added to what is there."""
    tables: ClassVar[bool] = True
    """Whether a place holds tables or collections with names of their own."""
    filters: ClassVar[bool] = False
    """Whether a query can say which rows it may return."""
    filter_by_ids: ClassVar[str] = "a list of ids"
    """What a query is filtered by when no column is named."""
    filter_remedy: ClassVar[str] = "search without the index when a query filters"
    """What to do where filtered queries return too few rows."""
    max_components: ClassVar[int | None] = None

    def __init__(self, address: str, table: str = "items", vector: str = "vector", id_column: str = "id") -> None:
        for name in (table, vector, id_column):
            if not NAME.fullmatch(name):
                raise ParameterError(
                    f"{name!r} cannot name a table or column: expected letters, digits and underscores, at most 63, "
                    f"not "
                    "beginning with a digit."
                )
        self.address, self.table, self.vector, self.id_column = address, table, vector, id_column

    @abstractmethod
    def write(self, rows: ExportRows, *, index: bool = True, progress: Progress = logged) -> Written:
        """Put the rows in place of what simgauge wrote there before: all of them, or the store is as it was.

        Raises
        ------
        InputError
            The store is down, refuses, is full, cannot hold such ids or vectors of that width, or holds something of
            this name that simgauge did not write.
        """

    def append(self, rows: ExportRows, *, progress: Progress = logged) -> Written:
        """Add rows to what `write` wrote; rows with the same id take the place of the old ones."""
        raise InputError(f"{self.kind} files are replaced as a whole: leave out --append.")

    @abstractmethod
    def read(self, *, rows: bool = True) -> StoredVectors:
        """All ids and vectors, with what the store says of itself.

        Parameters
        ----------
        rows : bool
            False: what the store says of itself, with no ids and vectors. Costs no pass over the rows where the store
            keeps count of them.

        Raises
        ------
        InputError
            Nothing of this name is there, or its export did not finish.
        """

    def search(
        self, queries: NDArray[np.float32], k: int, metric: str, *, exact: bool, only: Condition | None = None
    ) -> list[NDArray[Any]]:
        """Ids of the k nearest rows of each query by the store's own search, best first.

        Parameters
        ----------
        queries : ndarray, shape (n_queries, n_components)
        k : int
        metric : str
            "cosine", "dot" or "l2", where each query chooses.
        exact : bool
            Whether to search without the index.
        only : Condition, optional
            Rows that may be returned. Passed to stores with `filters` alone.
        """
        raise InputError(f"{self.kind} files answer no queries.")

    def values(self, column: str) -> tuple[NDArray[Any], list[Any]]:
        """Ids of the rows, and what each holds in a column that queries can filter by.

        Raises
        ------
        InputError
            There is no such column, or the store has none.
        """
        raise InputError(f"{self.kind} has no columns to filter by: leave out --filter.")

    @abstractmethod
    def recipe(self, rows: ExportRows) -> str:
        """The query to run, in the store's own language, with the formula of its score."""

    def refuse_width(self, n_components: int) -> None:
        """Raise where the store cannot hold vectors of that width."""
        if self.max_components is not None and n_components > self.max_components:
            raise InputError(
                f"{self.kind} holds vectors of at most {self.max_components} components, and these have "
                f"{n_components}: "
                "truncate them first (simgauge preview shows what that costs), or choose another target."
            )

    def not_ours(self, where: str) -> InputError:
        """The error for something of this name that simgauge did not write."""
        return InputError(
            f"{where} holds a table {self.table!r} that simgauge did not write, and it is left as it is: choose "
            f"another "
            "name with --table."
        )

    def unfinished(self, where: str, kept: str) -> InputError:
        """The error for a table whose exchange was cut short: what was there has another name."""
        return InputError(
            f"{where} holds no table {self.table!r}, since an export did not finish: what was there is kept as "
            f"{kept!r}, and gets its name again when you repeat the export."
        )

    def not_there(self, where: str) -> InputError:
        """The error for a table that does not exist."""
        return InputError(f"{where} holds no table {self.table!r}: name it with --table, or export to it first.")
