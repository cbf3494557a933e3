"""The outcome of a comparison of several trainings: what they share, as trained and whatever the gauge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from simgauge.core.inference.intervals import Interval
from simgauge.tabular import Tabular
from simgauge.wording import counted

SCHEMA_VERSION = 1

AS_TRAINED, CANONICAL, USERS_LISTS = "as trained", "canonical", "predictions"

MEANINGS = {
    AS_TRAINED: "neighbours of items, as trained",
    CANONICAL: "neighbours of items, in the canonical gauge",
    USERS_LISTS: "items of users, by dot product",
}


@dataclass(frozen=True)
class Measured:
    """Mean share of common members of lists, over pairs of trainings."""

    name: str
    """"as trained" and "canonical": lists of items by cosine; "predictions": lists of users by dot product."""
    same_data: Interval
    """Pairs trained on the same data with other seeds."""
    across: Interval | None
    """Pairs of an earlier and a later training; None without later ones."""
    data_only: Interval | None
    """`same_data` minus `across`: what the data changed beyond the seeds."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        spans = {name: getattr(self, name) for name in ("same_data", "across", "data_only")}
        return {"name": self.name, **{name: span and span._asdict() for name, span in spans.items()}}


@dataclass(frozen=True, eq=False, repr=False)
class Stability(Tabular):
    """What several trainings of one model share. Made by `stability`."""

    n_models: tuple[int, int]
    """Trainings, and later ones."""
    gauge: str | None
    """The canonical gauge; None where lists as trained are all there is."""
    k: int
    n_shared: int
    """Items of all models."""
    n_asked: int
    """Of those, whose lists are compared."""
    measures: tuple[Measured, ...]
    gauge_only: Interval | None
    """By how much lists agree more in the canonical gauge than as trained: what of the difference was only the gauge.
    Below 0 where the canonical gauge shows more of what changed than the vectors as trained do."""
    unstable: tuple[tuple[str, float], ...]
    """Items whose lists agree least between trainings on the same data: name, share; by the canonical gauge where there
    is one."""
    moved_by_data: tuple[tuple[str, float, float], ...]
    """Items whose lists later data changed most, beyond what seeds change: name, share on the same data, and across."""
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Measured:
        for measure in self.measures:
            if measure.name == name:
                return measure
        raise KeyError(f"no measure {name!r}; there are {', '.join(measure.name for measure in self.measures)}")

    @property
    def summary(self) -> str:
        """What another seed changes, what of it is only the gauge, and what later data change, in full sentences."""
        said = [f"Two trainings share {_share(self[AS_TRAINED].same_data)} of an item's neighbours as trained"]
        if self.gauge_only is None:
            said[0] += "."
        else:
            kept = self[CANONICAL].same_data
            said[0] += f", and {_share(kept)} in the canonical gauge."
            said.append(
                f"The other {1 - kept.value:.1%} really changed: lists in that gauge depend on the predictions alone."
            )
            said.append(_about_gauge(self.gauge_only))
        judged = self.measures[0] if self.gauge_only is None else self[CANONICAL]
        if judged.data_only is not None and judged.across is not None:
            said.append(
                f"An earlier and a later training share {_share(judged.across)}: {_about_data(judged.data_only)}"
            )
        return " ".join(said)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "schema_version": SCHEMA_VERSION,
            "summary": self.summary,
            "n_models": self.n_models[0],
            "n_later": self.n_models[1],
            "gauge": self.gauge,
            "k": self.k,
            "n_shared": self.n_shared,
            "n_asked": self.n_asked,
            "measures": [measure.to_dict() for measure in self.measures],
            "gauge_only": self.gauge_only and self.gauge_only._asdict(),
            "unstable": [{"name": name, "kept": share} for name, share in self.unstable],
            "moved_by_data": [
                {"name": name, "same_data": same, "across": across} for name, same, across in self.moved_by_data
            ],
            "notes": list(self.notes),
        }

    def to_arrow(self) -> pa.Table:
        """One row a measure: mean shares with the ends of their intervals."""
        rows = []
        for measure in self.measures:
            cells: dict[str, Any] = {"lists": MEANINGS[measure.name]}
            for name in ("same_data", "across", "data_only"):
                value, low, high = getattr(measure, name) or (None, None, None)
                cells |= {name: value, f"{name}_low": low, f"{name}_high": high}
            rows.append(cells)
        return pa.Table.from_pylist(rows)

    def __repr__(self) -> str:
        n_later = self.n_models[1]
        more = f" and {n_later} later" if n_later else ""
        shares = ", ".join(f"{measure.name} {measure.same_data.value:.1%}" for measure in self.measures)
        return f"Stability({counted(self.n_models[0], 'training')}{more}, {counted(self.n_shared, 'item')}: {shares})"


def _share(found: Interval) -> str:
    return f"{found.value:.1%} [{found.low:.1%}, {found.high:.1%}]"


def _points(found: Interval) -> str:
    return f"{100 * found.value:.1f} points [{100 * found.low:.1f}, {100 * found.high:.1f}]"


def _negative(found: Interval) -> Interval:
    return Interval(-found.value, -found.high, -found.low)


def _about_gauge(found: Interval) -> str:
    if found.low > 0:
        return f"Another {_points(found)} that differ as trained were only the gauge."
    if found.high < 0:
        return f"That is more than the vectors show as trained, by {_points(_negative(found))}."
    return f"Whether the gauge changes anything beyond that cannot be told ({_points(found)})."


def _about_data(found: Interval) -> str:
    if found.low > 0:
        return f"the data changed {_points(found)} beyond what another seed changes."
    if found.high < 0:
        return f"that is more than trainings on the same data share, by {_points(_negative(found))}."
    return f"no change by the data can be told from that by the seed ({_points(found)})."
