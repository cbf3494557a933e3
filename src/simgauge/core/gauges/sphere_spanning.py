"""Does training on the unit sphere fix the gauge? Only if the b bᵀ span the symmetric matrices."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh_tridiagonal

from simgauge.core.tables.arrays import on_host, to_host
from simgauge.core.tables.kinds import FloatTable, Table
from simgauge.core.tables.tables import as_table, take_rows, unit_rows

Floats = NDArray[np.float64]

LARGEST_EXACT = 1_600
"""Largest n_components·(n_components + 1)/2 for which the rank is computed by SVD (56 components)."""

LARGEST_ITERATIVE = 256
"""Largest n_components for the randomised test; beyond it one product with the operator takes minutes."""

RITZ_ROUNDING = 1e-12
"""Relative eigenvalues below this are rounding in the randomised test, which works with squares."""

ERROR_PROBABILITY, MOST_STEPS = 1e-9, 400
"""Chance that the randomised test overlooks a null direction, and its most steps (50 are typical)."""

ROWS_PER_BLOCK = 16_384


class SphereSpanning(NamedTuple):
    """Whether b bᵀ over the rows of a table span the symmetric matrices; see `sphere_spanning`."""

    spans: bool | None
    needed: int
    rank: int | None
    margin: float | None
    exact: bool


def sphere_spanning(table: Any, *, rng: np.random.Generator | None = None) -> SphereSpanning:
    """Whether unit norms during training leave no gauge freedom but rotations and reflections.

    If all rows of B are held at norm one while training, a gauge G must keep them there: b S bᵀ = 1 for all rows, with
    S = G Gᵀ. S = I is the only solution iff the matrices bᵀb span Sym(k), that is have rank k(k+1)/2. Fewer rows
    than that never suffice. Normalising after training removes no gauge, whatever the rank.

    Parameters
    ----------
    table : array-like, tensor or RowParts, shape (n_rows, n_components)
        The rows that were kept on the sphere. Their lengths here do not matter; zero rows are left out. Of tensors and
        parts a sample of 3·needed rows is copied to the host and tested.
    rng : numpy.random.Generator, optional
        Which rows are tried first, and the start of the randomised test. Seeded with 0 when not given.

    Returns
    -------
    SphereSpanning
        spans : True, False, or None where the question was not decided (rows enough, but more than 256 components, or
        see Numerics).
        needed : k(k+1)/2.
        rank : of the span; None where it was not computed (False or None by the randomised test).
        margin : smallest over largest singular value of the products (after whitening; without the identity direction
        in the randomised test); 0 where a count of rows or directions already decides; None if not computed. Small
        values mean: identified, but only just.
        exact : by counting or SVD (True), or by the randomised test (False).

    Numerics
    --------
    Rows are whitened and set to norm one: neither changes the answer. Up to 56 components: SVD of (rows x needed), on a
    random sample of rows first, which settles the positive case. Up to 256: Lanczos on S ↦ Σ (b S bᵀ) bᵀb without
    forming it, O(n_rows · k²) a step, on a sample of 3·needed rows first. Its smallest Ritz value falls towards the
    smallest eigenvalue: at zero the answer is False; once a null direction would have shown with probability 1 − 1e-9
    it is True; neither after 400 steps (hardly more rows than needed): None. Tolerance as in numpy.linalg.matrix_rank,
    with the eps of the table's dtype.

    Raises
    ------
    InputError
        Bad table.

    References
    ----------
    Own derivation: 9 rows in 4 dimensions have rank 9 < 10, 10 rows in general position have 10. Kuczyński,
    Woźniakowski (1992), SIAM J. Matrix Anal. Appl. 13, for Lanczos with a random start.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> sphere_spanning(rng.normal(size=(9, 4)))[:3]
    (False, 10, 9)
    >>> sphere_spanning(rng.normal(size=(10, 4)))[:3]
    (True, 10, 10)
    """
    checked = as_table(table)
    n_components = checked.shape[1]
    needed = n_components * (n_components + 1) // 2
    if not on_host(checked):
        return _from_a_sample(checked, 3 * needed, np.random.default_rng(0) if rng is None else rng)
    tolerance = float(np.finfo(checked.dtype).eps)
    rows = checked[checked.any(axis=1)]
    whitened, dimension = _whiten(rows, tolerance)
    full = dimension == n_components
    generator = np.random.default_rng(0) if rng is None else rng
    if needed <= LARGEST_EXACT:
        rank, margin = _exact_rank(whitened, tolerance, generator)
        return SphereSpanning(rank == needed, needed, rank, margin if full else 0.0, exact=True)
    if not full or len(rows) < needed:
        return SphereSpanning(False, needed, None, 0.0, exact=True)
    if n_components > LARGEST_ITERATIVE:
        return SphereSpanning(None, needed, None, None, exact=False)
    spans, smallest = None, 0.0
    for n_tried in sorted({min(3 * needed, len(rows)), len(rows)}):
        tried = whitened if n_tried == len(rows) else whitened[generator.choice(len(rows), n_tried, replace=False)]
        spans, smallest = _decide(tried, tolerance * needed, generator)
        if spans:
            break
    return SphereSpanning(spans, needed, needed if spans else None, smallest, exact=False)


def _from_a_sample(table: Table, count: int, rng: np.random.Generator) -> SphereSpanning:
    """Decide by a sample of rows that lie elsewhere: what the sample spans, all rows span; otherwise undecided."""
    picked = np.arange(len(table)) if len(table) <= count else np.sort(rng.choice(len(table), count, replace=False))
    found = sphere_spanning(to_host(take_rows(table, picked)), rng=rng)
    return found if found.spans or len(picked) == len(table) else found._replace(spans=None, rank=None)


def _whiten(rows: FloatTable, tolerance: float) -> tuple[Floats, int]:
    """Unit rows in the basis where their second moments are equal: an invertible change that evens out the spectrum."""
    if not len(rows):
        return np.zeros((0, 1)), 0
    unit = unit_rows(rows).astype(np.float64)
    levels, basis = np.linalg.eigh(unit.T @ unit)
    kept = levels > levels[-1] * max(tolerance**2 * len(rows), 1e-14)
    return unit_rows(unit @ (basis[:, kept] / np.sqrt(levels[kept]))).astype(np.float64), int(kept.sum())


def _products(rows: Floats) -> Floats:
    """Rows of b_f b_g, f <= g, off-diagonal ones times √2: their inner products are (b·b')²."""
    first, second = np.triu_indices(rows.shape[1])
    result: Floats = rows[:, first] * rows[:, second] * np.where(first == second, 1.0, np.sqrt(2.0))
    return result


def _exact_rank(rows: Floats, tolerance: float, rng: np.random.Generator) -> tuple[int, float]:
    needed = rows.shape[1] * (rows.shape[1] + 1) // 2
    sample = rows if len(rows) <= 2 * needed else rows[rng.choice(len(rows), 2 * needed, replace=False)]
    rank, margin = _rank(_products(sample), tolerance)
    if rank == needed or len(sample) == len(rows):
        return rank, margin
    # a triangular factor of all rows has the singular values of the whole at any number of rows
    factor = np.empty((0, needed))
    for start in range(0, len(rows), ROWS_PER_BLOCK):
        stacked = np.concatenate([factor, _products(rows[start : start + ROWS_PER_BLOCK])])
        factor = np.asarray(np.linalg.qr(stacked, mode="r"))
    return _rank(factor, tolerance)


def _rank(products: Floats, tolerance: float) -> tuple[int, float]:
    if not products.size:
        return 0, 0.0
    values = np.linalg.svd(products, compute_uv=False)
    rank = int((values > values[0] * max(products.shape) * tolerance).sum())
    return rank, float(values[-1] / values[0]) if len(values) == products.shape[1] else 0.0


class _SpanOperator:
    """S ↦ Σ (b S bᵀ) bᵀb on the traceless symmetric matrices, as vectors in an orthonormal basis; never formed.

    If b S bᵀ = 0 for all rows then trace S = Σ z S zᵀ = 0 over the whitened rows z, as Σ zᵀz = I: nothing is missed.
    Left out is the direction of the identity, whose eigenvalue is about k/2 times the others and would hide them.
    """

    def __init__(self, rows: Floats) -> None:
        self.rows = rows
        self.first, self.second = np.triu_indices(rows.shape[1])
        self.weight = np.where(self.first == self.second, 1.0, np.sqrt(0.5))

    def start(self, rng: np.random.Generator) -> Floats:
        vector = self.traceless(rng.normal(size=len(self.first)))
        result: Floats = vector / np.linalg.norm(vector)
        return result

    def traceless(self, vector: Floats) -> Floats:
        """Take the identity direction out in place, because rounding lets it in."""
        diagonal = self.first == self.second
        vector[diagonal] -= vector[diagonal].mean()
        return vector

    def __call__(self, vector: Floats) -> Floats:
        k = self.rows.shape[1]
        symmetric, total = np.zeros((2, k, k))
        symmetric[self.first, self.second] = vector * self.weight
        symmetric[self.second, self.first] = symmetric[self.first, self.second]
        for start in range(0, len(self.rows), ROWS_PER_BLOCK):
            block = self.rows[start : start + ROWS_PER_BLOCK]
            total += (block * np.einsum("ij,ij->i", block @ symmetric, block)[:, None]).T @ block
        return self.traceless(total[self.first, self.second] / self.weight)


def _decide(rows: Floats, tolerance: float, rng: np.random.Generator) -> tuple[bool | None, float]:
    """Lanczos with full reorthogonalisation until the smallest Ritz value is zero, or cannot become zero any more."""
    apply = _SpanOperator(rows)
    size = len(apply.first) - 1
    basis = np.empty((min(MOST_STEPS, size), size + 1))
    basis[0] = apply.start(rng)
    diagonal, beside = np.zeros(len(basis)), np.zeros(len(basis))
    margin = np.inf
    for step in range(len(basis)):
        image = apply(basis[step])
        diagonal[step] = basis[step] @ image
        for _ in range(2):
            image = apply.traceless(image - basis[: step + 1].T @ (basis[: step + 1] @ image))
        beside[step] = np.linalg.norm(image)
        last = step + 1 == len(basis) or beside[step] <= RITZ_ROUNDING * diagonal[: step + 1].max()
        if step % 10 == 9 or last:
            values = eigh_tridiagonal(diagonal[: step + 1], beside[:step], eigvals_only=True)
            margin = float(np.sqrt(max(values[0], 0.0) / values[-1]))
            if margin <= max(tolerance, RITZ_ROUNDING**0.5):
                return False, margin
            # Kuczyński and Woźniakowski (1992): the chance to be this far above a smallest eigenvalue of zero
            if margin * (2 * step + 1) >= np.log(1.648 * np.sqrt(size) / ERROR_PROBABILITY) or step + 1 == size:
                return True, margin
        if last:
            break
        basis[step + 1] = image / beside[step]
    return None, margin
