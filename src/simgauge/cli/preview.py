"""simgauge preview: what fewer dimensions and fewer bits cost."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from simgauge.cli import options
from simgauge.cli.events import reads_events
from simgauge.cli.evidence import Asked, asks_evidence


@options.reads_vectors
@reads_events
@asks_evidence
def preview(
    embedding: Annotated[str, typer.Argument(help="Item vectors: a file, or a directory that simgauge saved.")],
    dims: Annotated[str, typer.Option(help="Numbers of columns to keep, such as 256,128.")] = "",
    precision: Annotated[str, typer.Option(help="Of float32, float16, int8, binary, separated by commas.")] = "float32",
    ids: options.Ids = None,
    names: options.Names = None,
    k: Annotated[int, typer.Option("-k", help="Neighbours.")] = 10,
    sample: Annotated[int, typer.Option(help="Rows whose neighbours are compared.")] = 1_000,
    seed: options.Seed = 0,
    json: options.Json = False,
    reading: Any = None,
    events: Any = None,
    *,
    asked: Asked,
) -> None:
    """Show what truncated or quantised vectors keep of the neighbours, and of held-out evidence."""
    from simgauge.cli import console
    from simgauge.errors import ParameterError
    from simgauge.shipping.preview import preview as run_preview

    try:
        widths = [int(part) for part in dims.split(",") if part.strip()]
    except ValueError as error:
        raise ParameterError(f"--dims {dims}: expected whole numbers separated by commas, such as 256,128.") from error
    with console.warnings_as_notes(), console.progress(not json) as show:
        model = options.load_embedding(embedding, None, ids, names, None, reading, json)
        known = asked.load(events, seed, json)
        found = run_preview(
            model,
            widths,
            [part.strip() for part in precision.split(",")],  # type: ignore[misc]
            evidence=known.evidence,
            interactions=known.training,
            k=k,
            sample=sample,
            rng=seed,
            progress=show,
        )
    if json:
        read = known.understood()
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
