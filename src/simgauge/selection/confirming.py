"""Intervals of the table, what is surely no loss, and the gain on units that had no part in the choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simgauge.core.inference.intervals import Interval
from simgauge.core.inference.paired import (
    Simultaneous,
    bootstrap_means,
    detectable_gain,
    max_t,
    pareto_front,
    surely_above,
    units_needed,
)
from simgauge.core.inference.shared_draw import luck_of_draw
from simgauge.core.inference.shared_nodes import node_draws
from simgauge.core.inference.tradeoff import Scale, change_influence, change_of, changes, least_change
from simgauge.core.tables.kinds import Cube, Matrix, Vector
from simgauge.selection.record import AtExponent, Change, Confirmation, Row
from simgauge.selection.scoring import Scored


class Measured(NamedTuple):
    """All candidates on all of the evidence, with what resampling says of them."""

    scored: Scored
    weights: Vector
    """(n_measures,): of the measures in the gain."""
    scale: Scale
    own: tuple[Matrix, Matrix, Matrix]
    """Means with their own lower and upper ends, each (n_measures, n_candidates)."""
    parts: Simultaneous
    """Changes of the measures against the baseline, (n_measures, n_candidates), for all of them together."""
    moved: Matrix
    """The changes themselves."""
    gain: Vector
    gains: Simultaneous
    """The gains, for all candidates together."""
    error: Vector
    """(n_candidates,): standard error of the gain."""
    confidence: float
    """Of all intervals."""
    safe: NDArray[np.bool_]
    """(n_candidates,): which candidates surely lose no more than allowed on any measure that counts."""


def measure(
    scored: Scored,
    weights: Vector,
    scale: Scale,
    rng: np.random.Generator,
    confidence: float,
    n_resamples: int,
    max_loss: float,
) -> Measured:
    """Means, changes and gains of all candidates, with intervals that hold for all of them together."""
    units = scored.units
    n_units = len(units)
    means = units.mean(axis=0)
    resampled, moved_again, gain_again = _again(scored, weights, scale, rng, n_resamples)
    moved, gain = changes(means, scale), weights @ changes(means, scale)
    n_free = n_units if scored.nodes is None else min(n_units, len(np.unique(scored.nodes)))
    low, high = np.quantile(resampled, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    both = max_t(moved.ravel(), moved_again.reshape(n_resamples, -1), confidence, n_free)
    parts = both._replace(low=both.low.reshape(moved.shape), high=both.high.reshape(moved.shape))
    counted = weights > 0
    return Measured(
        scored,
        weights,
        scale,
        (means, low, high),
        parts,
        moved,
        gain,
        max_t(gain, gain_again, confidence, n_free),
        gain_again.std(axis=0),
        confidence,
        surely_above(moved[counted], least_change(max_loss, scale), moved_again[:, counted], confidence, n_free),
    )


def _again(
    scored: Scored, weights: Vector, scale: Scale, rng: np.random.Generator, n_resamples: int
) -> tuple[Cube, Cube, Matrix]:
    """Means, changes and gains of other units, and of other queries where these were drawn."""
    units, shape = scored.units, scored.units.shape[1:]
    means = units.mean(axis=0)
    seed = int(rng.integers(2**63))
    if scored.nodes is not None:
        influence = change_influence(units, scale)
        draws = [
            node_draws(part.reshape(len(units), -1), scored.nodes, np.random.default_rng(seed), n_resamples)
            for part in (units - means, influence, np.einsum("m,nmc->nc", weights, influence))
        ]
        moved = changes(means, scale)
        return means + draws[0].reshape(-1, *shape), moved + draws[1].reshape(-1, *shape), weights @ moved + draws[2]
    resampled = bootstrap_means(units.reshape(len(units), -1), rng, n_resamples).reshape(-1, *shape)
    moved_again = changes(resampled, scale)
    gain_again = np.einsum("m,bmc->bc", weights, moved_again)
    if scored.drawn is not None:
        luck = change_of(scored.drawn, means, scale)
        moved_again += _luck(luck, seed, n_resamples)
        gain_again += _luck(np.einsum("m,hnmc->hnc", weights, luck), seed, n_resamples)
        resampled += _luck(scored.drawn, seed, n_resamples)
    return resampled, moved_again, gain_again


def _luck(halves: NDArray[np.float64], seed: int, n_resamples: int) -> NDArray[np.float64]:
    """Deviations by other draws of queries; the same draws for the same seed."""
    flat = halves.reshape(*halves.shape[:2], -1)
    drawn = luck_of_draw(flat, np.random.default_rng(seed), n_resamples)
    return drawn.reshape(n_resamples, *halves.shape[2:])


def confirm(cross: Cube, picks: Sequence[str], found: Measured, index: int) -> Confirmation:
    """What is to be expected of a candidate.

    Parameters
    ----------
    cross : ndarray, shape (n_units, n_measures, 2)
        As from `cross_fit`: the values told are those of units that had no part in the choice.
    picks : sequence of str
        The candidate that each part of the units was scored with.
    found : Measured
        The ends of the intervals, which hold for all candidates together, so also for one that was chosen among them.
    index : int
        The candidate.
    """
    moved = changes(cross.mean(axis=0), found.scale)[:, 1]
    parts = [
        _around(moved[m], found.parts.low[m, index], found.parts.high[m, index], found.scale) for m in range(len(moved))
    ]
    influence = found.weights @ change_influence(found.scored.units[:, :, [0, index]], found.scale)[..., 1].T
    shown = detectable_gain(influence, found.gains.critical)
    return Confirmation(
        gain=_around(float(found.weights @ moved), found.gains.low[index], found.gains.high[index], found.scale),
        plain_change=parts[0],
        weighted_change=parts[1] if len(parts) > 1 else None,
        picks=tuple(picks),
        agreement=float(np.mean([name == found.scored.candidates[index].name for name in picks])),
        units_needed=units_needed(influence, float(found.gain[index]), found.gains.critical),
        detectable=_change(shown, shown, shown, found.scale),
    )


def tabulate(found: Measured) -> tuple[Row, ...]:
    """Every candidate, largest gain first."""
    means, own_low, own_high = found.own
    exponents = found.scored.exponents
    pareto = pareto_front(means[:2].T)
    order = np.argsort(exponents, kind="stable").tolist()
    rows = []
    for c in np.argsort(-found.gain, kind="stable").tolist():
        candidate = found.scored.candidates[c]
        metrics = [Interval(float(means[m, c]), float(own_low[m, c]), float(own_high[m, c])) for m in range(len(means))]
        parts = [
            _change(found.moved[m, c], found.parts.low[m, c], found.parts.high[m, c], found.scale)
            for m in range(len(means))
        ]
        total = _change(found.gain[c], found.gains.low[c], found.gains.high[c], found.scale)
        rows.append(
            Row(
                name=candidate.name,
                metric=candidate.metric,
                plain=metrics[0],
                weighted=metrics[1] if len(metrics) > 1 else None,
                plain_change=parts[0],
                weighted_change=parts[1] if len(parts) > 1 else None,
                gain=total,
                p_value=float(found.gains.p_value[c]),
                significant="" if total.verdict == "same" else total.verdict,
                pareto=bool(pareto[c]),
                keeps_predictions=getattr(candidate, "keeps_predictions_", None),
                guarded=not found.safe[c],
                baseline=c == 0,
                at_exponents=tuple(AtExponent(exponents[m], metrics[m].value, parts[m]) for m in order),
            )
        )
    return tuple(rows)


def _around(value: float, low: float, high: float, scale: Scale) -> Change:
    """An interval that was made around another estimate of the same, and holds this one too."""
    return _change(value, min(low, value), max(high, value), scale)


def _change(value: float, low: float, high: float, scale: Scale) -> Change:
    if scale == "ratio":
        value, low, high = (float(np.exp(min(number, 700.0))) for number in (value, low, high))
    return Change(float(value), float(low), float(high), scale)
