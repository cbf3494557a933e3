"""Intervals of the table and of the cross-fitted gain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simgauge.core.inference.intervals import Interval
from simgauge.core.inference.paired import bootstrap_means, detectable_gain, max_t, pareto_front, units_needed
from simgauge.core.inference.tradeoff import Cube, Pick, Scale, change_influence, changes
from simgauge.core.tables.kinds import Vector
from simgauge.selection.record import AtExponent, Change, Confirmation, Row
from simgauge.selection.scoring import Scored


def confirm(
    cross: Cube,
    picks: Sequence[str],
    scored: Scored,
    best: Pick,
    weights: Vector,
    scale: Scale,
    rng: np.random.Generator,
    confidence: float,
    n_resamples: int,
    critical: float,
) -> Confirmation:
    """The cross-fitted gain with paired percentile intervals over units, and how many units would be enough.

    ``critical`` is that of the table: what has to be shown is shown for one of all candidates.
    """
    resampled = changes(_resample(cross, rng, n_resamples), scale)[..., 1]
    observed = changes(cross.mean(axis=0), scale)[:, 1]
    ends = np.quantile(resampled, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    gain_ends = np.quantile(resampled @ weights, [(1 - confidence) / 2, (1 + confidence) / 2])
    parts = [_change(observed[m], ends[0, m], ends[1, m], scale) for m in range(len(observed))]
    moved = changes(scored.units.mean(axis=0), scale)
    index = best.candidate or _runner_up(weights @ moved)
    influence = weights @ change_influence(scored.units[:, :, [0, index]], scale)[..., 1].T
    shown = detectable_gain(influence, critical)
    return Confirmation(
        gain=_change(float(observed @ weights), gain_ends[0], gain_ends[1], scale),
        plain_change=parts[0],
        weighted_change=parts[1] if len(parts) > 1 else None,
        picks=tuple(picks),
        agreement=float(np.mean([name == scored.candidates[best.candidate].name for name in picks])),
        units_needed=units_needed(influence, float(weights @ moved[:, index]), critical),
        detectable=_change(shown, shown, shown, scale),
    )


def tabulate(
    scored: Scored,
    weights: Vector,
    scale: Scale,
    rng: np.random.Generator,
    confidence: float,
    n_resamples: int,
) -> tuple[tuple[Row, ...], float]:
    """Every candidate, largest gain first, and the critical value of their intervals."""
    means = scored.units.mean(axis=0)
    resampled = _resample(scored.units, rng, n_resamples)
    own = np.quantile(resampled, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    moved, moved_again = changes(means, scale), changes(resampled, scale)
    both = max_t(moved.ravel(), moved_again.reshape(n_resamples, -1), confidence)
    low, high = both.low.reshape(moved.shape), both.high.reshape(moved.shape)
    gain = weights @ moved
    gains = max_t(gain, np.einsum("m,bmc->bc", weights, moved_again), confidence)
    pareto = pareto_front(means[:2].T)
    order = np.argsort(scored.exponents, kind="stable").tolist()
    rows = []
    for c in np.argsort(-gain, kind="stable").tolist():
        candidate = scored.candidates[c]
        metrics = [Interval(float(means[m, c]), float(own[0, m, c]), float(own[1, m, c])) for m in range(len(means))]
        parts = [_change(moved[m, c], low[m, c], high[m, c], scale) for m in range(len(means))]
        total = _change(gain[c], gains.low[c], gains.high[c], scale)
        rows.append(
            Row(
                name=candidate.name,
                metric=candidate.metric,
                plain=metrics[0],
                weighted=metrics[1] if len(metrics) > 1 else None,
                plain_change=parts[0],
                weighted_change=parts[1] if len(parts) > 1 else None,
                gain=total,
                p_value=float(gains.p_value[c]),
                significant="" if total.verdict == "same" else total.verdict,
                pareto=bool(pareto[c]),
                keeps_predictions=getattr(candidate, "keeps_predictions_", None),
                baseline=c == 0,
                at_exponents=tuple(AtExponent(scored.exponents[m], metrics[m].value, parts[m]) for m in order),
            )
        )
    return tuple(rows), gains.critical


def _resample(units: Cube, rng: np.random.Generator, n_resamples: int) -> Cube:
    flat = bootstrap_means(units.reshape(len(units), -1), rng, n_resamples)
    return flat.reshape(n_resamples, *units.shape[1:])


def _change(value: float, low: float, high: float, scale: Scale) -> Change:
    if scale == "ratio":
        value, low, high = (float(np.exp(min(number, 700.0))) for number in (value, low, high))
    return Change(float(value), float(low), float(high), scale)


def _runner_up(gain: NDArray[np.float64]) -> int:
    """The best of the others; the baseline when there are none."""
    return 0 if len(gain) == 1 else 1 + int(gain[1:].argmax())
