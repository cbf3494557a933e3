"""simgauge reproduce: section 4 of the paper, with every open choice a parameter."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simgauge.cli import options


def reproduce(
    out: Annotated[Path, typer.Option(help="Directory for the figure, the table and the JSON.")] = Path("reproduction"),
    n_users: Annotated[int, typer.Option(help="n.")] = 20_000,
    n_items: Annotated[int, typer.Option(help="p.")] = 1_000,
    n_clusters: Annotated[int, typer.Option(help="C.")] = 5,
    n_components: Annotated[int, typer.Option(help="k.")] = 50,
    l2_product: Annotated[float, typer.Option(help="λ of Eq. 1.")] = 10_000.0,
    l2_factors: Annotated[float, typer.Option(help="λ of Eq. 2.")] = 100.0,
    n_seeds: Annotated[int, typer.Option(help="Simulated data sets; the table shows their spread.")] = 3,
    seed: options.Seed = 0,
    json: options.Json = False,
) -> None:
    """Repeat the paper's simulation and draw every gauge of the same predictions."""
    from simgauge.cli import console
    from simgauge.reproduce import reproduce as run
    from simgauge.reproduce import write_reproduction

    with console.progress(not json) as show:
        result = run(n_components=n_components, l2_product=l2_product, l2_factors=l2_factors, n_seeds=n_seeds)
        write_reproduction(result, out)
    del show
