"""The stated trade-off: what a candidate gains over leaving the embedding alone, over one or two measures."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simgauge.core.tables.kinds import Cube, Vector

Scale = Literal["ratio", "difference"]

FLOOR = 1e-9
"""Means below this count as this in ratios; a baseline that finds nothing then has no finite standard error to beat."""


class Pick(NamedTuple):
    """The best candidate of some units."""

    candidate: int
    """Column; 0, the baseline, when no candidate gains and keeps the guard."""
    allowed: NDArray[np.bool_]
    """(n_candidates,): which candidates keep the guard."""


def changes(means: Cube, scale: Scale) -> Cube:
    """Change of each measure against the baseline, candidate 0: log-ratios, or differences.

    Parameters
    ----------
    means : ndarray, shape (..., n_measures, n_candidates)
    scale : {"ratio", "difference"}

    Examples
    --------
    >>> np.exp(changes(np.array([[0.1, 0.2]]), "ratio")).round(12)
    array([[1., 2.]])
    """
    values = np.log(np.maximum(means, FLOOR)) if scale == "ratio" else means
    return np.asarray(values - values[..., :1])


def change_influence(units: Cube, scale: Scale) -> Cube:
    """Contribution of each unit to the changes: shape (n_units, n_measures, n_candidates), mean 0 over the units.

    The variance over units, divided by their number, is that of the change (delta method).
    """
    means = units.mean(axis=0)
    return change_of(units - means, means, scale)


def change_of(moved: Cube, means: Cube, scale: Scale) -> Cube:
    """Movement of the changes by small movements of the means, to first order; shape (..., n_measures, n_candidates).

    Examples
    --------
    >>> change_of(np.array([[0.01, 0.01]]), np.array([[0.1, 0.2]]), "ratio").round(12)
    array([[ 0.  , -0.05]])
    """
    part = moved / np.maximum(means, FLOOR) if scale == "ratio" else moved
    return np.asarray(part - part[..., :1])


def measure_weights(n_measures: int, popularity_tradeoff: float) -> Vector:
    """Weights of the measures in the gain: all on the plain one where there is no other, none on what is only shown.

    Examples
    --------
    >>> measure_weights(3, 0.25), measure_weights(1, 0.25)
    (array([0.75, 0.25, 0.  ]), array([1.]))
    """
    weights = np.zeros(n_measures)
    weights[:2] = (1.0,) if n_measures == 1 else (1 - popularity_tradeoff, popularity_tradeoff)
    return weights


def least_change(max_loss: float, scale: Scale) -> float:
    """The change of a measure that loses as much as may be lost: log(1 − share), or minus the difference.

    Examples
    --------
    >>> round(least_change(0.02, "ratio"), 4), least_change(0.02, "difference")
    (-0.0202, -0.02)
    """
    return float(np.log1p(-max_loss)) if scale == "ratio" else -max_loss


class Rule(NamedTuple):
    """Rule by which a candidate is picked."""

    weights: Vector
    """(n_measures,): of the measures; with ratios, e^gain is the weighted geometric mean of the ratios to the
    baseline."""
    scale: Scale
    max_loss: float = 0.0
    """Largest share (or difference) that may be lost, as measured here, on a measure of positive weight."""
    margin: float = 0.0
    """Standard errors by which a measure must stay clear of that loss."""
    gain_margin: float | None = None
    """Standard errors that are taken from the gains before they are compared, so that the gain is picked that is
    largest at least; then the baseline is picked only where no candidate is allowed. None: gains as they are measured,
    and the baseline where none is positive."""


def pick(units: Cube, rule: Rule, eligible: NDArray[np.bool_] | None = None) -> Pick:
    """The candidate with the largest gain Σ weight · change among those that lose on no measure that counts.

    Parameters
    ----------
    units : ndarray, shape (n_units, n_measures, n_candidates)
        Candidate 0 is the baseline.
    rule : Rule
    eligible : ndarray of bool, shape (n_candidates,), optional
        Which candidates may be picked at all; all when not given.

    Examples
    --------
    >>> units = np.array([[[0.1, 0.3, 0.2], [0.1, 0.05, 0.11]]])
    >>> pick(units, Rule(np.array([0.5, 0.5]), "ratio")).candidate
    2
    """
    moved = changes(units.mean(axis=0), rule.scale)
    surely, gain = moved, rule.weights @ moved
    if rule.margin > 0 or rule.gain_margin is not None:
        influence = change_influence(units, rule.scale) / np.sqrt(len(units))
        surely = moved - rule.margin * influence.std(axis=0)
        gain = gain - (rule.gain_margin or 0.0) * (rule.weights @ influence).std(axis=0)
    allowed = np.asarray((surely[rule.weights > 0] >= least_change(rule.max_loss, rule.scale)).all(axis=0))
    gain = np.where(allowed if eligible is None else allowed & eligible, gain, -np.inf)
    gain[0] = 0.0 if rule.gain_margin is None else -np.inf
    return Pick(int(gain.argmax()), allowed)


def cross_fit(
    units: Cube, rule: Rule, folds: NDArray[np.int64], eligible: NDArray[np.bool_] | None = None
) -> tuple[Cube, list[int]]:
    """Scores that each unit has under the candidate that all *other* folds would pick.

    Parameters
    ----------
    units : ndarray, shape (n_units, n_measures, n_candidates)
    folds : ndarray of int, shape (n_units,)
        Numbered from 0.

    Returns
    -------
    ndarray, shape (n_units, n_measures, 2)
        Baseline and picked candidate. No unit took part in the choice of the candidate it is scored with, so the gain
        is free of the optimism of choosing, however many candidates there were.
    list of int
        The pick of each fold.

    References
    ----------
    Bayle, Bayle, Janson, Mackey (2020), Cross-validation confidence intervals for test error, NeurIPS 33: the mean over
    folds is asymptotically normal with the variance of independent units.
    """
    scored, picks = np.empty((*units.shape[:2], 2)), []
    for fold in range(int(folds.max()) + 1):
        inside = folds == fold
        picks.append(pick(units[~inside], rule, eligible).candidate)
        scored[inside] = units[inside][:, :, [0, picks[-1]]]
    return scored, picks
