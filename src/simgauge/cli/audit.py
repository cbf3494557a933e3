"""simgauge audit: how arbitrary is the cosine of these embeddings?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simgauge.cli import options
from simgauge.cli.events import load_interactions, reads_events
from simgauge.cli.exit_codes import FINDING, INCONCLUSIVE

if TYPE_CHECKING:
    from simgauge.auditing.baseline import BaselineComparison
    from simgauge.auditing.result import Audit
    from simgauge.embedding import Embedding
    from simgauge.interactions import Interactions


@options.reads_vectors
@reads_events
def audit(
    items: Annotated[str, typer.Argument(help="Item vectors: a file, or a directory that simgauge saved.")],
    users: options.Users = None,
    ids: options.Ids = None,
    names: options.Names = None,
    user_ids: options.UserIds = None,
    objective: options.Objective = None,
    biases: options.TrainedBiases = None,
    penalty: options.Penalty = None,
    interactions: options.InteractionsFile = None,
    by: Annotated[
        Path | None,
        typer.Option("--by", help="Labels of items, FILE, FILE:LABEL or FILE:ID:LABEL: findings per group."),
    ] = None,
    k: Annotated[int, typer.Option("-k", help="Neighbours per list.")] = 10,
    sample: Annotated[int, typer.Option(help="Rows whose neighbours are searched, in tables with more.")] = 2_000,
    seed: options.Seed = 0,
    trust_ids: options.TrustIds = False,
    thresholds: Annotated[Path | None, typer.Option(help="TOML file that overrides the shipped limits.")] = None,
    drop_bias: Annotated[
        bool, typer.Option("--drop-bias", help="Audit without bias columns folded into the vectors.")
    ] = False,
    fail_on: Annotated[str | None, typer.Option(help="Exit with 1 when a finding is 'warn' or 'fail'.")] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(help="An earlier audit.json: exit 1 when a finding is worse, 3 when undecided or columns differ."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Directory for report.html and audit.json.")] = None,
    show_items: options.Shown = None,
    no_names: options.NoNames = False,
    everything: Annotated[bool, typer.Option("--all", help="Show every finding, also those that are fine.")] = False,
    junit: Annotated[Path | None, typer.Option(help="File for the findings as JUnit XML.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="File for the findings as Markdown.")] = None,
    json: options.Json = False,
    reading: Any = None,
    events: Any = None,
) -> None:
    """How arbitrary is the cosine of these embeddings?"""
    from simgauge.auditing.baseline import compare_with_baseline, read_baseline
    from simgauge.auditing.result import MARKDOWN_SIGNS
    from simgauge.auditing.run import audit as run_audit
    from simgauge.bias import drop_bias as without_bias
    from simgauge.cli import console
    from simgauge.cli.audit_text import print_audit
    from simgauge.cli.page_options import without_names
    from simgauge.errors import ParameterError
    from simgauge.read.judgements import read_item_labels
    from simgauge.report.html import own_audit_files, write_audit
    from simgauge.report.junit import SIGNS
    from simgauge.storage.atomic import check_place
    from simgauge.storage.own_file import refuse_foreign

    if fail_on not in (None, "warn", "fail"):
        raise ParameterError(f"--fail-on {fail_on}: expected 'warn' or 'fail'.")
    last = None if baseline is None else read_baseline(baseline)
    if out is not None:
        check_place(out, own_audit_files)
    for path, signs in ((junit, SIGNS), (markdown, MARKDOWN_SIGNS)):
        if path is not None:
            refuse_foreign(path, signs)
    with console.warnings_as_notes(), console.progress(not json) as show:
        show("reading", 0, 1)
        embedding = options.load_embedding(items, users, ids, names, user_ids, reading, json)
        embedding = without_bias(embedding) if drop_bias else embedding
        opened = [embedding.item_ids[row] for row in embedding.find_items(show_items or ())]
        embedding = without_names(embedding) if no_names else embedding
        training = load_interactions(interactions, events, "interactions", json)
        result = run_audit(
            embedding,
            objective,
            biases=biases,
            penalty=penalty,
            interactions=training,
            by=None if by is None else read_item_labels(by),
            k=k,
            sample=sample,
            rng=seed,
            thresholds=thresholds,
            trust_ids=trust_ids,
            progress=show,
        )
        if out is not None:
            show("writing the report", 0, 1)
            page = _page(result, embedding, training, title=f"Audit of {Path(items).name}", shown=opened)
            write_audit(out, page, result.to_json())
    beside = None if last is None else compare_with_baseline(result, last)
    _write(result, beside, junit, markdown, fail_on)
    if json:
        console.print_json(result.to_dict() | ({} if beside is None else {"baseline": beside.to_dict()}))
    else:
        console.print_ids(result.parameters["ids"])
        print_audit(result, everything=everything, more=where_the_rest_is(out))
        _print(beside, [] if out is None else [out / "report.html", out / "audit.json"], junit, markdown)
    if (fail_on and result.failed(fail_on)) or (beside and beside.outcome == "worse"):
        raise typer.Exit(FINDING)
    if beside and beside.outcome == "inconclusive":
        raise typer.Exit(INCONCLUSIVE)


def _page(
    result: Audit, embedding: Embedding, training: Interactions | None, title: str, shown: Sequence[str]
) -> dict[str, Any]:
    """The summary of the page."""
    from simgauge.auditing.page import audit_page
    from simgauge.cli.page_options import page_command

    return audit_page(
        result.to_dict(),
        embedding,
        title=title,
        popularity=None if training is None else training.align(embedding.item_ids).item_counts,
        shown=shown,
        command=page_command(),
    )


def where_the_rest_is(out: Path | None) -> str:
    """Where the findings are that the terminal does not show."""
    report = "--out DIRECTORY writes a page with all of them" if out is None else f"{out / 'report.html'} has them all"
    return f"--all shows them here, --json prints them, {report}"


def _write(
    result: Audit, beside: BaselineComparison | None, junit: Path | None, markdown: Path | None, fail_on: str | None
) -> None:
    """The files for continuous integration."""
    from simgauge.auditing.result import MARKDOWN_SIGNS
    from simgauge.report.junit import SIGNS, junit_xml
    from simgauge.storage.own_file import write_own_file

    if junit is not None:
        changes = None if beside is None else beside.to_dict()
        write_own_file(junit, junit_xml(result.to_dict(), level=fail_on or "fail", baseline=changes), SIGNS)
    if markdown is not None:
        text = result.to_markdown() + ("" if beside is None else f"\n{beside.to_markdown()}")
        write_own_file(markdown, text, MARKDOWN_SIGNS)


def _print(beside: BaselineComparison | None, pages: list[Path], *files: Path | None) -> None:
    from simgauge.cli import console

    if beside is not None:
        console.out().print()
        console.out().print(beside.summary, markup=False)
        rows = [[change.outcome, change.name, change.reason] for change in beside.changes if change.outcome != "same"]
        if rows:
            console.out().print(console.table("", ["outcome", "finding", "why"], rows))
    written = " and ".join(str(page) for page in [*pages, *files] if page is not None)
    if written:
        console.out().print(f"\nWrote {written}", markup=False)
