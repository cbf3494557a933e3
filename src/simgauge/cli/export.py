"""simgauge export: vectors to a file or a vector store, verified by asking it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from simgauge.cli import options

TARGETS = "KIND:PATH (duckdb:v.db, parquet:v.parquet, faiss:v.faiss, qdrant:http://host:6333, ...) or postgresql://..."


@options.reads_vectors
def export(
    embedding: Annotated[
        str, typer.Argument(help="Item vectors: a directory that simgauge saved, or any file of vectors.")
    ],
    to: Annotated[str, typer.Option("--to", help=f"Target: {TARGETS}.")],
    table: Annotated[str | None, typer.Option(help="Table or collection; items when not given.")] = None,
    append: Annotated[bool, typer.Option("--append", help="Add rows that the same map made.")] = False,
    index: Annotated[bool, typer.Option(help="Build the store's index where it is worth it.")] = True,
    verify: Annotated[bool, typer.Option(help="Ask the store for neighbours and compare.")] = True,
    ids: options.Ids = None,
    names: options.Names = None,
    seed: options.Seed = 0,
    json: options.Json = False,
    reading: Any = None,
) -> None:
    """Write vectors to a file or a vector store, under the right metric, and verify what the store answers."""
    from simgauge.cli import console
    from simgauge.cli.exit_codes import FINDING
    from simgauge.shipping.export import map_beside, ship
    from simgauge.stores.target import open_store, parse_target

    target = parse_target(to)  # before anything is read
    store = open_store(target, table=table)
    with console.warnings_as_notes(), console.progress(not json) as show:
        fitted = map_beside(embedding)
        model = options.load_embedding(embedding, None, ids, names, None, reading, json)
        shipped = ship(model, fitted, target, store, append=append, index=index, verify=verify, rng=seed, progress=show)
    if json:
        console.print_json({**shipped.to_dict(), "sources": options.sources(model)})
    else:
        console.print_facts(repr(shipped), shipped.to_arrow())
        for note in shipped.notes:
            console.print_note(note)
        console.out().print("\nThe query to run:")
        console.print_code(shipped.recipe)
    if verify and not shipped.verified:
        raise typer.Exit(FINDING)
