"""calibrate: from a cosine to the probability that two things are similar, learned from labelled pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simgauge.core.inference.intervals import Interval, proportion_interval
from simgauge.core.tables.arrays import to_host
from simgauge.core.tables.tables import unit_rows
from simgauge.errors import InputError
from simgauge.labels import as_label_array, rows_of
from simgauge.parameters import Rng, as_generator, check_integer
from simgauge.read.as_embedding import as_embedding
from simgauge.tabular import Tabular
from simgauge.wording import counted

SCHEMA_VERSION = 1
SIGNS = (b'"schema_version"', b'"transfers"', b'"probability"')
"""What every file of a calibration holds."""
BINS = 10
LEAST = 20


@dataclass(frozen=True, eq=False, repr=False)
class Calibration(Tabular):
    """A map from cosine to probability, with its intervals, and how well it holds."""

    cosines: NDArray[np.float64]
    """(m,), rising: where the map steps."""
    probabilities: NDArray[np.float64]
    """(m,), not falling."""
    low: NDArray[np.float64]
    """(m,): 95 % interval of the probability, point by point; see Notes of `calibrate`."""
    high: NDArray[np.float64]
    n_pairs: int
    error: Interval
    """Expected calibration error on pairs that had no part in the fit (cross-fitted), with its 95 % interval."""
    other_error: Interval | None
    """The same on the other group; None without one."""
    transfers: bool | None
    """Whether the other group's error is within the interval of the first group's; None without one."""

    def predict(self, cosines: Any) -> NDArray[np.float64]:
        """Probability of each cosine, in [0, 1]; linear between steps, constant beyond the ends."""
        return np.interp(np.asarray(cosines, dtype=np.float64), self.cosines, self.probabilities)

    def threshold(self, probability: float) -> float | None:
        """The smallest cosine at which the probability is at least that; None where it never is."""
        reached = np.flatnonzero(self.probabilities >= probability)
        return float(self.cosines[reached[0]]) if len(reached) else None

    @property
    def summary(self) -> str:
        """What it means, in two sentences."""
        half = self.threshold(0.5)
        said = "no cosine makes similar more likely than not" if half is None else (f"from a cosine of {half:.2f} on, "
        f"two are more likely similar than not")  # fmt: skip
        more = ""
        if self.other_error is not None and self.transfers is not None:
            other = self.other_error
            verb = "transfers" if self.transfers else "does not transfer"
            more = (
                f" It {verb} to the other group: its calibration error there is {other.value:.3f} "
                f"[{other.low:.3f}, {other.high:.3f}], {self.error.value:.3f} [{self.error.low:.3f}, "
                f"{self.error.high:.3f}] here."
            )
        return f"By {self.n_pairs:,} labelled pairs, {said}.{more}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "schema_version": SCHEMA_VERSION,
            "summary": self.summary,
            "n_pairs": self.n_pairs,
            "error": list(self.error),
            "other_error": None if self.other_error is None else list(self.other_error),
            "transfers": self.transfers,
            "map": [
                {"cosine": float(c), "probability": float(p), "low": float(a), "high": float(b)}
                for c, p, a, b in zip(self.cosines, self.probabilities, self.low, self.high, strict=True)
            ],
        }

    def to_arrow(self) -> pa.Table:
        """One row a step of the map."""
        return pa.table({"cosine": self.cosines, "probability": self.probabilities, "low": self.low, "high": self.high})

    def __repr__(self) -> str:
        return f"Calibration({counted(self.n_pairs, 'pair')}, calibration error {self.error.value:.3f})"


def calibrate(
    embedding: Any,
    left: Any,
    right: Any,
    similar: Any,
    *,
    group: Any = None,
    folds: int = 5,
    n_resamples: int = 200,
    rng: Rng = 0,
) -> Calibration:
    """Which cosine is similar? A map from cosine to probability that never falls, from labelled pairs.

    Parameters
    ----------
    embedding : Embedding, array-like, data frame or path
    left, right : sequence of ids, shape (n_pairs,)
    similar : sequence of bool or of 0 and 1, shape (n_pairs,)
        Whether somebody calls the pair similar.
    group : sequence, shape (n_pairs,), optional
        Two kinds of pairs: the map is fitted on the first kind that occurs and checked on the other.
    folds : int, >= 2
        Parts for the cross-fitted calibration error.
    n_resamples : int
        Of the bootstrap.
    rng : int or numpy.random.Generator

    Returns
    -------
    Calibration

    Notes
    -----
    The order of cosines is kept, so this cures no wrong order: a gauge that ranks badly ranks badly afterwards. It is
    isotonic regression, whose calibration error on its own pairs is zero and says nothing; the error given is that of
    pairs which had no part in the fit, in ten bins of equal size. The band needs nothing but that the probability does
    not fall: the share among the n^⅔ pairs just below a cosine is then no more than the probability there on average,
    and among those just above no less, so the ends are Wilson's for these shares. (A bootstrap of isotonic regression
    covers too little.)

    Raises
    ------
    InputError
        Ids that the embedding lacks, fewer than 20 pairs, labels other than 0 and 1, only one of them, or more than two
        groups.

    References
    ----------
    Tacheny (2026), arXiv 2601.16907; isotonic regression: scikit-learn.

    Examples
    --------
    >>> left, right = np.arange(0, 40, 2), np.arange(1, 41, 2)
    >>> turn = np.linspace(0, np.pi, 20)
    >>> table = np.zeros((40, 2))
    >>> table[left, 0], table[right, 0], table[right, 1] = 1.0, np.cos(turn), np.sin(turn)
    >>> found = calibrate(table, left, right, turn < 1.5)
    >>> found.predict([-0.9, 0.9])
    array([0., 1.])
    """
    folds, n_resamples = check_integer(folds, "folds", 2), check_integer(n_resamples, "n_resamples", 1)
    model = as_embedding(embedding)
    labels = np.asarray(similar)
    truth = labels.astype(np.float64)
    if truth.ndim != 1 or not np.isin(truth, (0.0, 1.0)).all():
        raise InputError(
            "similar: expected one 0 or 1 (or False or True) per pair; turn grades into such labels first."
        )
    cosines, known = _cosines(model, left, right, len(truth))
    truth = truth[known]
    first, other = _groups(group, known, len(truth))
    if first.sum() < LEAST or len(np.unique(truth[first])) < 2:
        raise InputError(
            f"{int(first.sum())} labelled pairs, {int(truth[first].sum())} of them similar: at least {LEAST} are "
            f"needed, of "
            "both kinds."
        )
    draw = as_generator(rng)
    x, y = cosines[first], truth[first]
    steps = np.unique(np.quantile(x, np.linspace(0, 1, min(101, len(x)))))
    fitted = _isotonic(x, y)
    low, high = _band(x, y, steps)
    held_out = _cross_fitted(x, y, folds, draw)
    own = _error_interval(held_out, y, draw, n_resamples)
    elsewhere = None if other is None else _error_interval(fitted(cosines[other]), truth[other], draw, n_resamples)
    return Calibration(
        cosines=steps, probabilities=fitted(steps), low=low, high=high, n_pairs=int(first.sum()), error=own,
        other_error=elsewhere, transfers=None if elsewhere is None else bool(elsewhere.low <= own.high),
    )  # fmt: skip


def _cosines(model: Any, left: Any, right: Any, n: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    sides = [as_label_array(side, name) for side, name in ((left, "left"), (right, "right"))]
    if {len(side) for side in sides} != {n}:
        raise InputError(
            f"left, right and similar have {len(sides[0])}, {len(sides[1])} and {n} entries: one each per pair."
        )
    rows = [rows_of(side, model.item_ids, "pairs") for side in sides]
    known = (rows[0] >= 0) & (rows[1] >= 0)
    unit = np.asarray(to_host(unit_rows(model.items)), dtype=np.float64)
    return np.einsum("ij,ij->i", unit[rows[0][known]], unit[rows[1][known]]), known


def _groups(group: Any, known: NDArray[np.bool_], n: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_] | None]:
    if group is None:
        return np.ones(n, dtype=bool), None
    kinds = np.asarray(group).astype(str)
    if kinds.shape != known.shape:
        raise InputError(f"group: {kinds.size} entries for {known.size} pairs: pass one per pair.")
    kinds = kinds[known]
    names = list(dict.fromkeys(kinds.tolist()))
    if len(names) != 2:
        raise InputError(f"group: expected two kinds of pairs, found {len(names)}.")
    return kinds == names[0], kinds == names[1]


def _isotonic(x: NDArray[np.float64], y: NDArray[np.float64]) -> Any:
    from sklearn.isotonic import IsotonicRegression

    return IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(x, y).predict


def _band(x: NDArray[np.float64], y: NDArray[np.float64], steps: NDArray[np.float64]) -> tuple[Any, Any]:
    """Lower and upper ends at each step, neither falling."""
    order = np.argsort(x, kind="stable")
    x, sums = x[order], np.concatenate(([0.0], np.cumsum(y[order])))
    width = math.ceil(len(x) ** (2 / 3))
    low, high = np.zeros(len(steps)), np.ones(len(steps))
    for place, step in enumerate(steps):
        below, above = int(np.searchsorted(x, step, side="right")), int(np.searchsorted(x, step, side="left"))
        first, last = max(0, below - width), min(len(x), above + width)
        low[place] = proportion_interval(int(sums[below] - sums[first]), below - first).low
        high[place] = proportion_interval(int(sums[last] - sums[above]), last - above).high
    return np.maximum.accumulate(low), np.minimum.accumulate(high[::-1])[::-1]


def _cross_fitted(
    x: NDArray[np.float64], y: NDArray[np.float64], folds: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    part = rng.permutation(len(x)) % folds
    predicted = np.empty(len(x))
    for number in range(folds):
        inside = part == number
        predicted[inside] = _isotonic(x[~inside], y[~inside])(x[inside])
    return predicted


def expected_error(predicted: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """Expected calibration error: mean over ten bins of about equal size of |mean prediction − share that is true|.

    Pairs with equal predictions share a bin.

    Examples
    --------
    >>> expected_error(np.full(100, 0.3), np.arange(100) < 30)
    0.0
    """
    edges = np.unique(np.quantile(predicted, np.linspace(0, 1, BINS + 1)))
    bins = np.searchsorted(edges[1:-1], predicted, side="right")
    size = np.bincount(bins)
    gap = np.abs(np.bincount(bins, predicted) - np.bincount(bins, truth))
    return round(float(gap.sum() / size.sum()), 12)


def _error_interval(
    predicted: NDArray[np.float64], truth: NDArray[np.float64], rng: np.random.Generator, n_resamples: int
) -> Interval:
    value = expected_error(predicted, truth)
    rows = rng.integers(len(truth), size=(n_resamples, len(truth)))
    drawn = np.array([expected_error(predicted[row], truth[row]) for row in rows])
    # a resampled error is larger than the error by as much as the error is larger than the true one: taken off twice
    low, high = np.quantile(drawn - (drawn.mean() - value), [0.025, 0.975])
    return Interval(value, float(max(0.0, min(low, value))), float(max(high, value)))
