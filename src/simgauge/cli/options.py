"""Options that several commands share, and how they load what the options name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from simgauge.embedding import Embedding
    from simgauge.interactions import Interactions

Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout instead of tables.")]
Seed = Annotated[int, typer.Option(help="Seed of every random choice.")]
Users = Annotated[str | None, typer.Option(help="The other table (users, queries, contexts), same formats.")]
Ids = Annotated[
    str | None,
    typer.Option(help="Ids of the items: FILE with one per row, FILE:COLUMN, or 'positions' for row numbers from 0."),
]
UserIds = Annotated[
    str | None,
    typer.Option(help="Ids of the users: FILE with one per row, FILE:COLUMN, or 'positions' for row numbers from 0."),
]
TrustIds = Annotated[
    bool, typer.Option("--trust-ids", help="Go on where few ids match or the vectors do not seem to belong to them.")
]
Names = Annotated[str | None, typer.Option(help="File with one name per row, or FILE:COLUMN.")]
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
UserColumn = Annotated[str | None, typer.Option("--user", help="Column of users: name or position from 0.")]
ItemColumn = Annotated[str | None, typer.Option("--item", help="Column of items: name or position from 0.")]
WeightColumn = Annotated[str | None, typer.Option("--weight", help="Column of weights; 1 when not given.")]


def column(value: str | None) -> str | int | None:
    """A column option: digits are a position."""
    return int(value) if value is not None and value.isdigit() else value


def load_embedding(
    items: str, users: str | None, ids: str | None, names: str | None, user_ids: str | None = None
) -> Embedding:
    """A saved embedding, or tables in any readable format."""
    from simgauge.read.embedding_files import read_embedding

    return read_embedding(items, users=users, ids=ids, names=names, user_ids=user_ids)


def load_interactions(
    path: str | None, user: str | None = None, item: str | None = None, weight: str | None = None
) -> Interactions | None:
    """Interactions from a file, or None."""
    if path is None:
        return None
    from simgauge.read.interactions import read_interactions

    return read_interactions(path, user=column(user), item=column(item), weight=column(weight))
