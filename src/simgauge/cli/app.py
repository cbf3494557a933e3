"""The typer application and its commands, one module each."""

from __future__ import annotations

from typing import Annotated

import typer

from simgauge.cli import (
    align,
    apply,
    audit,
    calibrate,
    check,
    compare,
    demo,
    export,
    fit,
    fix,
    gauge,
    mcp,
    neighbors,
    preview,
    reproduce,
    stability,
    upgrade,
)
from simgauge.cli.everywhere import for_every_command
from simgauge.cli.exit_codes import epilog

app = typer.Typer(
    name="simgauge",
    help="Is the cosine similarity of your embeddings about similarity? Measure it, fix it, ship it.",
    epilog=epilog(),
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        from simgauge import __version__

        typer.echo(f"simgauge {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Is the cosine similarity of your embeddings about similarity? Measure it, fix it, ship it."""


for command in (
    demo.demo,
    fit.fit,
    audit.audit,
    fix.fix,
    neighbors.neighbors,
    compare.compare,
    reproduce.reproduce,
    export.export,
    check.check,
    gauge.gauge,
    apply.apply,
    align.align,
    upgrade.upgrade,
    stability.stability,
    preview.preview,
    calibrate.calibrate,
    mcp.mcp,
):
    app.command()(for_every_command(command))
