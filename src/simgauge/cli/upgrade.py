"""simgauge upgrade: queries of a new encoder in the index of an old one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simgauge.cli import options

if TYPE_CHECKING:
    from simgauge.shipping.upgraded import Upgraded


@options.reads_vectors
def upgrade(
    old: Annotated[str, typer.Argument(help="Document vectors by the old encoder: what the index holds.")],
    new: Annotated[str, typer.Argument(help="Vectors of some of the same documents by the new encoder.")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File for the map that moves new queries into the index.")
    ] = None,
    old_queries: Annotated[
        str | None, typer.Option("--old-queries", help="Queries by the old encoder; without, documents are asked for.")
    ] = None,
    new_queries: Annotated[
        str | None, typer.Option("--new-queries", help="The same queries by the new encoder.")
    ] = None,
    method: Annotated[str, typer.Option(help="best, linear, rotation or anchors.")] = "best",
    metric: Annotated[str, typer.Option(help="What the index is asked by: cosine or dot.")] = "cosine",
    old_ids: Annotated[str | None, typer.Option("--old-ids", help="Ids of the old rows, as for --ids.")] = None,
    new_ids: Annotated[str | None, typer.Option("--new-ids", help="Ids of the new rows, as for --ids.")] = None,
    k: Annotated[int, typer.Option("-k", help="Neighbours per list.")] = 10,
    sample: Annotated[int, typer.Option(help="Documents or queries that are scored, at most.")] = 2_000,
    seed: options.Seed = 0,
    json: options.Json = False,
    reading: Any = None,
) -> None:
    """Keep the index of an old encoder: map the queries of a new one into it, and say what that gives up."""
    from simgauge.cli import console
    from simgauge.remedies.saved_form import HEADER, remedy_bytes
    from simgauge.shipping.upgrade import upgrade as run_upgrade
    from simgauge.storage.own_file import refuse_foreign, write_own_file

    signs = (HEADER.encode(),)
    if out is not None:
        refuse_foreign(out, signs)
    with console.warnings_as_notes():
        tables = {
            name: None if place is None else options.load_embedding(place, None, ids, None, None, reading, json)
            for name, place, ids in (
                ("old", old, old_ids),
                ("new", new, new_ids),
                ("old_queries", old_queries, None),
                ("new_queries", new_queries, None),
            )
        }
        found = run_upgrade(
            **tables,
            method=method,  # type: ignore[arg-type]
            metric=metric,  # type: ignore[arg-type]
            k=k,
            sample=sample,
            rng=seed,
        )
        if out is not None:
            write_own_file(out, remedy_bytes(found.map_), signs)
    if json:
        sources = {name: options.sources(table) for name, table in tables.items() if table is not None}
        console.print_json({**found.to_dict(), "out": None if out is None else str(out), "sources": sources})
        return
    _print(found)
    if out is not None:
        console.out().print(
            f"\nWrote {out}. Move new queries by it before they are asked in the index: simgauge apply {out} QUERIES "
            "--out DIRECTORY",
            markup=False,
            soft_wrap=True,
        )


def _print(found: Upgraded) -> None:
    from simgauge.cli import console

    page = console.out()
    page.print(found.summary, markup=False, soft_wrap=True)
    rows = [
        [
            f"mapped, {row.way}" + (" (chosen)" if row.way == found.method else "")
            if place < len(found.rows) - 2
            else row.way,
            *(console.with_interval(share, "{:.1%}") for share in (row.old_lists, row.new_lists)),
        ]
        for place, row in enumerate(found.rows)
    ]
    columns = ["queries", "#old encoder's lists found", "#new encoder's lists found"]
    page.print(console.table("", columns, rows))
    if found.itself_first is not None:
        page.print(
            f"{found.itself_first:.1%} of the held-out documents find their own old row first, mapped.",
            markup=False,
            soft_wrap=True,
        )
    for note in found.notes:
        page.print(note, markup=False, soft_wrap=True)
