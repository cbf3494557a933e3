"""simgauge reproduce: section 4 of the paper, with every open choice a parameter."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simgauge.cli import options


def reproduce(
    out: Annotated[Path, typer.Option(help="Directory for a page, the figure, a table and JSON.")] = Path(
        "reproduction"
    ),
    n_users: Annotated[int, typer.Option(help="n.")] = 20_000,
    n_items: Annotated[int, typer.Option(help="p.")] = 1_000,
    n_clusters: Annotated[int, typer.Option(help="C.")] = 5,
    n_components: Annotated[int, typer.Option(help="k.")] = 50,
    l2_product: Annotated[float, typer.Option(help="λ of Eq. 1.")] = 10_000.0,
    l2_factors: Annotated[float, typer.Option(help="λ of Eq. 2.")] = 100.0,
    min_item_exponent: Annotated[float, typer.Option(help="β_c is uniform from here…")] = 0.25,
    max_item_exponent: Annotated[float, typer.Option(help="…to here.")] = 1.5,
    user_exponent: Annotated[float, typer.Option(help="β_user.")] = 0.5,
    cluster_concentration: Annotated[float, typer.Option(help="Dirichlet parameter of p_c.")] = 5.0,
    preference_concentration: Annotated[float, typer.Option(help="Dirichlet parameter of p_uc.")] = 1.0,
    min_items_per_user: Annotated[int, typer.Option(help="Smallest k_u.")] = 1,
    max_items_per_user: Annotated[int | None, typer.Option(help="Largest k_u; all items when not given.")] = None,
    power_law: Annotated[
        str, typer.Option(help="What PowerLaw(β) means: rank (Zipf), density (∝ x^−β), power (∝ x^(β−1)).")
    ] = "rank",
    everything: Annotated[
        bool,
        typer.Option("--all", help="Also show every statement of the paper: function, test, figure, and if it holds."),
    ] = False,
    n_seeds: Annotated[int, typer.Option(help="Simulated data sets; the table shows their spread.")] = 3,
    seed: options.Seed = 0,
    json: options.Json = False,
) -> None:
    """Repeat the paper's simulation and draw and measure every gauge of the same predictions."""
    from simgauge.cli import console
    from simgauge.cli.page_options import page_command
    from simgauge.paper.record import table_rows
    from simgauge.paper.reproduction import reproduce as run
    from simgauge.paper.reproduction import write_reproduction
    from simgauge.paper.statements import show_statements
    from simgauge.wording import counted

    with console.warnings_as_notes(), console.progress(not json) as show:
        result = run(
            n_users=n_users,
            n_items=n_items,
            n_clusters=n_clusters,
            n_components=n_components,
            l2_product=l2_product,
            l2_factors=l2_factors,
            n_seeds=n_seeds,
            rng=seed,
            progress=show,
            item_exponents=(min_item_exponent, max_item_exponent),
            user_exponent=user_exponent,
            cluster_concentration=cluster_concentration,
            preference_concentration=preference_concentration,
            min_items_per_user=min_items_per_user,
            max_items_per_user=max_items_per_user,
            power_law=power_law,
        )
        shown = show_statements(result.parameters, progress=show) if everything else None
        written = write_reproduction(result, out, shown, command=page_command())
    if json:
        statements = {name: shown.to_dict()[name] for name in ("statements", "gauges")} if shown else {}
        console.print_json({**result.to_dict(), **statements, "files": [str(path) for path in written]})
        return
    columns = ["model", "item vectors", "#AUC", "#P@10", "#cosine inside", "#cosine between"]
    spread = ": mean ± half the spread" if n_seeds > 1 else ""
    title = f"Known clusters, {counted(n_seeds, 'data set')}{spread}"
    console.out().print(console.table(title, columns, table_rows(result)))
    if shown:
        columns = ["statement", "what was found", "holds"]
        console.out().print()
        console.out().print(
            console.table("Statements of the paper, on the first data set", columns, shown.table_rows())
        )
    console.out().print("\nWrote " + ", ".join(str(path) for path in written), markup=False)
