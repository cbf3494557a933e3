"""evaluate: the measures of evidence for models as they are, with intervals, and no choice among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.core.inference.intervals import Interval
from simgauge.core.inference.seeds import (
    Draw,
    Spread,
    change_of,
    draw_of,
    recurrence_of,
    seed_means,
    several,
    spread_of,
)
from simgauge.core.scores.shown import Shown, shown_items, user_shares
from simgauge.core.tables.kinds import Vector
from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError
from simgauge.evaluation.models import Models, named_models, on_common_rows
from simgauge.evaluation.record import Evaluation, Measured
from simgauge.evidence.protocol import check_evidence
from simgauge.interactions import Interactions, require_interactions
from simgauge.labels import positions_of
from simgauge.matching import check_ids, sources_of
from simgauge.parameters import Rng, as_seed, check_choice
from simgauge.progress import Progress, logged
from simgauge.remedies.leave_alone import LeaveAlone
from simgauge.selection.record import Change
from simgauge.selection.scoring import unchecked, unleaked

METRICS = ("cosine", "dot")

FLOOR = 1e-9
"""Means below count as this in ratios."""


def evaluate(
    models: Any,
    evidence: Any,
    *,
    metrics: Sequence[str] = METRICS,
    interactions: Interactions | None = None,
    confidence: float = 0.95,
    trust_ids: bool = False,
    rng: Rng = 0,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure vectors as they are under evidence, several models side by side, without choosing.

    Parameters
    ----------
    models : Embedding, array-like, data frame or path; or a mapping of names to these
        A name may have a list of models: trainings that differ in their seed, of which the mean is measured.
    evidence : kind of `simgauge.evidence`, or a list of several
        Held-out events, labels, sessions, clicks and so on; each makes rows of its own.
    metrics : sequence of {"cosine", "dot"}
        How vectors are compared; the first model by the first metric is what all others are compared with.
    interactions : Interactions, optional
        What was trained on. Held-out pairs that are in it are dropped with a warning, and novelty is counted in it; in
        the evidence's own events otherwise.
    confidence : float in (0, 1)
        Of every interval of a measure, and of all changes of one kind of evidence together.
    trust_ids : bool
        As for `fix`.
    rng : int or numpy.random.Generator
        Of samples of queries.
    progress : callable, optional

    Returns
    -------
    Evaluation
        ``rows``, ``to_dict()``, ``to_arrow()``, ``notes``.

    Notes
    -----
    *Intervals* are Student's, over the units of the evidence (users, sessions, items); with several seeds the variance
    between trainings is added, so that they hold for another training of the same kind, and so is that of the draw
    where only a sample of the queries was asked, and that of items which recur in many pairs. *Changes* pair the units
    of two models, by ratio or difference as the evidence says; their intervals hold for all rows of one kind of
    evidence together (Šidák). *Several models* are compared on the items, and users, that all of them have. *Coverage,
    Gini coefficient and novelty* are those of the lists that were scored (`simgauge.core.scores.shown`): they depend on
    how many lists there are and how long, so compare them within one evaluation.

    Raises
    ------
    InputError
        No common item, ids in doubt, evidence that a model cannot be asked, fewer than two units.
    ParameterError
        An unknown metric, or a confidence outside of (0, 1).

    Examples
    --------
    >>> from simgauge.evidence import Labels
    >>> rng = np.random.default_rng(0)
    >>> group = np.arange(60) % 3
    >>> good = np.eye(3)[group] + 0.2 * rng.standard_normal((60, 3))
    >>> found = evaluate({"good": good, "noise": rng.standard_normal((60, 3))},
    ...                  Labels(dict(enumerate(group.tolist())), k=5), metrics=["cosine"])
    >>> [(row.model, row.plain.value > 0.6) for row in found.rows], found.rows[1].change.verdict
    ([('good', True), ('noise', False)], 'worse')
    """
    if not 0 < confidence < 1:
        raise ParameterError(f"confidence={confidence}: expected a number between 0 and 1, such as 0.95.")
    asked_metrics = [metrics] if isinstance(metrics, str) else list(metrics)
    for metric in asked_metrics:
        check_choice(metric, "metrics", METRICS)
    if not asked_metrics:
        raise ParameterError("metrics=[]: pass 'cosine', 'dot' or both.")
    if interactions is not None:
        require_interactions(interactions, "interactions")
    kinds = list(evidence) if isinstance(evidence, list | tuple) else [evidence]
    if not kinds:
        raise ParameterError("evidence=[]: pass at least one kind of evidence.")
    named, notes = on_common_rows(named_models(models))
    seed, show = as_seed(rng), progress or logged
    rows: list[Measured] = []
    for kind in kinds:
        check_evidence(kind)
        scored, told = _scored(kind, named, asked_metrics, interactions, trust_ids, seed, show)
        notes += [note for note in told if note not in notes]
        rows += _measured(kind, scored, confidence)
    counts = {name: len(own) for name, own in named.items()}
    return Evaluation(tuple(rows), tuple(notes), confidence, counts)


class Scores:
    """One model by one metric: scores of every unit, measure and seed, and what the lists show."""

    def __init__(self, model: str, metric: str, exponents: tuple[float, ...]) -> None:
        self.model, self.metric, self.exponents = model, metric, exponents
        self.units: list[NDArray[np.float64]] = []
        self.shown: list[Shown] = []
        self.drawn: list[NDArray[np.float64]] = []
        """(2, n_drawn, n_measures) of every seed, where queries are a sample; the same queries for all."""
        self.nodes: NDArray[np.int64] | None = None
        """The two things of each unit, where units are pairs of things that recur."""

    def of(self, measure: int) -> NDArray[np.float64]:
        """(n_units, n_seeds) of one measure."""
        return np.stack([one[:, measure] for one in self.units], axis=1)

    def luck(self, measure: int, base: Scores | None = None, *, ratio: bool = False) -> Draw:
        """What units share and cannot see, of the mean or of its change against another model: drawn queries, or
        things that recur in pairs."""
        if self.nodes is not None:
            units = self._against(base, [one.of(measure).mean(axis=1) for one in (self, base) if one], measure, ratio)
            return recurrence_of(units - units.mean(), self.nodes)
        if not self.drawn:
            return draw_of(None)
        halves = [np.mean(one.drawn, axis=0)[:, :, measure] for one in (self, base) if one]
        return draw_of(self._against(base, halves, measure, ratio))

    def _against(self, base: Scores | None, parts: list[Any], measure: int, ratio: bool) -> NDArray[np.float64]:
        """One array as it is, or the difference of two after each is divided by its mean, where ratios are compared."""
        if base is None:
            return np.asarray(parts[0])
        scales = [max(float(one.of(measure).mean()), FLOOR) if ratio else 1.0 for one in (self, base)]
        return np.asarray(parts[0] / scales[0] - parts[1] / scales[1])

    @property
    def mean_shown(self) -> Shown | None:
        """Mean over seeds."""
        if not self.shown:
            return None
        parts = list(zip(*self.shown, strict=True))
        novelty = None if parts[2][0] is None else float(np.mean(parts[2]))
        return Shown(float(np.mean(parts[0])), float(np.mean(parts[1])), novelty, self.shown[0].n_lists)


def _scored(
    evidence: Any,
    models: Models,
    metrics: Sequence[str],
    interactions: Interactions | None,
    trust_ids: bool,
    seed: int,
    show: Progress,
) -> tuple[list[Scores], list[str]]:
    """Every model by every metric, and what could not be used or checked."""
    usable, events = unleaked(evidence, interactions), getattr(evidence, "events", None)
    notes = list(unchecked(evidence, interactions))
    found: list[Scores] = []
    total, done = sum(map(len, models.values())) * len(metrics), 0
    for name, trainings in models.items():
        own: dict[str, Scores] = {}
        for model in trainings:
            ids = check_ids(model, sources_of(evidence), interactions, held_out=events, trust_ids=trust_ids, seed=seed)
            notes += [note for note in ids.notes if note not in notes]
            scorer = usable.bind(model, seed)
            if scorer.n_units < 2:
                raise InputError(f"the evidence holds {scorer.n_units} {evidence.unit} that {name!r} knows: pass more.")
            notes += [note for note in scorer.notes if note not in notes]
            shares = _shares(interactions if interactions is not None else events, model)
            for metric in metrics:
                show(f"{name}, {metric}", done, total)
                done += 1
                into = own.setdefault(metric, Scores(name, metric, scorer.exponents))
                into.nodes = getattr(scorer, "nodes", None)
                _score(into, scorer, model, shares)
        found += list(own.values())
    show("done", total, total)
    return found, notes


def _score(into: Scores, scorer: Any, model: Embedding, shares: Vector | None) -> None:
    scores = scorer.scores(LeaveAlone(into.metric).fit(model), model)
    weighted = () if scores.weighted is None else (scores.weighted, *scores.others)
    into.units.append(np.stack([scores.plain, *weighted], axis=1))
    if scores.drawn is not None:
        into.drawn.append(np.asarray(scores.drawn))
    if scores.lists is not None:
        into.shown.append(shown_items(np.asarray(scores.lists), model.n_items, shares))


def _shares(events: Interactions | None, model: Embedding) -> Vector | None:
    """Share of the users who used each item of a model; None without events."""
    if events is None:
        return None
    rows = positions_of(model.item_ids, events.item_ids)
    counts = np.where(rows >= 0, events.item_counts[rows], 0)
    return user_shares(counts, int((events.user_counts > 0).sum()))


def _measured(evidence: Any, scored: Sequence[Scores], confidence: float) -> list[Measured]:
    first, ratio = scored[0], evidence.scale == "ratio"
    together = several(confidence, len(scored) - 1)
    rows = []
    for own in scored:
        intervals = [spread_of(own.of(m), own.luck(m)).interval(confidence) for m in range(len(own.exponents))]
        changes = [_against(own, first, m, together, ratio) for m in range(min(2, len(own.exponents)))]
        rows.append(
            Measured(
                model=own.model,
                metric=own.metric,
                measure=str(evidence.measure),
                unit=str(evidence.unit),
                n_units=len(own.units[0]),
                n_seeds=len(own.units),
                plain=intervals[0],
                weighted=dict(zip(own.exponents[1:], intervals[1:], strict=True)),
                change=changes[0],
                weighted_change=changes[1] if len(changes) > 1 else None,
                shown=own.mean_shown,
                seed_values=tuple(float(value) for value in seed_means(own.of(0))),
            )
        )
    return rows


def _against(own: Scores, first: Scores, measure: int, confidence: float, ratio: bool) -> Change | None:
    """Change of one measure against the first model; None for that itself."""
    if own is first:
        return None
    draw = own.luck(measure, first, ratio=ratio)
    return _change(change_of(own.of(measure), first.of(measure), ratio=ratio, draw=draw), confidence, ratio)


def _change(spread: Spread, confidence: float, ratio: bool) -> Change:
    found: Interval = spread.interval(confidence)
    if not ratio:
        return Change(*found, "difference")
    value, low, high = (float(np.exp(np.clip(end, -700.0, 700.0))) for end in found)
    return Change(value, low, high, "ratio")
