"""Two audits, finding by finding: what is worse than last time beyond noise, what is better, and what does not tell."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from simgauge.auditing.baseline_pairs import Pair, is_judged, paired_findings, paired_measures
from simgauge.auditing.baseline_rules import OUTCOMES, Outcome, Rule, interval, span
from simgauge.auditing.noise import Noise, noise_of
from simgauge.auditing.result import SCHEMA_VERSION, Audit
from simgauge.errors import InputError, ParameterError
from simgauge.findings import SEVERITY, Verdict
from simgauge.tabular import Tabular
from simgauge.wording import markdown_cell

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
    group: str | None = None
    """Of a value of some of the items: grouping and name, such as "popularity: tail"; None for all items."""

    @property
    def name(self) -> str:
        """The title, and the group where there is one."""
        return self.title if self.group is None else f"{self.title} ({self.group})"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "id": self.id,
            "title": self.title,
            "group": self.group,
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
                "group": pa.array([change.group for change in self.changes], pa.string()),
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
            cells = [change.outcome, change.name, *sides, change.reason]
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
    audit: Audit | Mapping[str, Any],
    baseline: Mapping[str, Any] | str | Path,
    *,
    noise: Noise | None = None,
    min_move: float | None = None,
) -> BaselineComparison:
    """Say of every finding whether it is worse than in an earlier audit, better, the same, or not to be told.

    Parameters
    ----------
    audit : Audit or mapping
        The audit of now, or its `to_dict`.
    baseline : mapping, str or Path
        The earlier one: its `to_dict`, or its file.
    noise : Noise, optional
        How far trainings of this model differ; by the objective of the audit when not given, see `noise_of`.
    min_move : float, in [0, 1], optional
        Share of the earlier value by which a value must move to count, in place of the measured noise.

    Notes
    -----
    Two things leave a value open. The rows that were sampled: its interval says that. And the training itself: another
    seed, or a few other events, give another value. How far was measured for each finding and kind of model on real
    data (`noise_of`, by ``bench/gate.py``), and a move counts when it is beyond both: the intervals do not overlap, and
    the values are further apart than two trainings of such a model are, with a chance of 5 % that any value of the
    audit is called worse when it is not. Findings that were never measured count from a tenth of their value.

    A finding is *worse* where such a move made its verdict more severe, or where the verdict stayed "warn" or "fail"
    and the value moved to the bad side. A value without an interval was not sampled and counts as exact. *Better*
    mirrors it. *Moved* is a value within its limits (from "ok" to "ok", or without limits) that differs by more than
    `MIN_SHIFT` of the larger value too: it is shown and is no reason to stop a release. Smaller moves are *the same*,
    also where a verdict changed: what only noise separates is no change. *Inconclusive* is a changed verdict whose
    intervals overlap, a finding that one of the audits lacks, a finding whose limits differ, and every finding where
    the tables have other numbers of columns or the audits differ in one of `SAME_PARAMETERS`. Other numbers of items
    and users are named in `sizes` and compared all the same, as catalogues grow.

    Groups that both audits have (labels, bands of popularity) are compared in the same way, by the measures that have
    limits; a group that one of them lacks is left out, as groups come and go.

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
    if min_move is not None and not 0 <= min_move <= 1:
        raise ParameterError(f"min_move={min_move}: expected a share from 0 to 1.")
    if isinstance(baseline, str | Path):
        baseline = read_baseline(baseline)
    now = audit.to_dict() if isinstance(audit, Audit) else audit
    tables = baseline.get("embedding", {}), now.get("embedding", {})
    differences = (
        *_unlike(*tables, {"n_components": "columns"}),
        *_unlike(baseline["parameters"], now["parameters"], dict(zip(SAME_PARAMETERS, SAME_PARAMETERS, strict=True))),
    )
    limits = [side["parameters"].get("thresholds", {}) for side in (baseline, now)]
    pairs = paired_findings(baseline, now)
    if not differences:
        pairs += paired_measures(baseline, now, limits[1])
    known = noise_of(str(now["parameters"].get("objective", "unknown"))) if noise is None else noise
    n_compared = sum(None not in pair.sides and is_judged(limits[1].get(pair.id)) for pair in pairs)
    changes = []
    for pair in pairs:
        limit = limits[1].get(pair.id) or {}
        rule = Rule(pair.id, limit, known, n_compared, pair.n_items, min_move)
        changes.append(
            _change(pair, *_judge(pair, rule, limits[0].get(pair.id) == limits[1].get(pair.id), differences))
        )
    changes.sort(key=lambda change: OUTCOMES.index(change.outcome))
    return BaselineComparison(tuple(changes), differences, _unlike(*tables, SIZES))


def _judge(pair: Pair, rule: Rule, same_limits: bool, differences: tuple[str, ...]) -> tuple[Outcome, str]:
    before, after = pair.sides
    if before is None or after is None:
        which = "baseline" if before is None else "new audit"
        return "inconclusive", f"the {which} does not have this finding: audit both with the same inputs"
    if differences:
        return "inconclusive", f"the audits differ in {', '.join(differences)}"
    if not same_limits:
        return "inconclusive", "the limits of this finding are not those of the baseline: pass the same --thresholds"
    return rule.judge(before, after)


def _change(pair: Pair, outcome: Outcome, reason: str) -> FindingChange:
    first, second = ({} if side is None else side for side in pair.sides)
    return FindingChange(
        pair.id,
        pair.title,
        outcome,
        reason,
        (first.get("verdict"), second.get("verdict")),
        (first.get("value"), second.get("value")),
        (interval(first), interval(second)),
        pair.group,
    )


def _unlike(before: Mapping[str, Any], after: Mapping[str, Any], names: Mapping[str, str]) -> tuple[str, ...]:
    """What differs, of the keys in `names`, by the words for them."""
    return tuple(
        f"{said} ({before.get(name, 'unknown')} then, {after.get(name, 'unknown')} now)"
        for name, said in names.items()
        if before.get(name) != after.get(name)
    )


def _side(verdict: Verdict | None, value: float | None) -> str:
    return "not there" if verdict is None else verdict if value is None else f"{verdict} ({value:.3g})"


def _check_shape(found: Mapping[str, Any], place: Path) -> None:
    try:
        dict(found["parameters"]).items()
        dict(found.get("embedding", {})).items()
        for finding in found["findings"]:
            SEVERITY[finding["verdict"]]
            span(finding), str(finding["id"]), str(finding["title"])
        for group in found.get("groups", ()):
            str(group["grouping"]), str(group["name"]), int(group["n_items"])
            for measure in group["measures"]:
                SEVERITY[measure["verdict"]]
                span(measure), str(measure["id"])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise InputError(f"the baseline {place} is a damaged audit ({type(error).__name__}: {error}).") from error
