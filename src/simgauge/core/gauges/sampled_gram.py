"""How far the Gram matrix of sampled rows can be from that of all rows, and what that does to a balance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from simgauge.core.tables.arrays import beside, doubled, namespace, to_host
from simgauge.core.tables.kinds import Array, Matrix, Table
from simgauge.core.tables.tables import map_rows

ROWS_PER_COMPONENT = 2
"""Fewer rows than this for each component leave the smallest directions of a Gram matrix open."""


def sampled_balance_factor(table: Table, gram: Matrix, counts: NDArray[np.float64] | None = None) -> float:
    """Factor f such that κ_b of all rows lies in [κ̂/f, κ̂·f], where κ̂ is that of a sample of the rows of one side.

    With C the Gram of all rows and Ĉ that of the sample, in units of the sample's share, let W = C^-½ Ĉ C^-½. As
    λ_min(W) C <= Ĉ <= λ_max(W) C and the geometric mean of two matrices grows with both, the balancing metrics (see
    `gauge_balance`) satisfy λ_max^-½ M <= M̂ <= λ_min^-½ M, so their condition numbers differ by at most f = √cond(W).
    The edges of the spectrum of W follow from the rows' own weights: W ≈ Σ t_u z_u z_uᵀ with Gaussian z_u and t_u
    proportional to h/(1 − h), h the leverage of a row (the square of its Mahalanobis length by the other rows).

    Parameters
    ----------
    table : ndarray, tensor or RowParts, shape (n_rows, k)
        The sample.
    gram : ndarray, shape (k, k)
        ``table.T @ table``, float64, each row weighted by its count where there are some.
    counts : ndarray, shape (n_rows,), >= 0, optional
        Weights of the rows in the Gram matrix.

    Returns
    -------
    float, >= 1
        inf where the sample cannot tell: two rows or fewer for each component, or a row that alone spans a direction.

    Gauge
    -----
    The same in every gauge: leverages do not change under an invertible map of the columns.

    Numerics
    --------
    One pass over the rows. Coverage (simulated, see the tests; 8 and 64 components, 3 to 64 rows a component; Gaussian,
    t with 5 degrees of freedom, log-normal lengths): 100 %, as the step by operators is a worst case. For equal lengths
    f is (1 + √γ)/(1 − √γ), γ = k/n.

    References
    ----------
    Silverstein, Choi (1995), J. Multivariate Analysis 54, for the edges; Ando (1979) for the monotone mean.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(6_400, 16))
    >>> bool(1.1 < sampled_balance_factor(rows, rows.T @ rows) < 1.12)
    True
    >>> sampled_balance_factor(rows[:20], rows[:20].T @ rows[:20])
    inf
    """
    if len(table) <= ROWS_PER_COMPONENT * table.shape[1]:
        return float("inf")
    levels, basis = np.linalg.eigh(gram)
    kept = levels > levels[-1] * len(levels) * np.finfo(np.float64).eps
    inverse_root = basis[:, kept] / np.sqrt(levels[kept])
    leverages = np.concatenate(list(map_rows(table, _squared_lengths, inverse_root)))
    leverages = leverages if counts is None else leverages * counts
    if leverages.max() > 1 - 1e-9:
        return float("inf")
    weights = leverages[leverages > 0] / (1 - leverages[leverages > 0])
    low, high = spectrum_edges(weights / weights.sum(), int(kept.sum()))
    return float(np.sqrt(high / low)) if low > 0 else float("inf")


def spectrum_edges(weights: NDArray[np.float64], n_components: int) -> tuple[float, float]:
    """Edges of the spectrum of ``Σ t_u z_u z_uᵀ``, z_u standard normal with n_components entries, for many of both.

    The extrema of x(m) = −k/m + Σ t_u/(1 + t_u m): its largest value for m > 0 is the lower edge, its smallest between
    −1/max(t) and 0 the upper one.

    Examples
    --------
    >>> np.round(spectrum_edges(np.full(400, 1 / 400), 100), 6)  # (1 ± √(1/4))²
    array([0.25, 2.25])
    """
    largest = float(weights.max())

    def edge(m: float) -> float:
        return float(-n_components / m + np.sum(weights / (1 + weights * m)))

    low = minimize_scalar(
        lambda log_m: -edge(np.exp(log_m)),
        bounds=(np.log(1e-3 / largest), np.log(1e6 / float(weights.min()))),
        method="bounded",
        options={"xatol": 1e-9},
    )
    high = minimize_scalar(
        lambda logit: edge(-1 / largest / (1 + np.exp(logit))),
        bounds=(-25.0, 12.0),
        method="bounded",
        options={"xatol": 1e-9},
    )
    return max(float(-low.fun), 0.0), float(high.fun)


def _squared_lengths(block: Array, _: int, inverse_root: Matrix) -> NDArray[np.float64]:
    wide = doubled(block)
    moved = wide @ beside(inverse_root, wide)
    return to_host(namespace(moved).sum(moved * moved, axis=1))
