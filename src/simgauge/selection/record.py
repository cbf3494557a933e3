"""What a selection found: every candidate with its intervals, the choice, and how it was confirmed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pyarrow as pa

from simgauge.core.inference.intervals import Interval
from simgauge.embedding import Embedding
from simgauge.frozen import frozen
from simgauge.remedies.saved_form import remedy_bytes
from simgauge.selection.item_lists import ItemLists
from simgauge.selection.picture import trade_off_picture
from simgauge.selection.zero_vectors import ZeroVectors, moved_around_zeros
from simgauge.storage.embedding_directory import LISTS_FILE, MAP_FILE, PAGE_FILE, RECORD_FILE
from simgauge.tabular import Tabular
from simgauge.wording import counted

SCHEMA_VERSION = 1

Decision = Literal["improved", "left alone", "default"]


class Change(NamedTuple):
    """Against leaving alone: a ratio (1 is no change) or a difference (0 is no change)."""

    value: float
    low: float
    high: float
    scale: Literal["ratio", "difference"]

    @property
    def verdict(self) -> Literal["better", "worse", "same"]:
        """ "same" when the interval holds no change."""
        none = 1.0 if self.scale == "ratio" else 0.0
        return "better" if self.low > none else "worse" if self.high < none else "same"

    def __str__(self) -> str:
        sign = "×" if self.scale == "ratio" else ""
        plus = "" if self.scale == "ratio" else "+"
        return f"{sign}{self.value:{plus}.3f} [{self.low:{plus}.3f}, {self.high:{plus}.3f}]"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {"value": self.value, "low": self.low, "high": self.high, "scale": self.scale, "verdict": self.verdict}


class AtExponent(NamedTuple):
    """The metric with found items weighted by popularity to the power −exponent."""

    exponent: float
    """0: the plain metric. 1: every item counts the same."""
    value: float
    change: Change

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {"exponent": self.exponent, "value": self.value, "change": self.change.to_dict()}


@dataclass(frozen=True)
class Row:
    """One candidate on all of the evidence. Its changes have intervals that hold for all candidates together."""

    name: str
    metric: str
    """To use with its vectors: "cosine" or "dot"."""
    plain: Interval
    """The metric of the evidence, with its own interval."""
    weighted: Interval | None
    """The popularity-weighted form, where there is one."""
    plain_change: Change
    weighted_change: Change | None
    gain: Change
    """The trade-off: geometric mean of the two ratios (or the weighted mean of the differences)."""
    p_value: float
    """Of no gain, adjusted for the number of candidates."""
    significant: Literal["better", "worse", ""]
    """By the adjusted interval of the gain."""
    pareto: bool
    """No other candidate is as good on both measures and better on one."""
    keeps_predictions: bool | None
    guarded: bool = False
    """Whether it may lose more than allowed on a measure, and so cannot be chosen: its bounds do not rule that out."""
    baseline: bool = False
    chosen: bool = False
    at_exponents: tuple[AtExponent, ...] = ()
    """The metric at every exponent of popularity that was measured, from the plain one to every item the same."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "name": self.name,
            "metric": self.metric,
            "plain": _interval(self.plain),
            "weighted": None if self.weighted is None else _interval(self.weighted),
            "plain_change": self.plain_change.to_dict(),
            "weighted_change": None if self.weighted_change is None else self.weighted_change.to_dict(),
            "gain": self.gain.to_dict(),
            "p_value": self.p_value,
            "significant": self.significant,
            "pareto": self.pareto,
            "guarded": self.guarded,
            "keeps_predictions": self.keeps_predictions,
            "baseline": self.baseline,
            "chosen": self.chosen,
            "at_exponents": [one.to_dict() for one in self.at_exponents],
        }


@dataclass(frozen=True)
class Confirmation:
    """What is to be expected of the choice, or of the candidate that came nearest to it where nothing was chosen.

    Values are of units that had no part in the choice. Intervals hold for what was chosen among many, because they hold
    for all candidates together.
    """

    gain: Change
    plain_change: Change
    weighted_change: Change | None
    picks: tuple[str, ...]
    """The candidate that each fold would have chosen without seeing itself."""
    agreement: float
    """Share of the folds that picked this candidate without seeing themselves."""
    units_needed: int | None
    """Units that would show the gain of the best candidate with a chance of 80 %; None when there is no gain."""
    detectable: Change
    """Smallest gain that these units show with a chance of 80 %."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "gain": self.gain.to_dict(),
            "plain_change": self.plain_change.to_dict(),
            "weighted_change": None if self.weighted_change is None else self.weighted_change.to_dict(),
            "picks": list(self.picks),
            "agreement": self.agreement,
            "units_needed": self.units_needed,
            "detectable": self.detectable.value,
        }


@dataclass(frozen=True, eq=False, repr=False)
class Selection(Tabular):
    """The outcome of `fix`.

    Examples
    --------
    >>> from simgauge.selection import fix
    >>> chosen = fix(Embedding([[1.0, 0.0], [0.5, 1.0]]))
    >>> chosen.decision, chosen.best_name
    ('default', 'leave alone(cosine)')
    """

    decision: Decision
    """"improved": a candidate is surely better. "left alone": none is. "default": there was no evidence."""
    best: Any
    """The fitted candidate to use."""
    summary: str
    """The finding in words."""
    table: tuple[Row, ...] = ()
    """Every candidate, best gain first."""
    confirmation: Confirmation | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """Kind, measure, unit and number of units, notes on what could not be used."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Trade-off, guard, folds, seed, confidence."""
    skipped: tuple[tuple[str, str], ...] = ()
    """Candidates that could not be fitted or scored, with the reason."""
    spoken_of: str | None = None
    """The candidate of ``confirmation``: the chosen one, or the one that came nearest to it."""
    leaning: str | None = None
    """The candidate that the evidence leans to without proof: its gain would be proven if it were the only candidate,
    and units that had no part in picking it show a gain too. None where there is none, or where one was chosen."""
    zero_vectors: ZeroVectors = field(default_factory=ZeroVectors)
    """Items without a direction, which had no part in the choice."""
    item_lists: ItemLists | None = None
    """The best similarity from the interactions alone, where they were given and the evidence asks for lists:
    ``item_lists.wins`` says whether it is surely better than the vectors, ``to_arrow()`` has the lists."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "evidence", frozen(self.evidence))
        object.__setattr__(self, "settings", frozen(self.settings))

    @property
    def best_name(self) -> str:
        """Name of the candidate to use."""
        return str(self.best.name)

    @property
    def metric(self) -> str:
        """What to compare the result with: "cosine" or "dot"."""
        return str(self.best.metric)

    def transform(self, embedding: Embedding) -> Embedding:
        """The chosen map applied, with what is known of the choice in the provenance; zero items stay zero."""
        moved = moved_around_zeros(self.best, embedding)
        about = {key: value for key, value in self.to_dict().items() if key not in ("table", "picture", "skipped")}
        return moved.with_tables(moved.items, moved.users, selection=about)

    def save(
        self, directory: str | Path, embedding: Embedding, *, page: Callable[[Embedding], str] | None = None
    ) -> Embedding:
        """Apply the chosen map and write its vectors, the map and this record to a directory, all at once.

        The directory is what `Embedding.save` writes, with ``map.safetensors`` (`load_remedy` reads it) and
        ``selection.json`` beside the vectors, and ``item_lists.parquet`` where the interactions themselves do better.

        Parameters
        ----------
        directory : str or Path
            As for `Embedding.save`.
        embedding : Embedding
            The vectors to move.
        page : callable, optional
            Makes a page of HTML from the moved vectors, which is written beside them as ``report.html``.

        Returns
        -------
        Embedding
            The moved vectors.
        """
        fixed = self.transform(embedding)
        record = json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        more = {} if page is None else {PAGE_FILE: page(fixed).encode()}
        if self.item_lists is not None and self.item_lists.wins:
            more[LISTS_FILE] = self.item_lists.to_parquet()
        fixed.save(directory, more={MAP_FILE: remedy_bytes(self.best), RECORD_FILE: record.encode(), **more})
        return fixed

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "schema_version": SCHEMA_VERSION,
            "decision": self.decision,
            "best": self.best_name,
            "metric": self.metric,
            "summary": self.summary,
            "leaning": self.leaning,
            "item_lists": None if self.item_lists is None else self.item_lists.to_dict(),
            "spoken_of": self.spoken_of,
            "evidence": dict(self.evidence),
            "settings": dict(self.settings),
            "confirmation": None if self.confirmation is None else self.confirmation.to_dict(),
            "table": [row.to_dict() for row in self.table],
            "picture": trade_off_picture(self.table, str(self.evidence.get("measure", "metric")), self.settings),
            "skipped": [{"name": name, "reason": reason} for name, reason in self.skipped],
            "zero_vectors": self.zero_vectors.to_dict(),
        }

    def to_arrow(self) -> pa.Table:
        """One row a candidate, best gain first: measures and gain with their intervals, and what decided."""
        columns = ("name", "metric", "p_value", "significant", "pareto", "guarded", "keeps_predictions", "chosen")
        rows = []
        for row in self.table:
            cells = row.to_dict()
            spread = {
                f"{name}{end}": None if cells[name] is None else cells[name][key]
                for name in ("plain", "weighted", "gain")
                for end, key in (("", "value"), ("_low", "low"), ("_high", "high"))
            }
            rows.append({"name": cells["name"], **spread, **{name: cells[name] for name in columns[1:]}})
        return pa.Table.from_pylist(rows)

    def __repr__(self) -> str:
        return f"Selection({self.decision}: {self.best_name}, {self.metric}; {counted(len(self.table), 'candidate')})"

    @property
    def _caption(self) -> str:
        return self.summary

    def to_markdown(self) -> str:
        """The table, with the summary above it."""
        notes = [f"Evidence: {note}." for note in self.evidence.get("notes", ())]
        said = " ".join(part for part in (self.summary, self.zero_vectors.sentence, *notes) if part)
        if not self.table:
            return f"{said}\n"
        weighted = self.table[0].weighted is not None
        measure = self.evidence.get("measure", "metric")
        head = ["candidate", str(measure), "change", *(["weighted", "change"] if weighted else []), "gain", "", ""]
        lines = [said, "", f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
        for row in self.table:
            cells = [row.name, f"{row.plain.value:.4f}", str(row.plain_change)]
            if row.weighted is not None:
                cells += [f"{row.weighted.value:.4f}", str(row.weighted_change)]
            marks = [row.significant, *(["guarded"] if row.guarded else []), *(["Pareto"] if row.pareto else [])]
            cells += [str(row.gain), ", ".join(mark for mark in marks if mark), "chosen" if row.chosen else ""]
            lines.append(f"| {' | '.join(cells)} |")
        return "\n".join(lines) + "\n"


def _interval(interval: Interval) -> dict[str, float]:
    return {"value": interval.value, "low": interval.low, "high": interval.high}
