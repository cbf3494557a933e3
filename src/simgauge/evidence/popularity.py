"""How much a found item counts by its popularity: what is decided on, and what is shown beside it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simgauge.core.tables.kinds import Matrix, Vector
from simgauge.errors import ParameterError

DEFAULT_EXPONENT = 0.5
"""Halfway between every event counting the same (0) and every item counting the same (1)."""

SHOWN = (0.5, 1.0)
"""Exponents that every table shows beside the plain measure, whichever is decided on."""


def check_exponent(exponent: Any) -> float:
    """The exponent as a float; raise unless it is a number in (0, 2].

    Examples
    --------
    >>> check_exponent(0.5)
    0.5
    """
    known = isinstance(exponent, int | float | np.number) and not isinstance(exponent, bool)
    if not known or not 0 < exponent <= 2:
        raise ParameterError(
            f"popularity_exponent={exponent!r}: expected a number above 0, at most 2: a found item counts "
            "1 / popularity to this power. To leave popularity out, pass popularity_tradeoff=0."
        )
    return float(exponent)


def measured_exponents(stated: float) -> tuple[float, ...]:
    """Exponents of the measures in their order: plain (0), the stated one, and those that are shown beside them.

    Examples
    --------
    >>> measured_exponents(0.5), measured_exponents(0.75)
    ((0.0, 0.5, 1.0), (0.0, 0.75, 0.5, 1.0))
    """
    return (0.0, stated, *(exponent for exponent in SHOWN if exponent != stated))


class Weighings(NamedTuple):
    """The measures of one metric."""

    exponents: tuple[float, ...]
    """0 for the plain one, then the stated one, then those that are shown beside them."""
    weights: Matrix | None
    """(n_items, n_measures − 1): what a found item counts in every weighted measure; None where there is none."""


def weighings(popularity: Vector | None, stated: float) -> Weighings:
    """Exponents of all measures and popularity to the power −exponent; the plain measure alone without popularity.

    Examples
    --------
    >>> weighings(np.array([1.0, 4.0]), 0.5)
    Weighings(exponents=(0.0, 0.5, 1.0), weights=array([[1.  , 1.  ],
           [0.5 , 0.25]]))
    >>> weighings(None, 0.5)
    Weighings(exponents=(0.0,), weights=None)
    """
    if popularity is None:
        return Weighings((0.0,), None)
    exponents = measured_exponents(stated)
    counts = np.asarray(popularity, dtype=np.float64)
    return Weighings(exponents, np.stack([counts**-exponent for exponent in exponents[1:]], axis=1))
