"""The options that say what is known about similarity, the same in every command that asks evidence."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simgauge.cli import options
from simgauge.cli.events import load_interactions, read_events

if TYPE_CHECKING:
    from simgauge.interactions import Interactions
    from simgauge.read.events.options import ReadingOptions


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a command was told of evidence; `load` reads it."""

    held_out: str | None
    interactions: str | None
    split: str | None
    ask: str
    labels: str | None
    pairs: str | None
    qrels: str | None
    sessions: str | None
    together: str | None
    clicks: str | None
    shown: str | None
    after: str | None
    max_gap: float | None
    propensity: float | None
    metric: str | None
    at: int | None
    max_queries: int | None

    def load(self, events: ReadingOptions, seed: int, quiet: bool) -> Loaded:
        """Read the files; what they were understood to be is told on stderr unless `quiet`."""
        from simgauge.cli.console import print_note
        from simgauge.evidence import evidence_from_files
        from simgauge.read.events.times import moment

        training, later = self._interactions(events, quiet)
        told: list[str] = []
        found = evidence_from_files(
            later,
            training,
            labels=self.labels,
            pairs=self.pairs,
            qrels=self.qrels,
            sessions=self.sessions,
            together=self.together,
            clicks=self.clicks,
            shown=self.shown,
            ask=self.ask,  # type: ignore[arg-type]
            metric=self.metric,
            k=self.at,
            max_queries="auto" if self.max_queries is None else self.max_queries,
            after=None if self.after is None else moment(self.after, "after"),
            max_gap=self.max_gap,
            propensity=self.propensity,
            rng=seed,
            options=events,
            told=told.append,
        )
        for sentence in () if quiet else told:
            print_note(f"evidence: {sentence}")
        return Loaded(found, training, later)

    def _interactions(self, events: ReadingOptions, quiet: bool) -> tuple[Interactions | None, Interactions | None]:
        """What was trained on, and what was held out."""
        if self.split is None:
            training = load_interactions(self.interactions, events, "interactions", quiet)
            return training, load_interactions(self.held_out, events, "held out", quiet)
        from simgauge.cli.events import load_split
        from simgauge.errors import ParameterError

        if self.held_out is not None or self.interactions is None:
            raise ParameterError(
                "--split cuts the events of --interactions into what was trained on and what came later: pass "
                "--interactions, and no --held-out."
            )
        cut = load_split(self.interactions, events, self.split, quiet)
        return cut.training, cut.held_out


@dataclass(frozen=True)
class Loaded:
    """Evidence, and the interactions that it was read with."""

    evidence: Any
    training: Interactions | None
    later: Interactions | None

    def understood(self) -> dict[str, Any]:
        """What the interactions were understood to be, for the JSON of a command."""
        return read_events(self.training, self.later)


OPTIONS: dict[str, tuple[Any, Any]] = {
    "held_out": (
        Annotated[
            str | None,
            typer.Option(help="Interactions that the model was not trained on; with --interactions, what came later."),
        ],
        None,
    ),
    "interactions": (options.InteractionsFile, None),
    "split": (
        Annotated[
            str | None,
            typer.Option(
                help="Cut --interactions by time into what was trained on and what is held out: 0.2 (the latest fifth "
                "of all events), user:0.2 (of every user's), or a date such as 2024-01-31."
            ),
        ],
        None,
    ),
    "ask": (
        Annotated[
            str,
            typer.Option(help="Of --held-out: items (near earlier ones), users (in users' lists) or similar-users."),
        ],
        "items",
    ),
    "labels": (Annotated[str | None, typer.Option(help="Table of item id and label.")], None),
    "pairs": (Annotated[str | None, typer.Option(help="Table of two item ids and a human judgement.")], None),
    "qrels": (
        Annotated[str | None, typer.Option(help="Table of query id, item id and grade, or TREC qrels.")],
        None,
    ),
    "sessions": (
        Annotated[
            str | None,
            typer.Option(help="Events of sessions (session, item, time): is the next item near the one before?"),
        ],
        None,
    ),
    "together": (
        Annotated[str | None, typer.Option(help="Pairs of items bought together: two item ids, and a count if any.")],
        None,
    ),
    "clicks": (
        Annotated[
            str | None,
            typer.Option(help="Clicks on lists of similar items: item asked with, item clicked, place from 1."),
        ],
        None,
    ),
    "shown": (
        Annotated[
            str | None,
            typer.Option(help="User, item and whether it was taken (1) or left (0); needs --interactions."),
        ],
        None,
    ),
    "after": (
        Annotated[
            str | None,
            typer.Option(help="Of --sessions: only steps later than this date or time, the end of the training data."),
        ],
        None,
    ),
    "max_gap": (
        Annotated[float | None, typer.Option(help="Of --sessions: longest pause, in the unit of the times.")],
        None,
    ),
    "propensity": (
        Annotated[
            float | None,
            typer.Option(help="Of --clicks: a place p is examined with the chance p^-PROPENSITY; 1 when not given."),
        ],
        None,
    ),
    "metric": (
        Annotated[str | None, typer.Option(help="recall, precision, ndcg, mrr, spearman or auc; by kind of evidence.")],
        None,
    ),
    "at": (Annotated[int | None, typer.Option(help="List length k of the metric.")], None),
    "max_queries": (
        Annotated[
            int | None,
            typer.Option(help="Items whose neighbours are searched for each candidate; by cost when not given."),
        ],
        None,
    ),
}
"""Name of the parameter -> its annotation and default."""

assert set(OPTIONS) == {field.name for field in fields(Asked)}


def asks_evidence(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command all options of evidence; it receives them as one record, its parameter `asked`."""
    signature = inspect.signature(command, eval_str=True)

    @functools.wraps(command)
    def called(**values: Any) -> None:
        asked = Asked(**{name: values.pop(name) for name in OPTIONS})
        command(**values, asked=asked)

    named = inspect.Parameter.KEYWORD_ONLY
    own = [entry.replace(kind=named) for name, entry in signature.parameters.items() if name != "asked"]
    more = [
        inspect.Parameter(name, named, default=default, annotation=kind) for name, (kind, default) in OPTIONS.items()
    ]
    called.__signature__ = signature.replace(parameters=[*own, *more])  # type: ignore[attr-defined]
    called.__annotations__ = {entry.name: entry.annotation for entry in (*own, *more)}
    return called
