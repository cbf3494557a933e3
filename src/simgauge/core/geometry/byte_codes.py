"""Unsigned bytes taken for vectors: quantised numbers whose zero is not 0, or eight bits packed into each entry."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simgauge.core.tables.kinds import FloatTable

LARGEST_BYTE = 255
LEAST_VALUES = 16
"""Different entries below which whole numbers are grades or counts."""

LEAST_OFFSET = 0.53
"""Share of the squared length in the mean entry: 0.75 for evenly spread bytes, 0.56 for packed bits of which three in
ten are set, 0.5 for exponential counts."""

MOST_ZEROS = 0.1
"""Share of zeros above which 0 means 0."""


class ByteCodes(NamedTuple):
    """Findings about a table of whole numbers from 0 to 255."""

    offset: float
    """Mean entry: near the zero point where numbers were quantised."""
    lowest: int
    highest: int
    offset_share: float
    """Share of the squared length that the mean entry alone takes: a floor of the cosine of unrelated rows."""


def byte_codes(rows: FloatTable) -> ByteCodes | None:
    """Read a table as unsigned bytes; None where it is something else.

    Bytes that stand for signed numbers lie around a zero point, and those of packed bits everywhere (their mean takes
    three quarters of the squared length). Counts do not: many are 0, most are small, and their spread is as large as
    their mean.

    Parameters
    ----------
    rows : ndarray, shape (n, k)
        Some rows of the table.

    Gauge
    -----
    Of the file, not of the model: any change of the vectors but a permutation hides it.

    Examples
    --------
    >>> byte_codes(np.arange(100.0, 160.0).reshape(4, 15)).offset
    129.5
    >>> byte_codes(np.eye(3)) is None
    True
    """
    lowest, highest = float(rows.min()), float(rows.max())
    if lowest < 0 or not LARGEST_BYTE // 2 < highest <= LARGEST_BYTE or (rows != np.rint(rows)).any():
        return None
    offset = float(rows.mean(dtype=np.float64))
    share = offset**2 / float(np.mean(np.square(rows), dtype=np.float64))
    if len(np.unique(rows)) < LEAST_VALUES or share < LEAST_OFFSET or float(np.mean(rows == 0)) > MOST_ZEROS:
        return None
    return ByteCodes(offset, int(lowest), int(highest), share)
