"""Many models from one decomposition: every strength, rank and penalty that a spectrum serves."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simgauge.core.closed_form.factorize import Factors, Penalty, check_l2, component_scales, factorize, halving_l2
from simgauge.core.spectral.spectrum import Spectrum
from simgauge.errors import ParameterError


@dataclass(frozen=True, eq=False)
class PathModel:
    """One model of a path: two numbers a component, and the tables when they are asked for."""

    spectrum: Spectrum
    penalty: Penalty
    l2: float
    n_components: int
    encoder_scale: NDArray[np.float64]
    """(n_components,): the columns of A are those of V times this."""
    decoder_scale: NDArray[np.float64]
    """(n_components,): the columns of B are those of V times this."""

    @property
    def n_active_components(self) -> int:
        """Components that the penalty did not shrink to zero."""
        return int(np.count_nonzero(self.decoder_scale))

    @property
    def loss(self) -> float:
        """``‖X − X A Bᵀ‖²`` less that of the best model of full rank without a penalty: Σ σ² (1 − a b)² within the
        spectrum, counted from its own components; comparable along a path, not between spectra."""
        sigma = self.spectrum.singular_values
        kept = np.zeros(len(sigma))
        kept[: self.n_components] = self.encoder_scale * self.decoder_scale
        return float(((sigma * (1 - kept)) ** 2).sum())

    def factors(self) -> Factors:
        """A and B, (n_items, n_components) each, in the dtype of V; see `factorize`."""
        return factorize(self.spectrum, self.penalty, self.l2, self.n_components)


def factorize_path(
    spectrum: Spectrum,
    penalties: Sequence[Penalty] = ("product",),
    l2: Sequence[float] | None = None,
    n_components: Sequence[int] | None = None,
) -> Iterator[PathModel]:
    """All models of a grid of penalties, ranks and strengths, in that order, from one spectrum.

    Parameters
    ----------
    spectrum : Spectrum
        At least as wide as the largest rank.
    penalties : sequence of {"product", "factors", "weights"}
    l2 : sequence of float, >= 0, optional
        Strengths, used for every penalty. When not given: 1/8, ¼, ½, 1, 2, 4 and 8 times the strength that halves the
        weakest component of the rank, which makes the grids of penalties and ranks comparable.
    n_components : sequence of int, optional
        Ranks; that of the spectrum when not given.

    Yields
    ------
    PathModel
        Its tables are made by `factors()`, from views of V; nothing of the size of the items is held before.

    Numerics
    --------
    O(n_components) a model, and O(n_items · n_components) for its tables.

    Raises
    ------
    ParameterError
        An unknown penalty, a negative strength, a rank beyond the spectrum, an empty grid.

    Examples
    --------
    >>> from simgauge.core.spectral.spectrum import spectrum
    >>> path = factorize_path(spectrum(np.diag([3.0, 1.0]), 2), l2=[0.0, 1.0], n_components=[1, 2])
    >>> [(model.n_components, model.l2, round(model.loss, 3)) for model in path]
    [(1, 0.0, 1.0), (1, 1.0, 1.09), (2, 0.0, 0.0), (2, 1.0, 0.34)]
    """
    ranks = [spectrum.n_components] if n_components is None else list(n_components)
    available = spectrum.n_components
    for name, grid in (("penalties", penalties), ("l2", [0.0] if l2 is None else l2), ("n_components", ranks)):
        if not len(grid):
            raise ParameterError(f"{name}: the grid is empty. Pass at least one value.")
    for rank in ranks:
        if not 1 <= rank <= available:
            raise ParameterError(f"n_components={rank}: this spectrum holds {available}; expected 1 to {available}.")
    strengths = None if l2 is None else [check_l2(value) for value in l2]
    for penalty in penalties:
        component_scales(spectrum.singular_values[:1], penalty, 0.0)  # an unknown one is refused before the first model
    return _models(spectrum, penalties, strengths, ranks)


def _models(
    spectrum: Spectrum, penalties: Sequence[Penalty], l2: list[float] | None, ranks: list[int]
) -> Iterator[PathModel]:
    for penalty, rank in itertools.product(penalties, ranks):
        sigma = np.asarray(spectrum.singular_values[:rank], dtype=np.float64)
        strengths = l2 or [2.0**step * halving_l2(sigma, penalty) for step in range(-3, 4)]
        for strength in strengths:
            scales = component_scales(sigma, penalty, strength)
            yield PathModel(spectrum, penalty, strength, rank, *scales)
