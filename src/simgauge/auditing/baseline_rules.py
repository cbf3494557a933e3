"""When a value is worse than it was: by its verdict, its intervals, and what another training does to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from simgauge.auditing.noise import Noise
from simgauge.findings import SEVERITY, Verdict

Outcome = Literal["worse", "inconclusive", "moved", "better", "same"]
OUTCOMES: tuple[Outcome, ...] = ("worse", "inconclusive", "moved", "better", "same")
"""The most serious first."""

UNMEASURED = 0.1
"""Share of the baseline's value that a value must move by to count, for findings whose noise was never measured."""

MIN_SHIFT = 0.25
"""Share of the larger of two values by which a value without a bad side, or within its limits, must differ to be named
as moved, beyond what another training does to it."""

SMALLEST_SHIFT = 0.01
"""Difference below which no value has moved: shares and cosines as near as that are alike, whatever their ratio."""

Side = Mapping[str, Any]
"""A finding, or a measure of a group, as JSON has it: value, interval, verdict."""


@dataclass(frozen=True)
class Rule:
    """What decides about one value."""

    finding_id: str
    limit: Mapping[str, Any]
    """Its thresholds; "direction" tells the bad side."""
    noise: Noise
    n_compared: int
    """Values that are compared by the same gate."""
    n_items: int | None = None
    """Of the group that it is a value of."""
    min_move: float | None = None
    """A share of the baseline's value that counts in place of the measured noise."""

    def judge(self, before: Side, after: Side) -> tuple[Outcome, str]:
        """The outcome, and why, in one sentence."""
        rise = SEVERITY[after["verdict"]] - SEVERITY[before["verdict"]]
        spans = span(before), span(after)
        valued = None not in spans
        apart = not valued or gap(*spans) > 0  # type: ignore[arg-type]
        beyond, why = self._beyond(before["value"], after["value"]) if valued else (True, "")
        if rise and not beyond:
            return "same", f"{_verdicts(before, after)}, but {why}"
        if rise and not apart:
            return "inconclusive", f"{_verdicts(before, after)}, but the intervals overlap: raise --sample in both"
        if rise:
            return ("worse" if rise > 0 else "better"), _verdicts(before, after)
        if not valued or not apart:
            return "same", f"the verdict stays {after['verdict']}"
        if not SEVERITY[after["verdict"]] or "direction" not in self.limit:
            return self._shift(before["value"], after["value"], after["verdict"], beyond)
        if not beyond:
            return "same", f"it stays {after['verdict']} ({before['value']:.3g} became {after['value']:.3g}), and {why}"
        bad = (after["value"] > before["value"]) == (self.limit["direction"] == "above")
        return (
            "worse" if bad else "better"
        ), f"it stays {after['verdict']}, and {before['value']:.3g} became {after['value']:.3g}"

    def _beyond(self, then: float, now: float) -> tuple[bool, str]:
        """Whether the move is more than noise; if not, what it is, in words."""
        moved = abs(now - then)
        if self.min_move is not None:
            return moved > self.min_move * abs(then), f"the value moved by no more than {self.min_move:.0%}"
        allowed = self.noise.allowed(self.finding_id, then, now, n_compared=self.n_compared, n_items=self.n_items)
        if allowed is None:
            return moved > UNMEASURED * abs(then), f"the value moved by no more than {UNMEASURED:.0%}"
        said = f"the values are no further apart than two trainings of {self.noise.kind} may be"
        return moved > allowed, f"{said} ({allowed:.2g})"

    @staticmethod
    def _shift(before: float, after: float, verdict: Verdict, beyond: bool) -> tuple[Outcome, str]:
        """Of a value that has no bad side, or is within its limits."""
        needed = max(MIN_SHIFT * max(abs(before), abs(after)), SMALLEST_SHIFT)
        if not beyond or abs(after - before) <= needed:
            return "same", f"the verdict stays {verdict}"
        return "moved", f"it stays {verdict}, and {before:.3g} became {after:.3g}: this may be another table"


def interval(side: Side) -> tuple[float, float] | None:
    """The interval of a value; None where it was not sampled."""
    found = side.get("interval")
    return None if found is None else (float(found[0]), float(found[1]))


def span(side: Side) -> tuple[float, float] | None:
    """Where the value lies: its interval, the value itself where it was not sampled; None without a value."""
    value = side["value"]
    return None if value is None else interval(side) or (float(value), float(value))


def gap(first: tuple[float, float], second: tuple[float, float]) -> float:
    """Distance between two intervals; negative where they overlap, 0 where they touch."""
    return max(first[0], second[0]) - min(first[1], second[1])


def _verdicts(before: Side, after: Side) -> str:
    said = f"{before['verdict']} became {after['verdict']}"
    then, now = before["value"], after["value"]
    return said if None in (then, now) else f"{said} ({then:.3g} became {now:.3g})"
