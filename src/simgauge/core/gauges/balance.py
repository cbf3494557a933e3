"""Do two factor tables look as if a penalty on both had fixed their gauge? The balance of PᵀP and QᵀQ."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simgauge.core.tables.tables import as_table
from simgauge.errors import InputError

Floats = NDArray[np.float64]
Verdict = Literal["balanced", "near balance", "commuting", "unbalanced"]

NEGLIGIBLE = 1e-6
"""Directions with less than this share of the largest energy in both tables are left out: they move no cosine."""

BALANCED, NEAR_BALANCE = 1.1, 2.0
"""Largest condition number to call tables balanced, or near balance.

Measured with `implicit` ALS on MovieLens 100K (16 factors; regularisation .05 to 10; 5, 15 and 50 iterations) and the
top-10 overlap between the items as trained and in the balanced gauge: up to 1.1 the overlap is .99 or more, around 1.3
it is .98, at 1.5 to 1.7 .91 to .93, above 4 between .86 and .92.
"""

COMMUTING = 1e-5
"""Largest commutator to call two Gram matrices commuting; spectral solutions stored in float32 stay below 1e-6."""


class GaugeBalance(NamedTuple):
    """Distance of two tables from the gauge that a penalty on both factors fixes; see `gauge_balance`."""

    condition_number: float
    scale: float
    commutator: float
    distance: float
    rank: int

    @property
    def verdict(self) -> Verdict:
        """The reading of the figures: see `gauge_balance`."""
        if self.condition_number <= BALANCED:
            return "balanced"
        if self.commutator <= COMMUTING:
            return "commuting"
        return "near balance" if self.condition_number <= NEAR_BALANCE else "unbalanced"


def gauge_balance(user_gram: Any, item_gram: Any) -> GaugeBalance:
    """Distance of two factor tables from balance, C_P = c·C_Q, as the condition number of a metric.

    A penalty λ_P‖P‖² + λ_Q‖Q‖² on the factors of any loss of P Qᵀ is stationary along the gauge only if
    λ_P PᵀP = λ_Q QᵀQ: Eq. 2 gives C_P = C_Q, different strengths give C_P = c·C_Q with c = λ_Q/λ_P. In general the
    metric M that balances the tables solves M C_P M = C_Q; it is the geometric mean of C_P⁻¹ and C_Q. Item cosines as
    given and in the balanced gauge (α = ½) differ by this metric, so its condition number κ_b bounds by how much
    (`cosine_bounds`, `neighbor_certificate`).

    Parameters
    ----------
    user_gram, item_gram : array-like, shape (n_components, n_components)
        C_P = PᵀP and C_Q = QᵀQ. For the "weights" penalty on A and B of X ≈ X A Bᵀ pass AᵀA instead of PᵀP.

    Returns
    -------
    GaugeBalance
        condition_number : κ_b >= 1; 1 exactly at balance, inf where a direction is missing in one table only.
        scale : c, the geometric mean of the eigenvalues of C_P relative to C_Q; 1 for equal strengths.
        commutator : ‖C_P C_Q − C_Q C_P‖ / (√2 ‖C_P‖ ‖C_Q‖) in [0, 1]; 0 if one rotation makes both Grams diagonal, as
        in every spectral solution (truncated SVD, "product", "weights", "factors"), whatever its column scale.
        distance : sine of the angle between C_P and C_Q in [0, 1], ruled by their largest directions; 0 iff
        proportional.
        rank : directions that were compared; those with less than 1e-6 of the energy in both tables are left out.
        verdict : "balanced" (κ_b <= 1.1); else "commuting" (commutator <= 1e-5); else "near balance" (κ_b <= 2);
        else "unbalanced". `BALANCED` says where the numbers come from.

    Gauge
    -----
    None of the figures changes under a common rotation or a rescaling of either table. They do change under other
    gauges, P G and Q G⁻ᵀ: that is what they measure. κ_b grows up to cond(G)²-fold.

    Balance is necessary for such a penalty at its optimum, not sufficient: isotropic tables are balanced by chance, and
    word2vec-like training from small starts ends near balance without any penalty. Tables that are not
    balanced say that the penalty has not fixed the gauge: too few iterations for its strength, another objective,
    a later rescaling, or penalties weighted by counts.

    Numerics
    --------
    O(n_components³). Sum the Grams in float64.

    Raises
    ------
    InputError
        Not two square matrices of one size, not symmetric, not positive semi-definite, or zero.

    References
    ----------
    Steck, Ekanadham, Kallus (2024), arXiv:2403.05440, Eq. 2 and 6.

    Examples
    --------
    >>> rotation = np.array([[0.8, -0.6], [0.6, 0.8]])
    >>> gram = rotation @ np.diag([4.0, 1.0]) @ rotation.T
    >>> gauge_balance(gram, 9 * gram).verdict
    'balanced'
    >>> spectral = gauge_balance(np.diag([16.0, 1.0]), np.eye(2))
    >>> round(spectral.condition_number, 9), spectral.verdict
    (4.0, 'commuting')
    >>> gauge_balance(gram, np.diag([1.0, 8.0])).verdict
    'unbalanced'
    """
    user, item = _as_gram(user_gram, "user_gram"), _as_gram(item_gram, "item_gram")
    if user.shape != item.shape:
        raise InputError(
            f"user_gram and item_gram: expected the same size; received {user.shape} and {item.shape}. "
            "Both tables need the same n_components."
        )
    energy, directions = np.linalg.eigh(user + item)
    directions = directions[:, energy > NEGLIGIBLE * energy[-1]]
    relative = _balancing_eigenvalues(directions.T @ user @ directions, directions.T @ item @ directions)
    return GaugeBalance(
        condition_number=float(relative[-1] / relative[0]) if relative[0] > 0 else np.inf,
        scale=_scale(relative) * float(_trace(user_gram) / _trace(item_gram)),
        commutator=_commutator(user, item),
        distance=_sine(user, item),
        rank=directions.shape[1],
    )


def _balancing_eigenvalues(user: Floats, item: Floats) -> Floats:
    """Eigenvalues, ascending, of M with M C_P M = C_Q: squared singular values of S^¼ Vᵀ L⁻¹ with C_P = LLᵀ."""
    levels, basis = np.linalg.eigh(user)
    own = np.linalg.eigvalsh(item)
    if levels[0] <= NEGLIGIBLE**2 * levels[-1] or own[0] <= NEGLIGIBLE**2 * own[-1]:
        return np.array([0.0, 1.0])
    root = basis * np.sqrt(levels)
    squares, turn = np.linalg.eigh(root.T @ item @ root)
    inverse_root = (basis / np.sqrt(levels)).T
    half = np.maximum(squares, 0.0)[:, None] ** 0.25 * (turn.T @ inverse_root)
    result: Floats = np.square(np.linalg.svd(half, compute_uv=False))[::-1]
    return result


def _scale(relative: Floats) -> float:
    """M = c^-½ I at balance, so c is the inverse square of the geometric mean of the eigenvalues of M."""
    return float(np.exp(-2.0 * np.log(relative).mean())) if relative[0] > 0 else float("nan")


def _commutator(user: Floats, item: Floats) -> float:
    bound = np.sqrt(2.0) * np.linalg.norm(user) * np.linalg.norm(item)  # Böttcher and Wenzel (2008)
    return float(np.linalg.norm(user @ item - item @ user) / bound)


def _sine(user: Floats, item: Floats) -> float:
    first, second = user / np.linalg.norm(user), item / np.linalg.norm(item)
    half = float(np.linalg.norm(first - second)) / 2  # sin φ = 2 sin(φ/2) cos(φ/2), accurate near 0
    return float(2 * half * np.sqrt(max(0.0, 1 - half * half)))


def _trace(gram: Any) -> float:
    return float(np.trace(np.asarray(gram, dtype=np.float64)))


def _as_gram(gram: Any, name: str) -> Floats:
    """The Gram matrix over its trace, float64, symmetric."""
    matrix = as_table(gram, name).astype(np.float64)
    if matrix.shape[0] != matrix.shape[1] or not np.allclose(
        matrix, matrix.T, rtol=1e-5, atol=1e-6 * abs(matrix).max()
    ):
        raise InputError(f"{name}: expected a symmetric matrix such as QᵀQ; received shape {matrix.shape}.")
    matrix = (matrix + matrix.T) / 2
    levels = np.linalg.eigvalsh(matrix)
    if levels[-1] <= 0 or levels[0] < -1e-6 * levels[-1]:
        raise InputError(
            f"{name}: expected a positive semi-definite matrix such as QᵀQ, not zero; its eigenvalues run from "
            f"{levels[0]:.3g} to {levels[-1]:.3g}."
        )
    result: Floats = matrix / np.trace(matrix)
    return result
