"""Rows that have a direction: a zero vector has none, and is near to nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simgauge.core.tables.kinds import Table
from simgauge.core.tables.row_parts import RowParts
from simgauge.core.tables.tables import row_norms


def directed_rows(table: Table) -> NDArray[np.int64] | None:
    """Rows that are not zero; None where none is zero, and for tables in parts, whose rows stay where they lie.

    Examples
    --------
    >>> directed_rows(np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 2.0]]))
    array([0, 2])
    >>> directed_rows(np.eye(2)) is None
    True
    """
    if isinstance(table, RowParts):
        return None
    kept = np.flatnonzero(row_norms(table)).astype(np.int64)
    return None if len(kept) == len(table) else kept
