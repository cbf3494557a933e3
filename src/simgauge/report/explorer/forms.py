"""Every gauge of a page's grid as a small matrix on common coordinates of the items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from simgauge.core.gauges import canonical as core
from simgauge.core.gauges.canonical import Center
from simgauge.core.tables.arrays import to_host
from simgauge.core.tables.kinds import Matrix, Table
from simgauge.errors import InputError

POWERS = (0.0, 0.25, 0.5, 0.75, 1.0)
NORM_POWERS = (0.0, 0.5, 1.0)
CENTERS: tuple[Center, ...] = ("none", "users", "items", "both")
MATRIX_BYTES = 700_000
"""Room in a page for the matrices of its gauges; wide tables travel with fewer kinds of centring."""

Pair = tuple[Any, Any]
"""Tables of items and users."""


class Point(NamedTuple):
    """One gauge of the grid, and how similarity is read from its vectors."""

    center: str
    """A kind of centring, or the name of a gauge beside the canonical ones."""
    power: float
    norm_power: float


@dataclass(frozen=True, eq=False)
class Form:
    """Canonical form for one kind of centring, in the common coordinates y: ``Z(α) = (y − mean) @ matrix * s^α``."""

    matrix: Matrix
    """(r, rank)"""
    mean: Matrix
    """(r,): zero unless items are centred."""
    singular_values: Matrix
    """(rank,), the first is 1."""
    user_matrix: Matrix
    """(k, rank): ``users @ user_matrix * s^(−α)`` go with the items."""
    kept: bool
    """Whether no direction of the predictions was lost by centring the users."""
    fixed: bool = False
    """A gauge beside the canonical ones, which has no power to move."""


@dataclass(frozen=True, eq=False)
class Forms:
    """Common coordinates of the items of one model and all its canonical forms in them."""

    to_common: Matrix
    """(k, r): ``y = items @ to_common``."""
    shipped: Matrix | None
    """(r, k): ``items = y @ shipped``; None for a single table, which is α = 1, and where there is no room for it."""
    by_center: dict[str, Form]
    n_bytes: int
    """Of the matrices in a page."""

    def vectors(self, common: Matrix, point: Point) -> Matrix:
        """Items in a gauge, from their common coordinates; their lengths as in the gauge, up to one factor for all."""
        form = self.by_center[point.center]
        moved = (common - form.mean) @ form.matrix
        return np.asarray(moved * form.singular_values**point.power)

    def points(self) -> Iterator[Point]:
        """The whole grid."""
        for center, form in self.by_center.items():
            for power in (1.0,) if form.fixed else POWERS:
                for norm_power in NORM_POWERS:
                    yield Point(center, power, norm_power)


def forms_of(
    items: Table, users: Table | None, default: Center = "none", others: Mapping[str, Pair] | None = None
) -> Forms | None:
    """The canonical forms that fit into a page; None where not even one does.

    A single table stands for a model whose users are the axes of its space: α = 1 is the table as shipped, α = 0 the
    whitened one, and only items can be centred.

    Parameters
    ----------
    items, users : tables
    default : {"none", "users", "items", "both"}
        The centring that stays longest where room is short.
    others : mapping of str to (items, users), optional
        Further gauges of the same model, by name.

    Numerics
    --------
    Common coordinates are those of the balanced gauge: between whitened and projected back their range is smallest, so
    that few bits hold them.
    """
    k = int(items.shape[1])
    other = np.eye(k) if users is None else users
    wanted: list[Center] = ["none", "items"] if users is None else list(dict.fromkeys(["none", default, *CENTERS]))
    cores: dict[Center, core.CanonicalCore] = {}
    for center in wanted:
        with suppress(InputError):
            cores[center] = core.canonical_core(other, items, center)
    whole = core.whitening_map(items)
    plain = cores.get("none")
    if plain is not None and plain.rank == whole.item_matrix.shape[1]:
        balanced = core.power_map(plain, 0.5)
    else:  # predictions that lack a direction of the items do not tell where the items are
        lengths = np.sqrt(np.linalg.norm(whole.user_matrix, axis=0))
        balanced = core.GaugeMap(whole.item_matrix * lengths, whole.user_matrix / lengths, whole.item_mean)
    back = np.asarray(balanced.user_matrix.T)
    spent = 0 if users is None else 4 * back.size
    shipped = back if users is not None and spent <= MATRIX_BYTES else None
    spent = 0 if shipped is None else spent
    kept: dict[str, Form] = {}
    found_forms: dict[str, Form] = {c: _form(core, balanced.item_matrix, back, plain) for c, core in cores.items()}
    if users is not None:
        mine = np.asarray(to_host(items), dtype=np.float64), np.asarray(to_host(users), dtype=np.float64)
        found_forms |= {name: _other(mine, pair, back) for name, pair in (others or {}).items()}
    for name, form in found_forms.items():
        cost = 0 if diagonal(form.matrix) else 4 * form.matrix.size
        if spent + cost <= MATRIX_BYTES:
            kept[name] = form
            spent += cost
    return Forms(balanced.item_matrix, shipped, kept, spent) if kept else None


def common_coordinates(forms: Forms, items: Table) -> Matrix:
    """The items in the coordinates of a page, on the host."""
    return np.asarray(to_host(items), dtype=np.float64) @ forms.to_common


def _form(found: core.CanonicalCore, to_common: Matrix, back: Matrix, plain: core.CanonicalCore | None) -> Form:
    return Form(
        matrix=back @ found.right_map,
        mean=found.item_mean @ to_common,
        singular_values=found.singular_values / found.singular_values[0],
        user_matrix=found.right_inverse,
        kept=plain is None or found.rank >= plain.rank,
    )


def _other(mine: Pair, other: Pair, back: Matrix) -> Form:
    """A further gauge ``items @ G, users @ H`` of the same model, by least squares."""
    G, H = (
        np.linalg.lstsq(own, np.asarray(moved, dtype=np.float64))[0] for own, moved in zip(mine, other, strict=True)
    )
    nothing = np.zeros(len(back))
    return Form(back @ G, nothing, np.ones(G.shape[1]), H, kept=True, fixed=True)


def diagonal(matrix: Matrix) -> bool:
    """Whether a matrix is diagonal to rounding, so that its diagonal is enough."""
    if matrix.shape[0] != matrix.shape[1]:
        return False
    beside = np.abs(matrix - np.diag(np.diag(matrix))).max()
    return bool(beside <= 1e-6 * np.abs(np.diag(matrix)).max())
