"""simgauge evaluate: models beside each other under evidence, without choosing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simgauge.cli import options
from simgauge.cli.events import reads_events
from simgauge.cli.evidence import Asked, asks_evidence

if TYPE_CHECKING:
    from simgauge.embedding import Embedding

ASKED = ("items", "users", "similar-users")


@options.reads_vectors
@reads_events
@asks_evidence
def evaluate(
    models: Annotated[
        list[str],
        typer.Argument(help="Item vectors, one or more: FILE or NAME=FILE; files of one name are seeds of one model."),
    ],
    users: Annotated[
        list[str] | None,
        typer.Option(help="Users of a model, if in a file of their own; repeat it in the order of the models."),
    ] = None,
    ids: options.Ids = None,
    user_ids: options.UserIds = None,
    by: Annotated[str, typer.Option("--by", help="How vectors are compared: cosine, dot or both.")] = "cosine,dot",
    trust_ids: options.TrustIds = False,
    seed: options.Seed = 0,
    json: options.Json = False,
    reading: Any = None,
    events: Any = None,
    *,
    asked: Asked,
) -> None:
    """Measure vectors as they are under evidence, several models side by side, and choose nothing."""
    from simgauge.cli import console
    from simgauge.cli.evaluation_text import print_evaluation
    from simgauge.errors import ParameterError
    from simgauge.evaluation.evaluate import evaluate as run_evaluate

    if users and len(users) != len(models):
        raise ParameterError(f"--users: {len(users)} files for {len(models)} models: pass one for each, or none.")
    with console.warnings_as_notes(), console.progress(not json) as show:
        named: dict[str, list[Embedding]] = {}
        sources = {}
        none: list[str | None] = [None] * len(models)
        for place, own in zip(models, users or none, strict=True):
            name, path = _named(place)
            model = options.load_embedding(path, own, ids, None, user_ids, reading, json)
            named.setdefault(name, []).append(model)
            sources[place] = options.sources(model)
        kinds, known = _evidence(asked, events, seed, json)
        found = run_evaluate(
            named,
            kinds,
            metrics=[part.strip() for part in by.split(",")],
            interactions=known.training,
            trust_ids=trust_ids,
            rng=seed,
            progress=show,
        )
    if json:
        console.print_json({**found.to_dict(), "sources": sources, "events": known.understood()})
        return
    print_evaluation(found)


def _named(place: str) -> tuple[str, str]:
    """NAME=FILE, or FILE by its own name."""
    from pathlib import Path

    name, equals, path = place.partition("=")
    if equals and name and not Path(place).exists():
        return name, path
    return Path(place).name, place


def _evidence(asked: Asked, events: Any, seed: int, quiet: bool) -> tuple[list[Any], Any]:
    """What was given of evidence, asked in every way that `--ask` lists."""
    from simgauge.errors import ParameterError
    from simgauge.evidence import SimilarUsers, UserItems
    from simgauge.parameters import check_choice

    ways = [part.strip() for part in asked.ask.split(",")]
    for way in ways:
        check_choice(way, "ask", ASKED)
    known = replace(asked, ask="items" if len(ways) > 1 else ways[0]).load(events, seed, quiet)
    if known.evidence is None:
        raise ParameterError(
            "evaluate needs evidence: pass --held-out, --split, --labels, --pairs, --qrels, --sessions, --together, "
            "--clicks or --shown."
        )
    if len(ways) == 1:
        return [known.evidence], known
    if not hasattr(known.evidence, "held_out"):
        raise ParameterError(f"ask={asked.ask!r} goes with --held-out or --split.")
    made = {"items": lambda found: found, "users": UserItems, "similar-users": SimilarUsers}
    return [made[way](known.evidence) for way in ways], known
