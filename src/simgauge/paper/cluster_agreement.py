"""How well cosines agree with known clusters: the numbers behind the paper's Figure 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simgauge.core.neighbors.hubness import k_occurrence, k_skewness
from simgauge.errors import InputError

Floats = NDArray[np.float64]


def cluster_agreement(cosines: Floats, clusters: NDArray[np.int64], k: int = 10) -> dict[str, float]:
    """Agreement of a square table of similarities with the clusters its rows belong to.

    Parameters
    ----------
    cosines : ndarray, shape (n_items, n_items)
        Symmetric; the diagonal is ignored.
    clusters : ndarray of int, shape (n_items,)
        Cluster of every item.
    k : int
        Neighbours per item, at most n_items - 1 (fewer items: all the others).

    Returns
    -------
    dict
        ``auc``: chance that a pair of one cluster has the larger cosine than a pair of two clusters, ties one half.
        ``precision``: share of the k nearest items that are in the item's own cluster.
        ``inside``, ``between``: mean cosine of pairs of one cluster, and of two.
        ``hubness``: skewness of the k-occurrence.

    Gauge
    -----
    Made of cosines, so a function of the gauge: that is what it is for.

    Numerics
    --------
    One sort of n_items² / 2 numbers. Ties among neighbours go to the item that comes first.

    Raises
    ------
    InputError
        All pairs are of one kind (a single cluster, or every item its own): there is nothing to tell apart.

    Examples
    --------
    >>> cosines = np.array([[1.0, 0.9, 0.2], [0.9, 1.0, 0.1], [0.2, 0.1, 1.0]])
    >>> result = cluster_agreement(cosines, np.array([0, 0, 1]), k=1)
    >>> result["auc"], result["precision"], result["inside"]
    (1.0, 0.6666666666666666, 0.9)
    """
    n_items = len(cosines)
    upper = np.triu_indices(n_items, 1)
    same = clusters[upper[0]] == clusters[upper[1]]
    if same.all() or not same.any():
        kind = "in one cluster" if same.all() else "each in a cluster of its own"
        raise InputError(f"all {n_items} items are {kind}: pass two clusters or more, one of them with two items.")
    pairs = cosines[upper]
    others = cosines.copy()
    np.fill_diagonal(others, -np.inf)
    lists = np.argsort(-others, axis=1, kind="stable")[:, : min(k, n_items - 1)]
    return {
        "auc": _auc(pairs, same),
        "precision": float((clusters[lists] == clusters[:, None]).mean()),
        "inside": float(pairs[same].mean()),
        "between": float(pairs[~same].mean()),
        "hubness": k_skewness(k_occurrence(lists, n_items)),
    }


def norm_popularity(norms: Floats, popularity: NDArray[np.int64]) -> float:
    """Pearson correlation of log norm and log popularity over the items that have both.

    0 where it is not defined: fewer than two such items, or no variation in one of the two.

    Examples
    --------
    >>> round(norm_popularity(np.array([1.0, 2.0, 4.0, 0.0]), np.array([3, 6, 12, 5])), 12)
    1.0
    """
    alive = (norms > 0) & (popularity > 0)
    pair = np.log(norms[alive]), np.log(popularity[alive].astype(np.float64))
    if alive.sum() < 2 or min(np.ptp(values) for values in pair) <= 1e-12:
        return 0.0
    return float(np.corrcoef(*pair)[0, 1])


def _auc(scores: Floats, positive: NDArray[np.bool_]) -> float:
    """Mann-Whitney statistic of the positive among all, from mid-ranks."""
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    lengths = np.diff(np.append(first, len(ordered)))
    ranks = np.repeat(first + (lengths + 1) / 2, lengths)
    n_positive = int(positive.sum())
    total = float(ranks[positive[order]].sum()) - n_positive * (n_positive + 1) / 2
    return total / (n_positive * (len(scores) - n_positive))
