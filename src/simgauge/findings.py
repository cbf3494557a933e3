"""Finding: one thing an audit found out, with everything a person needs to act on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from simgauge.frozen import frozen
from simgauge.parameters import check_choice

Verdict = Literal["ok", "info", "warn", "fail"]

SEVERITY: Mapping[str, int] = MappingProxyType({"ok": 0, "info": 0, "warn": 1, "fail": 2})
"""Order of verdicts; "info" states a fact that is neither good nor bad."""


class Standing(NamedTuple):
    """Where a value stands among reference tables, facts about real embeddings."""

    kind: str
    """What these tables are, in words."""
    n_tables: int
    n_lower: int
    """Tables with a lower value."""

    def __str__(self) -> str:
        return f"higher than in {self.n_lower} of {self.n_tables} reference tables ({self.kind})"


@dataclass(frozen=True)
class Finding:
    """One measured property of an embedding.

    Examples
    --------
    >>> finding = Finding("hubness", "Hubness", 1.2, "skewness of k-occurrence 1.2", "ok")
    >>> finding.to_dict()["verdict"]
    'ok'
    """

    id: str
    """Stable name for machines; also the key of its thresholds."""
    title: str
    """What a person calls it."""
    value: float | None
    """The number that is judged; None where the finding is not a number."""
    summary: str
    """The value in words, one line."""
    verdict: Verdict
    """"ok", "info", "warn" or "fail"."""
    interval: tuple[float, float] | None = None
    """Interval of the value where it was sampled; `details` says which."""
    cause: str = ""
    """Why it is so."""
    action: str = ""
    """The smallest thing to do about it."""
    verify: str = ""
    """How to check that the action worked, or that the finding is right."""
    gauge_dependent: bool | None = None
    """Whether another gauge of the same model, with the same predictions, would give another value."""
    group: str = "gauge"
    """Section of the report: "identifiability", "gauge", "geometry"."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """Numbers behind the value, plain JSON; "named" holds the items found, as a person calls them."""
    standing: Standing | None = None
    """Where the value stands among real embeddings of its kind; None where there is nothing to compare."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "details", frozen(self.details))

    @property
    def named(self) -> list[str]:
        """Items that the finding is about, as a person calls them; a few of them where there are many."""
        return list(self.details.get("named", ()))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types only."""
        return {
            "id": self.id,
            "title": self.title,
            "group": self.group,
            "value": self.value,
            "interval": None if self.interval is None else list(self.interval),
            "verdict": self.verdict,
            "summary": self.summary,
            "cause": self.cause,
            "action": self.action,
            "verify": self.verify,
            "gauge_dependent": self.gauge_dependent,
            "details": dict(self.details),
            "standing": None if self.standing is None else {**self.standing._asdict(), "text": str(self.standing)},
        }


def worst(verdicts: list[Verdict]) -> Verdict:
    """The most severe of some verdicts; "ok" when there are none.

    Examples
    --------
    >>> worst(["ok", "warn", "info"])
    'warn'
    """
    if not verdicts:
        return "ok"
    severe = max(verdicts, key=lambda verdict: SEVERITY[verdict])
    return "ok" if severe == "info" else severe


class WithFindings:
    """A result that is made of findings: its verdict, and one of them by its id."""

    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """The most severe verdict of all findings."""
        return worst([finding.verdict for finding in self.findings])

    def __getitem__(self, finding_id: str) -> Finding:
        for finding in self.findings:
            if finding.id == finding_id:
                return finding
        raise KeyError(f"no finding {finding_id!r}; there are {', '.join(finding.id for finding in self.findings)}")

    def failed(self, level: str) -> bool:
        """Whether any finding is at least as severe as `level` ("warn" or "fail")."""
        check_choice(level, "level", ("warn", "fail"))
        return SEVERITY[self.verdict] >= SEVERITY[level]
