"""Evidence in files: judged pairs, labels of items, relevance of items to queries."""

from __future__ import annotations

import pathlib
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simgauge.errors import InputError
from simgauge.read.events.options import ReadingOptions
from simgauge.read.sources.columns import ID_NAMES, ITEM_NAMES, LABEL_NAMES, find_column, list_columns, usual_column
from simgauge.read.sources.names import label_columns, split_columns
from simgauge.read.sources.net import reads_files
from simgauge.read.sources.open_source import open_source

Path = str | pathlib.Path


class Judgements(NamedTuple):
    """Two columns of ids and one of numbers."""

    left: list[object]
    right: list[object]
    values: NDArray[np.float64]


@reads_files
def read_pairs(path: Path, options: ReadingOptions | None = None) -> Judgements:
    """Judged pairs: the first three columns of a table are an id, another id, and how similar they are.

    Raises
    ------
    InputError
        No such file, fewer than three columns, values that are not numbers.
    """
    return _three_columns(path, (0, 1, 2), "a first id, a second id and a judgement", options)


@reads_files
def read_relevance(path: Path, options: ReadingOptions | None = None) -> Judgements:
    """Relevance (qrels): query, item, grade, or the four columns of TREC (query, iteration, item, grade)."""
    return _three_columns(path, (0, 1, 2), "a query, an item and a grade", options, trec=True)


@reads_files
def read_item_labels(path: Path, options: ReadingOptions | None = None) -> dict[object, set[str]]:
    """Labels of items; an id may come several times.

    Parameters
    ----------
    path : path, "path:label" or "path:id:label"
        Without columns, those with usual names are taken (an id, and a label, genre, category or the like); in a table
        of two columns, these.

    Raises
    ------
    InputError
        No such file or column, or several columns none of which can be told to hold the labels.
    """
    file, columns = split_columns(path)
    with open_source(file, **_opening(options, columns)) as source:
        names = source.names
        _need(names, 2, source.label, "an id and a label")
        identity, chosen = _label_columns(names, columns, source.label)
        ids, labels = label_columns(source, [identity, chosen], text_last=True)
    found: dict[object, set[str]] = {}
    for item, label in zip(ids.tolist(), labels.tolist(), strict=True):
        found.setdefault(item, set()).add(str(label))
    return found


def _label_columns(names: list[str], columns: list[str | int], label: str) -> tuple[int, int]:
    """Positions of the id and of the label."""
    if len(columns) == 2:
        identity = find_column(columns[0], names, role="ids", where=label)
        return identity, find_column(columns[1], names, role="labels", where=label)
    ids = [name for name in (*ID_NAMES, *ITEM_NAMES) if name not in LABEL_NAMES]
    found = usual_column(ids, names)
    identity = 0 if found is None else found
    if columns:
        return identity, find_column(columns[0], names, role="labels", where=label)
    if len(names) == 2:
        return identity, 1 - identity
    chosen = usual_column(LABEL_NAMES, names, (identity,))
    if chosen is None:
        raise InputError(
            f"{label} has {len(names)} columns ({list_columns(names)}), and none is called label, genre, category or "
            f"the "
            f"like: say which hold ids and labels, such as {label}:{names[identity]}:{names[-1]}."
        )
    return identity, chosen


def _three_columns(
    path: Path, columns: tuple[int, int, int], meaning: str, options: ReadingOptions | None, trec: bool = False
) -> Judgements:
    with open_source(path, **_opening(options, [])) as source:
        columns = (0, 2, 3) if trec and len(source.names) == 4 else columns
        _need(source.names, max(columns) + 1, source.label, meaning)
        left, right, values = label_columns(source, list(columns), text_last=True)
        label = source.label
        named = ", ".join(source.names[column] for column in columns)
    numbers = np.empty(len(values))
    for row, text in enumerate(values.tolist()):
        try:
            numbers[row] = float(text)
        except (TypeError, ValueError):
            raise InputError(
                f"{label}: data row {row + 1} has {text!r} where a number was expected. Its columns {named} were "
                f"taken for "
                f"{meaning}: put them in this order."
            ) from None
    return Judgements(left.tolist(), right.tolist(), numbers)


def _opening(options: ReadingOptions | None, columns: list[str | int]) -> dict[str, Any]:
    """What `open_source` takes of these tables: how they are written, and no query."""
    wanted = [name for name in columns if isinstance(name, str)]
    return {**(options or ReadingOptions()).opening, "query": None, "wanted": wanted}


def _need(names: list[str], count: int, label: str, meaning: str) -> None:
    if len(names) < count:
        raise InputError(f"{label} has {len(names)} column(s) ({list_columns(names)}): expected {meaning}.")
