"""Places in a network where a change of basis or scale leaves every output as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["basis", "scales"]


@dataclass(frozen=True)
class Carrier:
    """Where a place shows in a parameter: these entries along this axis are the place's coordinates."""

    parameter: str
    axis: int
    positions: NDArray[np.int64]
    """(copies, size) entries along the axis, in the order of the place's coordinates."""
    power: float
    """1: multiplied by G or its factors; -1: by the inverse transpose or inverse factors; else a power of factors."""


@dataclass(frozen=True)
class FreePlace:
    """Coordinates whose basis, or whose scales, are an accident of training.

    Attributes
    ----------
    kind : "basis" or "scales"
        "basis": any invertible matrix G may be applied to the coordinates. "scales": each may be multiplied by a
        positive factor of its own.
    size : int
        Number of coordinates.
    carriers : tuple of Carrier
        What has to change together so that every output stays.
    """

    kind: Kind
    size: int
    carriers: tuple[Carrier, ...]

    @property
    def name(self) -> str:
        """The parameter in which the place begins, with its rows or columns.

        Examples
        --------
        >>> place = FreePlace("scales", 2, (Carrier("net.0.weight", 0, np.array([[4, 5]]), 1.0),))
        >>> place.name
        'net.0.weight rows 4 to 5'
        """
        first = self.carriers[0]
        where, side = np.unique(first.positions), "rows" if first.axis == 0 else "columns"
        if len(where) == 1:
            return f"{first.parameter} {side} {where[0]}"
        if len(where) == where[-1] - where[0] + 1:
            return f"{first.parameter} {side} {where[0]} to {where[-1]}"
        return f"{first.parameter} {len(where)} {side} from {where[0]} to {where[-1]}"
