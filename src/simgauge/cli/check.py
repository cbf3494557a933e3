"""simgauge check: what a vector store or an index file answers, beside exact search over its own vectors."""

from __future__ import annotations

from typing import Annotated

import typer

from simgauge.cli import options
from simgauge.cli.export import TARGETS


def check(
    target: Annotated[str, typer.Argument(help=f"Store or index: {TARGETS}; also usearch:FILE.")],
    expect: Annotated[str | None, typer.Option(help="cosine, dot or l2; what its card says when not given.")] = None,
    table: Annotated[str | None, typer.Option(help="Table or collection; items when not given.")] = None,
    vector: Annotated[str, typer.Option(help="Column of the vectors.")] = "vector",
    id_column: Annotated[str, typer.Option("--id", help="Column of the ids.")] = "id",
    k: Annotated[int, typer.Option("-k", help="Neighbours that are compared.")] = 10,
    sample: Annotated[int, typer.Option(help="Rows to ask with.")] = 200,
    filter_: Annotated[
        str | None,
        typer.Option("--filter", help="COLUMN or COLUMN=VALUE of queries that filter; lists of ids when not given."),
    ] = None,
    fail_on: Annotated[
        str | None, typer.Option(help="warn or fail: exit with 1 when a finding is that severe.")
    ] = None,
    seed: options.Seed = 0,
    json: options.Json = False,
) -> None:
    """Compare a store's answers with exact search over the vectors read back from it."""
    from simgauge.cli import console
    from simgauge.cli.exit_codes import FINDING
    from simgauge.parameters import check_choice
    from simgauge.shipping.check import check as run_check

    if fail_on is not None:
        check_choice(fail_on, "fail_on", ("warn", "fail"))
    with console.warnings_as_notes(), console.progress(not json) as show:
        result = run_check(
            target,
            expect=expect,  # type: ignore[arg-type]
            table=table,
            vector=vector,
            id_column=id_column,
            k=k,
            sample=sample,
            filter=filter_,
            rng=seed,
            progress=show,
        )
    if json:
        console.print_json(result.to_dict())
    else:
        title = f"{result.target}: {result.verdict}, {result.n_rows:,} rows, expected to answer by {result.expected}"
        console.print_findings(title, result.findings)
    if fail_on is not None and result.failed(fail_on):
        raise typer.Exit(FINDING)
