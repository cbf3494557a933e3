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
    table: Annotated[str, typer.Option(help="Table or collection.")] = "items",
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
    from pathlib import Path

    from simgauge.cli import console
    from simgauge.cli.exit_codes import FINDING
    from simgauge.shipping.export import export as run_export
    from simgauge.stores.target import parse_target

    target = parse_target(to)  # before anything is read
    with console.warnings_as_notes(), console.progress(not json) as show:
        plain = ids is None and names is None and Path(embedding).is_dir()
        source: Any = embedding
        if not plain:
            source = options.load_embedding(embedding, None, ids, names, None, reading, json)
        shipped = run_export(
            source, target, table=table, append=append, index=index, verify=verify, rng=seed, progress=show
        )
    told = {} if plain else {"sources": options.sources(source)}
    if json:
        console.print_json({**shipped.to_dict(), **told})
    else:
        console.print_facts(repr(shipped), shipped.to_arrow())
        for note in shipped.notes:
            console.print_note(note)
        console.out().print("\nThe query to run:")
        console.print_code(shipped.recipe)
    if verify and not shipped.verified:
        raise typer.Exit(FINDING)
