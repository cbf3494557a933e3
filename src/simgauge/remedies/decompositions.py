"""One decomposition per weighting of the interactions, shared by every penalty, λ, rank and power that is fitted on
it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from simgauge.core.closed_form.dropout import dropout_spectrum
from simgauge.core.matrices.reweighting import Reweighted, column_scaled, damped, propensity, standardized, unchanged
from simgauge.core.spectral.centered_spectrum import reweighted_spectrum
from simgauge.core.spectral.spectrum import Spectrum
from simgauge.errors import ParameterError
from simgauge.interactions import Interactions

WEIGHTINGS = ("none", "standardize", "propensity", "damping", "eigenrec")


@dataclass(frozen=True)
class Weighting:
    """What is done to the interactions first: a kind and its own parameters, nothing else, so that it is a key."""

    kind: str
    values: tuple[float, ...] = ()

    def apply(self, interactions: Interactions) -> Reweighted:
        """The weighted interactions; O(nnz), not kept."""
        how = {
            "none": unchanged,
            "standardize": standardized,
            "propensity": propensity,
            "damping": damped,
            "eigenrec": column_scaled,
        }
        if self.kind not in how:
            raise ParameterError(f"weighting={self.kind!r}: expected one of {', '.join(map(repr, WEIGHTINGS))}.")
        function: Any = how[self.kind]
        result: Reweighted = function(interactions.matrix, *self.values)
        return result


Dropout = tuple[Spectrum, NDArray[np.float64]]

MAX_KEPT_BYTES = 512 << 20
"""Decompositions of one set of interactions that are kept beside the newest: a search tries many weightings."""

_SPECTRA: WeakKeyDictionary[Interactions, dict[Any, Spectrum]] = WeakKeyDictionary()
_DROPOUTS: WeakKeyDictionary[Interactions, dict[Any, Dropout]] = WeakKeyDictionary()


def shared_spectrum(
    interactions: Interactions, weighting: Weighting, n_components: int, solver: str, random_state: int
) -> Spectrum:
    """The leading `n_components` of the weighted interactions, decomposed once while the interactions are in use.

    A larger rank than any before decomposes anew: fit the candidate of the largest rank first. Above `MAX_KEPT_BYTES`
    those that were used longest ago are given up: fit candidates of one weighting one after the other.
    """
    known = _SPECTRA.setdefault(interactions, {})
    key = (weighting, solver, random_state)
    found = known.pop(key, None)
    if found is None or found.n_components < n_components:
        found = reweighted_spectrum(weighting.apply(interactions), n_components, solver, random_state)
    known[key] = found  # the last one is the one used last
    while len(known) > 1 and sum(one.right_vectors.nbytes for one in known.values()) > MAX_KEPT_BYTES:
        del known[next(iter(known))]
    return first_components(found, n_components)


def shared_dropout(interactions: Interactions, weighting: Weighting, n_components: int, rate: float) -> Dropout:
    """`dropout_spectrum` of weighted interactions (without a mean), computed once for a rate."""
    known = _DROPOUTS.setdefault(interactions, {})
    key = (weighting, rate)
    if key not in known or known[key][0].n_components < n_components:
        known[key] = dropout_spectrum(weighting.apply(interactions).matrix, n_components, rate)
    decomposition, encoded = known[key]
    return first_components(decomposition, n_components), encoded[:, :n_components]


def first_components(spectrum: Spectrum, count: int) -> Spectrum:
    """The same decomposition cut to its first components."""
    if spectrum.n_components == count:
        return spectrum
    return replace(
        spectrum,
        singular_values=spectrum.singular_values[:count],
        right_vectors=spectrum.right_vectors[:, :count],
        residuals=None if spectrum.residuals is None else spectrum.residuals[:count],
    )
