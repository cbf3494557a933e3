"""Two audits, finding by finding: what is worse than last time beyond noise, what is better, and what does not tell."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from simgauge.auditing.result import SCHEMA_VERSION, Audit
from simgauge.errors import InputError, ParameterError
from simgauge.findings import SEVERITY, Verdict
from simgauge.tabular import Tabular
from simgauge.wording import markdown_cell

Outcome = Literal["worse", "inconclusive", "moved", "better", "same"]
OUTCOMES: tuple[Outcome, ...] = ("worse", "inconclusive", "moved", "better", "same")
"""The most serious first."""

MIN_MOVE = 0.1
"""Share of the baseline's value: intervals cover the rows that were sampled, and not the chance in a training."""

MIN_SHIFT = 0.25
"""Share of the larger of two values by which a value without a bad side, or within its limits, must differ to be named
as moved. Trainings of one model are nearer than that, and another table is not."""

SMALLEST_SHIFT = 0.01
"""Difference below which no value has moved: shares and cosines as near as that are alike, whatever their ratio."""

SAME_PARAMETERS = ("objective", "biases", "penalty", "k", "sample", "seed", "version")
"""Parameters of an audit without which two values are not of one kind."""

SIZES = {"n_items": "items", "n_users": "users", "dtype": "number type"}
"""What may differ between two states of one embedding: catalogues grow. It is named, and the values are compared."""


@dataclass(frozen=True)
class FindingChange:
    """One finding now, beside the same finding of the baseline."""

    id: str
    title: str
    outcome: Outcome
    reason: str
    """Why it is that outcome, in one sentence."""
    verdicts: tuple[Verdict | None, Verdict | None]
    """Of the baseline and of now; None where the finding is missing."""
    values: tuple[float | None, float | None]
    intervals: tuple[tuple[float, float] | None, tuple[float, float] | None]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "id": self.id,
            "title": self.title,
            "outcome": self.outcome,
            "reason": self.reason,
            "verdicts": list(self.verdicts),
            "values": list(self.values),
            "intervals": [None if span is None else list(span) for span in self.intervals],
        }


@dataclass(frozen=True, repr=False)
class BaselineComparison(Tabular):
    """An audit beside an earlier one. Made by `compare_with_baseline`."""

    changes: tuple[FindingChange, ...]
    """The most serious first; within an outcome in the order of the report."""
    differences: tuple[str, ...]
    """Columns and parameters in which the audits differ, so that no value of theirs can be compared."""
    sizes: tuple[str, ...] = ()
    """Items, users and type of the numbers where they differ, which the findings are compared in spite of."""

    @property
    def outcome(self) -> Outcome:
        """The most serious outcome of a finding: "worse", "inconclusive", "moved", "better" or "same"."""
        found = {change.outcome for change in self.changes}
        return next((name for name in OUTCOMES if name in found), "same")

    @property
    def summary(self) -> str:
        """The outcome and the findings behind it, in one line."""
        counts = Counter(change.outcome for change in self.changes)
        listed = ", ".join(f"{counts[name]} {name}" for name in OUTCOMES if counts[name])
        told = {
            "Another table": [part for part in self.differences if part.startswith("columns ")],
            "Sizes differ": self.sizes,
        }
        notes = [f" {said}: {', '.join(parts)}." for said, parts in told.items() if parts]
        return f"Beside the baseline: {self.outcome} ({listed}).{''.join(notes)}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "outcome": self.outcome,
            "differences": list(self.differences),
            "sizes": list(self.sizes),
            "changes": [change.to_dict() for change in self.changes],
        }

    def to_arrow(self) -> pa.Table:
        """One row a finding: outcome, both verdicts and values, and the reason."""
        return pa.table(
            {
                "finding": [change.title for change in self.changes],
                "outcome": [change.outcome for change in self.changes],
                "verdict_then": pa.array([change.verdicts[0] for change in self.changes], pa.string()),
                "verdict_now": pa.array([change.verdicts[1] for change in self.changes], pa.string()),
                "value_then": pa.array([change.values[0] for change in self.changes], pa.float64()),
                "value_now": pa.array([change.values[1] for change in self.changes], pa.float64()),
                "reason": [change.reason for change in self.changes],
            }
        )

    def to_markdown(self) -> str:
        """The findings that are not the same, as a table."""
        lines = [f"**{self.summary}**", ""]
        moved = [change for change in self.changes if change.outcome != "same"]
        if moved:
            lines += ["| outcome | finding | then | now | why |", "|---|---|---|---|---|"]
        for change in moved:
            sides = [_side(*side) for side in zip(change.verdicts, change.values, strict=True)]
            cells = [change.outcome, change.title, *sides, change.reason]
            lines.append("| " + " | ".join(markdown_cell(cell) for cell in cells) + " |")
        return "\n".join(lines) + "\n"

    def __repr__(self) -> str:
        return f"BaselineComparison({self.summary})"


def read_baseline(path: str | Path) -> dict[str, Any]:
    """An audit that was saved: what ``simgauge audit --out`` or ``--json`` wrote, or the directory that holds it.

    Raises
    ------
    InputError
        Missing, no JSON, no audit, or an audit of another schema version.
    """
    place = Path(path)
    place = place / "audit.json" if place.is_dir() else place
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read the baseline {place}: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"the baseline {place} is no JSON file: {error}.") from error
    version = found.get("schema_version") if isinstance(found, dict) else None
    if version is None or "findings" not in found:
        raise InputError(f"the baseline {place} is no audit: pass the audit.json that simgauge audit --out wrote.")
    if version != SCHEMA_VERSION:
        raise InputError(
            f"the baseline {place} has schema version {version!r}, and this simgauge reads {SCHEMA_VERSION}: audit the "
            "earlier vectors again with this version, and use that file."
        )
    _check_shape(found, place)
    return dict(found)


def compare_with_baseline(
    audit: Audit | Mapping[str, Any], baseline: Mapping[str, Any] | str | Path, *, min_move: float = MIN_MOVE
) -> BaselineComparison:
    """Say of every finding whether it is worse than in an earlier audit, better, the same, or not to be told.

    Parameters
    ----------
    audit : Audit or mapping
        The audit of now, or its `to_dict`.
    baseline : mapping, str or Path
        The earlier one: its `to_dict`, or its file.
    min_move : float, in [0, 1]
        Share of the earlier value by which a value must move to count while its verdict stays. Intervals tell what the
        sampled rows leave open; how far two trainings of one model differ they do not tell.

    Notes
    -----
    A finding is *worse* where its verdict became more severe, or stayed "warn" or "fail" while its value moved by
    more than `min_move` to the bad side, and the two intervals do not overlap. A value without an interval was not
    sampled and counts as exact. *Better* mirrors it. *Moved* is a value within its limits (from "ok" to "ok", or
    without limits) that differs by more than `MIN_SHIFT` of the larger value, beyond both intervals: it is shown and
    is no reason to stop a release. Smaller moves are *the same*. *Inconclusive* is a changed verdict whose intervals
    overlap, a finding that one of the audits lacks, a finding whose limits differ, and every finding where the tables
    have other numbers of columns or the audits differ in one of `SAME_PARAMETERS`. Other numbers of items and users
    are named in `sizes` and compared all the same, as catalogues grow.

    Raises
    ------
    InputError
        See `read_baseline`.

    Examples
    --------
    >>> import numpy as np
    >>> from simgauge.auditing.run import audit
    >>> before = audit(np.random.default_rng(0).normal(size=(60, 4)), k=5)
    >>> compare_with_baseline(before, before.to_dict()).outcome
    'same'
    """
    if not 0 <= min_move <= 1:
        raise ParameterError(f"min_move={min_move}: expected a share from 0 to 1.")
    if isinstance(baseline, str | Path):
        baseline = read_baseline(baseline)
    now = audit.to_dict() if isinstance(audit, Audit) else audit
    tables = baseline.get("embedding", {}), now.get("embedding", {})
    differences = (
        *_unlike(*tables, {"n_components": "columns"}),
        *_unlike(baseline["parameters"], now["parameters"], dict(zip(SAME_PARAMETERS, SAME_PARAMETERS, strict=True))),
    )
    before = {finding["id"]: finding for finding in baseline["findings"]}
    after = {finding["id"]: finding for finding in now["findings"]}
    limits = [side["parameters"].get("thresholds", {}) for side in (baseline, now)]
    changes = []
    for name in [*after, *(name for name in before if name not in after)]:
        pair = before.get(name), after.get(name)
        same_limits = limits[0].get(name) == limits[1].get(name)
        outcome, reason = _judge(*pair, limits[1].get(name) or {}, same_limits, differences, min_move)
        changes.append(_change(name, pair, outcome, reason))
    changes.sort(key=lambda change: OUTCOMES.index(change.outcome))
    return BaselineComparison(tuple(changes), differences, _unlike(*tables, SIZES))


def _judge(
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    limit: Mapping[str, Any],
    same_limits: bool,
    differences: tuple[str, ...],
    min_move: float,
) -> tuple[Outcome, str]:
    if before is None or after is None:
        which = "baseline" if before is None else "new audit"
        return "inconclusive", f"the {which} does not have this finding: audit both with the same inputs"
    if differences:
        return "inconclusive", f"the audits differ in {', '.join(differences)}"
    if not same_limits:
        return "inconclusive", "the limits of this finding are not those of the baseline: pass the same --thresholds"
    rise = SEVERITY[after["verdict"]] - SEVERITY[before["verdict"]]
    spans = _span(before), _span(after)
    apart = None in spans or _gap(*spans) > 0  # type: ignore[arg-type]
    if rise:
        if not apart:
            return "inconclusive", f"{_verdicts(before, after)}, but the intervals overlap: raise --sample in both"
        return ("worse" if rise > 0 else "better"), _verdicts(before, after)
    if None in spans or not apart:
        return "same", f"the verdict stays {after['verdict']}"
    if not SEVERITY[after["verdict"]] or "direction" not in limit:
        return _shift(before["value"], after["value"], after["verdict"])
    moved = after["value"] - before["value"]
    if abs(moved) <= min_move * abs(before["value"]):
        return "same", f"the verdict stays {after['verdict']}, and the value moved by less than {min_move:.0%}"
    bad = (moved > 0) == (limit["direction"] == "above")
    return (
        "worse" if bad else "better"
    ), f"it stays {after['verdict']}, and {before['value']:.3g} became {after['value']:.3g}"


def _shift(before: float, after: float, verdict: Verdict) -> tuple[Outcome, str]:
    """Of a value that has no bad side, or is within its limits."""
    needed = max(MIN_SHIFT * max(abs(before), abs(after)), SMALLEST_SHIFT)
    if abs(after - before) <= needed:
        return "same", f"the verdict stays {verdict}"
    return "moved", f"it stays {verdict}, and {before:.3g} became {after:.3g}: this may be another table"


def _change(
    name: str, pair: tuple[Mapping[str, Any] | None, Mapping[str, Any] | None], outcome: Outcome, reason: str
) -> FindingChange:
    title = next(str(side["title"]) for side in reversed(pair) if side is not None)
    first, second = ({} if side is None else side for side in pair)
    return FindingChange(
        name,
        title,
        outcome,
        reason,
        (first.get("verdict"), second.get("verdict")),
        (first.get("value"), second.get("value")),
        (_interval(first), _interval(second)),
    )


def _unlike(before: Mapping[str, Any], after: Mapping[str, Any], names: Mapping[str, str]) -> tuple[str, ...]:
    """What differs, of the keys in `names`, by the words for them."""
    return tuple(
        f"{said} ({before.get(name, 'unknown')} then, {after.get(name, 'unknown')} now)"
        for name, said in names.items()
        if before.get(name) != after.get(name)
    )


def _interval(finding: Mapping[str, Any]) -> tuple[float, float] | None:
    span = finding.get("interval")
    return None if span is None else (float(span[0]), float(span[1]))


def _span(finding: Mapping[str, Any]) -> tuple[float, float] | None:
    """Where the value lies: its interval, the value itself where it was not sampled; None without a value."""
    value = finding["value"]
    return None if value is None else _interval(finding) or (float(value), float(value))


def _gap(first: tuple[float, float], second: tuple[float, float]) -> float:
    """Distance between two intervals; negative where they overlap, 0 where they touch."""
    return max(first[0], second[0]) - min(first[1], second[1])


def _verdicts(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    return f"{before['verdict']} became {after['verdict']}"


def _side(verdict: Verdict | None, value: float | None) -> str:
    return "not there" if verdict is None else verdict if value is None else f"{verdict} ({value:.3g})"


def _check_shape(found: Mapping[str, Any], place: Path) -> None:
    try:
        dict(found["parameters"]).items()
        dict(found.get("embedding", {})).items()
        for finding in found["findings"]:
            SEVERITY[finding["verdict"]]
            _span(finding), str(finding["id"]), str(finding["title"])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise InputError(f"the baseline {place} is a damaged audit ({type(error).__name__}: {error}).") from error
