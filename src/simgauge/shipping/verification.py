"""What a store answers beside the exact truth: agreement of its exact search, recall of its index, rows out of
reach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.spatial.distance
from numpy.typing import NDArray

from simgauge.core.inference.intervals import Interval, mean_interval
from simgauge.core.tables.kinds import Matrix
from simgauge.labels import positions_of
from simgauge.stores.condition import Condition
from simgauge.stores.store import Store

DEPTH = 10
QUERIES = 50
BLOCK = 1 << 16
"""Rows scored in one step."""


@dataclass(frozen=True)
class Answers:
    """How one way of searching a store agrees with the truth, over a sample of its own rows as queries."""

    agreement: Interval
    """Mean share of the k nearest rows (by the truth, ties aside) that the store returned, with its 95 % interval."""
    n_queries: int
    k: int
    finds_itself: float
    """Share of queries whose own row the store returned. Below 1, rows are out of reach, or others are nearer."""
    short: float = 0.0
    """Share of queries for which the store returned fewer rows than were asked for, though there are as many."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "agreement": self.agreement.value,
            "low": self.agreement.low,
            "high": self.agreement.high,
            "n_queries": self.n_queries,
            "k": self.k,
            "finds_itself": self.finds_itself,
            "short": self.short,
        }


@dataclass(frozen=True, eq=False)
class Truth:
    """The rows that a store should hold, and exact search over them, block by block."""

    ids: NDArray[Any]
    """(n,)"""
    vectors: Callable[[Any], NDArray[Any]]
    """Rows at positions, or of a slice."""
    metric: str
    """"cosine", "dot" or "l2"."""

    @classmethod
    def of(cls, ids: NDArray[Any], table: NDArray[Any], metric: str) -> Truth:
        """The truth for a table in memory."""
        return cls(ids, lambda rows: table[rows], metric)

    def among(self, rows: NDArray[Any]) -> Truth:
        """The truth among the rows at some positions."""
        return Truth(self.ids[rows], lambda chosen: self.vectors(rows[chosen]), self.metric)

    def limits(self, queries: NDArray[Any], k: int) -> Matrix:
        """Score of the k-th nearest row of each query, shape (n_queries,)."""
        best = np.full((len(queries), k), -np.inf)
        for start in range(0, len(self.ids), BLOCK):
            scores = scores_of(queries, self.vectors(slice(start, start + BLOCK)), self.metric)
            both = np.concatenate([best, scores], axis=1)
            best = np.partition(both, -k, axis=1)[:, -k:]
        return np.asarray(best.min(axis=1))


def scores_of(queries: NDArray[Any], table: NDArray[Any], metric: str) -> Matrix:
    """Scores in float64, larger is nearer, shape (n_queries, n_rows): cosine, inner product or minus the distance.

    The cosine with a zero vector is taken as minus infinity: it has no direction, and no two stores agree on its place.

    Examples
    --------
    >>> scores_of(np.array([[1.0, 0.0]]), np.array([[2.0, 0.0], [0.0, 0.0]]), "cosine")
    array([[  1., -inf]])
    """
    Q, X = np.asarray(queries, dtype=np.float64), np.asarray(table, dtype=np.float64)
    if metric == "l2":
        return np.asarray(-scipy.spatial.distance.cdist(Q, X))
    if metric == "dot":
        return np.asarray(Q @ X.T)
    Q, X = _unit(Q), _unit(X)
    scores = np.asarray(Q @ X.T)
    scores[:, ~X.any(axis=1)] = -np.inf
    return scores


def answers(
    store: Store,
    truth: Truth,
    *,
    exact: bool,
    queries: NDArray[np.intp],
    k: int = DEPTH,
    only: Condition | None = None,
) -> Answers:
    """Ask a store for the neighbours of some of its rows, and compare with exact search over what it should hold.

    A returned row counts as right when its true score reaches that of the k-th nearest row, to rounding: which of equal
    rows a store returns is its own choice.

    Parameters
    ----------
    store : Store
    truth : Truth
    exact : bool
        Whether to ask for an exact search or for that of the index.
    queries : ndarray of int
        Rows to ask with.
    k : int
    only : Condition, optional
        Rows that may be returned; the truth is then exact search over these.
    """
    asked = np.asarray(truth.vectors(queries), dtype=np.float32)
    within = truth if only is None else truth.among(positions_of(only.ids, truth.ids))
    k = min(k, len(within.ids))
    limits = within.limits(asked, k)
    slack = tolerance(asked, truth.metric)
    own = positions_of(truth.ids[queries], within.ids)
    shares, itself, short = [], [], []
    more: dict[str, Any] = {} if only is None else {"only": only}
    lists = store.search(asked, k, truth.metric, exact=exact, **more)
    ends = np.cumsum([len(hits) for hits in lists])
    everywhere = positions_of(_typed(np.concatenate(lists)), within.ids) if ends[-1] else np.empty(0, np.int64)
    for row, (hits, there) in enumerate(zip(lists, np.split(everywhere, ends[:-1]), strict=True)):
        places = np.unique(there[there >= 0])
        near = within.vectors(places) if len(places) else asked[:0]
        scores = scores_of(asked[row : row + 1], near, truth.metric)[0]
        shares.append(min(1.0, float((scores >= limits[row] - slack[row]).sum()) / k))
        itself += [bool((places == own[row]).any())] if own[row] >= 0 else []
        short.append(len(hits) < k)
    interval = Interval(shares[0], 0.0, 1.0)
    if len(shares) > 1:
        value, low, high = mean_interval(np.array(shares), population=len(truth.ids))
        interval = Interval(value, max(0.0, low), min(1.0, high))
    found = float(np.mean(itself)) if itself else 1.0
    return Answers(interval, len(queries), k, found, float(np.mean(short)))


def tolerance(queries: NDArray[Any], metric: str) -> Matrix:
    """What float32 may make of a score, per query: rounding of a sum of as many products as there are components."""
    eps = float(np.finfo(np.float32).eps) * max(8, queries.shape[1])
    norms = np.linalg.norm(np.asarray(queries, dtype=np.float64), axis=1)
    if metric == "cosine":
        return np.full(len(queries), eps)
    if metric == "dot":
        return np.asarray(eps * norms**2)
    return np.asarray(np.sqrt(eps) * norms)  # a distance is the root of a difference of squares of that size


def _unit(rows: Matrix) -> Matrix:
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0.0)
    scaled = np.divide(rows, largest, out=np.zeros_like(rows), where=largest > 0)
    norms = np.linalg.norm(scaled, axis=1, keepdims=True)
    return np.asarray(np.divide(scaled, norms, out=np.zeros_like(rows), where=norms > 0))


def _typed(hits: NDArray[Any]) -> NDArray[Any]:
    whole = all(isinstance(label, int | np.integer) for label in hits.tolist())
    return np.array(hits.tolist(), dtype=np.int64) if whole else np.array([str(label) for label in hits], dtype=object)
