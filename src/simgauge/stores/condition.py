"""Which rows a filtered query may return: those of some ids, or those with one value in a column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Condition:
    """A filter of a query."""

    ids: NDArray[Any]
    """Ids of the rows that pass, as the store gives them."""
    column: str | None = None
    """The column that the query names; None where it lists the ids."""
    value: Any = None
    """What the column must hold."""
