"""Evidence in files: judged pairs, labels of items, relevance of items to queries."""

from __future__ import annotations

import os
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simgauge.errors import InputError
from simgauge.read.sources.names import label_columns
from simgauge.read.sources.net import reads_files
from simgauge.read.sources.open_source import open_source

Path = str | os.PathLike[str]


class Judgements(NamedTuple):
    """Two columns of ids and one of numbers."""

    left: list[object]
    right: list[object]
    values: NDArray[np.float64]


@reads_files
def read_pairs(path: Path) -> Judgements:
    """Judged pairs: the first three columns of a table are an id, another id, and how similar they are.

    Raises
    ------
    InputError
        No such file, fewer than three columns, values that are not numbers.
    """
    return _three_columns(path, (0, 1, 2), "a first id, a second id and a judgement")


@reads_files
def read_relevance(path: Path) -> Judgements:
    """Relevance (qrels): query, item, grade, or the four columns of TREC (query, iteration, item, grade)."""
    with open_source(path, wanted=[]) as source:
        columns = (0, 2, 3) if len(source.names) == 4 else (0, 1, 2)
    return _three_columns(path, columns, "a query, an item and a grade")


@reads_files
def read_item_labels(path: Path) -> dict[object, set[str]]:
    """Labels of items: the first two columns of a table are an id and a label; an id may come several times."""
    with open_source(path, wanted=[]) as source:
        _need(source.names, 2, source.label, "an id and a label")
        ids, labels = label_columns(source, [0, 1], text_last=True)
    found: dict[object, set[str]] = {}
    for item, label in zip(ids.tolist(), labels.tolist(), strict=True):
        found.setdefault(item, set()).add(str(label))
    return found


def _three_columns(path: Path, columns: tuple[int, int, int], meaning: str) -> Judgements:
    with open_source(path, wanted=[]) as source:
        _need(source.names, max(columns) + 1, source.label, meaning)
        left, right, values = label_columns(source, list(columns), text_last=True)
        label = source.label
    numbers = np.empty(len(values))
    for row, text in enumerate(values.tolist()):
        try:
            numbers[row] = float(text)
        except (TypeError, ValueError):
            raise InputError(f"{label}: row {row} has {text!r} where a number was expected ({meaning}).") from None
    return Judgements(left.tolist(), right.tolist(), numbers)


def _need(names: list[str], count: int, label: str, meaning: str) -> None:
    if len(names) < count:
        raise InputError(f"{label} has {len(names)} column(s): expected {meaning}.")
