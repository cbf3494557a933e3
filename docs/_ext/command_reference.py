"""The directive `commands`: every command of the command line with its help, made from the application itself."""

from __future__ import annotations

from typing import Any

import typer.main
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from simgauge.cli.app import app as application


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|").replace("<", r"\<").replace("*", r"\*")


def _names(parameter: Any) -> str:
    spellings = [*parameter.opts, *parameter.secondary_opts]
    return ", ".join(f"`{spelling}`" for spelling in spellings)


def _default(parameter: Any) -> str:
    value = parameter.default
    shown = value is not None and not callable(value) and not isinstance(value, bool) and value != ()
    return f" Default: `{value}`." if shown else ""


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!", "…")) else f"{text}."


def _rows(parameters: list[Any], heads: tuple[str, str]) -> str:
    lines = [f"| {heads[0]} | {heads[1]} |", "|---|---|"]
    for parameter in parameters:
        needed = " Required." if parameter.required else ""
        text = _cell(_sentence(getattr(parameter, "help", None) or ""))
        lines.append(f"| {_names(parameter)} | {text}{needed}{_default(parameter)} |")
    return "\n".join(lines)


def command_page(name: str, command: Any) -> str:
    """One command as Markdown: usage, meaning, arguments, options, examples."""
    shown = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
    arguments = [parameter for parameter in shown if parameter.param_type_name == "argument"]
    options = [parameter for parameter in shown if parameter.param_type_name == "option"]
    usage = " ".join(
        [
            "simgauge",
            name,
            *(f"{argument.name.upper()}{'...' if argument.nargs == -1 else ''}" for argument in arguments),
        ]
    )
    parts = [f"## simgauge {name}", command.help or "", f"```text\n{usage} [OPTIONS]\n```"]
    if arguments:
        parts.append(_rows(arguments, ("argument", "meaning")))
    if options:
        parts.append(_rows(options, ("option", "meaning")))
    if command.epilog:
        parts.append(f"```text\n{command.epilog}\n```")
    return "\n\n".join(parts)


class Commands(SphinxDirective):
    """All commands, in the order of `simgauge --help`."""

    def run(self) -> list[nodes.Node]:
        """Sections, one a command."""
        group = typer.main.get_command(application)
        page = "\n\n".join(command_page(name, command) for name, command in group.commands.items())  # type: ignore[attr-defined]
        return self.parse_text_to_nodes(page, allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("commands", Commands)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
