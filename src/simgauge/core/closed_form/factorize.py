"""The paper's regularised linear models in closed form: one spectrum, every penalty, every rank, every λ."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from simgauge.core.spectral.spectrum import Spectrum
from simgauge.core.tables.arrays import beside, namespace
from simgauge.core.tables.kinds import Array
from simgauge.errors import ParameterError

Penalty = Literal["product", "factors", "weights"]
"""Penalties that one spectrum of X serves; input dropout has a decomposition of its own
(`core.closed_form.dropout`)."""


class Factors(NamedTuple):
    """The two matrices of ``X ≈ X A Bᵀ``."""

    encoder: Array
    """A, shape (n_items, n_components): user vectors are ``X @ A``."""
    decoder: Array
    """B, shape (n_items, n_components): item vectors."""


def factorize(
    spectrum: Spectrum, penalty: Penalty = "product", l2: float = 0.0, n_components: int | None = None
) -> Factors:
    """Regularised factors of a matrix, in closed form, from its spectrum.

    Minimises ``‖X − X A Bᵀ‖² + R`` over A, B with `n_components` columns, where R is

    =============  ==========================  ==========================================================
    penalty        R                           solution, s = σ² / (σ² + λ)
    =============  ==========================  ==========================================================
    ``product``    λ ‖A Bᵀ‖²                   A = B = V √s
    ``factors``    λ (‖X A‖² + ‖B‖²)           A = V √((1 − λ/σ)₊ / σ),  B = V √((σ − λ)₊)
    ``weights``    λ (‖A‖² + ‖B‖²)             A = B = V √((1 − λ/σ²)₊)
    =============  ==========================  ==========================================================

    Parameters
    ----------
    spectrum : Spectrum
        Singular values σ (k,), non-increasing, and right vectors V (n_items, k) of X.
    penalty : {"product", "factors", "weights"}
        Which R.
    l2 : float, >= 0
        λ. Its unit is σ² for "product" and "weights", σ for "factors".
    n_components : int, optional
        Rank of the model, at most that of the spectrum; all of it when not given.

    Returns
    -------
    Factors
        Encoder A and decoder B, both (n_items, n_components), library, device and dtype of V.

    Gauge
    -----
    "product": any invertible G acts by ``A G, B G⁻ᵀ`` and leaves the loss unchanged; the representative of
    Eq. 5 is returned. "factors" and "weights": only orthogonal G; V's own axes are returned. The factors are
    unique up to that only if σ_k > σ_{k+1} or the k-th direction is shrunk to zero.

    Numerics
    --------
    One pass, O(n_items · n_components). Directions with σ <= λ ("factors") or σ² <= λ ("weights") or σ = 0 are
    exact zeros: columns are kept so that shapes don't depend on λ.

    Raises
    ------
    ParameterError
        `l2` negative or not finite, `penalty` unknown, `n_components` beyond the spectrum.

    References
    ----------
    Steck, Ekanadham, Kallus (2024), arXiv 2403.05440, Eqs. 1, 2, 5, 6. "weights" is literal weight decay, which
    the paper names but does not treat.

    Examples
    --------
    >>> from simgauge.core.spectral.spectrum import spectrum
    >>> X = np.diag([3.0, 1.0])
    >>> for penalty in ("product", "factors", "weights"):
    ...     A, B = factorize(spectrum(X, 2), penalty, l2=1.0)
    ...     print(penalty, (A @ B.T).round(3).tolist())
    product [[0.9, 0.0], [0.0, 0.5]]
    factors [[0.667, 0.0], [0.0, 0.0]]
    weights [[0.889, 0.0], [0.0, 0.0]]
    """
    l2 = check_l2(l2)
    available = len(spectrum.singular_values)
    k = available if n_components is None else n_components
    if not 1 <= k <= available:
        raise ParameterError(
            f"n_components={k}: this spectrum holds {available} components; expected 1 to {available}. "
            "For more, compute a larger spectrum."
        )
    sigma = np.asarray(spectrum.singular_values[:k], dtype=np.float64)
    encoder_scale, decoder_scale = component_scales(sigma, penalty, l2)
    V = spectrum.right_vectors[:, :k]
    return Factors(_scaled(V, encoder_scale), _scaled(V, decoder_scale))


def _scaled(V: Array, scale: NDArray[np.float64]) -> Array:
    """V times a scale per column, multiplied in float64."""
    xp = namespace(V)
    return xp.astype(V * beside(scale, V, dtype=xp.float64), V.dtype)


def component_scales(
    sigma: NDArray[np.float64], penalty: Penalty, l2: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scales (a, b) per component such that ``A = V a`` and ``B = V b``; see `factorize`."""
    if penalty == "product":
        scale = np.sqrt(shrinkage(sigma, l2))
        return scale, scale
    if penalty == "weights":
        scale = np.sqrt(_ratio(np.clip(sigma**2 - l2, 0, None), sigma**2))
        return scale, scale
    if penalty == "factors":
        kept = np.clip(sigma - l2, 0, None)
        return np.sqrt(kept) * _ratio(1.0, sigma), np.sqrt(kept)
    raise ParameterError(f"penalty={penalty!r}: expected one of {', '.join(map(repr, get_args(Penalty)))}.")


def shrinkage(sigma: NDArray[np.float64], l2: float) -> NDArray[np.float64]:
    """``s = σ² / (σ² + λ)`` of Eq. 5, in [0, 1]; 0 where σ = 0."""
    return _ratio(sigma**2, sigma**2 + l2)


def halving_l2(sigma: NDArray[np.float64], penalty: Penalty) -> float:
    """The λ at which the weakest of the given components keeps one half of its weight in ``A Bᵀ``.

    A scale-free default: σ_k² for "product", σ_k / 2 for "factors", σ_k² / 2 for "weights".

    Examples
    --------
    >>> halving_l2(np.array([3.0, 2.0]), "product")
    4.0
    """
    weakest = float(sigma[-1])
    return {"product": weakest**2, "factors": weakest / 2, "weights": weakest**2 / 2}[penalty]


def check_l2(l2: float) -> float:
    """`l2` as a float when it is finite and not negative."""
    try:
        value = float(l2)
    except (TypeError, ValueError):
        value = float("nan")
    if not (np.isfinite(value) and value >= 0):
        raise ParameterError(f"l2={l2}: expected a finite number >= 0. For no regularisation pass l2=0.")
    return value


def _ratio(numerator: NDArray[np.float64] | float, denominator: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quotient that is infinite-free: 0 where the denominator is 0 (a direction the data does not have)."""
    top = np.broadcast_to(np.asarray(numerator, dtype=np.float64), denominator.shape)
    return np.divide(top, denominator, out=np.zeros(denominator.shape), where=denominator > 0)
