"""Times of events: one unit in a column, and moments that people write."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.errors import InputError, ParameterError
from simgauge.wording import counted

Times = NDArray[np.float64]

UNITS = {
    "dates written as numbers, such as 20240131": (1.9e7, 2.1e7),
    "seconds since 1970": (1e8, 1e10),
    "milliseconds since 1970": (1e11, 1e13),
    "microseconds since 1970": (1e14, 1e16),
    "nanoseconds since 1970": (1e17, 1e19),
}
"""Ranges that overlap nowhere for times from 1973 to 2286."""


def known_times(times: Times) -> Times:
    """Times with NaN where the reader found none, which it marks by the lowest number.

    Examples
    --------
    >>> known_times(np.array([3.0, -np.inf]))
    array([ 3., nan])
    """
    return np.where(np.isfinite(times), times, np.nan)


def refuse_mixed_units(times: Times, where: str) -> None:
    """Raise where a column of times holds numbers that can only be times in different units.

    Raises
    ------
    InputError
        Such as seconds in some rows and milliseconds in others; the message counts them.

    Examples
    --------
    >>> refuse_mixed_units(np.array([1.6e9, 1.6e12, np.nan]), "clicks.csv, column 'ts'")
    Traceback (most recent call last):
    simgauge.errors.InputError: clicks.csv, column 'ts': 1 row looks like seconds since 1970 (1.6e+09) and 1 row like
    milliseconds since 1970 (1.6e+12): bring all times to one unit.
    """
    found = []
    for name, (low, high) in UNITS.items():
        inside = (times >= low) & (times < high)
        if inside.any():
            n = int(inside.sum())
            found.append((n, name, float(times[inside][0])))
    if len(found) < 2:
        return
    (n, name, value), (m, other, another) = found[:2]
    looks = "looks" if n == 1 else "look"
    raise InputError(
        f"{where}: {counted(n, 'row')} {looks} like {name} ({value:.6g}) and {counted(m, 'row')} like {other} "
        f"({another:.6g}): bring all times to one unit."
    )


def moment(text: Any, name: str) -> float:
    """A moment as the reader counts it: a number as it stands, a date as seconds since 1970 (UTC unless it says else).

    Raises
    ------
    ParameterError
        Neither.

    Examples
    --------
    >>> moment("2024-01-02", "after"), moment("1.7e9", "after")
    (1704153600.0, 1700000000.0)
    """
    try:
        value = float(text)
    except (TypeError, ValueError):
        try:
            parsed = datetime.fromisoformat(str(text).strip())
        except ValueError:
            raise ParameterError(
                f"{name}={text!r}: expected a number in the unit of the times, or a date such as 2024-01-31 or "
                "2024-01-31T12:00."
            ) from None
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    if not np.isfinite(value):
        raise ParameterError(f"{name}={text!r}: expected a finite number, or a date such as 2024-01-31.")
    return value
