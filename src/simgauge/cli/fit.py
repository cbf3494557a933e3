"""simgauge fit: the paper's model from a file of interactions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from simgauge.cli import options
from simgauge.cli.events import reads_events


@reads_events
def fit(
    interactions: Annotated[str, typer.Argument(help="CSV, TSV, Parquet (globs too), JSON lines, .npz, database.")],
    out: Annotated[Path, typer.Option(help="Directory for the embedding.")],
    names: Annotated[
        str | None, typer.Option(help="File with the items' names: FILE, FILE:NAME or FILE:ID:NAME, with columns.")
    ] = None,
    min_user_count: Annotated[int, typer.Option(help="Leave out users with fewer items.")] = 1,
    min_item_count: Annotated[int, typer.Option(help="Leave out items with fewer users.")] = 1,
    n_components: Annotated[int | None, typer.Option(help="Rank; 64 (or what the data has) when not given.")] = None,
    penalty: Annotated[str, typer.Option(help="product (Eq. 1), factors (Eq. 2), weights or dropout.")] = "product",
    l2: Annotated[float | None, typer.Option(help="λ; halves the weakest component when not given.")] = None,
    rate: Annotated[float | None, typer.Option(help="Dropout rate, for penalty dropout.")] = None,
    solver: Annotated[str, typer.Option(help="auto, dense, gram or lanczos.")] = "auto",
    memory: Annotated[
        str | None, typer.Option(help="Sort on disk with this much memory, such as 2GiB; when not given, if need be.")
    ] = None,
    seed: options.Seed = 0,
    json: options.Json = False,
    events: Any = None,
) -> None:
    """Fit the paper's regularised linear model in closed form and save users and items."""
    import time
    from dataclasses import replace

    from simgauge.cli import console
    from simgauge.models import LinearAutoencoder
    from simgauge.read.open_interactions import open_interactions
    from simgauge.read.store.stored_interactions import StoredInteractions
    from simgauge.storage.atomic import check_place
    from simgauge.storage.embedding_directory import own_embedding_files

    check_place(out, own_embedding_files)
    reading = replace(events, names=names, min_user_count=min_user_count, min_item_count=min_item_count)
    with console.warnings_as_notes(), console.progress(not json) as show:
        show("reading", 0, 3)
        with open_interactions(
            interactions,
            options=reading,
            memory=memory,
            on_disk=False if penalty == "dropout" else None,
            beside=out,
            progress=lambda text, done, steps: show(f"reading ({text})", done, 3 * steps),
        ) as data:
            if not json:
                console.print_understood(data, "interactions")
            show("fitting", 1, 3)
            start = time.perf_counter()
            model = LinearAutoencoder(n_components, penalty, l2, rate, solver, seed).fit(data.matrix)
            seconds = time.perf_counter() - start
            show("saving", 2, 3)
            if isinstance(data, StoredInteractions):
                model.save_embedding(data, out)
            else:
                model.embedding(data).save(out)
    summary: dict[str, Any] = {
        "out": str(out),
        "read": dict(data.report),
        "model": model.provenance(),
        "n_users": data.n_users,
        "n_items": data.n_items,
        "fit_seconds": round(seconds, 3),
    }
    if json:
        console.print_json(summary)
        return
    shown = {name: value for name, value in summary["read"].items() if name not in ("notes", "understood")}
    rows = [[name, str(value)] for name, value in {**shown, **summary["model"]}.items()]
    console.out().print(console.table("", ["what", "value"], rows))
    size = f"{data.n_items} items, {data.n_users} users, {model.decoder_.shape[1]} components, {model.decoder_.dtype}"
    console.out().print(f"\nFitted {size} in {seconds:.2f} s; saved to {out}", soft_wrap=True)
    console.out().print(f"Next: simgauge audit {out}", soft_wrap=True)
