"""Sums of arrays over the partitions of an RDD, added up in groups on the executors, in the same order every time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from simgauge.core.tables.row_parts import tree_sum

GROUP = 16
"""Partial sums that one task adds: it holds that many pieces at once."""

PIECE_BYTES = 32 << 20
"""Larger arrays are added piece by piece, so that many tasks share the adding and none meets Spark's limit of 2 GiB."""

Piece = tuple[tuple[int, int], tuple[int, Any]]
"""((entry of the tuple or -1, piece), (number of the partial sum, array))."""


def reduced(partials: Any, n_partials: int) -> Any:
    """The sum of an RDD of `Piece`s that `pieces` made, partial sums numbered from 0 without gaps.

    Numerics
    --------
    ceil(log16(n_partials)) shuffles; the first moves all partial sums once, the next a sixteenth of that, and so on.
    """
    left = n_partials
    while left > 1:
        left = math.ceil(left / GROUP)
        tasks = max(1, min(left * 8, partials.context.defaultParallelism))
        partials = partials.map(_grouped).groupByKey(tasks).map(_added)
    return assembled(partials.collect())


def _grouped(piece: Piece) -> tuple[tuple[int, int, int], tuple[int, Any]]:
    key, (number, array) = piece
    return (*key, number // GROUP), (number, array)


def _added(group: tuple[tuple[int, int, int], Iterable[tuple[int, Any]]]) -> Piece:
    (entry, piece, number), terms = group
    # Spark hands them over in the order of their arrival
    ordered = sorted(terms, key=lambda term: term[0])
    return (entry, piece), (number, tree_sum(array for _, array in ordered))


def pieces(result: Any, number: int) -> Iterator[Piece]:
    """A partial sum cut up along its first axis.

    Examples
    --------
    >>> [key for key, _ in pieces((np.zeros(3), 1.0), 5)]
    [(0, 0), (1, 0)]
    """
    entries = list(enumerate(result)) if isinstance(result, tuple) else [(-1, result)]
    for entry, value in entries:
        size = getattr(value, "nbytes", 0)
        cut = isinstance(value, np.ndarray) and value.ndim > 0 and size > PIECE_BYTES
        parts = np.array_split(value, min(math.ceil(size / PIECE_BYTES), len(value))) if cut else [value]
        for piece, part in enumerate(parts):
            yield (entry, piece), (number, part)


def assembled(collected: Iterable[Piece]) -> Any:
    """Array put together again from the pieces that `pieces` cut.

    Examples
    --------
    >>> assembled(pieces((np.arange(3), 1.0), 0))
    (array([0, 1, 2]), 1.0)
    """
    entries: dict[int, list[Any]] = {}
    for (entry, _), (_, part) in sorted(collected, key=lambda piece: piece[0]):
        entries.setdefault(entry, []).append(part)
    values = [parts[0] if len(parts) == 1 else np.concatenate(parts) for parts in entries.values()]
    return values[0] if -1 in entries else tuple(values)
