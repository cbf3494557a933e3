"""Tables whose entries are so large or small that their products leave the range of numbers: brought near 1,
exactly."""

from __future__ import annotations

from typing import Any

import numpy as np

from simgauge.core.tables.arrays import on_host
from simgauge.errors import InputError


def range_exponent(table: Any, dtype: Any = None) -> int:
    """The power of two that brings the largest entry below 1; 0 where fourth powers of it stay in the range of `dtype`.

    That is the type of the table when none is given. Tensors and tables in parts are left as they are.

    Examples
    --------
    >>> range_exponent(np.array([[3.0, -4.0]])), range_exponent(np.array([[0.0, 3e200]]))
    (0, -666)
    """
    if not on_host(table) or table.dtype.kind != "f" or not table.size:
        return 0
    largest = max(float(table.max()), -float(table.min()))
    info = np.finfo(table.dtype if dtype is None else dtype)
    if largest == 0.0 or float(info.tiny) ** 0.25 <= largest <= float(info.max) ** 0.25:
        return 0
    return max(-int(np.frexp(largest)[1]), -1023)  # 2**1024 is no number; the largest entry stays below 2


def in_range(table: Any, dtype: Any = None) -> tuple[Any, int]:
    """The table times ``2 ** exponent``, and the exponent; the table itself, and 0, where nothing needs to be done.

    Cosines, rankings and shares stay: multiplication by a power of two rounds nothing but entries that are as good as 0
    beside the largest.

    Examples
    --------
    >>> in_range(np.array([[1e-30, 2e-30]], dtype=np.float32))[0] / np.float32(2.0**98)
    array([[1.e-30, 2.e-30]], dtype=float32)
    """
    exponent = range_exponent(table, dtype)
    return (table, 0) if exponent == 0 else (np.ldexp(table, exponent), exponent)


def in_common_range(*tables: Any) -> tuple[Any, ...]:
    """Tables times one power of two that brings the largest entry of all near 1; themselves where none is needed.

    Examples
    --------
    >>> [float(table[0, 0]) for table in in_common_range(np.array([[2.0**900]]), np.array([[2.0**899]]))]
    [0.5, 0.25]
    """
    exponent = min((range_exponent(table) for table in tables), default=0)
    if exponent == 0:
        return tables
    return tuple(np.ldexp(table, exponent) if on_host(table) else table for table in tables)


def refuse_overflow(table: Any, name: str) -> None:
    """Say what to do where sums of squares of a table leave the range of its type.

    Raises
    ------
    InputError
        They do.
    """
    if on_host(table) and table.dtype.kind == "f" and table.size:
        largest = max(float(table.max()), -float(table.min()))
        if largest > (float(np.finfo(table.dtype).max) / table.size) ** 0.5:
            raise InputError(
                f"{name} hold entries of {largest:.2g}, whose squares leave the range of {table.dtype}: divide the "
                f"table by "
                f"{largest:.0e}. Cosines and rankings stay the same."
            )
