"""simgauge audit: how arbitrary is the cosine of these embeddings?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from simgauge.cli import options
from simgauge.cli.events import load_interactions, reads_events
from simgauge.cli.exit_codes import FINDING


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
    sample: Annotated[int, typer.Option(help="Rows whose neighbours are looked at, in tables with more.")] = 2_000,
    seed: options.Seed = 0,
    trust_ids: options.TrustIds = False,
    thresholds: Annotated[Path | None, typer.Option(help="TOML file that overrides the shipped limits.")] = None,
    drop_bias: Annotated[
        bool, typer.Option("--drop-bias", help="Audit without bias columns folded into the vectors.")
    ] = False,
    fail_on: Annotated[str | None, typer.Option(help="Exit with 1 when a finding is 'warn' or 'fail'.")] = None,
    out: Annotated[Path | None, typer.Option(help="Directory for report.html and audit.json.")] = None,
    json: options.Json = False,
    reading: Any = None,
    events: Any = None,
) -> None:
    """How arbitrary is the cosine of these embeddings?"""
    from simgauge import __version__
    from simgauge.auditing.run import audit as run_audit
    from simgauge.bias import drop_bias as without_bias
    from simgauge.cli import console
    from simgauge.errors import ParameterError
    from simgauge.read.judgements import read_item_labels
    from simgauge.report.html import own_audit_files, write_audit
    from simgauge.report.summary import report_summary
    from simgauge.storage.atomic import check_place

    if fail_on not in (None, "warn", "fail"):
        raise ParameterError(f"--fail-on {fail_on}: expected 'warn' or 'fail'.")
    if out is not None:
        check_place(out, own_audit_files)
    with console.warnings_as_notes(), console.progress(not json) as show:
        show("reading", 0, 1)
        embedding = options.load_embedding(items, users, ids, names, user_ids, reading, json)
        if drop_bias:
            embedding = without_bias(embedding)
        result = run_audit(
            embedding,
            objective,
            biases=biases,
            penalty=penalty,
            interactions=load_interactions(interactions, events, "interactions", json),
            by=None if by is None else read_item_labels(by),
            k=k,
            sample=sample,
            rng=seed,
            thresholds=thresholds,
            trust_ids=trust_ids,
            progress=show,
        )
        if out is not None:
            summary = report_summary(result.to_dict(), title=f"Audit of {Path(items).name}", version=__version__)
            write_audit(out, summary, result.to_json())
    if json:
        console.print_json(result.to_dict())
    else:
        console.print_ids(result.parameters["ids"])
        console.print_audit(result)
        if out is not None:
            console.out().print(f"\nWrote {out / 'report.html'} and {out / 'audit.json'}", soft_wrap=True)
    if fail_on and result.failed(fail_on):
        raise typer.Exit(FINDING)
