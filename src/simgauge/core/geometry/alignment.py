"""Maps from one latent space to another, fitted on rows that both hold: a rotation, or any linear map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from simgauge.core.tables.algebra import numerical_rank
from simgauge.core.tables.kinds import FloatTable, Matrix
from simgauge.errors import InputError


@dataclass(frozen=True, eq=False)
class SpaceMap:
    """``items -> items @ item_matrix`` and ``users -> users @ user_matrix``, which keep every dot product of the
    two."""

    item_matrix: Matrix
    """(k1, k0): H."""
    user_matrix: Matrix
    """(k1, k0): H⁻ᵀ, or (H⁺)ᵀ where H widens."""
    condition_number: float
    """Of H: 1 for a rotation. Rounding of predictions grows with it, and so may errors of the shared rows."""


def rotation_onto(new: FloatTable, old: FloatTable) -> SpaceMap:
    """The orthogonal R that brings the rows of `new` nearest to those of `old`.

    Parameters
    ----------
    new, old : ndarray, shapes (n, k1) and (n, k0)
        The same rows in two spaces.

    Returns
    -------
    SpaceMap
        ``argmin over R with R Rᵀ = I of ‖new R − old‖``: U Vᵀ of the SVD of newᵀ old. For k1 < k0 the rows of R are
        orthonormal, and cosines among the new rows stay as they are.

    Gauge
    -----
    Unique where newᵀ old has full rank. Cosines and dot products within the new model never change.

    Raises
    ------
    InputError
        k1 > k0: a rotation into fewer columns does not exist.

    References
    ----------
    Schönemann (1966), orthogonal Procrustes.

    Examples
    --------
    >>> table = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]])
    >>> quarter = np.array([[0.0, 1.0], [-1.0, 0.0]])
    >>> rotation_onto(table @ quarter, table).item_matrix.round(12) + 0.0
    array([[ 0., -1.],
           [ 1.,  0.]])
    """
    if new.shape[1] > old.shape[1]:
        raise InputError(_too_narrow(new.shape[1], old.shape[1]))
    cross = new.astype(np.float64).T @ old.astype(np.float64)
    left, _, right = scipy.linalg.svd(cross, full_matrices=False)
    R = np.asarray(left @ right)
    return SpaceMap(R, R, 1.0)


def linear_onto(new: FloatTable, old: FloatTable) -> SpaceMap:
    """The linear H that brings the rows of `new` nearest to those of `old`, with the users' side that belongs to it.

    Parameters
    ----------
    new, old : ndarray, shapes (n, k1) and (n, k0), k1 <= k0
        The same rows in two spaces.

    Returns
    -------
    SpaceMap
        ``H = new⁺ old`` by least squares, users by ``H⁻ᵀ`` (``(H⁺)ᵀ`` where k1 < k0), so that
        ``(P (H⁺)ᵀ)(Q H)ᵀ = P Qᵀ``.

    Gauge
    -----
    The lists of new H depend on the old space, not on the gauge in which `new` came: H undoes what differs between
    gauges, a chosen canonical one included.

    Numerics
    --------
    One QR of `new`, O(n k1²). Predictions are kept to 100 ε cond(H), relative to the largest.

    Raises
    ------
    InputError
        The shared rows do not span the new space (they fix H on a part of it only), H is not of full rank, or k1 > k0.

    Examples
    --------
    >>> table = np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]])
    >>> G = np.array([[1.0, 3.0], [0.0, 0.5]])
    >>> linear_onto(table @ G, table).item_matrix.round(12) + 0.0
    array([[ 1., -6.],
           [ 0.,  2.]])
    """
    k1, k0 = new.shape[1], old.shape[1]
    if k1 > k0:
        raise InputError(_too_narrow(k1, k0))
    eps = float(np.finfo(new.dtype).eps)
    Q, R = scipy.linalg.qr(new.astype(np.float64), mode="economic")
    rank = numerical_rank(scipy.linalg.svdvals(R), eps)
    if rank < k1:
        raise InputError(
            f"the {len(new)} shared rows span {rank} of the {k1} directions of the new model, so they do not fix a "
            f"linear "
            "map: pass models that share more items, or align by rotation."
        )
    H = np.asarray(scipy.linalg.solve_triangular(R, Q.T @ old.astype(np.float64)))
    left, s, right = scipy.linalg.svd(H, full_matrices=False)
    if numerical_rank(s, eps) < k1:
        found = f"condition number {s[0] / s[-1]:.2g}" if s[-1] > 0 else "no inverse"
        raise InputError(
            f"the linear map from the new model to the old one has {found}, more than {new.dtype} tables can undo: the "
            "models hardly share their weakest directions, and predictions would not be kept. Align by rotation, or "
            "leave the weakest directions out of both (simgauge preview says what fewer columns cost)."
        )
    return SpaceMap(H, np.asarray((left / s) @ right), float(s[0] / s[-1]))


def _too_narrow(k1: int, k0: int) -> str:
    return (
        f"the new model has {k1} components and the old one {k0}: {k0} columns cannot hold its predictions. With "
        f"wider='widen' the old model is filled up with {k1 - k0} columns of zeros, and its index must be written "
        "anew; with wider='truncate' the new model is truncated, and what that costs is said."
    )
