"""Maps from the space of one encoder into that of another, fitted on rows of the same things in both spaces.

Unlike a change of gauge, none of them keeps dot products: two encoders are two models, and a map only comes near.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.linalg

from simgauge.core.tables.algebra import numerical_rank
from simgauge.core.tables.kinds import FloatTable, Matrix, Vector

PENALTIES = (0.0, 1e-4, 1e-3, 1e-2, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Of the linear maps, in units of the mean eigenvalue of the Gram matrix that is inverted: free of size and scale."""


@dataclass(frozen=True, eq=False)
class PairedRows:
    """Rows of the same things in two spaces, with the factors from which every map below follows."""

    new: Matrix
    """(n, k1), float64."""
    old: Matrix
    """(n, k0), float64."""

    @classmethod
    def of(cls, new: FloatTable, old: FloatTable) -> PairedRows:
        """The rows in double precision."""
        return cls(np.asarray(new, dtype=np.float64), np.asarray(old, dtype=np.float64))

    def rotation(self) -> Matrix:
        """(k1, k0): paired orthogonal Procrustes, the narrower side filled up with zeros.

        ``U Vᵀ`` of the SVD of newᵀ old: its rows are orthonormal where the new space is not wider, its columns where it
        is. Filled up to the wider of the two widths it is a rotation, and since columns of zeros add nothing to a dot
        product with old rows, this part of it ranks them as the whole does.

        References
        ----------
        Schönemann (1966), orthogonal Procrustes.
        """
        left, _, right = scipy.linalg.svd(self.new.T @ self.old, full_matrices=False)
        return np.asarray(left @ right)

    def linear(self, penalty: float) -> Matrix:
        """(k1, k0): ridge regression of old rows on new ones, ``(NᵀN + λI)⁻¹ NᵀO``."""
        return self._by_new.solved(penalty)

    def anchored(self, penalty: float) -> Matrix:
        """(k1, k0): relative representations, turned back into the old space.

        A new vector is described by its dot products with the anchors, which are the paired rows; the map gives the old
        vector of the same description: ``NᵀO (OᵀO + λI)⁻¹``. It is the regression the other way round.

        References
        ----------
        Moschella et al. (2023), Relative representations enable zero-shot latent space communication; Maiorca et al.
        (2024), Latent space translation via inverse relative projection.
        """
        return self._by_old.solved(penalty).T

    @cached_property
    def _by_new(self) -> _Regression:
        return _Regression.of(self.new, self.old)

    @cached_property
    def _by_old(self) -> _Regression:
        return _Regression.of(self.old, self.new)


@dataclass(frozen=True, eq=False)
class _Regression:
    """Of one table on another by the eigenvectors of its Gram matrix: every penalty from one decomposition."""

    eigenvalues: Vector
    axes: Matrix
    target: Matrix
    """``Vᵀ Tᵀ Y``"""

    @classmethod
    def of(cls, table: Matrix, wanted: Matrix) -> _Regression:
        s, V = scipy.linalg.eigh(table.T @ table)
        return cls(np.maximum(s, 0.0), V, V.T @ (table.T @ wanted))

    def solved(self, penalty: float) -> Matrix:
        """``(TᵀT + λI)⁻¹ TᵀY`` with λ in units of the mean eigenvalue of TᵀT; without a penalty the pseudo-inverse."""
        s = self.eigenvalues
        floor = len(s) * float(np.finfo(np.float64).eps) * s[-1]
        damped = np.where(s > floor, s + penalty * s.mean(), np.inf)
        return np.asarray((self.axes / damped) @ self.target)


def row_rank(table: FloatTable) -> int:
    """Directions that the rows span, beyond the rounding of their type.

    Examples
    --------
    >>> row_rank(np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 1.0, 0.0]]))
    2
    """
    R = scipy.linalg.qr(np.asarray(table, dtype=np.float64), mode="r")[0][: table.shape[1]]
    return numerical_rank(scipy.linalg.svdvals(R), float(np.finfo(table.dtype).eps))
