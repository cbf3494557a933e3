"""What is free about vectors that are read at one point of a network, and how far their cosines move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from simgauge.core.neighbors.overlap import neighbor_overlap
from simgauge.core.neighbors.topk import top_k
from simgauge.deep.demands import Demands, Ids
from simgauge.deep.places import FreePlace
from simgauge.deep.rescaling import drawn_gauge, moved_along
from simgauge.deep.solving import Solution
from simgauge.errors import InputError
from simgauge.parameters import Rng, as_generator, check_integer
from simgauge.wording import counted

Status = Literal["identified", "basis", "scales", "mixed"]


class Part(NamedTuple):
    """Coordinates of the vectors that one place may change."""

    place: FreePlace
    positions: NDArray[np.int64]
    """(copies, size) coordinates, in the order of the place's own."""
    power: float


@dataclass(frozen=True)
class Reading:
    """Vectors at one point of a network: what of their basis is an accident of training.

    Attributes
    ----------
    name : str
        The parameter or submodule.
    n_components : int
        Length of a vector.
    status : {"identified", "basis", "scales", "mixed"}
        "identified": no coordinate was found that could change; a free place that was missed (a shift, a step without
        a rule) would be missed here too. "basis": one place covers all coordinates,
        any invertible matrix may be applied, and `simgauge.audit` of the vectors speaks of them as it is. "scales":
        each coordinate may be multiplied by a positive factor. "mixed": several places, or some coordinates only.
    parts : tuple of Part
        The places that reach the vectors.
    n_fixed : int
        Coordinates that stay.
    reasons : tuple of str
        What fixes coordinates, the most frequent first.
    """

    name: str
    n_components: int
    status: Status
    parts: tuple[Part, ...]
    n_fixed: int
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        if self.status == "identified":
            why = f" ({self.reasons[0]})" if self.reasons else ""
            return (
                f"{self.name}: identified as far as the trace tells{why}. No coordinate was found that could change; "
                "shifts and steps without a rule were not searched."
            )
        what = {
            "basis": f"any change of basis of all {self.n_components} coordinates",
            "scales": f"a factor for each of {self.n_components} coordinates",
            "mixed": f"{counted(len(self.parts), 'change')} of {self.n_components - self.n_fixed} of "
            f"{self.n_components} coordinates",
        }[self.status]
        return f"{self.name}: not identified. Outputs stay under {what}, and cosines do not."

    def moved(self, vectors: ArrayLike, *, condition_number: float = 10.0, rng: Rng = 0) -> NDArray[np.float64]:
        """The vectors after a random change of every place, all outputs of the network unchanged.

        Parameters
        ----------
        vectors : array-like (n, n_components)
            Read at this point.
        condition_number : float, default 10
            Of the change at each place.
        rng : optional
            Seed or generator.

        Returns
        -------
        ndarray (n, n_components), float64
        """
        table = self._table(vectors).T
        draws = as_generator(rng)
        drawn: dict[int, NDArray[np.float64]] = {}
        for part in self.parts:
            place = id(part.place)
            if place not in drawn:
                drawn[place] = drawn_gauge(part.place, condition_number, draws)
            table = moved_along(table, part.positions, part.power, drawn[place])
        return np.ascontiguousarray(table.T)

    def movement(
        self, vectors: ArrayLike, *, k: int = 10, condition_number: float = 10.0, n_draws: int = 5, rng: Rng = 0
    ) -> Movement:
        """How far cosines and lists of neighbours move while every output of the network stays.

        Parameters
        ----------
        vectors : array-like (n, n_components)
            Read at this point, at least k + 1 of them.
        k : int, default 10
            Length of the lists.
        condition_number : float, default 10
            Of the change at each place.
        n_draws : int, default 5
            Random changes.
        rng : optional
            Seed or generator.

        Returns
        -------
        Movement
        """
        table = self._table(vectors)
        k = check_integer(k, "k", 1, len(table) - 1)
        draws = as_generator(rng)
        before = top_k(table, k)[0]
        first, second = draws.integers(0, len(table), size=(2, 2000))
        overlaps, shifts = [], []
        for _ in range(check_integer(n_draws, "n_draws", 1)):
            other = self.moved(table, condition_number=condition_number, rng=draws)
            overlaps.append(neighbor_overlap(before, top_k(other, k)[0]).mean)
            shifts.append(np.abs(_cosines(other, first, second) - _cosines(table, first, second)).mean())
        return Movement(float(np.mean(overlaps)), float(np.mean(shifts)), k, condition_number, n_draws)

    def _table(self, vectors: ArrayLike) -> NDArray[np.float64]:
        table = np.asarray(vectors, dtype=np.float64)
        if table.ndim != 2 or table.shape[1] != self.n_components:
            raise InputError(f"vectors have shape {table.shape}: {self.name!r} has vectors of {self.n_components}.")
        return table


class Movement(NamedTuple):
    """How far vectors moved under random changes that keep all outputs."""

    overlap: float
    """Share of neighbours that stay in a list, mean over rows and draws."""
    cosine_shift: float
    """Mean absolute change of a cosine, over sampled pairs."""
    k: int
    condition_number: float
    n_draws: int


def read_axis(
    name: str,
    ids: Ids,
    demands: Demands,
    solution: Solution,
    places: tuple[FreePlace, ...],
    of_root: dict[int, tuple[int, int]],
) -> Reading:
    """What is free of vectors whose coordinates have these unknown scales."""
    combos = sp.coo_array(solution.of(ids))
    columns: dict[tuple[int, float], dict[int, list[int]]] = {}
    for position, root, power in zip(combos.row, combos.col, combos.data, strict=True):
        if int(root) in of_root:
            number, at = of_root[int(root)]
            columns.setdefault((number, float(power)), {}).setdefault(at, []).append(int(position))
    parts = []
    for (number, power), by_coordinate in sorted(columns.items()):
        place = places[number]
        parts.append(_part(place, by_coordinate, power))
    touched = np.unique(combos.row)
    uniform = len({(int(root), float(power)) for root, power in zip(combos.col, combos.data, strict=True)}) == 1
    if not len(touched) or (uniform and len(touched) == len(ids)):
        status: Status = "identified"
    elif len(parts) == 1 and len(touched) == len(ids) and parts[0].positions.size == len(ids):
        whole = parts[0].place.kind == "basis" and len(parts[0].positions) == 1
        status = "basis" if whole else "scales" if parts[0].place.kind == "scales" else "mixed"
    else:
        status = "mixed"
    return Reading(name, len(ids), status, tuple(parts), len(ids) - len(touched), _reasons(ids, demands, solution))


def _part(place: FreePlace, by_coordinate: dict[int, list[int]], power: float) -> Part:
    return Part(place, np.array([by_coordinate[at] for at in range(place.size)], dtype=np.int64).T, power)


def _reasons(ids: Ids, demands: Demands, solution: Solution) -> tuple[str, ...]:
    """Steps that fix these coordinates or others that carry the same factor."""
    fixed = np.unique(solution.ties[ids[solution.members[ids] == 0]])
    if not len(fixed):
        return ()
    found = [
        f"{fixing.step}: {fixing.reason}"
        for fixing in demands.fixings
        if np.isin(solution.ties[fixing.ids], fixed).any()
    ]
    return tuple(dict.fromkeys(found)) or ("the steps between leave nothing free",)


def _cosines(table: NDArray[np.float64], first: Ids, second: Ids) -> NDArray[np.float64]:
    lengths = np.linalg.norm(table, axis=1)
    lengths[lengths == 0] = 1.0
    unit = table / lengths[:, None]
    return np.asarray((unit[first] * unit[second]).sum(axis=1))
