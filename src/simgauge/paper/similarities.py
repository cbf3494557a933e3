"""Ways of comparing items: every gauge of one model, other models, models of reweighted data, and the data itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from simgauge.core.closed_form.catalogue import CATALOGUE, named_gauge
from simgauge.core.closed_form.factorize import Factors, Penalty, factorize
from simgauge.core.matrices.gram import gram
from simgauge.core.matrices.reweighting import Reweighted, damped, propensity, standardized, unchanged
from simgauge.core.spectral.centered_spectrum import reweighted_spectrum
from simgauge.core.spectral.spectrum import Spectrum, spectrum
from simgauge.core.tables.kinds import FloatTable, Matrix
from simgauge.core.tables.tables import row_norms, unit_rows

RANDOM_GAUGES = 3

FULL_RANK_ITEMS = 2_000
"""Most items for which the model of full rank is shown: it takes n_items³ operations."""

SHOWN_GAUGES = ("minimum-norm", "projected")
"""Gauges in which models of reweighted data are shown: as trained, and projected back."""

BEFORE_LEARNING = {
    "standardised": standardized,
    "inverse propensity": propensity,
    "negative sampling": damped,
}
"""Remedy 3 of the paper: what is done to X before a model sees it. Columns of mean 0 and variance 1; X / √popularity;
shifted positive PMI with item counts to the power of ¾, which negatives drawn that way amount to."""


class Similarity(NamedTuple):
    """One way of comparing items."""

    name: str
    formula: str
    group: str
    cosines: Matrix
    norms: Matrix
    prediction_difference: float | None = None
    drawn: bool = True
    """Whether it has a heat map."""


def similarities(
    matrix: sp.csr_array, n_components: int, l2_product: float, l2_factors: float, seed: int
) -> Iterator[Similarity]:
    """Every gauge of Eq. 1, the other models, the data itself, and Eq. 1 at full rank and after reweighting."""
    S = spectrum(matrix, n_components)
    yield from _gauges(S, l2_product, seed)
    others: tuple[tuple[Penalty, str, float, str], ...] = (
        ("factors", "Eq. 2", l2_factors, "V √(σ − λ)₊"),
        ("weights", "weights", l2_product, "V √(1 − λ/σ²)₊"),
    )
    for penalty, group, l2, formula in others:
        yield _of_vectors(f"{group} model", formula, group, factorize(S, penalty, l2).decoder)
    counts = gram(matrix)
    means = np.asarray(matrix.mean(axis=0)).ravel()
    yield _of_gram("raw data", "columns of X", "data", counts)
    centred = counts - matrix.shape[0] * np.outer(means, means)
    yield _of_gram("Pearson", "standardised columns of X", "data", centred)
    for name, reweight in BEFORE_LEARNING.items():
        changed = reweight(matrix)
        changed_spectrum = reweighted_spectrum(changed, n_components)
        strength = l2_product * energy(changed) / energy(unchanged(matrix))
        for gauge in SHOWN_GAUGES:
            vectors = named_gauge(changed_spectrum, strength, gauge).decoder
            formula = f"{CATALOGUE[gauge].formula} of changed X"
            yield _of_vectors(f"{name}, {gauge}", formula, "before learning", vectors)._replace(drawn=False)
    if min(matrix.shape) == matrix.shape[1] <= FULL_RANK_ITEMS:
        full = spectrum(matrix, matrix.shape[1])
        for gauge in ("whitened", "minimum-norm", "encoder-whitened", "projected"):
            vectors = named_gauge(full, l2_product, gauge).decoder
            yield _of_vectors(f"full rank, {gauge}", CATALOGUE[gauge].formula, "k = p", vectors)._replace(drawn=False)


def _gauges(S: Spectrum, l2: float, seed: int) -> Iterator[Similarity]:
    """Eq. 1 in the named gauges, in one that runs against the spectrum, and in random diagonal ones."""
    reference = factorize(S, "product", l2)
    predicted = _product(reference)
    gauges = {name: (entry.formula, named_gauge(S, l2, name)) for name, entry in CATALOGUE.items()}
    sigma = S.singular_values / S.singular_values[0]
    inverse = np.divide(1.0, sigma, out=np.zeros_like(sigma), where=sigma > 0)
    gauges["anti-correlated"] = "V √s / σ", Factors(reference.encoder * sigma, reference.decoder * inverse)
    for draw in range(RANDOM_GAUGES):
        d = np.random.default_rng([seed, draw]).lognormal(size=S.n_components)
        gauges[f"random {draw + 1}"] = "V √s / D, D log-normal", Factors(reference.encoder * d, reference.decoder / d)
    for name, (formula, factors) in gauges.items():
        difference = float(np.abs(_product(factors) - predicted).max() / np.abs(predicted).max())
        found = _of_vectors(name, formula, "Eq. 1", factors.decoder)
        yield found._replace(prediction_difference=difference, drawn=not name.startswith("random"))


def energy(X: Reweighted) -> float:
    """``‖X‖²`` with the mean taken off: λ of Eq. 1 is set in proportion, so that it shrinks alike before and after."""
    total = float(X.matrix.multiply(X.matrix).sum())
    mean = X.column_mean
    if mean is None:
        return total
    sums = np.asarray(X.matrix.sum(axis=0)).ravel()
    return float(total - 2 * (sums @ mean) + X.matrix.shape[0] * (mean @ mean))


def _of_vectors(name: str, formula: str, group: str, vectors: FloatTable) -> Similarity:
    unit = unit_rows(vectors)
    return Similarity(name, formula, group, np.asarray(unit @ unit.T), row_norms(vectors))


def _of_gram(name: str, formula: str, group: str, gram: Matrix) -> Similarity:
    norms = np.sqrt(np.clip(np.diag(gram), 0.0, None))
    scale = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
    return Similarity(name, formula, group, gram * np.outer(scale, scale), norms)


def _product(factors: Factors) -> Matrix:
    return np.asarray(factors.encoder @ factors.decoder.T, dtype=np.float64)
