"""simgauge fit: the paper's model from a file of interactions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from simgauge.cli import options


def fit(
    interactions: Annotated[str, typer.Argument(help="CSV, TSV, Parquet (globs too), JSON lines, .npz, database.")],
    out: Annotated[Path, typer.Option(help="Directory for the embedding.")],
    user: options.UserColumn = None,
    item: options.ItemColumn = None,
    weight: options.WeightColumn = None,
    query: Annotated[str | None, typer.Option(help="SQL to run on a DuckDB, SQLite or PostgreSQL database.")] = None,
    names: Annotated[
        str | None, typer.Option(help="File with the items' names: FILE, or FILE:ID_COLUMN:NAME_COLUMN.")
    ] = None,
    duplicates: Annotated[str, typer.Option(help="Repeated events: sum, max, mean, last, count or error.")] = "sum",
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
) -> None:
    """Fit the paper's regularised linear model in closed form and save users and items."""
    import time

    from simgauge.cli import console
    from simgauge.cli.fit_data import fit_data
    from simgauge.models import LinearAutoencoder
    from simgauge.read.store.stored_interactions import StoredInteractions
    from simgauge.storage.atomic import check_place
    from simgauge.storage.embedding_directory import own_embedding_files

    check_place(out, own_embedding_files)
    reading = {
        "user": options.column(user),
        "item": options.column(item),
        "weight": options.column(weight),
        "query": query,
        "names": names,
        "duplicates": duplicates,
        "min_user_count": min_user_count,
        "min_item_count": min_item_count,
    }
    with console.warnings_as_notes(), console.progress(not json) as show:
        show("reading", 0, 3)
        with fit_data(interactions, out, memory, penalty, reading, show) as data:
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
    rows = [[name, str(value)] for name, value in {**summary["read"], **summary["model"]}.items()]
    console.out().print(console.table("", ["what", "value"], rows))
    size = f"{data.n_items} items, {data.n_users} users, {model.decoder_.shape[1]} components, {model.decoder_.dtype}"
    console.out().print(f"\nFitted {size} in {seconds:.2f} s; saved to {out}", soft_wrap=True)
    console.out().print(f"Next: simgauge audit {out}", soft_wrap=True)
