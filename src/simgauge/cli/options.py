"""Options that several commands share, and how they load what the options name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from simgauge.embedding import Embedding

Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout instead of tables.")]
Seed = Annotated[int, typer.Option(help="Seed of every random choice.")]
Users = Annotated[str | None, typer.Option(help="The other table (users, queries, contexts), same formats.")]
Ids = Annotated[
    str | None,
    typer.Option(help="A column of the table, a FILE with one id a row, FILE:COLUMN, or 'positions' for none."),
]
Names = Annotated[
    str | None,
    typer.Option(help="Names of the items: a column of the table, a FILE with one a row, FILE:NAME or FILE:ID:NAME."),
]
TrustIds = Annotated[
    bool, typer.Option("--trust-ids", help="Go on where few ids match or the vectors do not seem to belong to them.")
]
UserIds = Annotated[str | None, typer.Option("--user-ids", help="Ids of the other table, as for --ids.")]
OnBadRow = Annotated[
    str, typer.Option("--on-bad-row", help="error, or drop: leave rows out that are damaged or lack a number.")
]
Header = Annotated[
    bool | None,
    typer.Option("--header/--no-header", help="Whether the first line of a text table names its columns."),
]
Delimiter = Annotated[str | None, typer.Option("--delimiter", help="What separates the columns of a text table.")]
Encoding = Annotated[str | None, typer.Option("--encoding", help="Encoding of a text table, such as latin-1.")]
Decimal = Annotated[str | None, typer.Option("--decimal", help="Sign before the fraction in a text table: '.' or ','.")]
VECTOR_READING: dict[str, Any] = {
    "on_bad_row": (OnBadRow, "error"),
    "header": (Header, None),
    "delimiter": (Delimiter, None),
    "encoding": (Encoding, None),
    "decimal": (Decimal, None),
}
"""Options on how tables of vectors are written, with their defaults: the same in every command that reads some."""
Objective = Annotated[
    str | None,
    typer.Option(
        help="What the vectors were trained with: als, bpr, softmax, contrastive, clip, unit-sphere, word2vec, …"
    ),
]
TrainedBiases = Annotated[
    str | None,
    typer.Option(
        "--biases",
        help="Biases trained freely beside the vectors: none, items, users or both; penalised ones are none.",
    ),
]
Penalty = Annotated[
    str | None,
    typer.Option("--penalty", help="factors: the training penalised the length of both tables; none: neither."),
]
InteractionsFile = Annotated[
    str | None, typer.Option("--interactions", help="What the model was trained on; gives popularity.")
]

Shown = Annotated[
    list[str] | None,
    typer.Option("--show", help="Item whose neighbours are shown; may be given several times."),
]
NoNames = Annotated[bool, typer.Option("--no-names", help="Number the items in the page instead of naming them.")]
Report = Annotated[Path | None, typer.Option(help="File for a page that tells all of it, without a network.")]


def reads_vectors(command: Callable[..., None]) -> Callable[..., None]:
    """A command with the options of `VECTOR_READING` added; it receives them together as `reading`."""

    @wraps(command)
    def with_options(**given: Any) -> None:
        reading = {name: given.pop(name) for name in VECTOR_READING}
        command(**given, reading=reading)

    signature = inspect.signature(command, eval_str=True)
    own = [parameter for name, parameter in signature.parameters.items() if name != "reading"]
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in VECTOR_READING.items()
    ]
    parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own] + added
    with_options.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return with_options


def load_embedding(
    items: str,
    users: str | None,
    ids: str | None,
    names: str | None,
    user_ids: str | None = None,
    reading: dict[str, Any] | None = None,
    quiet: bool = False,
) -> Embedding:
    """A saved embedding, or tables in any readable format; what was understood of each is told on stderr.

    With `quiet` nothing is told: commands that print JSON have it there, as `sources` gives it.
    """
    from simgauge.cli.console import print_note
    from simgauge.cli.nouns import keep_names
    from simgauge.read.embedding_files import read_embedding, what_was_read

    options = dict(reading or {})
    has_header = options.pop("header", None)
    embedding = read_embedding(
        items, users=users, ids=ids, names=names, user_ids=user_ids, has_header=has_header, **options
    )
    keep_names(embedding)
    for line in [] if quiet else what_was_read(embedding, items):
        print_note(line)
    return embedding


def sources(embedding: Embedding) -> dict[str, Any]:
    """What was understood of the tables of an embedding, for the JSON of a command."""
    return dict(embedding.provenance.get("sources", {}))
