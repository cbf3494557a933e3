"""Maps that may turn the rows of one table into those of another, fitted from one small triangular factor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.linalg

from simgauge.core.tables.algebra import numerical_rank, rank_tolerance
from simgauge.core.tables.kinds import Matrix, Vector
from simgauge.core.tables.tables import unit_rows


@dataclass(frozen=True, eq=False)
class RowMap:
    """``row -> row @ matrix + offset``, of rows scaled to norm one where `unit`."""

    parts: tuple[str, ...]
    """What the map does, in words; none for the identity."""
    matrix: Matrix
    """(k, l)."""
    offset: Vector
    """(l,): zero unless the map shifts."""
    unit: bool = False
    """Whether rows of both tables are scaled to norm one first."""
    flipped: bool = False
    """Whether it leads from the second table to the first."""
    factor: float = 1.0
    """Of a scale."""
    free: int = 0
    """Rows that any table with this number of columns could match by chance."""
    condition: float = 1.0
    """Largest over smallest singular value of the matrix, over the directions that the tables have."""
    ranks: tuple[int, int] = (0, 0)
    """Directions of the table it leads from and of the one it leads to, where it is any linear map."""


@dataclass(frozen=True, eq=False)
class PairFactor:
    """R of the thin QR of ``[1 A B]``: every inner product of columns of A, B and the constant, in few rows."""

    first: Matrix
    """(r, k): A; its first row is the mean, the others are A with its mean row subtracted."""
    second: Matrix
    """(r, l): B, likewise."""
    n_rows: int

    def centred(self) -> tuple[Matrix, Matrix]:
        """A and B with their mean rows subtracted."""
        return self.first[1:], self.second[1:]

    def means(self) -> tuple[Vector, Vector]:
        """Mean rows of A and B."""
        root = np.sqrt(self.n_rows)
        return self.first[0] / root, self.second[0] / root


def pair_factor(first: Matrix, second: Matrix) -> PairFactor:
    """Householder QR of the constant and both tables, so that small residuals stay small; rows may be fewer than
    columns."""
    ones = np.ones((len(first), 1))
    R = np.asarray(scipy.linalg.qr(np.hstack([ones, first, second]), mode="r", check_finite=False)[0])
    R = R[: min(R.shape)] * np.sign(R[0, 0])
    k = first.shape[1]
    return PairFactor(R[:, 1 : 1 + k], R[:, 1 + k :], len(first))


def similarity_maps(factor: PairFactor) -> Iterator[RowMap]:
    """Identity, scale, rotation, and these with a shift: maps that keep angles of rows, or of differences of rows."""
    same_width = factor.first.shape[1] == factor.second.shape[1]
    flipped = factor.first.shape[1] > factor.second.shape[1]
    for shift in (False, True):
        A, B = factor.centred() if shift else (factor.first, factor.second)
        mean_a, mean_b = factor.means()
        if flipped:
            A, B, mean_a, mean_b = B, A, mean_b, mean_a
        k, width = A.shape[1], B.shape[1]
        added = ("shift",) if shift else ()
        if same_width:
            plain: tuple[tuple[tuple[str, ...], float], ...] = (((), 1.0), (("scale",), _best_factor(A, B)))
            for parts, c in plain:
                yield RowMap((*parts, *added), c * np.eye(k), _offset(shift, mean_a, mean_b, c * np.eye(k)), factor=c)
        R = _isometry(A, B)
        best = _best_factor(A @ R, B)
        turned: tuple[tuple[tuple[str, ...], float], ...] = ((("rotation",), 1.0), (("rotation", "scale"), best))
        for parts, c in turned:
            yield RowMap(
                (*parts, *added), c * R, _offset(shift, mean_a, mean_b, c * R),
                flipped=flipped, factor=1 / c if flipped and c else c, free=min(k, width),
            )  # fmt: skip


def direction_maps(first: Matrix, second: Matrix) -> Iterator[RowMap]:
    """Maps between rows scaled to norm one: other lengths, with or without a rotation."""
    factor = pair_factor(unit_rows(first), unit_rows(second))
    flipped = first.shape[1] > second.shape[1]
    A, B = (factor.second, factor.first) if flipped else (factor.first, factor.second)
    k, width = A.shape[1], B.shape[1]
    if k == width:
        yield RowMap(("row lengths",), np.eye(k), np.zeros(k), unit=True)
    R = _isometry(A, B)
    yield RowMap(("rotation", "row lengths"), R, np.zeros(width), unit=True, flipped=flipped, free=min(k, width))


def column_maps(factor: PairFactor, eps: tuple[float, float]) -> Iterator[RowMap]:
    """The leading columns, and every column times a number: linear maps with so few free numbers that few rows tell."""
    k, width = factor.first.shape[1], factor.second.shape[1]
    flipped, kept = k < width, min(k, width)
    if k != width:
        leading = np.eye(max(k, width))[:, :kept]
        yield RowMap(("truncation",), leading, np.zeros(kept), flipped=flipped, ranks=(max(k, width), kept))
        return
    for shift in (False, True):
        A, B = factor.centred() if shift else (factor.first, factor.second)
        sizes = np.linalg.norm(A, axis=0), np.linalg.norm(factor.first, axis=0)
        varies = sizes[0] > rank_tolerance(k, max(eps)) * sizes[1]  # a constant column has no scale of its own
        scales = np.divide(np.einsum("ij,ij->j", A, B), sizes[0] ** 2, out=np.zeros(k), where=varies)
        if not (scales != 0).all():
            continue
        strengths = np.abs(scales)
        yield RowMap(
            ("linear gauge", *(("shift",) if shift else ())),
            np.diag(scales),
            _offset(shift, *factor.means(), np.diag(scales)),
            free=1 + shift,
            condition=float(strengths.max() / strengths.min()),
            ranks=(k, k),
        )


def linear_maps(factor: PairFactor, eps: tuple[float, float]) -> Iterator[RowMap]:
    """The best linear map, and the best affine one, from the table with more directions to the other."""
    for shift in (False, True):
        tables = factor.centred() if shift else (factor.first, factor.second)
        eps_left = remaining_eps(factor, tables, eps)
        ranks = [numerical_directions(table, own) for table, own in zip(tables, eps_left, strict=True)]
        flipped = ranks[0] < ranks[1]
        wide, narrow = (tables[1], tables[0]) if flipped else tables
        G, condition, alike = _least_squares(wide, narrow, ranks[flipped], ranks[not flipped], eps_left[flipped])
        means = factor.means()
        mean_a, mean_b = (means[1], means[0]) if flipped else means
        name = "linear gauge" if ranks[0] == ranks[1] else ("truncation" if alike else "linear map, truncation")
        yield RowMap(
            (*name.split(", "), *(("shift",) if shift else ())), G, _offset(shift, mean_a, mean_b, G),
            flipped=flipped, free=max(ranks) + shift, condition=condition, ranks=(max(ranks), min(ranks)),
        )  # fmt: skip


def _least_squares(A: Matrix, B: Matrix, rank: int, kept: int, eps: float) -> tuple[Matrix, float, bool]:
    """G of the least ‖A G − B‖, its condition number on the `kept` directions of B, and whether that is 1."""
    if rank == 0 or kept == 0:
        return np.zeros((A.shape[1], B.shape[1])), 1.0, False
    left, s, right_t = scipy.linalg.svd(A, full_matrices=False)
    G = right_t[:rank].T @ ((left[:, :rank].T @ B) / s[:rank, None])
    strengths = scipy.linalg.svdvals(G)[:kept]
    condition = float(strengths[0] / strengths[-1]) if strengths[-1] > 0 else np.inf
    slack = rank_tolerance(len(s), eps) * s[0] / s[rank - 1]
    return np.asarray(G), condition, bool(condition - 1 <= slack)


def remaining_eps(factor: PairFactor, tables: tuple[Matrix, Matrix], eps: tuple[float, float]) -> list[float]:
    """Rounding of both tables relative to what is left of them: what is far from the origin loses digits with its
    mean."""
    sizes = [(float(np.linalg.norm(whole)), float(np.linalg.norm(part)))
             for whole, part in zip((factor.first, factor.second), tables, strict=True)]  # fmt: skip
    return [own * whole / part if part > 0 else own for own, (whole, part) in zip(eps, sizes, strict=True)]


def numerical_directions(table: Matrix, eps: float) -> int:
    """Directions of a table that stand out of rounding; 0 for one without rows."""
    return numerical_rank(scipy.linalg.svdvals(table), eps) if len(table) else 0


def _isometry(A: Matrix, B: Matrix) -> Matrix:
    """R with orthonormal rows (k <= l) that brings A nearest to B up to a scale; refined where A is ill-conditioned."""
    left, _, right_t = scipy.linalg.svd(A.T @ B, full_matrices=False)
    R = np.asarray(left @ right_t)
    if A.shape[1] != B.shape[1]:
        return R
    axes, s = np.asarray(scipy.linalg.svd(A, full_matrices=True)[2]).T, np.zeros(A.shape[1])
    values = scipy.linalg.svdvals(A)
    s[: len(values)] = values
    weight = s[:, None] ** 2 + s**2
    noise = (rank_tolerance(len(s), float(np.finfo(np.float64).eps)) * s[0]) ** 2
    for _ in range(2):
        # A exp(Ω) ~ B Rᵀ / c to first order: Aᵀ A Ω + Ω Aᵀ A = Aᵀ D − Dᵀ A with D what is left over
        scale = _best_factor(A @ R, B)
        if not scale:
            return R
        inner = A.T @ (B @ R.T / scale - A)
        twist = axes.T @ (inner - inner.T) @ axes
        twist = axes @ np.divide(twist, weight, out=np.zeros_like(twist), where=weight > noise) @ axes.T
        if np.linalg.norm(twist) > 1e-3:
            return R
        R = np.asarray(scipy.linalg.expm(twist) @ R)
    return R


def _offset(shift: bool, mean_a: Vector, mean_b: Vector, matrix: Matrix) -> Vector:
    return np.asarray(mean_b - mean_a @ matrix) if shift else np.zeros(matrix.shape[1])


def _best_factor(A: Matrix, B: Matrix) -> float:
    """c of the least ‖c A − B‖; 0 where A is zero."""
    size = float(np.vdot(A, A))
    return float(np.vdot(A, B)) / size if size > 0 else 0.0
