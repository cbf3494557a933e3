"""What an evaluation measured: a row for each model, metric and kind of evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from simgauge.core.inference.intervals import Interval
from simgauge.core.scores.shown import Shown
from simgauge.selection.record import Change
from simgauge.tabular import Tabular
from simgauge.wording import counted

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Measured:
    """One model by one metric under one kind of evidence."""

    model: str
    metric: str
    """How vectors are compared: "cosine" or "dot"."""
    measure: str
    """Of the evidence, such as "recall@20"."""
    unit: str
    n_units: int
    n_seeds: int
    """Trainings that were averaged over."""
    plain: Interval
    weighted: Mapping[float, Interval]
    """Exponent of popularity -> the weighted form; empty where there is none."""
    change: Change | None
    """Of the plain measure against the first row of the same evidence; None for that row itself."""
    weighted_change: Change | None
    """The same of the weighted form at the exponent that is stated."""
    shown: Shown | None
    """What the lists show, a mean over seeds; None where there are no lists of items."""
    seed_values: tuple[float, ...]
    """Plain measure of every training."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "model": self.model,
            "metric": self.metric,
            "measure": self.measure,
            "unit": self.unit,
            "n_units": self.n_units,
            "n_seeds": self.n_seeds,
            "plain": _interval(self.plain),
            "weighted": [{"exponent": exponent, **_interval(found)} for exponent, found in self.weighted.items()],
            "change": None if self.change is None else self.change.to_dict(),
            "weighted_change": None if self.weighted_change is None else self.weighted_change.to_dict(),
            "shown": None if self.shown is None else self.shown._asdict(),
            "seed_values": list(self.seed_values),
        }


@dataclass(frozen=True, repr=False)
class Evaluation(Tabular):
    """The outcome of `evaluate`; its table has a row for each model, metric and kind of evidence."""

    rows: tuple[Measured, ...]
    notes: tuple[str, ...]
    """What could not be used or checked, and what the models were restricted to."""
    confidence: float
    models: Mapping[str, int]
    """Name -> number of trainings."""

    def of(self, measure: str) -> tuple[Measured, ...]:
        """Rows of one measure."""
        return tuple(row for row in self.rows if row.measure == measure)

    @property
    def measures(self) -> tuple[str, ...]:
        """Of the kinds of evidence, in their order."""
        return tuple(dict.fromkeys(row.measure for row in self.rows))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "schema_version": SCHEMA_VERSION,
            "models": dict(self.models),
            "confidence": self.confidence,
            "rows": [row.to_dict() for row in self.rows],
            "notes": list(self.notes),
        }

    def to_arrow(self) -> pa.Table:
        """One row each; intervals as three columns."""
        flat = []
        for row in self.rows:
            cells: dict[str, Any] = {"model": row.model, "metric": row.metric, "measure": row.measure}
            cells |= _ends("plain", row.plain)
            for exponent, found in row.weighted.items():
                cells |= _ends(f"weighted_{exponent:g}", found)
            cells |= _ends("change", row.change) | _ends("weighted_change", row.weighted_change)
            shown = row.shown._asdict() if row.shown else dict.fromkeys(Shown._fields)
            flat.append({**cells, **shown, "unit": row.unit, "n_units": row.n_units, "n_seeds": row.n_seeds})
        names = list(dict.fromkeys(name for cells in flat for name in cells))
        return pa.Table.from_pylist([{name: cells.get(name) for name in names} for cells in flat])

    def __repr__(self) -> str:
        return (
            f"Evaluation({counted(len(self.models), 'model')}, {', '.join(self.measures)}, "
            f"{counted(len(self.rows), 'row')})"
        )


def _ends(name: str, found: Interval | Change | None) -> dict[str, float | None]:
    value, low, high = (None, None, None) if found is None else (found.value, found.low, found.high)
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def _interval(found: Interval) -> dict[str, float]:
    return {"value": found.value, "low": found.low, "high": found.high}
