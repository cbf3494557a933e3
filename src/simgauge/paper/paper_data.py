"""The data and models that the statements of the paper are shown on: computed once, used by many."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from simgauge.core.closed_form.catalogue import CATALOGUE, named_gauge
from simgauge.core.closed_form.factorize import Factors, factorize, shrinkage
from simgauge.core.matrices.gram import gram
from simgauge.core.spectral.spectrum import Spectrum, spectrum
from simgauge.core.tables.arrays import to_host
from simgauge.core.tables.kinds import Matrix, Vector
from simgauge.core.tables.tables import unit_rows

USERS_SHOWN = 300
"""Users whose cosines are compared: pairs of users are many."""

IDENTITY = 1e-9
"""Largest difference at which an identity is said to hold. Cosines are sums of at most some thousand products of
float64, each good to 2e-16; the closed forms lose three digits more where σ² spans six orders of magnitude."""


@dataclass(frozen=True)
class Figure:
    """What was found for one statement."""

    text: str
    """The figure in words."""
    value: float | None = None
    """The number itself, where it is one."""
    holds: bool | None = None
    """Whether the statement holds; None where it is a measurement that nothing was claimed of."""


NO_FULL_RANK = Figure("not shown: X has fewer directions than items, so D has no inverse")
VANISHED = Figure("not shown: λ shrinks every direction to zero")
NOT_PENALISED = Figure("not shown: λ is zero, or too small to shrink anything")
NOT_BELOW = Figure("not shown: this model has full rank, k = p")


def identity(value: float, what: str) -> Figure:
    """The figure of an equation: the largest difference of its two sides."""
    holds = value <= IDENTITY
    return Figure(f"{what} differ by {'less than 1e-9' if holds else f'{value:.2g}'}", value, holds)


@dataclass(frozen=True, eq=False)
class PaperData:
    """Interactions with known clusters, and the models of the paper on them."""

    matrix: sp.csr_array
    """X (n, p), float64."""
    clusters: NDArray[np.int64]
    """(p,): cluster of every item."""
    n_components: int
    """k."""
    l2_product: float
    """λ of Eq. 1."""
    l2_factors: float
    """λ of Eq. 2."""
    seed: int = 0

    @cached_property
    def gram(self) -> Matrix:
        """XᵀX."""
        return np.asarray(to_host(gram(self.matrix)), dtype=np.float64)

    @cached_property
    def spectrum(self) -> Spectrum:
        """Of X, k components."""
        return spectrum(self.matrix, self.n_components, solver="gram")

    @cached_property
    def full(self) -> Spectrum | None:
        """Of X with k = p; None where X has fewer than p directions, for which Eq. 5 has no inverse D."""
        if min(self.matrix.shape) < self.matrix.shape[1]:
            return None
        found = spectrum(self.matrix, self.matrix.shape[1], solver="gram")
        return found if found.singular_values[-1] > 1e-6 * found.singular_values[0] else None

    @cached_property
    def product_model(self) -> Factors:
        """Eq. 5, the representative with A = B."""
        return factorize(self.spectrum, "product", self.l2_product)

    @cached_property
    def factors_model(self) -> Factors:
        """Eq. 6."""
        return factorize(self.spectrum, "factors", self.l2_factors)

    @property
    def factors_model_missing(self) -> Figure | None:
        """Why statements on Eq. 2 cannot be shown, if so: without a penalty it has no gauge of its own, with a strong
        one no vectors."""
        if self.l2_factors == 0:
            return NOT_PENALISED
        return None if self.factors_model.decoder.any() else VANISHED

    @cached_property
    def gauges(self) -> dict[str, Factors]:
        """The Eq. 1 model in every named gauge."""
        return {name: named_gauge(self.spectrum, self.l2_product, name) for name in CATALOGUE}

    @cached_property
    def users(self) -> Matrix:
        """Rows of X of some users who took something, (m, p)."""
        active = np.flatnonzero(np.diff(self.matrix.indptr))
        return np.asarray(self.matrix[active[:USERS_SHOWN]].toarray(), dtype=np.float64)

    @cached_property
    def sigma(self) -> Vector:
        """σ_1 to σ_k."""
        return np.asarray(self.spectrum.singular_values, dtype=np.float64)

    @cached_property
    def s(self) -> Vector:
        """``σ² / (σ² + λ)``."""
        return shrinkage(self.sigma, self.l2_product)

    def rng(self, stream: int) -> np.random.Generator:
        """A generator of its own for each figure, so that one does not change another."""
        return np.random.default_rng([self.seed, stream])

    def loss(self, factors: Factors, penalty: str) -> float:
        """The objective of Eq. 1 ("product"), Eq. 2 ("factors") or of weight decay ("weights"), without forming n x
        p."""
        A, B = factors
        G, M = self.gram, A @ B.T
        fit = float(np.trace(G) - 2 * np.vdot(G, M) + np.vdot(M, G @ M))
        return (
            fit
            + self._strength(penalty)
            * {
                "product": float(np.vdot(M, M)),
                "factors": float(np.vdot(A, G @ A) + np.vdot(B, B)),
                "weights": float(np.vdot(A, A) + np.vdot(B, B)),
            }[penalty]
        )

    def gradient(self, factors: Factors, penalty: str) -> float:
        """Size of the gradient of `loss` over A and B, relative to ``2 ‖XᵀX‖ (‖A‖ + ‖B‖)``."""
        A, B = factors
        G, l2 = self.gram, self._strength(penalty)
        inner = 2 * (G @ A @ B.T - G)
        if penalty == "product":
            inner = inner + 2 * l2 * (A @ B.T)
        by_A, by_B = inner @ B, inner.T @ A
        if penalty == "factors":
            by_A, by_B = by_A + 2 * l2 * (G @ A), by_B + 2 * l2 * B
        if penalty == "weights":
            by_A, by_B = by_A + 2 * l2 * A, by_B + 2 * l2 * B
        size = 2 * np.linalg.norm(G) * (np.linalg.norm(A) + np.linalg.norm(B))
        return float(np.hypot(np.linalg.norm(by_A), np.linalg.norm(by_B)) / size)

    def _strength(self, penalty: str) -> float:
        return self.l2_factors if penalty == "factors" else self.l2_product


def cosines(first: Any, second: Any = None) -> Matrix:
    """Cosines of all rows of one table with all rows of another (of itself); those of zero rows are 0."""
    left = unit_rows(np.asarray(first, dtype=np.float64))
    right = left if second is None else unit_rows(np.asarray(second, dtype=np.float64))
    return np.asarray(left @ right.T)


def largest_difference(first: Matrix, second: Matrix) -> float:
    """Largest absolute difference of two arrays."""
    return float(np.abs(first - second).max())


def overlap(first: Matrix, second: Matrix, k: int = 10, *, own: bool) -> float:
    """Mean share of common members of the k largest entries of each row; a row's `own` entry left out."""
    lists = []
    for scores in (first, second):
        shown = scores.copy()
        if own:
            np.fill_diagonal(shown, -np.inf)
        lists.append(np.argsort(-shown.round(12), axis=1, kind="stable")[:, :k])
    return float(np.mean([len(set(a) & set(b)) / k for a, b in zip(*lists, strict=True)]))
