"""simgauge preview: what fewer dimensions and fewer bits cost."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from simgauge.cli import options
from simgauge.cli.events import load_interactions, read_events, reads_events


@options.reads_vectors
@reads_events
def preview(
    embedding: Annotated[str, typer.Argument(help="Item vectors: a file, or a directory that simgauge saved.")],
    dims: Annotated[str, typer.Option(help="Numbers of columns to keep, such as 256,128.")] = "",
    precision: Annotated[str, typer.Option(help="Of float32, float16, int8, binary, separated by commas.")] = "float32",
    held_out: Annotated[
        str | None,
        typer.Option(help="Interactions that the model was not trained on; with --interactions, what came later."),
    ] = None,
    labels: Annotated[str | None, typer.Option(help="Table of item id and label.")] = None,
    pairs: Annotated[str | None, typer.Option(help="Table of two item ids and a human judgement.")] = None,
    qrels: Annotated[str | None, typer.Option(help="Table of query id, item id and grade, or TREC qrels.")] = None,
    interactions: options.InteractionsFile = None,
    ids: options.Ids = None,
    names: options.Names = None,
    k: Annotated[int, typer.Option("-k", help="Neighbours.")] = 10,
    sample: Annotated[int, typer.Option(help="Rows whose neighbours are compared.")] = 1_000,
    seed: options.Seed = 0,
    json: options.Json = False,
    reading: Any = None,
    events: Any = None,
) -> None:
    """Show what truncated or quantised vectors keep of the neighbours, and of held-out evidence."""
    from simgauge.cli import console
    from simgauge.errors import ParameterError
    from simgauge.evidence import evidence_from_files
    from simgauge.shipping.preview import preview as run_preview

    try:
        widths = [int(part) for part in dims.split(",") if part.strip()]
    except ValueError as error:
        raise ParameterError(f"--dims {dims}: expected whole numbers separated by commas, such as 256,128.") from error
    with console.warnings_as_notes(), console.progress(not json) as show:
        model = options.load_embedding(embedding, None, ids, names, None, reading, json)
        training = load_interactions(interactions, events, "interactions", json)
        later = load_interactions(held_out, events, "held out", json)
        evidence = evidence_from_files(
            later, training, labels=labels, pairs=pairs, qrels=qrels, rng=seed, options=events
        )
        found = run_preview(
            model,
            widths,
            [part.strip() for part in precision.split(",")],  # type: ignore[misc]
            evidence=evidence,
            interactions=training,
            k=k,
            sample=sample,
            rng=seed,
            progress=show,
        )
    if json:
        read = read_events(training, later)
        console.print_json({**found.to_dict(), "sources": options.sources(model), "events": read})
        return
    rows = [
        [
            str(row.n_components), row.order if row.n_components < model.n_components else "", row.precision,
            f"{row.bytes_per_row:,}", console.with_interval(row.neighbors_kept, "{:.1%}"),
            "" if row.evidence is None else console.with_interval(row.evidence, "{:.4f}"),
            "" if row.change is None else console.with_interval(row.change, "{:.3f}"),
        ]
        for row in found.rows
    ]  # fmt: skip
    columns = ["#columns", "order", "precision", "#bytes a row", f"#{k} neighbours kept"]
    more = ["", ""] if found.measure is None else [f"#{found.measure}", "#against all"]
    console.out().print(console.table(repr(found), [*columns, *more], rows))
    for note in found.notes:
        console.out().print(f"evidence: {note}", markup=False)
