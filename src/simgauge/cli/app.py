"""The typer application and its commands, one module each."""

from __future__ import annotations

import sys
from pathlib import Path
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
    evaluate,
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
from simgauge.cli.examples import SENTENCE
from simgauge.cli.help import HelpCommand, HelpGroup, start
from simgauge.cli.wrapping import width_of_output

app = typer.Typer(
    name="simgauge",
    cls=HelpGroup,
    help=SENTENCE,
    invoke_without_command=True,
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
    ctx: typer.Context,
    config: Annotated[
        str | None,
        typer.Option(metavar="FILE|none", help="File of defaults; simgauge.toml here or above, when not given."),
    ] = None,
    version: Annotated[  # noqa: ARG001
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """What to do first, where no command was named."""
    if ctx.invoked_subcommand is None:
        typer.echo("\n".join(start(width_of_output(sys.stdout.isatty()))))
        return
    _use_defaults(ctx, config)


def _use_defaults(ctx: typer.Context, config: str | None) -> None:
    """The defaults of the project, for options that the command line does not give."""
    from simgauge.cli.settings import NO_FILE, find_settings, read_settings

    path = None if config == NO_FILE else Path(config) if config is not None else find_settings(Path.cwd())
    if path is not None:
        ctx.obj = read_settings(path, ctx.command.commands)  # type: ignore[attr-defined]
        ctx.default_map = dict(ctx.obj.by_command)


for command in (
    demo.demo,
    fit.fit,
    audit.audit,
    fix.fix,
    evaluate.evaluate,
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
    app.command(cls=HelpCommand)(for_every_command(command))
