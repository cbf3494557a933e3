"""How much two tables of the same rows agree: linear CKA, Procrustes, canonical correlations, from one pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simgauge.core.geometry.row_pairs import PickedRows
from simgauge.core.tables.kinds import FloatTable, Matrix, Vector
from simgauge.core.tables.moments import row_blocks
from simgauge.errors import InputError


@dataclass(frozen=True, eq=False)
class CrossMoments:
    """Products of the columns of two tables A (n, k) and B (n, l) with the same rows."""

    n_rows: int
    gram_a: Matrix
    """(k, k): AᵀA."""
    gram_b: Matrix
    """(l, l): BᵀB."""
    cross: Matrix
    """(k, l): AᵀB."""


@dataclass(frozen=True)
class Procrustes:
    """Best orthogonal match of two tables, both scaled to Frobenius norm one."""

    similarity: float
    """``max over R of <A, B R> = ‖AᵀB‖_*``, in [0, 1]."""
    distance: float
    """``min over R of ‖A − B R‖ = √(2 − 2 similarity)``, in [0, √2]."""
    angle: float
    """``arccos(similarity)``, radians, in [0, π/2]; obeys the triangle inequality."""


def cross_moments(a: FloatTable | PickedRows, b: FloatTable | PickedRows) -> CrossMoments:
    """Products of two tables about their mean rows: one pass, in row blocks, accumulated in float64.

    Parameters
    ----------
    a, b : ndarray or PickedRows, shapes (n, k) and (n, l)
        Row i of both describes the same thing; the numbers of columns may differ.

    Numerics
    --------
    n (k + l)² multiplications, memory O((k + l)²) beyond blocks.

    Raises
    ------
    InputError
        Different numbers of rows, or a table that is constant: nothing to compare.

    Examples
    --------
    >>> cross_moments(np.eye(2), np.eye(2)).cross
    array([[ 0.5, -0.5],
           [-0.5,  0.5]])
    """
    if len(a) != len(b):
        raise InputError(
            f"expected two tables of the same rows; received {len(a)} and {len(b)} rows. Match the ids first."
        )
    n_rows, k = a.shape
    total = _ScatterSum(k + b.shape[1])
    size = 0.0
    for rows in row_blocks(n_rows, k + b.shape[1]):
        parts = [np.asarray(table[rows], dtype=np.float64) for table in (a, b)]
        total.add(np.hstack(parts))
        size += float(sum(np.vdot(part, part) for part in parts))
    products = total.result()
    noise = n_rows * (4 * np.finfo(np.float64).eps) ** 2 * size
    for name, part in (("first", products[:k, :k]), ("second", products[k:, k:])):
        if not np.trace(part) > noise:
            raise InputError(f"the {name} table has no variation: all rows are equal, so it cannot be compared.")
    return CrossMoments(n_rows, products[:k, :k], products[k:, k:], products[:k, k:])


def linear_cka(moments: CrossMoments) -> float:
    """Linear centred kernel alignment ``‖AᵀB‖² / (‖AᵀA‖ ‖BᵀB‖)`` (Frobenius), in [0, 1].

    The cosine of the two n x n matrices of dot products, computed in the k x l space of features. Its arc cosine is the
    CKA distance of netrep. Biased upwards when n is not much larger than k + l.

    Gauge
    -----
    Unchanged by an orthogonal map, a scale and (centred) a shift of either table; changes under a general G, so CKA of
    a model with itself in another gauge is below 1.

    References
    ----------
    Kornblith, Norouzi, Lee, Hinton (2019), arXiv 1905.00414, Eq. 4 and Table 1.

    Examples
    --------
    >>> table = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 2.0]])
    >>> round(linear_cka(cross_moments(table, 3 * table[:, ::-1])), 12)
    1.0
    """
    norms = float(np.linalg.norm(moments.gram_a)) * float(np.linalg.norm(moments.gram_b))
    return min(float(np.linalg.norm(moments.cross)) ** 2 / norms, 1.0)


def procrustes(moments: CrossMoments) -> Procrustes:
    """Orthogonal Procrustes distance of two tables that are (centred and) scaled to Frobenius norm one.

    Gauge
    -----
    Unchanged by an orthogonal map, a scale and (centred) a shift of either table; changes under a general G.

    References
    ----------
    Schönemann (1966); Williams, Kunz, Kornblith, Linderman (2021), arXiv 2110.14739, eqs. 7 and 8. The disparity of
    `scipy.spatial.procrustes` is ``1 − similarity²``.

    Examples
    --------
    >>> table = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 3.0]])
    >>> round(procrustes(cross_moments(table, 3 * table[:, ::-1])).similarity, 12)
    1.0
    """
    nuclear = float(np.linalg.svd(moments.cross, compute_uv=False).sum())
    similarity = min(nuclear / float(np.sqrt(np.trace(moments.gram_a) * np.trace(moments.gram_b))), 1.0)
    return Procrustes(similarity, float(np.sqrt(2 - 2 * similarity)), float(np.arccos(similarity)))


def canonical_agreement(moments: CrossMoments) -> float:
    """Mean squared canonical correlation: share of the smaller column space that lies in the larger, in [0, 1].

    Gauge
    -----
    Invariant: any invertible G on either side leaves it alone. 1 says that a linear map (with a shift, where the
    moments are centred) turns the table with more directions into the other. Unrelated tables have not 0 but
    `chance_agreement`.

    Numerics
    --------
    Directions below √(k · 2e-16) of the strongest are left out of either space.

    References
    ----------
    Kornblith et al. (2019), arXiv 1905.00414, section 4, Eq. 7 (R²_CCA).

    Examples
    --------
    >>> table = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 2.0], [3.0, 1.0]])
    >>> round(canonical_agreement(cross_moments(table, table @ np.array([[1.0, 5.0], [0.0, 0.1]]))), 9)
    1.0
    """
    left, right = _whitener(moments.gram_a), _whitener(moments.gram_b)
    correlations = left.T @ moments.cross @ right
    return float(min(np.sum(correlations**2) / min(correlations.shape), 1.0))


def chance_agreement(moments: CrossMoments) -> float:
    """The canonical agreement that unrelated tables of these sizes have on average: d / (n − 1), at most 1.

    d is the larger number of directions of the two, and centred rows span n − 1: a direction
    that knows nothing of them has the share d / (n − 1) of its length among d of them. So 64 components and 100 shared
    items agree by .65 without being related, and with 65 items or fewer everything agrees with everything.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> moments = cross_moments(rng.normal(size=(101, 20)), rng.normal(size=(101, 5)))
    >>> chance_agreement(moments), round(canonical_agreement(moments), 1)
    (0.2, 0.2)
    """
    directions = max(_whitener(gram).shape[1] for gram in (moments.gram_a, moments.gram_b))
    return min(float(directions) / (moments.n_rows - 1), 1.0)


def agreement_above_chance(moments: CrossMoments) -> float | None:
    """Canonical agreement with chance taken off: ``(agreement − chance) / (1 − chance)``, 0 on average for unrelated
    tables.

    None where chance is 1: with so few rows nothing can be told.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> agreement_above_chance(cross_moments(rng.normal(size=(9, 8)), rng.normal(size=(9, 8)))) is None
    True
    """
    chance = chance_agreement(moments)
    return None if chance >= 1 else (canonical_agreement(moments) - chance) / (1 - chance)


def _whitener(gram: Matrix) -> Matrix:
    values, vectors = np.linalg.eigh(gram)
    keep = values > len(gram) * np.finfo(np.float64).eps * values[-1]
    return np.asarray(vectors[:, keep] / np.sqrt(values[keep]))


class _ScatterSum:
    """Sums of rows and of their products, shifted by the mean of the first block; the part that streams."""

    def __init__(self, n_columns: int) -> None:
        self._count = 0
        self._shift: Vector | None = None
        self._sum = np.zeros(n_columns)
        self._products = np.zeros((n_columns, n_columns))

    def add(self, block: Matrix) -> None:
        """Add the rows of a float64 block."""
        with np.errstate(over="ignore", invalid="ignore"):
            if self._shift is None:
                self._shift = block.mean(axis=0)
            shifted = block - self._shift
            self._count += len(block)
            self._sum += shifted.sum(axis=0)
            self._products += shifted.T @ shifted

    def result(self) -> Matrix:
        """Scatter about the mean row, (k, k)."""
        offset = self._sum / self._count
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(self._products - self._count * np.outer(offset, offset))
