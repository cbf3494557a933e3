"""Which scales are free once every demand is met: a linear system over logarithms."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from simgauge.deep.demands import FIXED, Demands, Ids

Row = dict[int, Fraction]


@dataclass(frozen=True)
class Solution:
    """Every unknown as a combination of free ones."""

    members: Ids
    """(n,) the class of each unknown: unknowns of a class have equal or opposite logarithms. Class 0 is fixed."""
    signs: Ids
    """(n,) 1 or -1: the unknown beside its class."""
    combinations: sp.csr_array
    """(classes, classes) logarithm of each class as a combination of the free classes' logarithms."""
    ties: Ids
    """(n,) a number that unknowns share which equations of two tie together, before any is fixed."""

    def of(self, ids: Ids) -> sp.csr_array:
        """(d, classes): the logarithm of each unknown as a combination of the free ones."""
        flat = ids.ravel()
        return sp.csr_array(self.combinations[self.members[flat]] * self.signs[flat][:, None])


def solve(demands: Demands) -> Solution:
    """Eliminate all demands.

    Equations of two unknowns are the edges of a graph whose nodes are the unknowns with either sign; its connected
    parts are found at once. What is left are equations that tie three classes or powers; they are few and are
    eliminated exactly, in rational numbers.

    Parameters
    ----------
    demands : Demands
        Equations between n unknowns.

    Returns
    -------
    Solution

    Notes
    -----
    *Numerics*: exact, in O(n) for the graph, whatever the number of equations of two unknowns.
    """
    count = demands.count
    fixed = np.concatenate([np.zeros(1, np.int64), *(fixing.ids for fixing in demands.fixings)])
    pairs = [_edges(np.full_like(fixed, FIXED), fixed, 1, count)]
    pairs += [_edges(first, second, sign, count) for first, second, sign in demands.equal_pairs]
    sums = _stacked(demands.sums)
    members, signs = _classes(pairs, count)
    while len(sums):
        known = members[sums] == FIXED
        settled = known.any(axis=1)
        if not settled.any():
            break
        pairs += _without_known(sums[settled], known[settled], count)
        sums = sums[~settled]
        members, signs = _classes(pairs, count)
    rows = [_row(members, signs, [(a, 1), (b, 1), (c, -1)]) for a, b, c in _distinct(sums, members, signs)]
    for ids, results, power in demands.multiples:
        couples = _distinct(np.column_stack([ids, results]), members, signs)
        rows += [_row(members, signs, [(a, Fraction(power)), (b, -1)]) for a, b in couples]
    ties = np.minimum(*np.split(_components(pairs[1:], count), 2)) if len(pairs) > 1 else np.arange(count)
    return Solution(members, signs, _combinations(rows, int(members.max()) + 1), ties)


def _edges(first: Ids, second: Ids, sign: int, count: int) -> Ids:
    """Edges between +first and sign·second, and between their opposites; node i is +i, node i + count is -i."""
    plus, minus = (second, second + count) if sign > 0 else (second + count, second)
    return np.concatenate([np.column_stack([first, plus]), np.column_stack([first + count, minus])])


def _without_known(sums: Ids, known: NDArray[np.bool_], count: int) -> list[Ids]:
    """Sums of which one part is fixed, as equations of the other two."""
    of_first, of_second, of_total = known[:, 0], known[:, 1] & ~known[:, 0], ~known[:, 0] & ~known[:, 1]
    return [
        _edges(sums[of_first, 1], sums[of_first, 2], 1, count),
        _edges(sums[of_second, 0], sums[of_second, 2], 1, count),
        _edges(sums[of_total, 0], sums[of_total, 1], -1, count),
    ]


def _classes(pairs: list[Ids], count: int) -> tuple[Ids, Ids]:
    """Class and sign of every unknown; an unknown that equals its opposite is fixed."""
    labels = _components(pairs, count)
    plus, minus = labels[:count], labels[count:]
    representative = np.minimum(plus, minus)
    representative[(plus == minus) | (plus == labels[FIXED]) | (minus == labels[FIXED])] = -1
    names, members = np.unique(representative, return_inverse=True)
    if names[0] != -1:  # pragma: no cover - unknown 0 is always fixed
        raise AssertionError("the fixed unknown is missing")
    return members.astype(np.int64), np.where(plus <= minus, 1, -1)


def _components(pairs: list[Ids], count: int) -> Ids:
    """Connected parts of the graph of unknowns with either sign: (2 count,) labels."""
    edges = np.concatenate(pairs)
    graph = sp.coo_array((np.ones(len(edges), np.int8), (edges[:, 0], edges[:, 1])), shape=(2 * count, 2 * count))
    return np.asarray(sp.csgraph.connected_components(graph, directed=False)[1], dtype=np.int64)


def _stacked(sums: list[tuple[Ids, Ids, Ids]]) -> Ids:
    parts = [np.column_stack(triple) for triple in sums]
    return np.unique(np.concatenate(parts), axis=0) if parts else np.empty((0, 3), np.int64)


def _distinct(equations: Ids, members: Ids, signs: Ids) -> Ids:
    """One equation of each kind: equations between the same classes with the same signs say the same."""
    if not len(equations):
        return equations
    named = members[equations] * signs[equations]
    return equations[np.unique(named, axis=0, return_index=True)[1]]


def _row(members: Ids, signs: Ids, parts: list[tuple[int, int | Fraction]]) -> Row:
    row: Row = defaultdict(Fraction)
    for unknown, factor in parts:
        row[int(members[unknown])] += factor * int(signs[unknown])
    row.pop(FIXED, None)
    return {name: factor for name, factor in row.items() if factor}


def _combinations(rows: list[Row], n_classes: int) -> sp.csr_array:
    """Gauss-Jordan elimination of sparse rational rows."""
    defined: dict[int, Row] = {}
    users: dict[int, set[int]] = defaultdict(set)
    for row in rows:
        reduced = _substituted(row, defined)
        if not reduced:
            continue
        pivot = max(reduced, key=lambda name: (abs(reduced[name]) == 1, name))
        scale = reduced.pop(pivot)
        meaning = {name: -factor / scale for name, factor in reduced.items()}
        for user in users.pop(pivot, set()):
            defined[user] = _substituted(defined[user], {pivot: meaning})
            for name in defined[user]:
                users[name].add(user)
        defined[pivot] = meaning
        for name in meaning:
            users[name].add(pivot)
    free = np.array([name for name in range(1, n_classes) if name not in defined], dtype=np.int64)
    entries = [(name, other, float(factor)) for name, meaning in defined.items() for other, factor in meaning.items()]
    table = np.array(entries, dtype=np.float64).reshape(-1, 3)
    data = np.concatenate([np.ones(len(free)), table[:, 2]])
    where = tuple(np.concatenate([free, table[:, column].astype(np.int64)]) for column in (0, 1))
    return sp.csr_array((data, where), shape=(n_classes, n_classes))


def _substituted(row: Row, defined: dict[int, Row]) -> Row:
    result: Row = defaultdict(Fraction)
    for name, factor in row.items():
        for other, share in defined[name].items() if name in defined else [(name, Fraction(1))]:
            result[other] += factor * share
    return {name: factor for name, factor in result.items() if factor}
