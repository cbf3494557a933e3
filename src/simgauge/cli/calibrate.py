"""simgauge calibrate: which cosine is similar?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from simgauge.cli import options


@options.reads_vectors
def calibrate(
    embedding: Annotated[str, typer.Argument(help="Item vectors: a file, or a directory that simgauge saved.")],
    pairs: Annotated[str, typer.Option(help="Table of two item ids and a label: 1 for similar, 0 for not.")],
    at_least: Annotated[
        float | None, typer.Option(help="For graded judgements: pairs of this grade or more are similar.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="JSON file for the map from cosine to probability.")] = None,
    ids: options.Ids = None,
    names: options.Names = None,
    seed: options.Seed = 0,
    json: options.Json = False,
    reading: Any = None,
) -> None:
    """Learn from labelled pairs how probable it is that two things of a given cosine are similar."""
    from simgauge.cli import console
    from simgauge.read.judgements import read_pairs
    from simgauge.shipping.calibrate import SIGNS
    from simgauge.shipping.calibrate import calibrate as run_calibrate
    from simgauge.storage.own_file import write_own_file

    with console.warnings_as_notes():
        model = options.load_embedding(embedding, None, ids, names, None, reading, json)
        judged = read_pairs(Path(pairs))
        left, right, grades = judged.left, judged.right, judged.values
        similar = grades if at_least is None else grades >= at_least
        found = run_calibrate(model, left, right, similar, rng=seed)
        if out is not None:
            write_own_file(out, console.dump(found.to_dict()), SIGNS)
    if json:
        console.print_json({**found.to_dict(), "sources": options.sources(model)})
        return
    console.out().print(found.summary, markup=False)
    rows = [
        [
            f"{probability:.0%}",
            "never" if found.threshold(probability) is None else f"{found.threshold(probability):.3f}",
        ]
        for probability in (0.1, 0.25, 0.5, 0.75, 0.9)
    ]
    console.out().print(console.table("", ["#probability", "#from a cosine of"], rows))
    low, high = found.error.low, found.error.high
    console.out().print(f"Calibration error on pairs held apart: {found.error.value:.3f} [{low:.3f}, {high:.3f}]")
