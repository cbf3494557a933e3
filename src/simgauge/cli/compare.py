"""simgauge compare: two audits, and how much two models agree."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.text import Text

from simgauge.cli import options


@options.reads_vectors
def compare(
    first: Annotated[str, typer.Argument(help="Item vectors: a file, or a directory that simgauge saved.")],
    second: Annotated[str, typer.Argument(help="The other model's item vectors.")],
    first_users: Annotated[str | None, typer.Option(help="Users of the first model.")] = None,
    second_users: Annotated[str | None, typer.Option(help="Users of the second model.")] = None,
    first_ids: Annotated[
        str | None, typer.Option(help="Ids of the first table: FILE, FILE:COLUMN, or 'positions'.")
    ] = None,
    second_ids: Annotated[
        str | None, typer.Option(help="Ids of the second table: FILE, FILE:COLUMN, or 'positions'.")
    ] = None,
    first_user_ids: Annotated[str | None, typer.Option(help="Ids of the first model's users.")] = None,
    second_user_ids: Annotated[str | None, typer.Option(help="Ids of the second model's users.")] = None,
    k: Annotated[int, typer.Option("-k", help="Neighbours per list.")] = 10,
    sample: Annotated[int, typer.Option(help="Rows whose neighbours are looked at, in tables with more.")] = 2_000,
    seed: options.Seed = 0,
    json: options.Json = False,
    reading: Any = None,
) -> None:
    """Say what turns one model into the other on the items that both have; compare neighbours, shapes, verdicts."""
    from simgauge.auditing.comparison import compare as run_compare
    from simgauge.cli import console

    with console.warnings_as_notes(), console.progress(not json) as show:
        one = options.load_embedding(first, first_users, first_ids, None, first_user_ids, reading, json)
        two = options.load_embedding(second, second_users, second_ids, None, second_user_ids, reading, json)
        result = run_compare(one, two, k=k, sample=sample, rng=seed, progress=show)
    if json:
        console.print_json(result.to_dict())
        return
    page = console.out()
    page.print(result.summary, soft_wrap=True)
    above = result.agreement_above_chance
    rows = [
        ["relation of the models", result.relation],
        [f"neighbours in common (of {k})", f"{result.neighbor_overlap:.3f}"],
        ["mean cosine of two items, first and second", "{:.3f}, {:.3f}".format(*result.mean_cosines)],
        ["linear CKA (rotation, scale and shift aside)", f"{result.cka:.3f}"],
        ["Procrustes similarity (the same aside)", f"{result.procrustes_similarity:.3f}"],
        ["canonical agreement (any gauge and shift aside)", f"{result.canonical_agreement:.3f}"],
        ["  of unrelated tables of these sizes", f"{result.chance_agreement:.3f}"],
        ["  above chance", "cannot be told" if above is None else f"{above:.3f}"],
    ]
    page.print(console.table("", ["agreement", "#"], rows))
    page.print()
    ids = [finding.id for finding in result.audits[0].findings]
    other = {finding.id: finding for finding in result.audits[1].findings}
    pairs = [(result.audits[0][name], other[name]) for name in ids if name in other]
    verdicts: list[list[str | Text]] = [
        [a.title, console.verdict_text(a.verdict), a.summary, console.verdict_text(b.verdict), b.summary]
        for a, b in pairs
        if {a.verdict, b.verdict} & {"warn", "fail"}
    ]
    page.print(console.table("What is not ok in one of them", ["finding", "first", "", "second", ""], verdicts))
