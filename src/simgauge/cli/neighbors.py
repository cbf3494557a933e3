"""simgauge neighbors: similar items or users by name, in one gauge or in several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from simgauge.cli import options

if TYPE_CHECKING:
    from simgauge.neighbors import Sides


@options.reads_vectors
def neighbors(
    embedding: Annotated[str, typer.Argument(help="Item vectors: a file, or a directory that simgauge saved.")],
    items: Annotated[list[str], typer.Argument(help="Names or ids of items; ids of users with --of users.")],
    of: Annotated[
        str, typer.Option(help="items: items near an item; users: users near a user; user-items: items near a user.")
    ] = "items",
    compare: Annotated[bool, typer.Option("--compare", help="Show the canonical gauges side by side.")] = False,
    users: options.Users = None,
    ids: options.Ids = None,
    names: options.Names = None,
    user_ids: options.UserIds = None,
    metric: Annotated[str, typer.Option(help="cosine or dot.")] = "cosine",
    k: Annotated[int, typer.Option("-k", help="Neighbours per list.")] = 10,
    json: options.Json = False,
    reading: Any = None,
) -> None:
    """Show the items (or users) most similar to some; with --compare in the canonical gauges, and what each keeps."""
    from simgauge.cli import console
    from simgauge.cli.neighbors_text import print_comparison
    from simgauge.neighbors import AS_SHIPPED, compare_neighbors, standard_gauges

    with console.warnings_as_notes():
        table = options.load_embedding(embedding, users, ids, names, user_ids, reading, json)
        sides = cast("Sides", of)
        gauges = standard_gauges(table, sides) if compare else {AS_SHIPPED: table}
        result = compare_neighbors(gauges, items, k, metric, of=sides)
    if json:
        console.print_json({**result.to_dict(), "sources": options.sources(table)})
    else:
        print_comparison(result)
