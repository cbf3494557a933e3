"""Which route to the spectrum is cheapest: explicit counts, so that the choice can be read, tested and argued with."""

from __future__ import annotations

from dataclasses import dataclass

from simgauge.core.matrices.gram import gram_flops
from simgauge.core.matrices.matrix_input import stored_values
from simgauge.core.spectral.krylov_basis import BLOCK
from simgauge.core.tables.kinds import MatrixLike
from simgauge.core.tables.row_parts import RowParts

EIGH = 6.0
"""Flops of LAPACK's symmetric eigen-solver per n³, as equivalents of a matrix product (half of it is memory-bound)."""

SVD = 20.0
"""The same for the singular value decomposition, per (long side) * (short side)²."""

SPARSE = 6.0
"""One multiplication of a sparse product with a block of vectors costs as much as this many in a dense product."""

FREE = 4e9
"""Below this many flops (about 0.2 s on one core) accuracy decides, not speed: LAPACK's SVD."""


@dataclass(frozen=True)
class RouteCosts:
    """Estimated work of each route, in flops of a dense float64 matrix product (about 2e10 a second and core)."""

    dense: float
    gram: float
    lanczos: float

    @property
    def choice(self) -> str:
        """ "dense" when it is as good as free, else the cheaper of "gram" and "lanczos"."""
        if self.dense <= FREE:
            return "dense"
        return "gram" if self.gram <= self.lanczos else "lanczos"


def gram_side(X: MatrixLike) -> str:
    """The side whose Gram matrix is smaller: "items" (XᵀX) or "users" (XXᵀ); parts by rows only have XᵀX."""
    return "items" if X.shape[1] <= X.shape[0] or isinstance(X, RowParts) else "users"


def route_costs(X: MatrixLike, n_components: int) -> RouteCosts:
    """Work of LAPACK's SVD, of the Gram matrix with `eigh`, and of block Lanczos.

    With short side n, long side N and k components:

    - dense: 20 N n²
    - gram: the Gram matrix (dense blocks or sparse product, the cheaper) + 6 n³ + 4 n² k
    - lanczos: t steps of a block b = 16, t = 6 + 4 k / b (what power-law interactions need for the default tolerance):
      t products of 4 nnz b multiplications, each 6 (sparse) or 1 (dense), and 4 n b² t² for orthogonality.
      Not considered when the basis, t b columns, would fill half of the space.

    Examples
    --------
    >>> import numpy as np
    >>> route_costs(np.ones((300, 40)), 5).choice
    'dense'
    >>> import scipy.sparse as sp
    >>> route_costs(sp.random_array((40_000, 30_000), density=1e-3, format="csr", rng=0), 64).choice
    'lanczos'
    """
    short, long = sorted(X.shape)
    side = gram_side(X)
    order = X.shape[1] if side == "items" else X.shape[0]
    gram = min(gram_flops(X, side)) + EIGH * order**3 + 4.0 * order**2 * n_components
    steps = 6 + 4 * n_components / BLOCK
    stored, weight = stored_values(X), 1.0 if stored_values(X) == X.shape[0] * X.shape[1] else SPARSE
    products = steps * 4.0 * stored * BLOCK * weight
    lanczos = products + 4.0 * order * BLOCK**2 * steps**2
    if 2 * steps * BLOCK > order:
        lanczos = float("inf")
    return RouteCosts(dense=SVD * long * short**2, gram=gram, lanczos=lanczos)
