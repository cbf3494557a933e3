"""Hubness: how unevenly the slots of all neighbour lists are shared out among the rows.

Everything here starts from neighbour lists that were computed once. The lists come from cosines, so every number is
gauge-dependent: ``items @ G`` has other neighbours for a general invertible G, the same ones for an orthogonal G.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from simgauge.core.neighbors.neighbor_lists import Indices, as_neighbor_lists
from simgauge.core.neighbors.shared_places import Places
from simgauge.errors import InputError, ParameterError


def k_occurrence(indices: Any, n_rows: int) -> Indices:
    """How often each row is listed, N_k, shape (n_rows,).

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
    The counts of a sample of queries have another skewness (sampling noise): use `k_skewness_from_sample`.

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


def k_skewness_from_sample(occurrence: Indices, n_queries: int, n_rows: int) -> float:
    """Skewness of the k-occurrence that all `n_rows` queries would give, from `n_queries` of them drawn at random.

    For queries drawn without replacement the mean falling factorials obey ``E[(x)_r] = (m)_r / (n)_r · (N)_r`` exactly,
    so the first three moments of N are estimated without bias; their ratio has a bias that vanishes with the sample.
    Equal to `k_skewness` when all rows are queries; 0 when the estimated variance is not positive (sample too small).

    Parameters
    ----------
    occurrence : ndarray of int, shape (n_rows,)
        From `k_occurrence` of the sampled queries.
    n_queries, n_rows : int
        m and n, 3 <= m <= n: queries drawn, and rows of the table, all of which could have been drawn.

    Examples
    --------
    >>> k_skewness_from_sample(np.array([0, 0, 0, 4]), 4, 4) == k_skewness(np.array([0, 0, 0, 4]))
    True
    """
    if not 3 <= n_queries <= n_rows:
        raise ParameterError(f"n_queries={n_queries}: expected 3 to n_rows={n_rows} sampled rows.")
    return _skewness_of_all(np.stack([occurrence.astype(np.float64)] * 3), n_queries, n_rows)


def k_skewness_of_places(places: Places, population: int, chosen: NDArray[np.bool_] | None = None) -> float:
    """`k_skewness_from_sample` where ties at the end of lists are shared: weights below 1 have power sums of their own.

    Parameters
    ----------
    places : Places
        From `shared_places`, of queries drawn at random without replacement.
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
    return _skewness_of_all(places.power_sums(chosen), n_queries, population)


def _skewness_of_all(power_sums: NDArray[np.float64], n_queries: int, population: int) -> float:
    first, square, cube = _raw_moments_of_all(power_sums, n_queries, population)
    variance = square - first**2
    if variance <= 1e-12 * square:
        return 0.0
    return float((cube - 3 * first * square + 2 * first**3) / variance**1.5)


def k_skewness_truncnorm(occurrence: Indices) -> float:
    """Third moment of a standard normal cut off where the k-occurrence would become negative.

    With ``a = −mean/std`` (std with n − 1): ``E[Z³ | Z > a] = (a² + 2) φ(a) / (1 − Φ(a))``. This is what scikit-hubness
    and kiez call `k_skewness_truncnorm`; it knows the data only through mean/std, so it cannot tell hubs from antihubs.

    Examples
    --------
    >>> round(k_skewness_truncnorm(np.array([0, 0, 0, 4])), 3)
    1.146
    """
    spread = float(occurrence.std(ddof=1)) if len(occurrence) > 1 else 0.0
    if spread == 0:
        return 0.0
    cut = -float(occurrence.mean()) / spread
    return float((cut**2 + 2) * np.exp(-(cut**2) / 2 - log_ndtr(-cut)) / np.sqrt(2 * np.pi))


def antihub_share(occurrence: Indices) -> float:
    """Share of rows that no list holds; from a sample of queries only an upper bound (compare `antihub_expectation`).

    Examples
    --------
    >>> antihub_share(np.array([0, 2, 1, 1]))
    0.25
    """
    return float(np.mean(occurrence == 0))


def antihub_expectation(k: int, n_queries: int, n_rows: int) -> float:
    """Share of antihubs if neighbours were drawn at random: ``exp(−k · n_queries / n_rows)``, e^-k for all rows.

    Examples
    --------
    >>> round(antihub_expectation(10, 1000, 1000), 7)
    4.54e-05
    """
    return float(np.exp(-k * n_queries / n_rows))


def hub_share(occurrence: Indices, hub_size: float = 2.0) -> float:
    """Share of the slots that hubs hold; a hub is listed at least `hub_size` times as often as the mean row.

    `hub_occurrence` of scikit-hubness, whose mean is k because all rows are queries.

    Examples
    --------
    >>> hub_share(np.array([0, 0, 1, 3]))
    0.75
    """
    hubs = occurrence >= hub_size * occurrence.mean()
    return float(occurrence[hubs].sum() / occurrence.sum())


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


def robin_hood_index(occurrence: Indices) -> float:
    """Share of the slots that would have to change hands for all rows to be listed equally often, in [0, 1).

    References
    ----------
    Feldbauer, Leodolter, Plant, Flexer (2018), Fast approximate hubness reduction, section III.

    Examples
    --------
    >>> robin_hood_index(np.array([0, 0, 2, 2]))
    0.5
    """
    return float(np.abs(occurrence - occurrence.mean()).sum() / (2 * occurrence.sum()))


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


def neighbor_log_popularity(indices: Any, popularity: NDArray[Any]) -> NDArray[np.float64]:
    """Mean of ``log(1 + count)`` over the neighbours of every query, shape (n_queries,).

    Parameters
    ----------
    indices : array-like of int, shape (n_queries, k)
    popularity : array-like, shape (n_rows,)
        Counts, >= 0, of the rows of the table that was searched.

    Gauge
    -----
    Changes with the neighbours: along the named gauges of one model it is a hidden popularity knob.

    Examples
    --------
    >>> neighbor_log_popularity([[1, 2], [0, 2]], np.array([0, np.e - 1, 0]))
    array([0.5, 0. ])
    """
    counts = _counts(popularity)
    lists = as_neighbor_lists(indices, len(counts))
    return np.asarray(np.log1p(counts)[lists].mean(axis=1))


def popularity_correlation(values: NDArray[Any], popularity: NDArray[Any]) -> float:
    """Spearman correlation of a number per row (k-occurrence, norm) with popularity; 0 when either is constant.

    Examples
    --------
    >>> popularity_correlation(np.array([1, 2, 3]), np.array([10, 100, 1000]))
    1.0
    """
    counts = _counts(popularity)
    if len(values) != len(counts):
        raise InputError(f"popularity: expected one count per row, {len(values)}; received {len(counts)}.")
    from scipy.stats import rankdata  # half a second to import, so only for those who have counts

    ranks, others = rankdata(values), rankdata(counts)
    if np.ptp(ranks) == 0 or np.ptp(others) == 0:
        return 0.0
    return float(np.clip(np.corrcoef(ranks, others)[0, 1], -1.0, 1.0))


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


def _counts(popularity: NDArray[Any]) -> NDArray[np.float64]:
    counts = np.asarray(popularity, dtype=np.float64)
    if counts.ndim != 1 or not np.isfinite(counts).all() or (counts < 0).any():
        raise InputError("popularity: expected one finite count >= 0 per row of the table.")
    return counts
