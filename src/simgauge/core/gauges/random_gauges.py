"""Random gauges of a known condition number, and the check of a given one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simgauge.core.tables.kinds import Matrix
from simgauge.errors import ParameterError


def random_gauge_matrix(n_components: int, condition_number: float, rng: np.random.Generator) -> Matrix:
    """G = R₁ diag(d) R₂ with Haar rotations and d log-uniform in [1, c], both ends attained, unit geometric mean."""
    if n_components < 1:
        raise ParameterError(f"n_components={n_components}: expected at least 1.")
    if not (np.isfinite(condition_number) and condition_number >= 1):
        raise ParameterError(f"condition_number={condition_number}: expected a finite number >= 1.")
    if n_components == 1 and condition_number > 1:
        raise ParameterError("condition_number > 1 needs n_components >= 2: one component only has a scale.")
    axes, exponents = random_axes(n_components, rng)
    d = condition_number ** (exponents - exponents.mean())
    return np.asarray((axes * d) @ _haar_rotation(n_components, rng))


def random_axes(n_components: int, rng: np.random.Generator) -> tuple[Matrix, Matrix]:
    """A Haar rotation (k, k), and exponents (k,) uniform in [0, 1] of which one is 0 and one is 1 (for k >= 2)."""
    exponents = rng.uniform(size=n_components)
    if n_components > 1:
        exponents[:2] = 0.0, 1.0
    return _haar_rotation(n_components, rng), exponents


def check_gauge_matrix(gauge: NDArray[np.floating], n_components: int) -> Matrix:
    """G as float64 when it is a k x k, finite, numerically invertible matrix."""
    G = np.asarray(gauge, dtype=np.float64)
    if G.shape != (n_components, n_components):
        raise ParameterError(f"G has shape {G.shape}: expected ({n_components}, {n_components}).")
    if not np.isfinite(G).all():
        raise ParameterError("G holds NaN or infinite entries: expected a finite invertible matrix.")
    condition = np.linalg.cond(G)
    if not condition < 1 / np.finfo(np.float64).eps:
        raise ParameterError(f"G is singular to rounding (condition number {condition:.1e}): expected invertible.")
    return G


def _haar_rotation(n: int, rng: np.random.Generator) -> Matrix:
    orthogonal, upper = np.linalg.qr(rng.standard_normal((n, n)))
    return np.asarray(orthogonal * np.where(np.diag(upper) < 0, -1.0, 1.0))
