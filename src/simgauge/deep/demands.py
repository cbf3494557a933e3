"""What the steps of a network demand of the scales of its coordinates.

Every coordinate of a parameter or an activation that a change of scale could reach is an unknown: the logarithm of the
factor by which it is multiplied. A step that is computed exactly from scaled values is an equation between logarithms
(a ReLU: what leaves it has the scale of what enters it), a step that is not leaves its inputs as they are (a GELU). A
change of basis is a change of scales that survives mixing, so the same record says which coordinates each step takes
together.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]

FIXED = 0
"""The unknown whose factor is 1: a coordinate that stays as it is."""


class Fixing(NamedTuple):
    """Coordinates that one step needs as they are."""

    ids: Ids
    step: str
    reason: str


class Selection(NamedTuple):
    """Coordinates that enter a step which takes a part of them, and the coordinates that leave it."""

    given: Ids
    taken: Ids


class Demands:
    """Unknown scales and the equations between them, as the steps of a network add them.

    `step` names the current step.
    """

    def __init__(self) -> None:
        self.count = 1
        self.step = ""
        self.equal_pairs: list[tuple[Ids, Ids, int]] = []
        self.sums: list[tuple[Ids, Ids, Ids]] = []
        self.multiples: list[tuple[Ids, Ids, float]] = []
        self.fixings: list[Fixing] = []
        self.contracted: list[Ids] = []
        self.selections: list[Selection] = []

    def new(self, shape: tuple[int, ...]) -> Ids:
        """Unknowns that nothing is demanded of yet."""
        ids = np.arange(self.count, self.count + int(np.prod(shape, dtype=np.int64)), dtype=np.int64).reshape(shape)
        self.count += ids.size
        return ids

    def fix(self, ids: Ids, reason: str) -> None:
        """Demand a factor of 1."""
        self.fixings.append(Fixing(np.unique(ids), self.step, reason))

    def equal(self, first: Ids, second: Ids, sign: int = 1) -> None:
        """Demand log first = sign · log second, entry by entry; the shapes broadcast."""
        left, right = np.broadcast_arrays(first, second)
        self.equal_pairs.append((left.ravel(), right.ravel(), sign))

    def add(self, first: Ids, second: Ids, total: Ids) -> None:
        """Demand log first + log second = log total, entry by entry; the shapes broadcast."""
        a, b, c = np.broadcast_arrays(first, second, total)
        self.sums.append((a.ravel(), b.ravel(), c.ravel()))

    def multiply(self, ids: Ids, power: float, result: Ids) -> None:
        """Demand power · log ids = log result, entry by entry."""
        self.multiples.append((ids.ravel(), result.ravel(), power))

    def contract(self, fibers: Ids) -> None:
        """Say that each row of `fibers` (m, d) is used as one vector: a basis may mix entries only within it."""
        self.contracted.append(fibers.reshape(-1, fibers.shape[-1]))

    def alone(self, ids: Ids) -> None:
        """Say that each coordinate is used by itself: no basis may mix it with another."""
        self.contracted.append(np.unique(ids)[:, None])

    def select(self, given: Ids, taken: Ids) -> None:
        """Say that a step takes the coordinates `taken` out of `given`: no basis may mix them with the rest."""
        self.selections.append(Selection(given.ravel(), taken.ravel()))
