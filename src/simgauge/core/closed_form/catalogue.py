"""The named gauges of the linear model: ``B = V diag(σ^a s^b)``, one row per choice of D in the paper."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simgauge.core.closed_form.factorize import Factors, check_l2, shrinkage
from simgauge.core.spectral.spectrum import Spectrum
from simgauge.errors import ParameterError


class CatalogueGauge(NamedTuple):
    """Exponents of one named gauge and what it is."""

    sigma_exponent: float
    shrinkage_exponent: float
    formula: str
    meaning: str


CATALOGUE = {
    "whitened": CatalogueGauge(0, 0, "V", "case (a) of section 2.2: BᵀB = I"),
    "minimum-norm": CatalogueGauge(0, 0.5, "V √s", "Eq. 5: AᵀA = BᵀB"),
    "encoder-whitened": CatalogueGauge(0, 1, "V s", "case (b) of section 2.2: AᵀA = I"),
    "balanced": CatalogueGauge(0.5, 0.5, "V √(σs)", "section 2.3, the form of Eq. 6: PᵀP = BᵀB"),
    "projected": CatalogueGauge(1, 1, "V σs", "columns of the predicted matrix X A Bᵀ; the paper's remedy is its rows"),
    "truncated-data": CatalogueGauge(1, 0, "V σ", "columns of the truncated data (LSA)"),
}
"""Every gauge has the same predictions under the penalty "product" (Eq. 1)."""


def named_gauge(spectrum: Spectrum, l2: float, name: str, n_components: int | None = None) -> Factors:
    """Factors of the Eq. 1 model in a named gauge.

    Parameters
    ----------
    spectrum : Spectrum
        Of X.
    l2 : float, >= 0
        λ of Eq. 1, unit σ².
    name : str
        A key of `CATALOGUE`.
    n_components : int, optional
        Rank; all of the spectrum when not given.

    Returns
    -------
    Factors
        Decoder ``B = V σ^a s^b`` and encoder ``A = V s^(1−b) σ^(−a)``; ``A Bᵀ`` is the same for every name.
        Components with σ = 0 are zero in both.

    Raises
    ------
    ParameterError
        Unknown name, bad `l2`.

    References
    ----------
    arXiv 2403.05440, sections 2.2 and 2.3.

    Examples
    --------
    >>> from simgauge.core.spectral.spectrum import spectrum
    >>> S = spectrum(np.diag([3.0, 1.0]), 2)
    >>> named_gauge(S, 1.0, "whitened").decoder.round(3) + 0.0
    array([[1., 0.],
           [0., 1.]])
    >>> named_gauge(S, 1.0, "projected").decoder.round(3) + 0.0
    array([[2.7, 0. ],
           [0. , 0.5]])
    """
    if name not in CATALOGUE:
        raise ParameterError(f"gauge {name!r}: expected one of {', '.join(map(repr, CATALOGUE))}.")
    a, b, *_ = CATALOGUE[name]
    k = len(spectrum.singular_values) if n_components is None else n_components
    sigma = np.asarray(spectrum.singular_values[:k], dtype=np.float64)
    alive = sigma > 0
    s = shrinkage(sigma, check_l2(l2))
    safe_sigma, safe_s = np.where(alive, sigma, 1.0), np.where(alive, s, 1.0)
    decoder_scale = np.where(alive, safe_sigma**a * safe_s**b, 0.0)
    encoder_scale = np.where(alive, safe_s ** (1 - b) * safe_sigma**-a, 0.0)
    V = spectrum.right_vectors[:, :k]
    return Factors((V * encoder_scale).astype(V.dtype), (V * decoder_scale).astype(V.dtype))
