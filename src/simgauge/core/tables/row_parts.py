"""Matrices and tables that are held in parts by rows: in memory, on disk, or on the workers of a cluster.

Everything heavy that simgauge computes is a sum over rows (XᵀXΩ, Gram matrices, means) or a list over rows (norms,
candidates for neighbours). So two operations are enough, `map` and `sum`; who implements them has every fit and audit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from simgauge.core.tables.threads import thread_count
from simgauge.errors import InputError

VALUES_PER_LOOK = 1 << 22
"""Values checked in one step, which keeps the memory of a check small."""

Part = Any
"""CSR or ndarray, (rows of this part, n_columns)."""

Work = Callable[..., Any]
"""Called as ``work(part, first_row, *arguments)``; must be picklable by reference or by cloudpickle."""


class Extent(NamedTuple):
    """Sizes and magnitudes of a matrix, for the check of the input and the choice of a route."""

    stored: int
    """Stored entries."""
    not_finite: int
    """Those that are NaN or infinite."""
    largest: float
    """Largest magnitude."""
    squared_counts: float
    """Sum over the rows of (stored entries)²: multiplications of a sparse XᵀX."""


class RowParts(ABC):
    """A matrix of `shape` whose rows lie in several places, in order.

    Parts may be empty. Those of interactions are CSR, those of tables of vectors ndarrays; all have one float dtype.
    """

    ndim = 2
    shape: tuple[int, int]
    dtype: np.dtype[Any]

    def __len__(self) -> int:
        return self.shape[0]

    @cached_property
    def extent(self) -> Extent:
        """Counts and magnitudes, from one pass, remembered."""
        looks = list(self.map(_look))
        return Extent(
            stored=sum(look.stored for look in looks),
            not_finite=sum(look.not_finite for look in looks),
            largest=max((look.largest for look in looks), default=0.0),
            squared_counts=sum(look.squared_counts for look in looks),
        )

    @abstractmethod
    def map(self, work: Work, *arguments: Any) -> Iterator[Any]:
        """``work(part, first_row, *arguments)`` of every part that has rows, in the order of the rows."""

    @abstractmethod
    def sum(self, work: Work, *arguments: Any) -> Any:
        """The sum of ``work(part, first_row, *arguments)`` over the parts: an array, or a tuple of arrays and lists.

        Arrays are added, lists joined (`in_order` sorts them by row).
        Added up in pairs, pairs of pairs and so on: rounding grows with the logarithm of the number of parts.
        """

    @abstractmethod
    def apply(self, work: Work, n_columns: int, *arguments: Any) -> RowParts:
        """The table of ``work(part, first_row, *arguments)``, same rows, dtype as here, left where the parts are."""

    def take(self, rows: NDArray[np.int64]) -> Any:
        """Some rows of a table, in the order asked for, in the memory of this process."""
        wanted = np.asarray(rows, dtype=np.int64)
        order = np.argsort(wanted, kind="stable")
        found = list(self.map(_rows_within, wanted[order]))
        result = np.empty((len(wanted), self.shape[1]), dtype=self.dtype)
        if len(wanted):
            result[order] = np.concatenate(found)
        return result

    def gather(self) -> Any:
        """The whole matrix in the memory of this process: CSR or ndarray."""
        parts = list(self.map(_whole))
        return sp.vstack(parts, format="csr") if sp.issparse(parts[0]) else np.concatenate(parts)


class LocalParts(RowParts):
    """Parts in the memory of this process, or memory-mapped, worked on by threads.

    Parameters
    ----------
    parts : sequence of CSR arrays or ndarrays
        Same number of columns, same float dtype, at least one row in all. Not copied.
    n_threads : int, optional
        OMP_NUM_THREADS or the processors of this process when not given.

    Examples
    --------
    >>> halves = LocalParts([np.array([[1.0, 2.0]]), np.array([[3.0, 4.0], [5.0, 6.0]])])
    >>> halves.shape, halves.sum(lambda part, _: part.T @ part)
    ((3, 2), array([[35., 44.],
           [44., 56.]]))
    >>> list(halves.map(lambda part, first_row: (first_row, len(part))))
    [(0, 1), (1, 2)]
    """

    def __init__(self, parts: Sequence[Part], n_threads: int | None = None) -> None:
        if not parts:
            raise InputError("parts: received none. Pass at least one part, with the rows that there are.")
        widths, kinds = {part.shape[1] for part in parts}, {np.dtype(part.dtype) for part in parts}
        if len(widths) > 1 or len(kinds) > 1:
            raise InputError(
                f"parts: expected one number of columns and one dtype; received {sorted(widths)} columns and "
                f"{', '.join(sorted(map(str, kinds)))}. Bring the parts to one schema first."
            )
        counts = [int(part.shape[0]) for part in parts]
        starts = np.cumsum([0, *counts])
        self.shape = (int(starts[-1]), widths.pop())
        self.dtype = kinds.pop()
        if 0 in self.shape:
            raise InputError(f"parts: {len(parts)} parts of shape {self.shape} in all hold nothing to work on.")
        self.parts = [part for part, count in zip(parts, counts, strict=True) if count]
        self._starts = [int(start) for start, count in zip(starts, counts, strict=False) if count]
        self._threads = min(n_threads or thread_count(), len(self.parts))

    def map(self, work: Work, *arguments: Any) -> Iterator[Any]:
        """See `RowParts.map`; a short queue, so that finished results do not pile up."""
        if self._threads == 1:
            for part, start in zip(self.parts, self._starts, strict=True):
                yield work(part, start, *arguments)
            return
        pending: deque[Future[Any]] = deque()
        pool = ThreadPoolExecutor(self._threads)
        try:
            for part, start in zip(self.parts, self._starts, strict=True):
                pending.append(pool.submit(work, part, start, *arguments))
                if len(pending) > self._threads:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:  # also when the caller stops early or is interrupted
            pool.shutdown(wait=True, cancel_futures=True)

    def apply(self, work: Work, n_columns: int, *arguments: Any) -> LocalParts:
        """See `RowParts.apply`; computed at once, in memory."""
        made = [np.asarray(table, dtype=self.dtype) for table in self.map(work, *arguments)]
        return LocalParts([table.reshape(-1, n_columns) for table in made], self._threads)

    def sum(self, work: Work, *arguments: Any) -> Any:
        """See `RowParts.sum`; the order of the additions depends on the parts alone, not on the threads."""
        return tree_sum(self.map(work, *arguments))


def add(left: Any, right: Any) -> Any:
    """The sum of two results: arrays, or tuples entry by entry; lists are joined.

    Examples
    --------
    >>> add((1, 2.0), (3, 4.0))
    (4, 6.0)
    """
    if isinstance(left, tuple):
        return tuple(one + other for one, other in zip(left, right, strict=True))
    return left + right


Pieces = list[tuple[int, NDArray[Any]]]
"""Results per row, each with the number of its first row; sums join them, in no certain order."""


def in_order(pieces: Pieces) -> NDArray[Any]:
    """Pieces put together by their first rows.

    Examples
    --------
    >>> in_order([(2, np.array([7])), (0, np.array([5, 6]))])
    array([5, 6, 7])
    """
    return np.concatenate([values for _, values in sorted(pieces, key=lambda piece: piece[0])])


def tree_sum(terms: Iterator[Any]) -> Any:
    """Sum in pairs, pairs of pairs and so on, holding at most log2(n) partial sums at a time.

    Examples
    --------
    >>> tree_sum(iter([1, 2, 3, 4, 5]))
    15
    """
    waiting: list[tuple[int, Any]] = []  # (terms in the sum, sum): sizes fall, as the digits of a binary counter
    for term in terms:
        size, total = 1, term
        while waiting and waiting[-1][0] == size:
            before = waiting.pop()
            size, total = 2 * size, add(before[1], total)
        waiting.append((size, total))
    total = waiting.pop()[1]
    while waiting:
        total = add(waiting.pop()[1], total)
    return total


def _whole(part: Part, _: int) -> Part:
    return part


def _look(part: Part, _: int) -> Extent:
    values = part.data if sp.issparse(part) else part.reshape(-1)
    counts = (
        np.diff(part.indptr).astype(np.float64) if sp.issparse(part) else np.full(part.shape[0], float(part.shape[1]))
    )
    largest, not_finite = 0.0, 0
    for start in range(0, len(values), VALUES_PER_LOOK):
        piece = values[start : start + VALUES_PER_LOOK]
        finite = np.isfinite(piece)
        not_finite += int(finite.size - np.count_nonzero(finite))
        largest = max(largest, float(np.abs(piece).max(where=finite, initial=0.0)))
    return Extent(len(values), not_finite, largest, float(counts @ counts))


def _rows_within(part: Part, first_row: int, ordered: NDArray[np.int64]) -> NDArray[Any]:
    low, high = np.searchsorted(ordered, [first_row, first_row + part.shape[0]])
    return np.asarray(part[ordered[low:high] - first_row])
