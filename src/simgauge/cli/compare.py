"""simgauge compare: two audits, and how much two models agree."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from simgauge.cli import options
from simgauge.cli.exit_codes import FINDING, INCONCLUSIVE

if TYPE_CHECKING:
    from simgauge.auditing.comparison import ModelComparison


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
    sample: Annotated[int, typer.Option(help="Rows whose neighbours are searched, in tables with more.")] = 2_000,
    seed: options.Seed = 0,
    fail_on: Annotated[
        str | None,
        typer.Option(
            help="Exit with 1 where the relation has one of these parts, such as different, or a list with commas."
        ),
    ] = None,
    min_overlap: Annotated[
        float | None,
        typer.Option(help="Exit with 1 where a smaller share of the neighbours is common; 3 if undecided."),
    ] = None,
    report: options.Report = None,
    json: options.Json = False,
    reading: Any = None,
) -> None:
    """Say what turns one model into the other on the items that both have; compare neighbours, shapes, verdicts."""
    from simgauge.auditing.comparison import compare as run_compare
    from simgauge.auditing.comparison_page import comparison_page
    from simgauge.auditing.gate import RELATIONS, gate
    from simgauge.cli import console
    from simgauge.cli.page_options import page_command
    from simgauge.parameters import check_choice
    from simgauge.report.html import PAGE_SIGNS, write_page
    from simgauge.storage.own_file import refuse_foreign

    if report is not None:
        refuse_foreign(report, PAGE_SIGNS)
    refused = () if fail_on is None else tuple(name.strip() for name in fail_on.split(","))
    for name in refused:
        check_choice(name, "fail_on", RELATIONS)
    with console.warnings_as_notes(), console.progress(not json) as show:
        one = options.load_embedding(first, first_users, first_ids, None, first_user_ids, reading, json)
        two = options.load_embedding(second, second_users, second_ids, None, second_user_ids, reading, json)
        result = run_compare(one, two, k=k, sample=sample, rng=seed, progress=show)
        if report is not None:
            told = comparison_page(
                result,
                one,
                two,
                title=f"{Path(first).name} and {Path(second).name}",
                sample=sample,
                rng=seed,
                command=page_command(),
            )
            write_page(report, told)
    if json:
        console.print_json(result.to_dict())
    else:
        _print(result, k)
        if report is not None:
            console.out().print(f"\nWrote {report}", markup=False)
    passed = gate(result, refused=refused, min_overlap=min_overlap)
    for reason in passed.reasons:
        console.print_note(reason)
    if passed.outcome != "passed":
        raise typer.Exit(FINDING if passed.outcome == "failed" else INCONCLUSIVE)


def _print(result: ModelComparison, k: int) -> None:
    from simgauge.cli import console

    page = console.out()
    page.print(result.summary, markup=False)
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
