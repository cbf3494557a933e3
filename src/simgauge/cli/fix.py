"""simgauge fix: vectors whose plain cosine (or dot) is the similarity that held-out evidence supports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from simgauge.cli import options
from simgauge.cli.events import reads_events
from simgauge.cli.evidence import Asked, asks_evidence

if TYPE_CHECKING:
    from simgauge.embedding import Embedding
    from simgauge.interactions import Interactions
    from simgauge.selection.record import Selection


@options.reads_vectors
@reads_events
@asks_evidence
def fix(
    items: Annotated[str, typer.Argument(help="Item vectors: a file, or a directory that simgauge saved.")],
    out: Annotated[Path, typer.Option(help="Directory for the vectors, the map and selection.json.")],
    users: options.Users = None,
    ids: options.Ids = None,
    names: options.Names = None,
    user_ids: options.UserIds = None,
    aim: Annotated[
        str | None,
        typer.Option(
            help="balanced, discovery (every item counts the same) or popular (what users take next counts alone)."
        ),
    ] = None,
    popularity_exponent: Annotated[
        float | None,
        typer.Option(help="A found item counts 1 / popularity to this power; 0.5 when not given, 1: all the same."),
    ] = None,
    popularity_tradeoff: Annotated[
        float | None, typer.Option(help="0: plain metric only; 1: popularity-weighted only; 0.5 when not given.")
    ] = None,
    max_loss: Annotated[float, typer.Option(help="Share of either measure that a choice may lose.")] = 0.02,
    objective: options.Objective = None,
    biases: options.TrainedBiases = None,
    penalty: options.Penalty = None,
    show: Annotated[list[str] | None, typer.Option(help="Item whose neighbours are shown before and after.")] = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Write no report.html beside the vectors.")] = False,
    rows: Annotated[int, typer.Option(help="Candidates shown in the table.")] = 12,
    trust_ids: options.TrustIds = False,
    seed: options.Seed = 0,
    json: options.Json = False,
    reading: Any = None,
    events: Any = None,
    *,
    asked: Asked,
) -> None:
    """Choose the gauge or remedy that evidence supports, "leave it alone" included, and write the vectors."""
    from simgauge.cli import console
    from simgauge.cli.neighbors_text import print_comparison
    from simgauge.cli.selection_text import print_selection
    from simgauge.neighbors import compare_neighbors
    from simgauge.selection import fix as run_fix
    from simgauge.storage.atomic import check_place
    from simgauge.storage.embedding_directory import own_embedding_files

    check_place(out, own_embedding_files)
    with console.warnings_as_notes(), console.progress(not json) as bar:
        bar("reading", 0, 1)
        embedding = options.load_embedding(items, users, ids, names, user_ids, reading, json)
        known = asked.load(events, seed, json)
        selection = run_fix(
            embedding,
            known.evidence,
            rng=seed,
            interactions=known.training,
            aim=cast("Any", aim),
            popularity_exponent=popularity_exponent,
            popularity_tradeoff=popularity_tradeoff,
            max_loss=max_loss,
            objective=objective,
            biases=biases,
            penalty=penalty,
            trust_ids=trust_ids,
            progress=bar,
        )
        bar("writing the vectors and the report", 0, 1)
        opened = [embedding.item_ids[row] for row in embedding.find_items(show or ())]
        page = _page_of(selection, embedding, known.training, items, out, opened)
        fixed = selection.save(out, embedding, page=None if no_report else page)
    comparison = compare_neighbors({"before": embedding, "after": fixed}, show) if show else None
    if json:
        neighbors = None if comparison is None else comparison.to_dict()
        told = {
            "out": str(out),
            "neighbors": neighbors,
            "sources": options.sources(embedding),
            "events": known.understood(),
        }
        console.print_json({**selection.to_dict(), **told})
        return
    console.print_ids(selection.evidence.get("ids"))
    print_selection(selection, rows)
    if comparison is not None:
        print_comparison(comparison)
    console.out().print(f"\nWrote {fixed!r} to {out}; compare its vectors with {selection.metric}.", markup=False)
    if not no_report:
        console.out().print(f"{out / 'report.html'} shows it to people: open it in a browser.", markup=False)


def _page_of(
    selection: Selection, embedding: Embedding, training: Interactions | None, items: str, out: Path, shown: list[Any]
) -> Callable[[Embedding], str]:
    """What makes the page from the moved vectors."""
    from simgauge.cli.page_options import page_command
    from simgauge.report.html import render
    from simgauge.selection.page import fix_page

    counts = None if training is None else training.align(embedding.item_ids).item_counts

    def page(fixed: Embedding) -> str:
        told = fix_page(
            selection,
            embedding,
            fixed,
            title=f"Fix of {Path(items).name}",
            out=str(out),
            shown=shown,
            popularity=counts,
            command=page_command(),
            replaced=Path(items).exists() and Path(items).resolve() == out.resolve(),
        )
        return render(told)

    return page
