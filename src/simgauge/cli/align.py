"""simgauge align: a retrained model in the space of the old one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simgauge.cli import options


def align(
    old: Annotated[str, typer.Argument(help="The model that the index holds: a directory or a file.")],
    new: Annotated[str, typer.Argument(help="The retrained model.")],
    out: Annotated[
        Path | None, typer.Option(help="Directory for the new model in the old one's space, with its map.")
    ] = None,
    old_out: Annotated[
        Path | None,
        typer.Option("--old-out", help="Directory for the old model in the same gauge: what the index must hold."),
    ] = None,
    method: Annotated[
        str, typer.Option(help="rotation (keeps the new cosines) or linear (keeps predictions).")
    ] = "rotation",
    power: Annotated[float, typer.Option(help="α of the canonical gauge that both are put into.")] = 1.0,
    as_is: Annotated[bool, typer.Option("--as-is", help="Leave both in the gauge they came in.")] = False,
    center: Annotated[str, typer.Option(help="none, items, users or both.")] = "none",
    wider: Annotated[
        str, typer.Option(help="If the new model has more components: refuse, widen the old one, or truncate the new.")
    ] = "refuse",
    old_users: Annotated[
        str | None, typer.Option("--old-users", help="Users of the old model, if in a file of their own.")
    ] = None,
    new_users: Annotated[str | None, typer.Option("--new-users", help="Users of the new model.")] = None,
    ids: Annotated[str | None, typer.Option("--old-ids", help="Ids of the old items.")] = None,
    new_ids: Annotated[str | None, typer.Option("--new-ids", help="Ids of the new items.")] = None,
    old_user_ids: Annotated[str | None, typer.Option("--old-user-ids", help="Ids of the old users.")] = None,
    new_user_ids: Annotated[str | None, typer.Option("--new-user-ids", help="Ids of the new users.")] = None,
    names: options.Names = None,
    k: Annotated[int, typer.Option("-k", help="Neighbours.")] = 10,
    seed: options.Seed = 0,
    json: options.Json = False,
) -> None:
    """Bring a retrained model into the space of the old one, and say what changed beyond the space."""
    from simgauge.cli import console
    from simgauge.remedies.saved_form import remedy_bytes
    from simgauge.shipping.align import align as run_align
    from simgauge.shipping.aligned import SHARES
    from simgauge.storage.embedding_directory import MAP_FILE

    with console.warnings_as_notes():
        models = [
            options.load_embedding(table, users, labels, names, user_labels, quiet=json)
            for table, users, labels, user_labels in (
                (old, old_users, ids, old_user_ids),
                (new, new_users, new_ids, new_user_ids),
            )
        ]
        found = run_align(
            *models,
            method=method,  # type: ignore[arg-type]
            power=None if as_is else power,
            center=center,  # type: ignore[arg-type]
            wider=wider,  # type: ignore[arg-type]
            k=k,
            rng=seed,
        )
        for place, model, map_ in ((out, found.new, found.new_map), (old_out, found.old, found.old_map)):
            if place is not None:
                model.save(place, more={MAP_FILE: remedy_bytes(map_)})
    if json:
        sources = {name: options.sources(model) for name, model in zip(("old", "new"), models, strict=True)}
        console.print_json({**found.to_dict(), "sources": sources})
        return
    console.out().print(found.summary, markup=False)
    console.print_measures(found.to_arrow(), SHARES)
    said = [f"Changed most: {', '.join(f'{name} ({share:.0%} kept)' for name, share in found.movers)}", *found.notes]
    if out is not None:
        said.append(
            f"Wrote {out}: the new model in the space of the old one, and the map for vectors that come later "
            f"(simgauge apply {out} VECTORS --out DIRECTORY; with --side users for users)."
        )
    if old_out is not None:
        said.append(f"Wrote {old_out}: the old model in that space, which is what the index must hold.")
    elif found.old is not models[0]:
        said.append(
            "The index must hold the old model in that space too, and not its vectors as they were: --old-out "
            "DIRECTORY writes it, and --as-is leaves the old vectors as they are."
        )
    for sentence in said:
        console.out().print(f"\n{sentence}", markup=False)
