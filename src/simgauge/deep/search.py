"""The search for free places: the network is followed, the demands are solved, what is left is grouped."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from simgauge.deep.demands import Demands, Ids
from simgauge.deep.places import Carrier, FreePlace, Kind
from simgauge.deep.reading import Reading, read_axis
from simgauge.deep.rescaling import OutputsMovedError, rescaled_everywhere, verify_outputs
from simgauge.deep.solving import Solution, solve
from simgauge.deep.tracing import Followed, ParameterAxis, follow
from simgauge.errors import ParameterError
from simgauge.wording import some_of


@dataclass(frozen=True)
class FreePlaces:
    """Every place of a network that was proved to be free.

    Attributes
    ----------
    places : tuple of FreePlace
        Sorted by where they begin.
    verified : float
        Largest difference of an output after all places were changed at once, relative to the largest output.
    """

    places: tuple[FreePlace, ...]
    verified: float
    followed: Followed
    solution: Solution
    of_root: dict[int, tuple[int, int]]

    def at(self, name: str) -> Reading:
        """What is free about vectors that are read at one point of the network.

        Parameters
        ----------
        name : str
            A matrix of parameters, whose rows are the vectors ("items.weight"), or a submodule, whose output's last
            axis is the vector ("item_tower").

        Returns
        -------
        Reading

        Raises
        ------
        ParameterError
            There is no such parameter or submodule, or its output is not one tensor.
        """
        of_columns = {axis.parameter: axis.ids for axis in self.followed.axes if axis.axis == 1}
        if name in of_columns:
            return read_axis(name, of_columns[name], self.followed.demands, self.solution, self.places, self.of_root)
        value = self.followed.modules.get(name)
        if value is None:
            known = [*of_columns, *self.followed.modules]
            raise ParameterError(
                f"at={name!r}: this network has no matrix of parameters and no submodule with one tensor as output of "
                f"that name. It has {some_of(known, len(known))}."
            )
        ids = np.zeros(value.shape[-1], np.int64)
        for term in value.terms:
            varies_elsewhere = any(size > 1 for size in term.shape[:-1])
            ids = ids if varies_elsewhere else np.broadcast_to(term.reshape(-1), ids.shape)
        return read_axis(name, ids, self.followed.demands, self.solution, self.places, self.of_root)


def find_free_places(model: Any, *inputs: Any, **named_inputs: Any) -> FreePlaces:
    """Places in a network where a change of basis or of scales leaves every output unchanged.

    The network is traced on the inputs by torch.export, and every step states which changes it survives: linear maps
    any change that the next linear map undoes, ReLU positive factors, a head of attention any basis of its keys that
    queries undo. No class of module is known by name. A step without a rule is taken to survive nothing, so places
    may be missed but none is claimed that is not free.

    Parameters
    ----------
    model : torch.nn.Module
        A copy in evaluation mode is traced; yours stays as it is.
    *inputs, **named_inputs
        What ``forward`` is called with; small ones are enough.

    Returns
    -------
    FreePlaces
        ``.places`` sorted by where they begin.

    Raises
    ------
    InputError
        The model cannot be traced.
    OutputsMovedError
        The outputs moved after all: a fault in simgauge.
    MissingDependencyError
        torch is not installed (``pip install 'simgauge[torch]'``).

    Notes
    -----
    Shifts (a bias that the next layer's bias undoes) and places in arrays of three and more axes are not searched for.
    *Gauge*: a place of kind "basis" and size k is the group GL(k) of the paper's eq. for dot-product models; "scales"
    is its diagonal subgroup with positive entries.
    *Numerics*: proved for exact arithmetic; factors are exact in floating point when they are powers of two.
    After the proof, all places are changed at once on the inputs given, in float64, and the outputs compared. Vectors
    and matrices of parameters are followed, larger arrays of parameters are taken as fixed. Cost: a trace, and time
    linear in the total width of all activations, whatever the number of rows.

    Examples
    --------
    >>> import torch
    >>> network = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.ReLU(), torch.nn.Linear(5, 2))
    >>> found = find_free_places(network, torch.ones(1, 3))
    >>> [(place.kind, place.size) for place in found.places]
    [('scales', 5)]
    >>> print(found.at("1"))
    1: not identified. Outputs stay under a factor for each of 5 coordinates, and cosines do not.
    """
    followed = follow(model, inputs, named_inputs)
    solution = solve(followed.demands)
    signatures = _signatures(followed, solution)
    groups: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    occurrences = _occurrences(followed.axes, solution)
    for root, (mixing, hashed) in signatures.items():
        born = tuple(sorted(Counter((axis, power) for axis, _, power in occurrences[root]).items()))
        if len({power > 0 for _, _, power in occurrences[root]}) == 2:  # one parameter undoes what another does
            groups[(hashed if mixing else "alone", born)].append(root)
    blocks = _blocks(groups)
    made = [(_place(roots, kind, followed.axes, occurrences), roots) for kind, roots in blocks]
    made.sort(key=lambda pair: (pair[0].carriers[0].parameter, int(pair[0].carriers[0].positions.min())))
    places = tuple(place for place, _ in made)
    of_root = {root: (number, at) for number, (_, roots) in enumerate(made) for at, root in enumerate(roots)}
    check = verify_outputs(model, rescaled_everywhere(model, places), *inputs, **named_inputs)
    if not check.difference <= check.tolerance:
        raise OutputsMovedError(
            f"a change at {len(places)} places that must leave outputs as they are moved them by "
            f"{check.difference:.1e} of the largest. This is a fault in simgauge: nothing is claimed."
        )
    return FreePlaces(places, check.difference, followed, solution, of_root)


def _blocks(groups: dict[tuple[Any, ...], list[int]]) -> list[tuple[Kind, list[int]]]:
    """Bases of two and more coordinates; single coordinates that show in the same parameters are scales together."""
    blocks: list[tuple[Kind, list[int]]] = []
    scales: dict[Any, list[int]] = defaultdict(list)
    for (mark, born), roots in groups.items():
        if mark != "alone" and len(roots) > 1:
            blocks.append(("basis", roots))
        else:
            scales[born] += roots
    return blocks + [("scales", roots) for roots in scales.values()]


Occurrence = tuple[int, int, float]
"""Axis of a parameter, position along it, power."""


def _occurrences(axes: tuple[ParameterAxis, ...], solution: Solution) -> dict[int, list[Occurrence]]:
    """Where each free unknown shows in parameters."""
    found: dict[int, list[Occurrence]] = defaultdict(list)
    for number, axis in enumerate(axes):
        combos = sp.coo_array(solution.of(axis.ids))
        for position, root, power in zip(combos.row, combos.col, combos.data, strict=True):
            found[int(root)].append((number, int(position), float(power)))
    return found


def _signatures(followed: Followed, solution: Solution) -> dict[int, tuple[bool, int]]:
    """For each free unknown whether a basis may mix it with others, and a hash of all vectors in which it is used.

    Two unknowns may be mixed when every step that uses one as an entry of a vector uses the other in the same vector,
    as often. A vector may hold several copies of them (heads that share keys), one after another, as copies are made
    by steps that keep the order; a step that takes parts of a vector with copies leaves scales only. Copies that move
    by G and by its inverse have different marks.
    """
    demands = followed.demands
    roots, signs, alone = _single_roots(solution)
    hashes = np.zeros(len(alone), np.uint64)
    draws = np.random.default_rng(0)
    for rows in _vectors(demands, followed.axes):
        held = roots[solution.members[rows]]
        row = np.broadcast_to(np.arange(len(rows))[:, None], rows.shape)
        turned = signs[solution.members[rows]] * solution.signs[rows]
        marks = draws.integers(1, 2**63, size=(len(rows), 2)).astype(np.uint64)
        np.add.at(hashes, held.ravel(), marks[row.ravel(), (turned.ravel() < 0).astype(int)])
    for selection in demands.selections:
        given = np.unique(selection.given)
        turned = signs[solution.members[given]] * solution.signs[given]
        alone[_repeated(roots[solution.members[given]], turned)] = True
    free = np.unique(solution.combinations.indices)
    return {int(root): (not alone[root], int(hashes[root])) for root in free}


def _vectors(demands: Demands, axes: tuple[ParameterAxis, ...]) -> list[Ids]:
    """Rows of unknowns that are used as one vector."""
    taken = [np.unique(selection.taken)[None, :] for selection in demands.selections]
    return [axis.ids[None, :] for axis in axes] + demands.contracted + taken


def _single_roots(solution: Solution) -> tuple[Ids, Ids, NDArray[np.bool_]]:
    """For each class the free one that it equals and the sign (0 where fixed or more than that), and which free ones
    show in another power than 1 and -1 or together with another: those have scales only."""
    combos = solution.combinations
    n_classes = combos.shape[0]
    lengths = np.diff(combos.indptr)
    of_entry = np.repeat(np.arange(n_classes), lengths)
    plain = (lengths[of_entry] == 1) & (np.abs(combos.data) == 1)
    roots, signs = np.zeros(n_classes, np.int64), np.ones(n_classes, np.int64)
    roots[of_entry[plain]] = combos.indices[plain]
    signs[of_entry[plain]] = np.sign(combos.data[plain]).astype(np.int64)
    alone = np.zeros(n_classes, bool)
    alone[combos.indices[~plain]] = True
    return roots, signs, alone


def _repeated(held: Ids, turned: Ids) -> Ids:
    """Free unknowns that are held several times with the same sign."""
    pairs, counts = np.unique(np.column_stack([held, turned]), axis=0, return_counts=True)
    return np.asarray(pairs[counts > 1, 0])


def _place(
    roots: list[int], kind: Kind, axes: tuple[ParameterAxis, ...], occurrences: dict[int, list[Occurrence]]
) -> FreePlace:
    """The place of these unknowns: along each axis, the n-th occurrences of all of them are the n-th copy."""
    by_axis: dict[tuple[int, float], list[list[int]]] = defaultdict(list)
    for root in roots:
        held: dict[tuple[int, float], list[int]] = defaultdict(list)
        for number, position, power in occurrences[root]:
            held[number, power].append(position)
        for key, positions in held.items():
            by_axis[key].append(sorted(positions))
    carriers = []
    for (number, power), columns in sorted(by_axis.items()):
        axis = axes[number]
        carriers.append(Carrier(axis.parameter, axis.axis, np.array(columns, dtype=np.int64).T, power))
    return FreePlace(kind, len(roots), tuple(carriers))
