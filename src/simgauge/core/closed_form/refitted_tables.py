"""Tables of the regularised linear model of weighted interactions, in the canonical gauge of its predictions."""

from __future__ import annotations

import numpy as np

from simgauge.core.closed_form.factorize import Penalty, component_scales
from simgauge.core.gauges.canonical import canonical_core, power_map
from simgauge.core.matrices.reweighting import Reweighted
from simgauge.core.spectral.spectrum import Spectrum
from simgauge.core.tables.kinds import Matrix
from simgauge.errors import InputError


def linear_tables(
    X: Reweighted, spectrum: Spectrum, penalty: Penalty, l2: float, power: float | None
) -> tuple[Matrix, Matrix]:
    """Users and items of ``X ≈ X A Bᵀ``.

    With ``A = V a``, ``B = V b`` (see `factorize`) the singular values of the predictions are ``t = σ a b``, and the
    gauge α is ``items = V t^α``, ``users = X V (a b) t^(−α)``: diagonal, nothing is decomposed again. Components that
    the penalty shrinks to zero are left out.

    Parameters
    ----------
    X : Reweighted
        n_users x n_items.
    spectrum : Spectrum
        Of X.
    penalty, l2
        As for `factorize`.
    power : float, optional
        α. None: the gauge that the penalty itself fixes, ``users = X A``, ``items = B``.

    Returns
    -------
    users, items : ndarray, shape (n_users, r), (n_items, r), float64

    Raises
    ------
    InputError
        Every component is shrunk to zero.

    Examples
    --------
    >>> import scipy.sparse as sp
    >>> from simgauge.core.matrices.reweighting import unchanged
    >>> from simgauge.core.spectral.spectrum import spectrum
    >>> X = unchanged(sp.csr_array(np.diag([3.0, 1.0])))
    >>> users, items = linear_tables(X, spectrum(X.matrix, 2), "product", 1.0, power=1.0)
    >>> (users @ items.T).round(3)
    array([[2.7, 0. ],
           [0. , 0.5]])
    """
    sigma = np.asarray(spectrum.singular_values, dtype=np.float64)
    a, b = component_scales(sigma, penalty, l2)
    kept = sigma * a * b > 0
    if not kept.any():
        raise InputError(
            f"l2={l2:g} shrinks every component to zero (largest singular value {sigma[0]:.4g}): pass a smaller l2."
        )
    a, b, t = a[kept], b[kept], (sigma * a * b)[kept]
    V = np.asarray(spectrum.right_vectors[:, kept], dtype=np.float64)
    item_scale, user_scale = (b, a) if power is None else (t**power, a * b * t**-power)
    return X.project(V) * user_scale, V * item_scale


def dropout_tables(X: Reweighted, spectrum: Spectrum, encoded: Matrix, power: float | None) -> tuple[Matrix, Matrix]:
    """The same for input dropout, whose encoder ``H⁻¹ G V`` is not diagonal in V (see `core.closed_form.dropout`).

    ``power=None`` gives the representative with A and B of equal column norms, as `factorize_dropout` does.
    """
    kept = spectrum.singular_values > 0
    if not kept.any():
        raise InputError("there are no interactions with these items: nothing to refit.")
    A, V = encoded[:, kept], np.asarray(spectrum.right_vectors[:, kept], dtype=np.float64)
    users = X.project(A)
    if power is None:
        root = np.sqrt(np.linalg.norm(A, axis=0))
        return users / root, V * root
    gauge = power_map(canonical_core(users, V), power)
    return np.asarray(gauge.apply_users(users), dtype=np.float64), np.asarray(gauge.apply_items(V), dtype=np.float64)
