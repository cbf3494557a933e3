"""simgauge apply: a saved map on new vectors, or as code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from simgauge.cli import options
from simgauge.wording import MAP_WRITERS


@options.reads_vectors
def apply(
    map_file: Annotated[
        str, typer.Argument(metavar="MAP", help=f"A map file, or a directory that {MAP_WRITERS} wrote.")
    ],
    vectors: Annotated[str | None, typer.Argument(help="New vectors, as the model makes them.")] = None,
    out: Annotated[Path | None, typer.Option(help="Directory for the moved vectors, or the file of --as.")] = None,
    side: Annotated[
        str, typer.Option(help="items (and queries by cosine) or users (and queries by dot product).")
    ] = "items",
    form: Annotated[
        str | None,
        typer.Option("--as", help="numpy, sql, pgvector (printed), onnx or sentence-transformers (with --out)."),
    ] = None,
    ids: options.Ids = None,
    names: options.Names = None,
    json: options.Json = False,
    reading: Any = None,
) -> None:
    """Move new items, users or queries by a saved map; with --as, write the map for where it is served."""
    from simgauge.cli import console
    from simgauge.errors import ParameterError
    from simgauge.shipping.apply import apply as run_apply
    from simgauge.shipping.map_code import TEXTS, map_as_code, write_map

    if form is not None:
        if vectors is not None:
            raise ParameterError("--as writes the map itself: leave the vectors out.")
        if out is not None:
            console.out().print(f"Wrote {write_map(map_file, form, out)}", markup=False)
            return
        if form not in TEXTS:
            raise ParameterError(f"--as {form} needs --out: where to write.")
        console.out().file.write(map_as_code(map_file, form))
        return
    if vectors is None or out is None:
        raise ParameterError("pass the new vectors and --out DIRECTORY, or --as to write the map itself.")
    with console.warnings_as_notes():
        given = options.load_embedding(vectors, None, ids, names, None, reading, json)
        moved = run_apply(map_file, given, side=side)  # type: ignore[arg-type]
        moved.save(out)
    if json:
        console.print_json({"out": str(out), "n": moved.n_items, "n_components": moved.n_components,
                            "remedy": moved.provenance["remedy"], "sources": options.sources(given)})  # fmt: skip
    else:
        console.out().print(f"Wrote {moved!r} to {out}", markup=False)
