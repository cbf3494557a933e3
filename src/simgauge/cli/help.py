"""Help for any width: usage, what a command does, two examples, and its options by what they are about."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from rich.cells import cell_len
from typer.core import TyperCommand, TyperGroup

from simgauge.cli.events import OPTIONS as OF_EVENTS
from simgauge.cli.everywhere import OPTIONS as OF_ALL
from simgauge.cli.evidence import OPTIONS as OF_EVIDENCE
from simgauge.cli.examples import EXAMPLES, GROUPS, MORE, SENTENCE, STARTS
from simgauge.cli.exit_codes import epilog
from simgauge.cli.options import VECTOR_READING as OF_VECTORS
from simgauge.cli.wrapping import width_of_output, wrapped_text

SECTIONS = {
    "Evidence": frozenset(OF_EVIDENCE),
    "Files of interactions": frozenset(OF_EVENTS),
    "Text tables": frozenset(OF_VECTORS),
    "Every command": frozenset(OF_ALL) | {"json", "help"},
}
"""Heading -> options that stand under it; all others are the command's own."""
QUOTED_WORD = re.compile(r"'[^']*'|\S+")
WIDEST_LABEL = 30
"""Columns of the left side beyond which an explanation begins on the next line."""


class HelpCommand(TyperCommand):
    """A command whose help has examples and fits the terminal."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        formatter.write("\n".join(command_help(self, ctx, width_of_output(sys.stdout.isatty()))) + "\n")

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What follows the command's name when it is typed."""
        return list(_usage(self.get_params(ctx)))


class HelpGroup(TyperGroup):
    """The program, whose help lists the commands by what they are for."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        formatter.write("\n".join(program_help(self, ctx, width_of_output(sys.stdout.isatty()))) + "\n")

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """What follows the program's name when it is typed."""
        return ["COMMAND", "[OPTIONS]"]


def command_help(command: Any, ctx: Any, width: int) -> Iterator[str]:
    """Lines of a command's help."""
    yield wrapped_text(f"Usage: {ctx.command_path} {' '.join(command.collect_usage_pieces(ctx))}", width, hanging=7)
    yield ""
    yield wrapped_text(" ".join((command.help or "").split()), width)
    yield ""
    yield "Examples:"
    for example in EXAMPLES.get(str(command.name), ()):
        yield from continued(example, width)
    sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": [], **{name: [] for name in SECTIONS}}
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        if record is not None:
            label = _argument(parameter) if parameter.param_type_name == "argument" else record[0]
            sections[_section(parameter)].append((label, record[1]))
    for heading, records in sections.items():
        if records:
            yield ""
            yield f"{heading}:"
            yield from definitions(records, width)


def program_help(program: Any, ctx: Any, width: int) -> Iterator[str]:
    """Lines of the program's help."""
    yield wrapped_text(f"Usage: simgauge {' '.join(program.collect_usage_pieces(ctx))}", width, hanging=7)
    yield ""
    yield wrapped_text(SENTENCE, width)
    grouped = {name for names in GROUPS.values() for name in names}
    others = tuple(name for name in program.list_commands(ctx) if name not in grouped)
    for heading, names in {**GROUPS, MORE: others}.items():
        known = [(name, program.get_command(ctx, name)) for name in names]
        if known:
            yield ""
            yield f"{heading}:"
            yield from definitions([(name, _first_sentence(command)) for name, command in known if command], width)
    yield ""
    yield "Options:"
    yield from definitions([record for p in program.get_params(ctx) if (record := p.get_help_record(ctx))], width)
    yield ""
    yield wrapped_text("Options of a command and two examples: simgauge COMMAND --help.", width)
    yield ""
    yield wrapped_text(epilog(), width)


def start(width: int) -> Iterator[str]:
    """What a person sees who types the program's name alone."""
    yield wrapped_text(SENTENCE, width)
    yield ""
    yield "What do you have?"
    for have, command in STARTS:
        yield wrapped_text(f"  {have}:", width, hanging=2)
        yield from continued(command, width, indent=6)
    yield ""
    yield wrapped_text(
        "All commands: simgauge --help. One command, with examples: simgauge audit --help. Completion of commands and "
        "their values: simgauge --install-completion.",
        width,
    )


def definitions(records: Sequence[tuple[str, str]], width: int) -> Iterator[str]:
    """Labels with their explanations: side by side where there is room, or under each other.

    Examples
    --------
    >>> list(definitions([("--out", "Where to write.")], 40))
    ['  --out  Where to write.']
    >>> list(definitions([("--out", "Where to write to.")], 22))
    ['  --out', '    Where to write to.']
    """
    labels = [cell_len(label) for label, _ in records]
    column = max([length for length in labels if length <= WIDEST_LABEL] or [0]) + 4
    side_by_side = width - column >= max(20, width // 3)
    for label, text in records:
        before = f"  {label if cell_len(label) + 2 <= width else label.replace('|', '| ')}"
        if not side_by_side:
            yield wrapped_text(before, width, hanging=2)
            yield from _indented(text, 4, width)
            continue
        lines = list(_indented(text, column, width))
        if cell_len(before) + 2 <= column and lines:
            lines[0] = before + lines[0][cell_len(before) :]
        else:
            yield wrapped_text(before, width, hanging=2)
        yield from lines


def continued(example: str, width: int, indent: int = 2) -> Iterator[str]:
    r"""A command line, broken where a shell goes on reading, quoted words whole.

    Examples
    --------
    >>> list(continued("simgauge audit items.npy --users users.npy", 32))
    ['  simgauge audit items.npy \\', '    --users users.npy']
    """
    line = " " * indent
    for number, word in enumerate(QUOTED_WORD.findall(example)):
        if number and cell_len(line) + cell_len(word) + 3 > width:
            yield f"{line} \\"
            line = " " * (indent + 2) + word
        else:
            line += f" {word}" if number else word
    yield line


def _indented(text: str, indent: int, width: int) -> Iterator[str]:
    for line in wrapped_text(text, max(width - indent, 10)).split("\n"):
        yield " " * indent + line


def _usage(parameters: Sequence[Any]) -> Iterator[str]:
    """Arguments as they are typed, those that may be left out in brackets."""
    yield "[OPTIONS]"
    for parameter in parameters:
        if parameter.param_type_name == "argument":
            yield _argument(parameter) if parameter.required else f"[{_argument(parameter)}]"


def _argument(parameter: Any) -> str:
    return f"{parameter.metavar or parameter.name.upper()}{'...' if parameter.nargs != 1 else ''}"


def _section(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return "Arguments"
    return next((heading for heading, names in SECTIONS.items() if parameter.name in names), "Options")


def _first_sentence(command: Any) -> str:
    return " ".join((command.help or "").split("\n\n")[0].split())
