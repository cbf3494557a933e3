"""Whitening, whole or in part, and its opposite number, the removal of the top directions: both as maps of tables."""

from __future__ import annotations

import numpy as np

from simgauge.core.gauges.canonical import GaugeMap
from simgauge.core.tables.principal_axes import PrincipalAxes
from simgauge.errors import ParameterError
from simgauge.parameters import check_integer


def whitening_from_axes(
    axes: PrincipalAxes, n_components: int | None = None, shrinkage: float = 0.0, strength: float = 1.0
) -> GaugeMap:
    """The map ``x -> (x − μ) U Λ_ρ^(−τ/2)``, with the users' side that belongs to it.

    Parameters
    ----------
    axes : PrincipalAxes
        μ, Λ (variances, non-increasing) and U.
    n_components : int, optional
        Keep the first of the axes only; all that have any spread when not given.
    shrinkage : float in [0, 1]
        ρ: ``Λ_ρ = (1 − ρ) Λ + ρ mean(Λ)``. Above 0 no direction is blown up beyond ρ mean(Λ), and none is dropped.
    strength : float in [0, 1]
        τ: 1 whitens, 0 only rotates, in between relaxes.

    Returns
    -------
    GaugeMap
        Dot products are those of ``users @ (items − μ).T`` within the kept axes.

    Gauge
    -----
    With every axis, ρ = 0 and τ = 1 the result does not depend on the incoming gauge, up to rotation; otherwise it
    does.

    References
    ----------
    Su et al. (2021), arXiv 2103.15316, section 3: ``(x − μ) U Λ^(−½)``, first k columns. Shrinkage: Ledoit & Wolf
    (2004), target the scaled identity. Relaxed whitening: arXiv 2402.10602.

    Examples
    --------
    >>> from simgauge.core.tables.principal_axes import principal_axes
    >>> table = np.array([[1.0, 0.0], [3.0, 0.0], [2.0, 0.3], [2.0, -0.3]])
    >>> white = whitening_from_axes(principal_axes(table)).apply_items(table)
    >>> (white.T @ white / 4).round(6) + 0.0
    array([[1., 0.],
           [0., 1.]])
    """
    if not 0 <= shrinkage <= 1:
        raise ParameterError(f"shrinkage={shrinkage}: expected a number from 0 (none) to 1 (no whitening at all).")
    if not 0 <= strength <= 1:
        raise ParameterError(f"strength={strength}: expected a number from 0 (only rotates) to 1 (whitens).")
    width = len(axes.mean)
    if n_components is not None and not 1 <= n_components <= width:
        raise ParameterError(f"n_components={n_components}: expected 1 to {width}, the width of the table.")
    kept = width if shrinkage > 0 or strength == 0 else axes.rank
    kept = kept if n_components is None else min(kept, n_components)
    variances = (1 - shrinkage) * axes.variances + shrinkage * axes.variances.mean()
    scale = variances[:kept] ** (strength / 2) if strength else np.ones(kept)
    U = axes.axes[:, :kept]
    return GaugeMap(U / scale, U * scale, axes.mean)


def removal_of_top(axes: PrincipalAxes, n_remove: int) -> GaugeMap:
    """The map ``x -> (x − μ)(I − U_D U_Dᵀ)``: mean and the D strongest directions removed, width unchanged.

    References
    ----------
    Mu & Viswanath (2018), arXiv 1702.01417, algorithm 1.

    Examples
    --------
    >>> from simgauge.core.tables.principal_axes import principal_axes
    >>> table = np.array([[1.0, 0.0], [3.0, 0.0], [2.0, 0.3], [2.0, -0.3]])
    >>> removal_of_top(principal_axes(table), 1).apply_items(table).round(6)[2:] + 0.0
    array([[ 0. ,  0.3],
           [ 0. , -0.3]])
    """
    width = len(axes.mean)
    check_integer(n_remove, "n_remove", 0, width - 1, meaning=f"fewer than the {width} columns")
    top = axes.axes[:, :n_remove]
    projection = np.eye(width) - top @ top.T
    return GaugeMap(projection, projection, axes.mean)
