"""simgauge fit: the paper's model from a file of interactions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from simgauge.cli import options
from simgauge.cli.events import reads_events
from simgauge.wording import counted, plural


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
    page = console.out()
    for sentence in read_sentences(data.report):
        page.print(sentence, markup=False)
    rows = [
        [FACTS.get(name, name.replace("_", " ")), _shown(value)]
        for name, value in summary["model"].items()
        if name not in ("library", "model")
    ]
    page.print()
    page.print(console.table("", ["the model", ""], [row for row in rows if row[1]]))
    size = f"{data.n_items:,} items, {data.n_users:,} users, {model.decoder_.shape[1]} components"
    page.print(f"\nFitted {size} ({model.decoder_.dtype}) in {seconds:.2f} s; saved to {out}", markup=False)
    page.print(f"Next: simgauge audit {out}", markup=False)


FACTS = {
    "objective": "penalty",
    "l2": "λ, strength of the penalty",
    "rate": "dropout rate",
    "n_components": "components",
    "n_active_components": "components in use",
}
"""What the facts of a model are called, where their names do not say it."""


def read_sentences(report: Mapping[str, Any]) -> list[str]:
    """What was read, in sentences; what else was understood is told while it is read.

    Examples
    --------
    >>> read_sentences({"rows_read": 9, "source": "a.csv", "rows_dropped": {"missing user id": 2, "bad": 0}})
    ['Read 9 events from a.csv.', 'Left out: 2 rows (missing user id).']
    """
    said = []
    if report.get("rows_read") is not None:
        events = f"{report['rows_read']:,} {plural('event', report['rows_read'])}"
        said.append(f"Read {events} from {report.get('source', 'the data')}.")
    columns = report.get("columns")
    if isinstance(columns, Mapping) and columns:
        said.append(f"Columns: {', '.join(f'{name} from {_column(column)}' for name, column in columns.items())}.")
    for reason, number in dict(report.get("rows_dropped") or {}).items():
        if number:
            said.append(f"Left out: {counted(number, 'row')} ({reason}).")
    merged = dict(report.get("duplicates") or {})
    if merged.get("events_merged"):
        said.append(f"Repeated pairs: {counted(merged['events_merged'], 'event')} merged by their {merged['rule']}.")
    zero = report.get("pairs_of_weight_zero_dropped")
    if zero:
        said.append(f"Left out: {counted(zero, 'pair')} of weight 0.")
    return said


def _column(column: Any) -> str:
    return ", ".join(map(str, column)) if isinstance(column, list | tuple) else str(column)


def _shown(value: Any) -> str:
    """A fact as people read it; nothing where there is none."""
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
