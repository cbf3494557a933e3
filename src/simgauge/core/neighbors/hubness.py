"""Hubness: how unevenly the slots of all neighbour lists are shared out among the rows.

Everything here starts from neighbour lists that were computed once. The lists come from cosines, so every number is
gauge-dependent: ``items @ G`` has other neighbours for a general invertible G, the same ones for an orthogonal G.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.core.neighbors.neighbor_lists import Indices, as_neighbor_lists
from simgauge.core.neighbors.shared_places import Places
from simgauge.errors import ParameterError


def k_occurrence(indices: Any, n_rows: int) -> Indices:
    """Number of lists that hold each row, N_k, shape (n_rows,).

    Parameters
    ----------
    indices : array-like of int, shape (n_queries, k)
        Neighbours of all rows, of a sample of rows, or of queries from the other side.
    n_rows : int
        Rows of the table that was searched.

    Gauge
    -----
    Changes under a general G, not under an orthogonal one (nor a common scale).

    Examples
    --------
    >>> k_occurrence([[1], [0], [1]], n_rows=3)
    array([1, 2, 0])
    """
    lists = as_neighbor_lists(indices, n_rows)
    return np.bincount(lists.ravel(), minlength=n_rows).astype(np.int64, copy=False)


def k_skewness(occurrence: NDArray[Any]) -> float:
    """Skewness of the k-occurrence, m₃ / m₂^(3/2) with n in the denominators; 0 when all rows are listed equally often.

    The usual measure of hubness: about 1/√k for neighbours drawn at random, growing with the intrinsic dimension.
    The counts of a sample of queries have another skewness (sampling noise): use `k_skewness_of_places`.

    References
    ----------
    Radovanović, Nanopoulos, Ivanović (2010), Hubs in space, JMLR 11, section 3. Same value as `k_skewness` of
    scikit-hubness and kiez.

    Examples
    --------
    >>> round(k_skewness(np.array([0, 0, 0, 4])), 3)
    1.155
    """
    deviation = occurrence - occurrence.mean()
    variance = float(np.mean(deviation**2))
    return float(np.mean(deviation**3)) / variance**1.5 if variance > 0 else 0.0


def k_skewness_of_places(places: Places, population: int, chosen: NDArray[np.bool_] | None = None) -> float:
    """Skewness of the k-occurrence that all queries would give, from a sample of them, with shared ties.

    Sums over different queries are estimated without bias (`_raw_moments_of_all`), so the first three moments of N are;
    their ratio has a bias that vanishes with the sample. Equal to `k_skewness` when every query is there and nothing
    ties; 0 when the estimated variance is not positive (sample too small).

    Parameters
    ----------
    places : Places
        From `shared_places`, of three queries or more, drawn at random without replacement.
    population : int
        Queries that could have been drawn.
    chosen : ndarray of bool, shape (n_queries,), optional
        Only these of the queries, for intervals that leave some out.

    Examples
    --------
    >>> from simgauge.core.neighbors.shared_places import Places
    >>> places = Places(np.arange(4), np.array([3, 3, 3, 3]), np.ones(4), 4, 4)
    >>> round(k_skewness_of_places(places, 4), 3)
    1.155
    """
    n_queries = places.n_queries if chosen is None else int(chosen.sum())
    first, square, cube = _raw_moments_of_all(places.power_sums(chosen), n_queries, population)
    variance = square - first**2
    if variance <= 1e-12 * square:
        return 0.0
    return float((cube - 3 * first * square + 2 * first**3) / variance**1.5)


def antihub_expectation(k: int, n_queries: int, n_rows: int) -> float:
    """Share of antihubs if neighbours were drawn at random: ``exp(−k · n_queries / n_rows)``, e^-k for all rows.

    Examples
    --------
    >>> round(antihub_expectation(10, 1000, 1000), 7)
    4.54e-05
    """
    return float(np.exp(-k * n_queries / n_rows))


def top_share(occurrence: NDArray[Any], share: float = 0.01) -> float:
    """Share of the slots held by the most listed rows, ``ceil(share · n_rows)`` of them.

    Examples
    --------
    >>> top_share(np.array([0, 0, 1, 3]), share=0.25)
    0.75
    """
    if not 0 < share <= 1:
        raise ParameterError(f"share={share}: expected a share of the rows, above 0 and at most 1.")
    count = int(np.ceil(share * len(occurrence)))
    return float(np.partition(occurrence, len(occurrence) - count)[-count:].sum() / occurrence.sum())


def largest_hubs(occurrence: NDArray[Any], count: int = 10) -> tuple[Indices, NDArray[Any]]:
    """The most listed rows and how often they are listed, ties by position.

    Examples
    --------
    >>> largest_hubs(np.array([0, 3, 1, 3]), count=2)
    (array([1, 3]), array([3, 3]))
    """
    if count < 1:
        raise ParameterError(f"count={count}: expected 1 or more.")
    order = np.argsort(-occurrence, kind="stable")[:count]
    return order, occurrence[order]


def _raw_moments_of_all(power_sums: NDArray[np.float64], n_queries: int, population: int) -> tuple[float, float, float]:
    """Unbiased means of N, N² and N³ over the rows, N the sum of weights over all queries, by sums over different ones.

    With p_r the sum of w^r over sampled queries, ``p₁² − p₂`` sums w w' over pairs of different queries and
    ``p₁³ − 3 p₁ p₂ + 2 p₃`` over triples; ``p₁ p₂ − p₃`` sums w² w'. Of r different queries all are in the sample with
    probability (m)_r / (n)_r. For weights of 1 these are the falling factorials.
    """
    p1, p2, p3 = power_sums
    one, two, three = np.cumprod([(population - r) / (n_queries - r) for r in range(3)]).tolist()
    first = one * p1.mean()
    square = two * np.mean(p1**2 - p2) + one * p2.mean()
    cube = three * np.mean(p1**3 - 3 * p1 * p2 + 2 * p3) + 3 * two * np.mean(p1 * p2 - p3) + one * p3.mean()
    return float(first), float(square), float(cube)
