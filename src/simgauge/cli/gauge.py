"""simgauge gauge: an embedding in a canonical gauge, with the map that leads there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from simgauge.cli import options


@options.reads_vectors
def gauge(
    embedding: Annotated[str, typer.Argument(help="Item vectors: a file, or a directory that simgauge saved.")],
    out: Annotated[Path, typer.Option(help="Directory for the vectors and the map.")],
    power: Annotated[float, typer.Option(help="0 whitened, 0.5 balanced, 1 projected back to the data space.")] = 1.0,
    center: Annotated[str, typer.Option(help="none, items, users or both: sides whose mean is subtracted.")] = "none",
    norm_power: Annotated[
        float | None, typer.Option(help="Rows scaled to norm^γ, from 0 (cosine) to 1 (dot product).")
    ] = None,
    users: options.Users = None,
    ids: options.Ids = None,
    names: options.Names = None,
    json: options.Json = False,
    reading: Any = None,
) -> None:
    """Write the vectors in a canonical gauge of the model's own predictions, which no training run decides."""
    from simgauge.cli import console
    from simgauge.remedies.canonical import CanonicalGauge
    from simgauge.remedies.remedy import CHANGED, KEPT, RANKINGS_KEPT
    from simgauge.remedies.saved_form import remedy_bytes
    from simgauge.storage.embedding_directory import MAP_FILE

    with console.warnings_as_notes():
        model = options.load_embedding(embedding, users, ids, names, None, reading, json)
        fitted = CanonicalGauge(power=power, center=center, norm_power=norm_power).fit(model)  # type: ignore[arg-type]
        moved = fitted.transform(model)
        moved.save(out, more={MAP_FILE: remedy_bytes(fitted)})
    if json:
        console.print_json(
            {
                "out": str(out),
                "gauge": fitted.name,
                "predictions": fitted.predictions_,
                "metric": fitted.metric,
                "sources": options.sources(model),
            }
        )
    else:
        said = {
            KEPT: "all dot products of users with items are kept",
            RANKINGS_KEPT: "all dot products of a user are moved by one constant, so that each user's ranking is kept "
            "and the scores are not",
            CHANGED: "dot products of users with items are changed",
        }
        console.out().print(
            f"Wrote {moved!r} to {out}: {fitted.name}; {said[fitted.predictions_]}; compare its rows with "
            f"{fitted.metric}.",
            markup=False,
        )  # fmt: skip
